// Package aio is the border between the journal and the kernel: files, asynchronous engines and aligned buffers.
//
// It moves bytes and reports results; it knows nothing of pages, records or roles.
//
// Invariants:
//
//  1. A completion of a write without error means that the bytes are durable as far as this kernel can tell: the
//     write was issued with O_DSYNC, or a data sync that started after it returned without error.
//
//  2. A failed or short write, or a failed sync, poisons its File for good: every later operation that would make
//     bytes durable fails with ErrPoisoned. A sync is never retried.
//
//  3. A buffer given to Submit belongs to the engine until its completion was delivered.
//
//  4. Buffers come from pools outside the Go heap, aligned for direct I/O.
//
//  5. An engine's sink is called by one goroutine at a time. No lock of this package is held while it runs.
//
//  6. Misuse (alignment, bounds, mode, a closed file, too many operations) is refused by Submit as a whole and poisons
//     nothing; all that the world does wrong arrives as a Completion.
//
//  7. An engine is chosen once, by name or by a probe whose figures are in the Choice; nothing is replaced silently.
//
// How an operation goes:
//
//	Submit -> CheckOp, inflight.admit (slot, descriptor kept open)
//	            |-> poolEngine: a worker's pwrite, and fdatasync where the descriptor does not sync
//	            '-> ringEngine: io_uring or libaio; one goroutine waits for results, and submits a sync if one is due
//	        -> inflight.finish (result checked, file poisoned on failure) -> deliver -> sink
//
// Start reading at aio.go (the border), then inflight.go (what all engines share), osfile.go and os_create.go; aiotest
// holds the simulated twin, aiotest/conformance what both must do, docs/decisions/0002-io-engines.md the reasons.
package aio
