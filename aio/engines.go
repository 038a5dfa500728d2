package aio

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
)

// Names of engines for OpenEngine. "auto" is for Choose.
const (
	EngineUring  = "io_uring"
	EngineLibaio = "libaio"
	EnginePwrite = "pwrite"
	EngineMapped = "mapped"
	EngineAuto   = "auto"
)

// opener makes an engine, or says why this machine has none.
type opener struct {
	name string
	open func(EngineOptions) (Engine, error)
}

// openers is in the order in which equal engines are preferred.
func openers() []opener {
	return append(platformOpeners(), opener{EnginePwrite, func(o EngineOptions) (Engine, error) {
		return newPoolEngine(EnginePwrite, o, pwriteOp), nil
	}})
}

// OpenEngine makes the named engine, which then has to be started. An engine that is not available is an error that
// wraps ErrUnavailable and says why and what to do; nothing else is chosen in its place.
func OpenEngine(name string, o EngineOptions) (Engine, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	if name == EngineMapped {
		return openMapped(o)
	}
	var known []string
	for _, p := range openers() {
		if p.name == name {
			e, err := p.open(o)
			if err != nil {
				return nil, fmt.Errorf("I/O engine %q: %w: %w%s; or choose %q", name, ErrUnavailable, err, advice(err),
					EnginePwrite)
			}
			return e, nil
		}
		known = append(known, p.name)
	}
	return nil, fmt.Errorf("I/O engine %q: %w: on this platform there are %s", name, ErrUnavailable,
		strings.Join(known, ", "))
}

// EngineInfo says whether this machine offers an engine.
type EngineInfo struct {
	Name string
	// Err is nil if the engine can be used; else it wraps ErrUnavailable and says why and what to do.
	Err error
}

// Engines tries every engine that the build knows and promises durability with.
func Engines() []EngineInfo {
	var infos []EngineInfo
	for _, p := range openers() {
		e, err := OpenEngine(p.name, EngineOptions{Depth: 1})
		if err == nil {
			e.Start(func([]Completion) {})
			err = e.Close()
		}
		infos = append(infos, EngineInfo{p.name, err})
	}
	return infos
}

// advice is the next step for the usual reasons of a refusal.
func advice(err error) string {
	switch {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return " (forbidden: the container's seccomp profile, or sysctl kernel.io_uring_disabled; allow it there)"
	case errors.Is(err, syscall.ENOSYS):
		return " (this kernel, or its seccomp filter, does not have it)"
	case errors.Is(err, syscall.ENOMEM):
		return " (raise RLIMIT_MEMLOCK: LimitMEMLOCK= in the unit, or ulimit -l; or lower the depth)"
	case errors.Is(err, syscall.EAGAIN):
		return " (raise sysctl fs.aio-max-nr, or lower the depth)"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return " (too many open files: raise LimitNOFILE= or ulimit -n)"
	}
	return ""
}

// engineNames lists what Choose accepts.
func engineNames() []string {
	names := []string{EngineAuto}
	for _, p := range openers() {
		names = append(names, p.name)
	}
	return slices.Compact(names)
}
