// Package wire is the codec of the Artemis CORE protocol: frames, primitives and packets, both directions. The server
// (net/core) and the Go client (net/client) use the same one.
//
// It is pure: bytes in, values out and back. It opens nothing, keeps nothing between calls, and knows no session rules.
// It is not the message codec: a message travels through here as the bytes it came in (broker/message reads them).
//
//	 0        4      5              13                   4+L
//	+--------+------+--------------+--------------------+
//	| L i32  | type | channel i64  | fields of packet   |
//	+--------+------+--------------+--------------------+
//	 L counts what follows it. Integers are big-endian.
//
// Invariants:
//
//  1. No input panics; whatever is wrong is an error that wraps ErrMalformed and names packet, offset and reason.
//  2. No allocation is sized by a number the peer declared: a length is first checked against the bytes that are there.
//  3. Bytes that a decoded packet refers to (message bodies, chunks) alias the input; strings are copies.
//  4. The layout of a packet depends on the effective version only: the smaller of what both sides announced. Fields of
//     a later version are neither written nor read.
//  5. Bytes after the last known field of a packet are ignored; that is how the protocol grows.
//  6. What Append wrote, Decode reads back as the same value at the same version.
//
// Start reading at frame.go, then packet.go; each group of packets has its own file.
package wire
