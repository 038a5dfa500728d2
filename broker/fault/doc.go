// Package fault is the error that a client may be told: a code that clients know and a sentence for the person who
// reads it. The layers of the domain (address, queue, post office, shard) return it; package session and the protocols
// pass it on unchanged.
//
// It is not for failures of the broker itself: those are ordinary errors and become CodeInternal or CodeIO at the edge.
package fault
