// Package aiotest is the simulated twin of aio: a disk in memory whose every choice comes from a seed.
//
// A Disk holds bytes and names. A Process is one operating-system process that uses the disk: it is an aio.FS and makes
// engines. Two processes on one disk see each other's locks and writes. Nothing happens by itself: Step completes one
// operation, chosen by the seed, and calls the sink of its engine on the caller's goroutine; Run steps until nothing is
// left; Advance completes what is due at a simulated time. An engine made with EngineOptions.Auto completes from a
// goroutine of its own instead, for hosts that really wait.
//
// What a disk may do to bytes and names:
//
//	durable   completed writes, synced files, synced directories: survive every crash
//	cached    what a reader sees but a power cut may take, 512-byte sector by sector: writes that a killed process left
//	          behind. Sync of any descriptor of the file makes it durable
//	in flight submitted, not completed: at a crash each sector is kept with a probability; after Kill it may land late
//	names     a create, rename or remove whose directory was not synced is there or not after a crash
//
// Faults are rules (Inject): fail the k-th call once or for ever, torn, short, lost and misdirected writes, flipped bits,
// slow and hung operations. Crash makes the disk as a restart would find it, without disturbing the original; clones
// share blocks until written, so a crash matrix can afford millions.
//
// Invariants:
//
//  1. The same seed and the same calls give the same results; there is no map iteration in any choice.
//  2. A completed write without an injected fault is never lost by Crash.
//  3. Refusals (alignment, bounds, mode, poison) are the same as those of the real files.
//
// Start reading at disk.go, then step.go and crash.go.
package aiotest
