package record

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// HeaderSize is the size in bytes of a page header.
const HeaderSize = 96

// Magic begins every page, after the hash ("hind", little-endian).
const Magic = 0x646e6968

// Format is the only page format that this package writes and reads.
const Format = 1

// Limits of a page. PageSizeMax is the aim: only a group of records that must stay together may make a page larger, up
// to GroupPageSizeMax, which is also the largest write.
const (
	PageSizeMax      = 64 << 10
	GroupPageSizeMax = 1 << 20
)

// Block shifts that a page may name: 512 B (tests), 4 KiB (default), up to 64 KiB.
const (
	BlockShiftMin = 9
	BlockShiftMax = 16
)

// PageKind says what a page is for.
type PageKind uint8

const (
	PageFirst PageKind = 1 + iota // page 0 of a file: names it
	PageCopy                      // page 1: page 0's payload once more
	PageData                      // records
	PageMark                      // no records; carries stable when the journal goes idle
)

func (k PageKind) String() string {
	switch k {
	case PageFirst:
		return "first"
	case PageCopy:
		return "copy"
	case PageData:
		return "data"
	case PageMark:
		return "mark"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Errors of OpenPage. Everything that is not one of the first two is ErrInvalid or wraps it.
var (
	ErrNoPage  = errors.New("no page starts here") // the magic is missing
	ErrVersion = errors.New("page is written in a format this program does not know")
	ErrInvalid = errors.New("page is invalid")
)

// Header is a page's header. All integers are little-endian on disk.
type Header struct {
	Hash        uint64 // xxhash64 of the page with this field zero; set by Seal
	Kind        PageKind
	BlockShift  uint8  // block size is 1<<BlockShift
	PrevHash    uint64 // hash of the page before; page 0: the predecessor's tail hash
	Salt        uint64 // of the file; pages with another salt are stale or forged
	File        uint64 // id of the file
	Block       uint32 // where the page starts, in blocks
	Blocks      uint32 // size of the page, in blocks, at least 1
	Bytes       uint32 // payload: bytes of records after the header
	Records     uint32 // records in the payload
	FirstRecord uint64 // id of the first record; if there is none, the next id
	StableFile  uint64 // the position that was stable when the page was sealed
	StableBlock uint32
	Epoch       uint32 // of the owner that wrote the page
	Incarnation uint32 // of the open that wrote the page
	WallTime    int64  // owner's clock when the page was sealed, nanoseconds since 1970; never falls along the chain
}

// Size is the size of the page in bytes.
func (h *Header) Size() int { return int(h.Blocks) << h.BlockShift }

// End is the block after the page.
func (h *Header) End() uint32 { return h.Block + h.Blocks }

// put writes h to page without the hash.
func (h *Header) put(page []byte) {
	le := binary.LittleEndian
	le.PutUint64(page[0:], 0)
	le.PutUint32(page[8:], Magic)
	le.PutUint16(page[12:], Format)
	page[14] = uint8(h.Kind)
	page[15] = h.BlockShift
	le.PutUint64(page[16:], h.PrevHash)
	le.PutUint64(page[24:], h.Salt)
	le.PutUint64(page[32:], h.File)
	le.PutUint32(page[40:], h.Block)
	le.PutUint32(page[44:], h.Blocks)
	le.PutUint32(page[48:], h.Bytes)
	le.PutUint32(page[52:], h.Records)
	le.PutUint64(page[56:], h.FirstRecord)
	le.PutUint64(page[64:], h.StableFile)
	le.PutUint32(page[72:], h.StableBlock)
	le.PutUint32(page[76:], h.Epoch)
	le.PutUint32(page[80:], h.Incarnation)
	le.PutUint32(page[84:], 0)
	le.PutUint64(page[88:], uint64(h.WallTime))
}

// Seal writes h to the start of page, whose length must be h.Size() and whose payload must be in place with zeros behind
// it, and sets h.Hash. It panics if the sizes do not fit: that is a mistake of the caller, not of the world.
func Seal(page []byte, h *Header) {
	if len(page) != h.Size() || HeaderSize+int(h.Bytes) > len(page) {
		panic(fmt.Sprintf("record: page of %d bytes sealed with %d blocks and %d payload bytes", len(page), h.Blocks, h.Bytes))
	}
	h.put(page)
	h.Hash = xxhash.Sum64(page)
	binary.LittleEndian.PutUint64(page, h.Hash)
}

// Hash of a page's bytes, as its header should say it.
func Hash(page []byte) uint64 {
	var head [HeaderSize]byte
	copy(head[8:], page[8:HeaderSize])
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write(head[:])
	_, _ = d.Write(page[HeaderSize:])
	return d.Sum64()
}

// ParseHeader reads a header without checking the hash. The sizes it returns lie within sane limits, but the page may be
// longer than b. Errors: ErrNoPage, ErrVersion, ErrInvalid.
func ParseHeader(b []byte) (Header, error) {
	var h Header
	le := binary.LittleEndian
	if len(b) < HeaderSize || le.Uint32(b[8:]) != Magic {
		return h, ErrNoPage
	}
	if f := le.Uint16(b[12:]); f != Format {
		return h, fmt.Errorf("%w: format %d", ErrVersion, f)
	}
	h = Header{
		Hash: le.Uint64(b[0:]), Kind: PageKind(b[14]), BlockShift: b[15],
		PrevHash: le.Uint64(b[16:]), Salt: le.Uint64(b[24:]), File: le.Uint64(b[32:]),
		Block: le.Uint32(b[40:]), Blocks: le.Uint32(b[44:]), Bytes: le.Uint32(b[48:]), Records: le.Uint32(b[52:]),
		FirstRecord: le.Uint64(b[56:]), StableFile: le.Uint64(b[64:]), StableBlock: le.Uint32(b[72:]),
		Epoch: le.Uint32(b[76:]), Incarnation: le.Uint32(b[80:]), WallTime: int64(le.Uint64(b[88:])),
	}
	switch {
	case h.BlockShift < BlockShiftMin || h.BlockShift > BlockShiftMax:
		return h, invalidShift
	case h.Blocks == 0 || h.Blocks > GroupPageSizeMax>>h.BlockShift || h.Block > 1<<31 || int(h.Bytes) > h.Size()-HeaderSize:
		return h, invalidSize
	case h.Kind < PageFirst || h.Kind > PageMark:
		return h, invalidKind
	case le.Uint32(b[84:]) != 0:
		return h, invalidReserved
	}
	return h, nil
}

var (
	invalidShift    = fmt.Errorf("%w: block size", ErrInvalid)
	invalidSize     = fmt.Errorf("%w: sizes in the header", ErrInvalid)
	invalidKind     = fmt.Errorf("%w: kind", ErrInvalid)
	invalidReserved = fmt.Errorf("%w: reserved field", ErrInvalid)
	invalidHash     = fmt.Errorf("%w: hash", ErrInvalid)
	invalidShort    = fmt.Errorf("%w: cut short", ErrInvalid)
)

// OpenPage checks the page that starts at b[0], hash included, and returns its header. b may be longer than the page.
func OpenPage(b []byte) (Header, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return h, err
	}
	if len(b) < h.Size() {
		return h, invalidShort
	}
	if Hash(b[:h.Size()]) != h.Hash {
		return h, invalidHash
	}
	return h, nil
}

// Payload is the part of a page that holds records. b must be a page that OpenPage took, with header h.
func Payload(b []byte, h *Header) []byte { return b[HeaderSize : HeaderSize+int(h.Bytes)] }
