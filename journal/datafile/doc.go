// Package datafile is what the journal knows of single files: slots on disk, and the first two pages that name what a
// slot holds.
//
// A slot (slot-0007.dat) is a zero-filled file of fixed size that belongs to one broker's disk. A data file is what a slot
// holds now; it is named by (id, salt) everywhere. Page 0 names it, page 1 (the COPY) repeats page 0, pages follow. A slot
// is recycled by writing another page 0: no rename, no directory sync.
//
//	block 0        block 1        block 2 ...
//	+--------------+--------------+-------------------+----------------------+
//	| page 0       | COPY         | pages, chained    | zeros or stale pages |
//	+--------------+--------------+-------------------+----------------------+
//
// It is not the log: how files are chained, which of them count and where the log ends is decided in package journal.
//
// Invariants:
//
//  1. Page 0 and COPY are one block each and have the same payload, so either of them names the file.
//  2. Nothing here writes to a slot; Create makes one, whole, or none.
//
// Start reading at first.go.
package datafile
