// Package shardtest has a log in memory for tests of what lies above the journal: it keeps records as the real one does,
// becomes safe when it is told, refuses when it is told, and gives back after a crash what a real log would.
//
// It is not a model of the disk: pages are whole or lost. Invariants:
//
//  1. Records of one Append are in one page.
//  2. What a crash loses is a suffix of whole pages; ids of what is lost are not given out again.
//
// Start with log.go.
package shardtest
