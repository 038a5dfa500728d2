package journal

import (
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// Seal turns the oldest pages that wait into a write. false: nothing waits, or depth or window do not allow more, or the
// new file does not count yet. Pages get their hash, stable and time here, so call it last.
func (m *Machine) Seal(wall int64) (Write, bool) {
	if m.err != nil || len(m.flight) >= m.o.Depth {
		return Write{}, false
	}
	m.writer.wall = max(m.writer.wall, wall)
	if m.writer.phase != phaseRunning {
		return m.sealOpening()
	}
	if len(m.backlog) == 0 {
		return Write{}, false
	}
	b := m.backlog[0]
	if m.open.b == b {
		m.closePage()
	}
	if !m.withinWindow(b.size) {
		return Write{}, false
	}
	m.backlog = append(m.backlog[:0], m.backlog[1:]...)
	if b.size == 0 { // room was made for a page, and then nothing came
		m.recycle(b)
		return m.Seal(wall)
	}
	return m.seal(b), true
}

// withinWindow says whether a write of so many bytes may go: no page may end more than W beyond what is durable here.
func (m *Machine) withinWindow(size int) bool {
	ahead := m.writer.sealed - m.writer.durable
	return ahead+uint64(size>>m.o.Geometry.BlockShift) <= uint64(m.o.Window)
}

// seal gives the pages of b their headers and puts it in flight.
func (m *Machine) seal(b *batch) Write {
	data := b.buf.Bytes()[:b.size]
	b.stable = m.Stable()
	off := 0
	for i := range b.pages {
		h := &b.pages[i]
		m.sealPage(b, h, data[off:off+int(h.Blocks)<<m.o.Geometry.BlockShift])
		off += int(h.Blocks) << m.o.Geometry.BlockShift
	}
	w := &m.writer
	w.sealed += uint64(b.size >> m.o.Geometry.BlockShift)
	w.carried = b.stable
	m.space.grown = -1
	b.sum, b.end = w.sealed, w.lastEnd
	m.flight = append(m.flight, b)
	m.stats.Writes++
	m.stats.Pages += int64(len(b.pages))
	m.stats.BytesWritten += int64(b.size)
	return Write{ID: b.id, Slot: b.file.slot, File: b.file.name, Offset: int64(b.block) << m.o.Geometry.BlockShift, Block: b.block,
		Data: data, End: b.end, Stable: b.stable, Buffer: b.buf}
}

func (m *Machine) sealPage(b *batch, h *record.Header, page []byte) {
	w := &m.writer
	h.BlockShift = m.o.Geometry.BlockShift
	h.PrevHash, h.Salt, h.File = w.lastHash, b.file.name.Salt, b.file.name.ID
	h.StableFile, h.StableBlock = b.stable.File, b.stable.Block
	h.Epoch, h.Incarnation, h.WallTime = w.epoch, w.incarnation, w.wall
	switch h.Kind {
	case record.PageFirst, record.PageCopy:
		m.sealHead(b.file, h, page)
	default:
		record.Seal(page, h)
	}
	w.lastHash = h.Hash
	w.lastEnd = Position{h.File, h.End()}
	b.file.end, b.file.tail = h.End(), h.Hash
	if h.Records > 0 {
		w.recordsEnd = w.lastEnd
	}
}

// sealHead writes page 0 or COPY. Page 0 closes the predecessor: only now is its last page known.
func (m *Machine) sealHead(f *file, h *record.Header, page []byte) {
	w := &m.writer
	h.FirstRecord = uint64(f.first)
	if h.Kind == record.PageFirst {
		if w.phase == phaseRunning {
			w.first = datafile.First{Pred: datafile.Link{Name: f.pred.Name, End: w.lastEnd.Block, TailHash: w.lastHash}}
		}
		w.first.Kind, w.first.Node, w.first.Window, w.first.Capacity = datafile.Log, m.o.Node, m.o.Window, m.o.Geometry.Capacity
		w.first.Start = f.start
		f.pred = w.first.Pred
		if pred := m.l.find(f.pred.Name); pred != nil {
			pred.closed = true
		}
	}
	w.first.Encode(page, h)
}

// sealOpening gives page 0, then COPY, each only when the one before is durable.
func (m *Machine) sealOpening() (Write, bool) {
	w := &m.writer
	f := w.opening
	switch w.phase {
	case phaseFirst:
	case phaseCopy:
		if m.Stable().Less(Position{f.name.ID, 1}) {
			return Write{}, false // COPY says that page 0 is stable
		}
	default:
		return Write{}, false
	}
	b := m.newBatch(f, 0)
	if b == nil {
		return Write{}, false
	}
	h := record.Header{Kind: record.PageFirst, Blocks: 1}
	if w.phase == phaseCopy {
		h.Kind, h.Block = record.PageCopy, 1
		b.block = 1
	}
	b.pages = append(b.pages, h)
	b.size = m.o.Geometry.BlockSize()
	w.phase++
	return m.seal(b), true
}

// advanceOpening moves the open on when a page of it became durable.
func (m *Machine) advanceOpening() {
	switch m.writer.phase {
	case phaseFirstSent:
		m.writer.phase = phaseCopy
	case phaseCopySent:
		m.writer.phase = phaseRunning
		m.effects = append(m.effects, Effect{Kind: EffectOpened, File: m.writer.opening.name})
		for _, slot := range m.space.freeOnOpen {
			m.FreeSlot(slot)
		}
		m.space.freeOnOpen = nil
	}
}

// Mark seals nothing by itself: it adds a MARK page if the last records are stable and no page says so yet. It never
// rolls. false: there is no need, or no room.
func (m *Machine) Mark() bool {
	w := &m.writer
	if m.err != nil || !m.Quiet() || w.nextBlock >= m.o.Geometry.Capacity {
		return false
	}
	if m.vouchDue() {
		return m.addMark()
	}
	if w.recordsEnd == (Position{}) || !w.carried.Less(w.recordsEnd) || m.Stable().Less(w.recordsEnd) {
		return false
	}
	return m.addMark()
}

func (m *Machine) addMark() bool {
	w := &m.writer
	b := m.newBatch(m.l.current, w.nextBlock)
	if b == nil {
		return false
	}
	size := m.o.Geometry.BlockSize()
	clear(b.buf.Bytes()[:size])
	b.pages = append(b.pages, record.Header{Kind: record.PageMark, Block: w.nextBlock, Blocks: 1, FirstRecord: uint64(m.l.next)})
	b.size = size
	w.nextBlock++
	m.backlog = append(m.backlog, b)
	return true
}

// reopen starts a new file with a higher incarnation, because the record ids of this one are used up. It has all the
// waits of an open. The journal must be quiet.
func (m *Machine) reopen() {
	w := &m.writer
	if len(m.space.free) < 1 {
		return
	}
	if w.incarnation >= incarnationMax {
		m.Fail(errIncarnations)
		return
	}
	m.closePage()
	w.incarnation++
	w.first = datafile.First{Kind: datafile.Log, Pred: datafile.Link{Name: m.l.current.name, End: w.lastEnd.Block, TailHash: w.lastHash}}
	h := record.Header{FirstRecord: uint64(w.incarnation)<<40 | 1, Epoch: w.epoch, Incarnation: w.incarnation}
	slot := m.space.take()
	_ = m.l.enter(m.newName(), &h, &w.first, slot, nil) // it fails only where rolledBack does
	w.opening, w.phase, w.nextBlock, w.ended = m.l.current, phaseFirst, datafile.HeadBlocks, false
	m.space.grown = -1
	m.cp.rolled(m.Low())
}
