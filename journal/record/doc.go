// Package record is the codec of journal pages and records: pure functions on bytes.
//
// A page is the unit of hash, repair and read: a 96-byte header, then records one after the other, then zeros up to a
// whole number of blocks. The hash covers everything but itself, the padding too. A record carries a CRC of its own, so
// that a point read checks one record and not a page of 64 KiB.
//
//	+----------------+----------+----------+-----+---------+
//	| header, 96 B   | record   | record   | ... | zeros   |   n blocks
//	+----------------+----------+----------+-----+---------+
//
// It is not a file format: what the first page of a file says is in package datafile, what kinds mean in package journal.
//
// Invariants:
//
//  1. Decoders never panic, never read outside the slice they were given, and never allocate from a declared length:
//     what they return points into their input.
//  2. Encoding is deterministic and canonical: bytes that decode encode to the same bytes again.
//  3. The first 14 bytes of a page (hash, magic, format) keep their place in every later format, so that an older
//     program can say "written by a newer one" instead of "damaged".
//
// Start reading at page.go.
package record
