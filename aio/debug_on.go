//go:build hinddebug

package aio

// debugChecks turns the dear checks on.
const debugChecks = true
