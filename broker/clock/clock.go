package clock

import "time"

// Instant is one reading of both clocks.
//
// Boot is CLOCK_BOOTTIME: it never goes back and counts suspended time. Role decisions, leases and time-outs use it
// alone (ha-design rule H6). Wall is milliseconds since the Unix epoch: message timestamps and expiry use it; it may
// jump, and enters no role decision.
type Instant struct {
	Boot time.Duration
	Wall int64
}
