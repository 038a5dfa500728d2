// Package scenario holds the interoperability scenarios: what is started, which faults hit when, what is measured and
// what must hold. Each scenario is one function over an Env; none of them knows which brand of broker it drives.
//
// Faults are driven by events, not by time: a fault comes after a seeded number of confirmed sends since the last one
// was healed, so that it always hits a busy system; the checker calls a run void in which one did not.
//
// Start with env.go.
package scenario
