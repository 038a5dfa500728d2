package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Record is one record as bytes know it. Meta and Body of a decoded record point into the input.
type Record struct {
	Kind   uint8  // what it does to the journal
	Type   uint8  // the host's
	Tx     uint64 // 0: none
	Target uint64 // 0: none
	Meta   []byte // at most MetaSizeMax
	Body   []byte
}

// MetaSizeMax limits Record.Meta.
const MetaSizeMax = 64

// ErrRecord says that bytes are not a record: cut short, not canonical, or the checksum does not fit.
var ErrRecord = errors.New("record is invalid")

var (
	recordShort  = fmt.Errorf("%w: cut short", ErrRecord)
	recordVarint = fmt.Errorf("%w: varint", ErrRecord)
	recordMeta   = fmt.Errorf("%w: meta is longer than %d bytes", ErrRecord, MetaSizeMax)
	recordCRC    = fmt.Errorf("%w: checksum", ErrRecord)
)

// A record:
//
//	length  uvarint   bytes that follow, the checksum included
//	kind    u8
//	type    u8
//	tx      uvarint
//	target  uvarint
//	metaLen u8        at most 64
//	meta    metaLen bytes
//	body    the rest
//	crc     u32       CRC-32C of the id (8 bytes, little-endian) and of everything from kind to the end of body
//
// The id takes part in the checksum, so that a point read that lands on the wrong record does not believe it.
const crcSize = 4

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func uvarintSize(v uint64) int {
	n := 1
	for v >= 0x80 {
		v >>= 7
		n++
	}
	return n
}

// content is the size of what the length field counts.
func (r *Record) content() int {
	return 2 + uvarintSize(r.Tx) + uvarintSize(r.Target) + 1 + len(r.Meta) + len(r.Body) + crcSize
}

// Size is the number of bytes that Append adds.
func (r *Record) Size() int {
	n := r.content()
	return uvarintSize(uint64(n)) + n
}

// Append encodes r, which has the given id, behind dst. It panics if Meta is longer than MetaSizeMax.
func Append(dst []byte, id uint64, r *Record) []byte {
	if len(r.Meta) > MetaSizeMax {
		panic("record: meta is too long")
	}
	dst = binary.AppendUvarint(dst, uint64(r.content()))
	from := len(dst)
	dst = append(dst, r.Kind, r.Type)
	dst = binary.AppendUvarint(dst, r.Tx)
	dst = binary.AppendUvarint(dst, r.Target)
	dst = append(dst, uint8(len(r.Meta)))
	dst = append(dst, r.Meta...)
	dst = append(dst, r.Body...)
	return binary.LittleEndian.AppendUint32(dst, checksum(id, dst[from:]))
}

func checksum(id uint64, b []byte) uint32 {
	// The id is folded in byte by byte through the table: a slice of it would escape to the heap on each record.
	t := castagnoli()
	crc := ^uint32(0)
	for i := 0; i < 8; i++ {
		crc = t[byte(crc)^byte(id>>(8*i))] ^ crc>>8
	}
	return crc32.Update(^crc, t, b)
}

// Frame finds the first record in b without decoding or checking it: its whole size. Errors wrap ErrRecord.
func Frame(b []byte) (size int, err error) {
	n, used := uvarint(b)
	if used <= 0 {
		return 0, recordVarint
	}
	if n < 2+1+1+1+crcSize || n > uint64(len(b)-used) {
		return 0, recordShort
	}
	return used + int(n), nil
}

// Decode reads the first record in b, which should have the given id, checks it, and returns its size.
func Decode(b []byte, id uint64) (r Record, size int, err error) {
	size, err = Frame(b)
	if err != nil {
		return r, 0, err
	}
	_, used := uvarint(b)
	in := b[used : size-crcSize]
	if binary.LittleEndian.Uint32(b[size-crcSize:]) != checksum(id, in) {
		return r, 0, recordCRC
	}
	r.Kind, r.Type = in[0], in[1]
	rest := in[2:]
	for _, field := range [...]*uint64{&r.Tx, &r.Target} {
		v, n := uvarint(rest)
		if n <= 0 {
			return r, 0, recordVarint
		}
		*field, rest = v, rest[n:]
	}
	if len(rest) == 0 {
		return r, 0, recordShort
	}
	metaSize := int(rest[0])
	rest = rest[1:]
	switch {
	case metaSize > MetaSizeMax:
		return r, 0, recordMeta
	case metaSize > len(rest):
		return r, 0, recordShort
	}
	if metaSize > 0 {
		r.Meta = rest[:metaSize:metaSize]
	}
	if body := rest[metaSize:]; len(body) > 0 {
		r.Body = body[:len(body):len(body)]
	}
	return r, size, nil
}

// uvarint reads a canonical varint: one that could be shorter is no varint (n = 0).
func uvarint(b []byte) (v uint64, n int) {
	v, n = binary.Uvarint(b)
	if n > 1 && b[n-1] == 0 {
		return 0, 0
	}
	return v, n
}

// Walk calls visit for each record of a page, in order, with its id and its offset from the start of the payload. It
// stops at the first error, which wraps ErrRecord if the payload does not hold exactly h.Records records.
func Walk(page []byte, h *Header, visit func(id uint64, offset int, r *Record) error) error {
	payload := Payload(page, h)
	offset := 0
	for i := uint32(0); i < h.Records; i++ {
		id := h.FirstRecord + uint64(i)
		r, size, err := Decode(payload[offset:], id)
		if err != nil {
			return fmt.Errorf("record %d of %d: %w", i+1, h.Records, err)
		}
		if err := visit(id, offset, &r); err != nil {
			return err
		}
		offset += size
	}
	if offset != len(payload) {
		return fmt.Errorf("%w: %d bytes behind the last one", ErrRecord, len(payload)-offset)
	}
	return nil
}

// FrameKind is the kind of the record that Frame found at the start of b.
func FrameKind(b []byte) uint8 {
	_, n := uvarint(b)
	return b[n]
}
