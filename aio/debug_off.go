//go:build !hinddebug

package aio

const debugChecks = false
