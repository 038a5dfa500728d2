//go:build !linux

package aio

// platformOpeners: the portable engine is the only one.
func platformOpeners() []opener { return nil }
