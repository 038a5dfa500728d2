//go:build !linux

package aio

import "fmt"

func openMapped(EngineOptions) (Engine, error) {
	return nil, fmt.Errorf("I/O engine %q: %w: it exists on Linux only, for comparison; choose %q", EngineMapped,
		ErrUnavailable, EnginePwrite)
}
