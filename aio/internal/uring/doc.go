// Package uring drives one io_uring ring by raw system calls: prepare reads, writes and data syncs, flush them, wait for
// results. It knows file descriptors and bytes only.
//
// It is not a general binding: no registered buffers, no polling threads, no linked requests. A chain of linked requests
// is cut where the kernel stops consuming a batch, and a sync that lost its write would run too early; whoever needs a
// sync after a write prepares it when the write's result has arrived.
//
// Invariants:
//
//  1. Requests prepared and not yet answered never exceed the entries that New was given. The completion queue has at
//     least as many places, so that no result is ever dropped.
//  2. Memory of a request stays reachable and unmoved until its result was returned by Wait: the caller keeps it.
//  3. How much is left to submit is always computed from the ring's own head, never from what a call returned: an
//     interrupted call may have taken some, all or none.
//
// Start reading at ring_linux.go.
package uring
