//go:build !hinddebug

package aio

const debug = false
