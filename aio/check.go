package aio

import (
	"errors"
	"fmt"
	"reflect"
)

// Errors of misuse and of limits. Nothing was started when one of these is returned.
var (
	ErrUnaligned = errors.New("not aligned for direct I/O")
	ErrOutside   = errors.New("outside the file")
	ErrReadOnly  = errors.New("file was opened read-only")
	ErrBusy      = errors.New("engine is at its depth limit")
)

// CheckOp says what is wrong with an operation before anybody starts it: alignment of offset, length and address, the
// file's bounds, and its mode. Every engine refuses the same, so that a mistake shows in the simulation too. Writes never
// extend a file: a slot is created whole.
func CheckOp(op Op) error {
	if op.File == nil {
		return fmt.Errorf("operation %d: %w: no file", op.Tag, ErrOutside)
	}
	if op.Kind == OpWrite && ReadOnlyFile(op.File) {
		return fmt.Errorf("%s: write at %d: %w", op.File.Name(), op.Off, ErrReadOnly)
	}
	return CheckRange(op.File, op.Data, op.Off, op.Kind == OpWrite)
}

// CheckRange checks the part that CheckOp shares with ReadAt and WriteAt. A read may end beyond the file's end.
func CheckRange(f File, p []byte, off int64, write bool) error {
	if off < 0 || (write && (len(p) == 0 || off > f.Size()-int64(len(p)))) {
		return fmt.Errorf("%s: %d bytes at %d of %d: %w", f.Name(), len(p), off, f.Size(), ErrOutside)
	}
	a := f.Align()
	if a <= 1 {
		return nil
	}
	if off%int64(a) != 0 || len(p)%a != 0 || address(p)%uintptr(a) != 0 {
		return fmt.Errorf("%s: %d bytes at %d, address %#x, alignment %d: %w",
			f.Name(), len(p), off, address(p), a, ErrUnaligned)
	}
	return nil
}

// address is where p lies in memory; only its remainder is used.
func address(p []byte) uintptr {
	if len(p) == 0 {
		return 0
	}
	return reflect.ValueOf(&p[0]).Pointer() // a pointer in an interface costs no allocation
}

// ReadOnlyFile says that f was opened with Mode ReadOnly.
func ReadOnlyFile(f File) bool {
	m, ok := f.(interface{ Mode() Mode })
	return ok && m.Mode() == ReadOnly
}
