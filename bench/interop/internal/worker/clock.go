package worker

import (
	"syscall"
	"unsafe"
)

// Monotonic returns CLOCK_MONOTONIC in nanoseconds: the clock that a JVM on this host stamps its events with.
func Monotonic() int64 {
	const clockMonotonic = 1
	var ts syscall.Timespec
	// clock_gettime with a valid clock and pointer has no way to fail.
	_, _, _ = syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}
