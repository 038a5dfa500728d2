// Package aio is the border between the journal and the kernel: files, asynchronous engines and aligned buffers.
//
// It moves bytes and reports results; it knows nothing of pages, records or roles.
//
// Invariants:
//
//  1. A completion of a write without error means that the bytes are durable as far as this kernel can tell: the
//     write was issued with O_DSYNC, or a data sync that started after it returned without error.
//  2. A failed or short write, or a failed sync, poisons its File for good: every later operation that would make
//     bytes durable fails with ErrPoisoned. A sync is never retried.
//  3. A buffer given to Submit belongs to the engine until its completion was delivered.
//  4. Buffers come from pools outside the Go heap, aligned for direct I/O.
//
// Start reading at aio.go (the border), then engine files; aiotest holds the simulated twin.
package aio
