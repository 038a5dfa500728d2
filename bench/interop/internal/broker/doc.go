// Package broker runs real broker processes for the tests: hind, or Apache Artemis as the oracle, behind one Node.
//
// A Node is one broker with its folder, ports and process; a Pair is two that replicate. Which product it is, is a
// Brand: how to prepare a folder, what to start, and how to see role and synchrony (Artemis by its log, hind by its
// admin port). Nothing above this package asks which brand runs.
//
// Invariants:
//  1. A Node's ports are below the range from which the kernel takes client ports, so that a client that dials a dead
//     broker can neither take its port nor connect to itself.
//  2. Every wait ends: by its condition, by the end of its context, or because the process it waits for has ended.
//  3. State seen before a start never answers a question asked after it.
//
// Start with node.go.
package broker
