package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// A checkpoint is the ledger and the host's blob as of its START, cut into records START, parts, END. The data is encoded
// whole when START is appended, so it is a snapshot however long the parts take. All integers are uvarints unless stated.
//
//	layout  u8 = 1
//	next    id of START
//	epoch
//	role    file, block, epoch, size, bytes
//	epochs  count, then each: epoch, incarnation, file, block, name (id, salt u64)
//	files   count, then each: id, salt u64, kind u8, flags u8 (1: closed, 2: counts), epoch, incarnation, first, count,
//	        pred (id, salt u64, end, tail u64), end, tail u64, bitmap
//	txs     count, then each: id, prepared u8, count, then each item: kind u8, id, target, size, bytes
//	host    size, bytes
//
// A bitmap is one byte and data: 0 all dead, 1 all live, 2 runs (lengths, dead first), 3 raw (count/8 bytes, rounded up).
const checkpointLayout = 1

const (
	bitmapDead = iota
	bitmapLive
	bitmapRuns
	bitmapRaw
)

// Sizes that bound a checkpoint before it is encoded.
const (
	checkpointFixedSize = 64
	checkpointEpochSize = 48
	checkpointFileSize  = 112
)

// checkpointSize is an upper bound of the ledger's part of a checkpoint, without the host's blob.
func (l *ledger) checkpointSize() int {
	n := checkpointFixedSize + len(l.role.Role) + (len(l.epochs)+1)*checkpointEpochSize + l.txSize
	for _, f := range l.files {
		n += checkpointFileSize + f.bitmapSize()
	}
	return n
}

// bitmapSize is the size that the bitmap may come to: deletes turn one that is all live into any other.
func (f *file) bitmapSize() int {
	if f.live == 0 {
		return 1
	}
	return 1 + int(f.count+7)/8
}

// snapshot encodes the ledger and the host's blob behind dst.
func (l *ledger) snapshot(dst []byte, blob []byte) []byte {
	put := binary.AppendUvarint
	le := binary.LittleEndian
	dst = append(dst, checkpointLayout)
	dst = put(dst, uint64(l.next))
	dst = put(dst, uint64(l.epoch))
	dst = put(dst, l.role.Position.File)
	dst = put(dst, uint64(l.role.Position.Block))
	dst = put(dst, uint64(l.role.Epoch))
	dst = put(dst, uint64(len(l.role.Role)))
	dst = append(dst, l.role.Role...)
	dst = put(dst, uint64(len(l.epochs)))
	for _, e := range l.epochs {
		dst = put(dst, uint64(e.Epoch))
		dst = put(dst, uint64(e.Incarnation))
		dst = put(dst, e.Start.File)
		dst = put(dst, uint64(e.Start.Block))
		dst = put(dst, e.File.ID)
		dst = le.AppendUint64(dst, e.File.Salt)
	}
	dst = put(dst, uint64(len(l.files)))
	for _, f := range l.files {
		dst = f.snapshot(dst)
	}
	ids := l.undecided()
	dst = put(dst, uint64(len(ids)))
	for _, id := range ids {
		dst = l.txs[id].snapshot(dst)
	}
	dst = put(dst, uint64(len(blob)))
	return append(dst, blob...)
}

func (f *file) snapshot(dst []byte) []byte {
	put := binary.AppendUvarint
	le := binary.LittleEndian
	dst = put(dst, f.name.ID)
	dst = le.AppendUint64(dst, f.name.Salt)
	flags := uint8(0)
	if f.closed {
		flags |= 1
	}
	if f.counts {
		flags |= 2
	}
	dst = append(dst, uint8(f.kind), flags)
	dst = put(dst, uint64(f.epoch))
	dst = put(dst, uint64(f.incarnation))
	dst = put(dst, uint64(f.first))
	dst = put(dst, f.count)
	dst = put(dst, f.pred.ID)
	dst = le.AppendUint64(dst, f.pred.Salt)
	dst = put(dst, uint64(f.pred.End))
	dst = le.AppendUint64(dst, f.pred.TailHash)
	dst = put(dst, uint64(f.end))
	dst = le.AppendUint64(dst, f.tail)
	return f.bitmap(dst)
}

func (f *file) bitmap(dst []byte) []byte {
	switch f.live {
	case 0:
		return append(dst, bitmapDead)
	case f.count:
		return append(dst, bitmapLive)
	}
	raw := int(f.count+7) / 8
	from := len(dst)
	dst = append(dst, bitmapRuns)
	run, live := uint64(0), false
	for i := uint64(0); i < f.count; i++ {
		if bit := f.bits[i/64]&(1<<(i%64)) != 0; bit != live {
			dst = binary.AppendUvarint(dst, run)
			run, live = 0, bit
			if len(dst)-from > raw {
				break
			}
		}
		run++
	}
	dst = binary.AppendUvarint(dst, run)
	if len(dst)-from <= raw+1 {
		return dst
	}
	dst = append(dst[:from], bitmapRaw)
	for i := range raw {
		dst = append(dst, uint8(f.bits[i/8]>>(8*(i%8))))
	}
	return dst
}

func (t *transaction) snapshot(dst []byte) []byte {
	put := binary.AppendUvarint
	dst = put(dst, uint64(t.id))
	prepared := uint8(0)
	if t.prepared {
		prepared = 1
	}
	dst = append(dst, prepared)
	dst = put(dst, uint64(len(t.items)))
	for i := range t.items {
		item := &t.items[i]
		dst = append(dst, uint8(item.kind))
		dst = put(dst, uint64(item.id))
		dst = put(dst, uint64(item.target))
		dst = put(dst, uint64(len(item.raw)))
		dst = append(dst, item.raw...)
	}
	return dst
}

// errCheckpoint says that the data of a checkpoint, though its hash is right, makes no sense.
var errCheckpoint = errors.New("checkpoint makes no sense")

// cursor reads the data of a checkpoint. After the first mistake every read returns zero and bad stays set.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n uint64) []byte {
	if c.bad || n > uint64(len(c.b)) {
		c.bad = true
		return nil
	}
	p := c.b[:n:n]
	c.b = c.b[n:]
	return p
}

func (c *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(c.b)
	if c.bad || n <= 0 {
		c.bad = true
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) limited(limit uint64) uint64 {
	v := c.uvarint()
	if v > limit {
		c.bad = true
		return 0
	}
	return v
}

func (c *cursor) u32() uint32 { return uint32(c.limited(math.MaxUint32)) }

func (c *cursor) u64() uint64 {
	if p := c.take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

func (c *cursor) u8() uint8 {
	if p := c.take(1); p != nil {
		return p[0]
	}
	return 0
}

// count is a number of things that take at least size bytes each.
func (c *cursor) count(size int) int { return int(c.limited(uint64(len(c.b) / size))) }

// restore is the inverse of snapshot. blob points into data.
func (l *ledger) restore(data []byte) (blob []byte, err error) {
	c := &cursor{b: data}
	if c.u8() != checkpointLayout {
		return nil, fmt.Errorf("%w: layout", errCheckpoint)
	}
	l.next = RecordID(c.uvarint())
	l.epoch = c.u32()
	l.role.Position = Position{c.uvarint(), c.u32()}
	l.role.Epoch = c.u32()
	l.role.Role = slices.Clone(c.take(c.uvarint()))
	if len(l.role.Role) > 0 {
		l.roles = append(l.roles, l.role)
	}
	for range c.count(13) {
		e := EpochPoint{Epoch: c.u32(), Incarnation: c.u32(), Start: Position{c.uvarint(), c.u32()}}
		e.File.ID = c.uvarint()
		e.File.Salt = c.u64()
		l.epochs = append(l.epochs, e)
	}
	for range c.count(30) {
		l.restoreFile(c)
	}
	for range c.count(3) {
		l.restoreTx(c)
	}
	blob = c.take(c.uvarint())
	if c.bad || len(c.b) != 0 {
		return nil, fmt.Errorf("%w: %d bytes left", errCheckpoint, len(c.b))
	}
	return blob, nil
}

func (l *ledger) restoreFile(c *cursor) {
	f := &file{slot: -1}
	f.name = datafile.Name{ID: c.uvarint(), Salt: c.u64()}
	f.kind = datafile.Kind(c.u8())
	flags := c.u8()
	f.closed, f.counts = flags&1 != 0, flags&2 != 0
	f.epoch, f.incarnation = c.u32(), c.u32()
	f.first = RecordID(c.uvarint())
	f.count = c.limited(uint64(l.geometry.SlotSize()) / recordSizeMin)
	f.pred.ID, f.pred.Salt, f.pred.End, f.pred.TailHash = c.uvarint(), c.u64(), c.u32(), c.u64()
	f.end, f.tail = c.u32(), c.u64()
	f.restoreBits(c)
	if n := len(l.files); n > 0 && (l.files[n-1].name.ID >= f.name.ID || l.files[n-1].first > f.first) {
		c.bad = true
	}
	if c.bad {
		return
	}
	l.files = append(l.files, f)
	l.records += int64(f.count)
	l.live += int64(f.live)
}

// recordSizeMin is the size of the smallest record: it bounds how many a slot can hold.
const recordSizeMin = 10

func (f *file) restoreBits(c *cursor) {
	form := c.u8()
	if c.bad {
		return
	}
	f.bits = make([]uint64, (f.count+63)/64)
	set := func(from, n uint64) {
		for i := from; i < from+n; i++ {
			f.bits[i/64] |= 1 << (i % 64)
		}
		f.live += n
	}
	switch form {
	case bitmapDead:
	case bitmapLive:
		set(0, f.count)
	case bitmapRuns:
		for at, live := uint64(0), false; at < f.count && !c.bad; live = !live {
			n := c.limited(f.count - at)
			if live {
				set(at, n)
			}
			if n == 0 && at > 0 {
				c.bad = true
			}
			at += n
		}
	case bitmapRaw:
		raw := c.take((f.count + 7) / 8)
		for i, b := range raw {
			for j := range uint64(8) {
				if b&(1<<j) == 0 {
					continue
				}
				if uint64(i)*8+j >= f.count {
					c.bad = true
					return
				}
				set(uint64(i)*8+j, 1)
			}
		}
	default:
		c.bad = true
	}
}

func (l *ledger) restoreTx(c *cursor) {
	t := &transaction{id: TxID(c.uvarint()), prepared: c.u8() != 0}
	if c.bad || l.txs[t.id] != nil || t.id == 0 {
		c.bad = true
		return
	}
	l.txs[t.id] = t
	l.txSize += txFixedSize
	for range c.count(4) {
		item := txItem{kind: Kind(c.u8()), id: RecordID(c.uvarint()), target: RecordID(c.uvarint())}
		if raw := c.take(c.uvarint()); len(raw) > 0 {
			item.raw = slices.Clone(raw)
		}
		t.items = append(t.items, item)
		l.txSize += item.size()
	}
}

// Bodies of START, END and RETIRE, little-endian:
//
//	START   layout u8 = 1, size u64, hash u64 (xxhash64 of the data)
//	part    the next bytes of the data
//	END     layout u8 = 1, file u64, block u32, id u64 (of START), size u64, hash u64
//	RETIRE  layout u8 = 1, count u16, then each: id u64, salt u64
const bodyLayout = 1

func appendStart(dst []byte, size int, hash uint64) []byte {
	dst = append(dst, bodyLayout)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(size))
	return binary.LittleEndian.AppendUint64(dst, hash)
}

func parseStart(b []byte) (size, hash uint64, err error) {
	if len(b) != 17 || b[0] != bodyLayout {
		return 0, 0, fmt.Errorf("%w: START of %d bytes", ErrDamaged, len(b))
	}
	return binary.LittleEndian.Uint64(b[1:]), binary.LittleEndian.Uint64(b[9:]), nil
}

func appendEnd(dst []byte, start datafile.Place, size int, hash uint64) []byte {
	le := binary.LittleEndian
	dst = append(dst, bodyLayout)
	dst = le.AppendUint64(dst, start.File)
	dst = le.AppendUint32(dst, start.Block)
	dst = le.AppendUint64(dst, start.Record)
	dst = le.AppendUint64(dst, uint64(size))
	return le.AppendUint64(dst, hash)
}

func parseEnd(b []byte) (start datafile.Place, size, hash uint64, err error) {
	if len(b) != 37 || b[0] != bodyLayout {
		return start, 0, 0, fmt.Errorf("%w: END of %d bytes", ErrDamaged, len(b))
	}
	le := binary.LittleEndian
	start = datafile.Place{File: le.Uint64(b[1:]), Block: le.Uint32(b[9:]), Record: le.Uint64(b[13:])}
	return start, le.Uint64(b[21:]), le.Uint64(b[29:]), nil
}

const retireNameSize = 16

func appendRetire(dst []byte, files []*file) []byte {
	le := binary.LittleEndian
	dst = append(dst, bodyLayout)
	dst = le.AppendUint16(dst, uint16(len(files)))
	for _, f := range files {
		dst = le.AppendUint64(dst, f.name.ID)
		dst = le.AppendUint64(dst, f.name.Salt)
	}
	return dst
}

func parseRetire(b []byte) ([]datafile.Name, error) {
	if len(b) < 3 || b[0] != bodyLayout || len(b) != 3+retireNameSize*int(binary.LittleEndian.Uint16(b[1:])) {
		return nil, fmt.Errorf("%w: RETIRE of %d bytes", ErrDamaged, len(b))
	}
	var names []datafile.Name
	for b = b[3:]; len(b) > 0; b = b[retireNameSize:] {
		names = append(names, datafile.Name{ID: binary.LittleEndian.Uint64(b), Salt: binary.LittleEndian.Uint64(b[8:])})
	}
	return names, nil
}

// partSizeMax is how much data one part carries: a part shares a page with nothing if it is of this size.
func partSizeMax(pageMax int) int { return pageMax - record.HeaderSize - 32 }
