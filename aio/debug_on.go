//go:build hinddebug

package aio

// debug turns the dear checks on.
const debug = true
