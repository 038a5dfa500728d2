// Package message has one message as a value: the bytes of the CORE encoding that it came in, a reader of its headers
// and properties, and an editor that makes changed copies. The codec of properties serves protocols and clients too.
//
// It knows nothing of queues, records or connections.
//
//	 0        4                bodyEnd                                              end
//	+--------+----------------+----------------------------------------------------+
//	| i32 E  | body (E-13 B)  | headers and properties                             |
//	+--------+----------------+----------------------------------------------------+
//	headers: i64 id | nsstr address | u8 0 or u8 1 + 16 B user id | i8 type | u8 durable | i64 expiration |
//	         i64 timestamp | i8 priority | properties
//	properties: u8 0, or u8 1 | i32 count | count x { sstr key | i8 kind | value }
//
// All numbers are big-endian; sstr is an i32 byte count and UTF-16 little-endian; nsstr is u8 0, or u8 1 and sstr.
//
// Invariants:
//
//  1. A Message is immutable after Parse; any goroutine may read it.
//  2. Parse has walked every byte: what it accepted, the readers and the editor cannot fail on.
//  3. Nothing is allocated from a length or a count that the bytes declare, only from bytes that are there.
//  4. Bytes that need no change are never changed: only the id is patched at delivery, into the copy that is sent.
//
// Start with message.go, then properties.go.
package message
