// Package history reads what load workers and the harness recorded and judges it.
//
// A history is one JSON object a line in the order in which things were recorded; "t" is CLOCK_MONOTONIC of this host in
// nanoseconds. The Java worker writes the client's side, the harness adds faults. Check walks it once.
//
// The package neither starts nor talks to anything. Start with Check in check.go; the rules are named in rules.go.
//
// Invariants:
//  1. The verdict follows from the lines alone: the same history gives the same report.
//  2. Every rule has a planted violation in the tests that turns exactly that rule red.
//  3. An outcome that the client could not know ("info") is never held against the broker.
package history
