package datafile

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hindmq/hind/journal/record"
)

// Kind is the kind of a data file.
type Kind uint8

const (
	Log  Kind = 1 + iota // one chained stream: order, transactions, acknowledgements
	Bulk                 // survivors of compaction and chunks; nothing until a log record names it
)

func (k Kind) String() string {
	switch k {
	case Log:
		return "log"
	case Bulk:
		return "bulk"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// HeadBlocks is what page 0 and COPY take in every file.
const HeadBlocks = 2

// Name names a data file. Ids are monotonic; the salt is random, so a stale or forged page never passes for a page of
// another file, and two files of a forked history never have the same name.
type Name struct {
	ID   uint64
	Salt uint64
}

func (n Name) String() string { return fmt.Sprintf("%d/%016x", n.ID, n.Salt) }

// Link names the end of a file: where its chain of pages ends for whoever refers to it.
type Link struct {
	Name
	End      uint32 // block after the last page; 0: there is no predecessor
	TailHash uint64 // hash of the last page
}

// Place is where a record lies.
type Place struct {
	File   uint64 // 0: nowhere
	Block  uint32 // start of its page
	Record uint64 // id
}

// First is the payload of page 0 and of COPY.
type First struct {
	Kind     Kind
	Opened   bool     // a new process opened here: what is not prepared is rolled back
	Window   uint32   // W: no page ends more blocks than this beyond the durable position of the disk it lies on
	Capacity uint32   // blocks of the slot
	Node     [16]byte // node id of the pair
	Pred     Link     // zero for the first file and for bulk files
	Start    Place    // START of the last complete checkpoint before this file
	Role     []byte   // role record, at an activation
}

const (
	firstLayout = 1
	firstFixed  = 80

	flagOpened = 1 << 0
)

// RoleSizeMax is the longest role record that fits page 0 of a file with this block size.
func RoleSizeMax(blockShift uint8) int { return 1<<blockShift - record.HeaderSize - firstFixed }

// The payload of page 0, little-endian:
//
//	 0  layout     u16   1
//	 2  kind       u8    1 log, 2 bulk
//	 3  flags      u8    bit 0: opened
//	 4  window     u32   blocks
//	 8  capacity   u32   blocks
//	12  pred end   u32   blocks
//	16  node id    16 B
//	32  pred file  u64
//	40  pred salt  u64
//	48  pred tail  u64   hash
//	56  start file u64   of the page that holds START of the last complete checkpoint
//	64  start blk  u32
//	68  role size  u32
//	72  start id   u64   record id of START
//	80  role

// Append encodes f behind dst.
func (f *First) Append(dst []byte) []byte {
	le := binary.LittleEndian
	flags := uint8(0)
	if f.Opened {
		flags |= flagOpened
	}
	dst = le.AppendUint16(dst, firstLayout)
	dst = append(dst, uint8(f.Kind), flags)
	dst = le.AppendUint32(dst, f.Window)
	dst = le.AppendUint32(dst, f.Capacity)
	dst = le.AppendUint32(dst, f.Pred.End)
	dst = append(dst, f.Node[:]...)
	dst = le.AppendUint64(dst, f.Pred.ID)
	dst = le.AppendUint64(dst, f.Pred.Salt)
	dst = le.AppendUint64(dst, f.Pred.TailHash)
	dst = le.AppendUint64(dst, f.Start.File)
	dst = le.AppendUint32(dst, f.Start.Block)
	dst = le.AppendUint32(dst, uint32(len(f.Role)))
	dst = le.AppendUint64(dst, f.Start.Record)
	return append(dst, f.Role...)
}

// ErrFirst says that the payload of a page 0 or COPY makes no sense, though its hash is right.
var ErrFirst = errors.New("first page of a data file is invalid")

// ParseFirst decodes a payload. Role points into b.
func ParseFirst(b []byte) (First, error) {
	var f First
	le := binary.LittleEndian
	if len(b) < firstFixed {
		return f, fmt.Errorf("%w: %d bytes", ErrFirst, len(b))
	}
	if l := le.Uint16(b); l != firstLayout {
		return f, fmt.Errorf("%w: layout %d", ErrFirst, l)
	}
	f = First{
		Kind: Kind(b[2]), Opened: b[3]&flagOpened != 0, Window: le.Uint32(b[4:]), Capacity: le.Uint32(b[8:]),
		Pred:  Link{Name: Name{le.Uint64(b[32:]), le.Uint64(b[40:])}, End: le.Uint32(b[12:]), TailHash: le.Uint64(b[48:])},
		Start: Place{le.Uint64(b[56:]), le.Uint32(b[64:]), le.Uint64(b[72:])},
	}
	copy(f.Node[:], b[16:32])
	switch {
	case f.Kind != Log && f.Kind != Bulk:
		return f, fmt.Errorf("%w: %s", ErrFirst, f.Kind)
	case b[3]&^flagOpened != 0:
		return f, fmt.Errorf("%w: flags %#x", ErrFirst, b[3])
	case le.Uint32(b[68:]) != uint32(len(b)-firstFixed):
		return f, fmt.Errorf("%w: role of %d bytes in %d", ErrFirst, le.Uint32(b[68:]), len(b)-firstFixed)
	}
	if role := b[firstFixed:]; len(role) > 0 {
		f.Role = role
	}
	return f, nil
}

// Encode writes page 0 or COPY, as h.Kind says, to page, which is one block, and fills in h's sizes, place and hash.
func (f *First) Encode(page []byte, h *record.Header) {
	payload := f.Append(page[:record.HeaderSize])
	if len(payload) > len(page) {
		panic("datafile: role record does not fit the first page")
	}
	h.Block = 0
	if h.Kind == record.PageCopy {
		h.Block = 1
	}
	h.Blocks, h.Bytes, h.Records = 1, uint32(len(payload)-record.HeaderSize), 0
	clear(page[len(payload):])
	record.Seal(page, h)
}
