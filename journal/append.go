package journal

import (
	"fmt"

	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// class is who may use the last free slots.
type class uint8

const (
	classSettle   class = iota // frees space, or will: as long as the journal can drain
	classProducer              // stays live: while more than the reserve is free
	classInternal              // upkeep and role records: to the last slot
)

// placement is where the next records go.
type placement struct {
	size   int  // bytes of the records
	blocks int  // smallest page that holds them alone
	page   bool // into the open page
	batch  bool // a new page in the batch that grows
	roll   bool // a new page in a new file
}

// Append adds records to one page. See Driver.Append.
func (m *Machine) Append(recs ...Record) (RecordID, Position, error) {
	c, size, err := m.inspect(recs)
	if err != nil {
		return 0, Position{}, err
	}
	return m.append(c, size, recs)
}

// inspect checks what the host gives, and finds its class and its size.
func (m *Machine) inspect(recs []Record) (c class, size int, err error) {
	if len(recs) == 0 {
		return c, 0, fmt.Errorf("%w: nothing to append", ErrRecord)
	}
	for i := range recs {
		r := &recs[i]
		switch r.Kind {
		case KindAdd:
			c = classProducer
		case KindUpdate:
			c = classProducer
			if r.Target == 0 {
				return c, 0, fmt.Errorf("%w: update without a target", ErrRecord)
			}
		case KindDelete:
			if r.Target == 0 {
				return c, 0, fmt.Errorf("%w: delete without a target", ErrRecord)
			}
		case KindPrepare, KindCommit, KindRollback:
			if r.Tx == 0 {
				return c, 0, fmt.Errorf("%w: decision without a transaction", ErrRecord)
			}
		case KindEvent, KindRole:
		default:
			return c, 0, fmt.Errorf("%w: kind %d", ErrRecord, r.Kind)
		}
		if r.Tx != 0 && r.Kind != KindCommit && r.Kind != KindRollback {
			if t := m.l.txs[r.Tx]; t != nil && t.prepared {
				return c, 0, fmt.Errorf("%w: transaction %d is prepared already", ErrRecord, r.Tx)
			}
		}
		if len(r.Meta) > MetaSizeMax {
			return c, 0, fmt.Errorf("%w: meta of %d bytes, at most %d are possible", ErrRecord, len(r.Meta), MetaSizeMax)
		}
		raw := r.raw()
		size += raw.Size()
	}
	return c, size, nil
}

func (r *Record) raw() record.Record {
	return record.Record{Kind: uint8(r.Kind), Type: r.Type, Tx: uint64(r.Tx), Target: uint64(r.Target), Meta: r.Meta, Body: r.Body}
}

// append is Append for a known class.
func (m *Machine) append(c class, size int, recs []Record) (RecordID, Position, error) {
	if m.err != nil {
		return 0, Position{}, m.err
	}
	p, err := m.place(size)
	if err != nil {
		return 0, Position{}, err
	}
	if err := m.admit(c, p, recs); err != nil {
		return 0, Position{}, err
	}
	if err := m.makeRoom(p); err != nil {
		return 0, Position{}, err
	}
	o := &m.open
	first := m.l.next
	page := o.b.buf.Bytes()[o.start : o.start+o.limit]
	dst := page[:o.used]
	for i := range recs {
		raw := recs[i].raw()
		id := m.l.next
		recs[i].ID = id
		dst = record.Append(dst, uint64(id), &raw)
		if err := m.l.apply(id, &raw, o.block); err != nil {
			panic(fmt.Sprintf("journal: own record is refused: %v", err))
		}
		o.records++
	}
	o.used = len(dst)
	m.stats.Appended += int64(len(recs))
	m.stats.BytesPayload += int64(size)
	return first, Position{o.b.file.name.ID, o.block + 1}, nil
}

// place finds where records of this size would go, without changing anything.
func (m *Machine) place(size int) (placement, error) {
	bs := m.o.Geometry.BlockSize()
	p := placement{size: size, blocks: (record.HeaderSize + size + bs - 1) / bs}
	if p.blocks*bs > m.o.WriteMax {
		return p, fmt.Errorf("%w: %d bytes in one page, at most %d are possible", ErrTooLarge, size, m.o.WriteMax-record.HeaderSize)
	}
	o := &m.open
	if o.b != nil && o.used+size <= o.limit { // limit is never beyond the file or the write
		p.page = true
		return p, nil
	}
	next := m.afterOpen()
	if m.writer.ended || next+uint32(p.blocks) > m.dataEnd() {
		p.roll = true
		return p, nil
	}
	if b := m.growing(); b != nil {
		used := b.size
		if o.b == b {
			used += m.openBlocks() * bs
		}
		p.batch = used+p.blocks*bs <= m.o.WriteMax
	}
	return p, nil
}

// dataEnd is the block after the last one that records may take. One is kept for a MARK, so that every file can come to
// say by itself that it was stable: slots that its records retire wait for that.
func (m *Machine) dataEnd() uint32 { return m.o.Geometry.Capacity - 1 }

// growing is the batch that can still take a page of the current file.
func (m *Machine) growing() *batch {
	if n := len(m.backlog); n > 0 && m.backlog[n-1].file == m.l.current {
		return m.backlog[n-1]
	}
	return nil
}

// openBlocks is the size that the open page would have if it were closed now.
func (m *Machine) openBlocks() int {
	bs := m.o.Geometry.BlockSize()
	return (m.open.used + bs - 1) / bs
}

// afterOpen is the block after the open page, if it were closed now.
func (m *Machine) afterOpen() uint32 {
	if m.open.b != nil && m.open.records > 0 {
		return m.open.block + uint32(m.openBlocks())
	}
	return m.writer.nextBlock
}

// makeRoom makes the open page one that takes the records. ErrBusy: nothing changed.
func (m *Machine) makeRoom(p placement) error {
	if p.page {
		return nil
	}
	if p.batch {
		m.closePage()
		m.openPage(m.growing(), p)
		return nil
	}
	if _, waiting := m.Pending(); waiting > 0 && waiting+p.blocks*m.o.Geometry.BlockSize() > m.o.BacklogMax {
		return fmt.Errorf("%w (%d bytes wait)", ErrBusy, waiting)
	}
	// The buffers come first: without them nothing may change.
	block := m.afterOpen()
	if p.roll {
		block = 0
	}
	b := m.newBatch(nil, block)
	if b == nil {
		return fmt.Errorf("%w (no buffer is free)", ErrBusy)
	}
	var second *batch
	if p.roll && (datafile.HeadBlocks+p.blocks)*m.o.Geometry.BlockSize() > m.o.WriteMax {
		if second = m.newBatch(nil, datafile.HeadBlocks); second == nil {
			m.recycle(b)
			return fmt.Errorf("%w (no buffer is free)", ErrBusy)
		}
	}
	m.closePage()
	if p.roll {
		m.roll(b)
	} else {
		b.file = m.l.current
		m.backlog = append(m.backlog, b)
	}
	if second != nil {
		second.file = m.l.current
		m.backlog = append(m.backlog, second)
		b = second
	}
	m.openPage(b, p)
	return nil
}

// openPage begins a page at the end of a batch.
func (m *Machine) openPage(b *batch, p placement) {
	bs := m.o.Geometry.BlockSize()
	limit := max(m.o.PageMax, p.blocks*bs)
	limit = min(limit, m.o.WriteMax-b.size, int(m.dataEnd()-m.writer.nextBlock)*bs)
	m.open = openPage{b: b, start: b.size, used: record.HeaderSize, limit: limit, block: m.writer.nextBlock, first: m.l.next}
	m.l.current.mark(m.l.next, m.writer.nextBlock, m.o.Geometry.BlockShift)
}

// closePage pads the open page to whole blocks. Its header comes when it is sealed.
func (m *Machine) closePage() {
	o := &m.open
	if o.b == nil {
		return
	}
	if o.records == 0 { // room was made, and then nothing came
		*o = openPage{}
		return
	}
	blocks := m.openBlocks()
	size := blocks * m.o.Geometry.BlockSize()
	clear(o.b.buf.Bytes()[o.start+o.used : o.start+size])
	o.b.pages = append(o.b.pages, record.Header{Kind: record.PageData, Block: o.block, Blocks: uint32(blocks),
		Bytes: uint32(o.used - record.HeaderSize), Records: o.records, FirstRecord: uint64(o.first)})
	o.b.size += size
	m.writer.nextBlock = o.block + uint32(blocks)
	*o = openPage{}
}

// roll makes b, a fresh batch, the start of a new file in the lowest free slot.
func (m *Machine) roll(b *batch) {
	slot := m.space.take()
	name := m.newName()
	h := record.Header{FirstRecord: uint64(m.l.next), Epoch: m.writer.epoch, Incarnation: m.writer.incarnation}
	first := datafile.First{Kind: datafile.Log, Pred: datafile.Link{Name: m.l.current.name}}
	if err := m.l.enter(name, &h, &first, slot, nil); err != nil {
		panic(fmt.Sprintf("journal: own file is refused: %v", err))
	}
	b.file, b.head = m.l.current, true
	b.size = datafile.HeadBlocks * m.o.Geometry.BlockSize()
	b.pages = append(b.pages, record.Header{Kind: record.PageFirst, Blocks: 1}, record.Header{Kind: record.PageCopy, Block: 1, Blocks: 1})
	m.backlog = append(m.backlog, b)
	m.writer.nextBlock, m.writer.ended = datafile.HeadBlocks, false
	m.space.grown = -1
	m.cp.rolled(m.Low())
}

// AppendRole adds a role record; it may use the last slot.
func (m *Machine) AppendRole(role []byte) (Position, error) {
	recs := [1]Record{{Kind: KindRole, Body: role}}
	raw := recs[0].raw()
	_, pos, err := m.append(classInternal, raw.Size(), recs[:])
	return pos, err
}

// EndFile makes the next record start a new file, unless the current one holds nothing yet.
func (m *Machine) EndFile() {
	m.closePage()
	if m.writer.nextBlock > datafile.HeadBlocks {
		m.writer.ended = true
	}
}
