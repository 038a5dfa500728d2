package message

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrMalformed is what every refusal of bytes wraps.
var ErrMalformed = errors.New("malformed message")

// reader walks bytes; after the first failure it stays failed and returns zeros.
type reader struct {
	buf []byte
	at  int
	err error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s at byte %d of %d", ErrMalformed, what, r.at, len(r.buf))
	}
}

// take returns the next n bytes without copying, nil after a failure.
func (r *reader) take(n int, what string) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.buf)-r.at {
		r.fail(what + " does not fit")
		return nil
	}
	b := r.buf[r.at : r.at+n]
	r.at += n
	return b
}

func (r *reader) u8(what string) byte {
	if b := r.take(1, what); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16(what string) uint16 {
	if b := r.take(2, what); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32(what string) uint32 {
	if b := r.take(4, what); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64(what string) uint64 {
	if b := r.take(8, what); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// sized reads an i32 byte count and that many bytes.
func (r *reader) sized(what string) []byte {
	n := int32(r.u32(what))
	return r.take(int(n), what)
}

// sstr reads a simple string, still in UTF-16 little-endian.
func (r *reader) sstr(what string) []byte {
	b := r.sized(what)
	if len(b)&1 != 0 {
		r.fail(what + " has an odd byte count")
		return nil
	}
	return b
}

// nsstr reads a nullable simple string; ok is false for null.
func (r *reader) nsstr(what string) (b []byte, ok bool) {
	switch r.u8(what) {
	case 0:
		return nil, false
	case 1:
		return r.sstr(what), r.err == nil
	}
	r.fail(what + " has a null mark other than 0 and 1")
	return nil, false
}
