package datafile

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hindmq/hind/journal/record"
)

// Head is what the first two blocks of a slot say: which file it holds.
type Head struct {
	Present bool          // a page 0 or a COPY is valid; without it the rest is zero
	Broken  bool          // page 0 of the named file is missing: only the COPY names it
	Name    Name          //
	First   First         // from page 0, or from the COPY if Broken; Role points into the input
	Header  record.Header // of page 0; if Broken, of the COPY
	Hash    uint64        // of page 0; if Broken, as the COPY's prevHash says it
}

// ErrForeign says that a slot holds something that no journal wrote.
var ErrForeign = errors.New("does not hold a journal file")

// Newer says that file a was written after file b: by epoch, then incarnation, then id.
func Newer(a, b *record.Header) bool {
	if a.Epoch != b.Epoch {
		return a.Epoch > b.Epoch
	}
	if a.Incarnation != b.Incarnation {
		return a.Incarnation > b.Incarnation
	}
	return a.File > b.File
}

// ReadHead decides which file a slot holds from its first two blocks. If page 0 is invalid, or names an older file than
// the COPY, the slot belongs to the COPY's file, whose page 0 is missing. A slot of zeros, or with a torn first page and
// nothing behind it, is free: Present is false. Errors: ErrForeign, record.ErrVersion.
func ReadHead(b []byte, blockShift uint8) (Head, error) {
	size := 1 << blockShift
	if len(b) < HeadBlocks*size {
		return Head{}, fmt.Errorf("%w: %d bytes are too short", ErrForeign, len(b))
	}
	zero, zeroErr := headPage(b[:size], record.PageFirst, blockShift)
	dup, dupErr := headPage(b[size:2*size], record.PageCopy, blockShift)
	switch {
	case dup.Present && (!zero.Present || Newer(&dup.Header, &zero.Header)):
		dup.Broken = true
		dup.Hash = dup.Header.PrevHash
		return dup, nil
	case zero.Present:
		return zero, nil
	case errors.Is(zeroErr, record.ErrVersion) && !ownPage(b[size:2*size]):
		return Head{}, zeroErr
	case errors.Is(dupErr, record.ErrVersion) && !ownPage(b[:size]):
		return Head{}, dupErr
	case !ownPage(b[:size]) && !blank(b[:size]) && !ownPage(b[size:2*size]):
		return Head{}, fmt.Errorf("%w (no journal page at its start)", ErrForeign)
	}
	return Head{}, nil
}

func headPage(b []byte, kind record.PageKind, blockShift uint8) (Head, error) {
	h, err := record.OpenPage(b)
	if err != nil {
		return Head{}, err
	}
	block := uint32(0)
	if kind == record.PageCopy {
		block = 1
	}
	if h.Kind != kind || h.Block != block || h.Blocks != 1 || h.BlockShift != blockShift || h.Records != 0 {
		return Head{}, record.ErrInvalid
	}
	f, err := ParseFirst(record.Payload(b, &h))
	if err != nil {
		return Head{}, err
	}
	return Head{Present: true, Name: Name{h.File, h.Salt}, First: f, Header: h, Hash: h.Hash}, nil
}

// ownPage: something that a journal wrote starts here, whole or torn. A header lies in one sector, so its magic and
// format survive every tear.
func ownPage(b []byte) bool {
	return binary.LittleEndian.Uint32(b[8:]) == record.Magic && binary.LittleEndian.Uint16(b[12:]) == record.Format
}

func blank(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
