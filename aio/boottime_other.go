//go:build !linux

package aio

import "time"

// begun anchors the fallback clock.
var begun = time.Now()

// BootTime is a monotonic clock; where the kernel has no CLOCK_BOOTTIME it may stand still while the machine sleeps.
func BootTime() (time.Duration, error) { return time.Since(begun), nil }
