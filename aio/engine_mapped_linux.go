package aio

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"golang.org/x/sys/unix"
)

// errMapped is why the mapped engine is refused.
var errMapped = fmt.Errorf("I/O engine %q: %w where durability is promised: a failed write of a mapped page arrives as "+
	"SIGBUS or, later, at msync, and cannot be tied to one write; choose %q", EngineMapped, ErrUnavailable, EngineAuto)

// mappedEngine writes by copying into a mapping of the file and msync: for comparison only.
type mappedEngine struct {
	*poolEngine
	maps struct {
		sync.Mutex
		of map[*osFile][]byte
	}
}

func openMapped(o EngineOptions) (Engine, error) {
	if !o.AllowVolatile {
		return nil, errMapped
	}
	e := &mappedEngine{}
	e.maps.of = make(map[*osFile][]byte)
	e.poolEngine = newPoolEngine(EngineMapped, o, e.do)
	return e, nil
}

// do copies and syncs the pages that it touched. A page that cannot be had is a fault, which becomes an error.
func (e *mappedEngine) do(f *osFile, op Op) (n int, err error) {
	m, err := e.mapping(f)
	if err != nil {
		return 0, err
	}
	if op.Off >= int64(len(m)) {
		return 0, nil
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if x := recover(); x != nil {
			n, err = 0, fmt.Errorf("page fault: %v: %w", x, unix.EIO)
		}
	}()
	if op.Kind == OpRead {
		return copy(op.Data, m[op.Off:]), nil
	}
	n = copy(m[op.Off:], op.Data)
	const pageMask = BufferAlign - 1
	from := op.Off &^ pageMask
	to := min((op.Off+int64(n)+pageMask)&^pageMask, int64(len(m)))
	return n, unix.Msync(m[from:to], unix.MS_SYNC)
}

func (e *mappedEngine) mapping(f *osFile) ([]byte, error) {
	e.maps.Lock()
	defer e.maps.Unlock()
	if m, ok := e.maps.of[f]; ok {
		return m, nil
	}
	prot := unix.PROT_READ
	if f.mode == ReadWrite {
		prot |= unix.PROT_WRITE
	}
	m, err := unix.Mmap(f.fd, 0, int(f.size), prot, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", f.name, err)
	}
	e.maps.of[f] = m
	return m, nil
}

// Close implements Engine.
func (e *mappedEngine) Close() error {
	errs := []error{e.poolEngine.Close()}
	e.maps.Lock()
	defer e.maps.Unlock()
	for _, m := range e.maps.of { // in any order: each is only given back
		errs = append(errs, unix.Munmap(m))
	}
	clear(e.maps.of)
	return errors.Join(errs...)
}
