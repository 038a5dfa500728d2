package journal

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// WriteID names a write until it completed. Ids ascend.
type WriteID uint64

// Write is a run of consecutive pages of one file, to be written as it is.
type Write struct {
	ID     WriteID
	Slot   int
	File   datafile.Name
	Offset int64  // bytes from the start of the slot
	Block  uint32 // the same in blocks
	Data   []byte // of Buffer
	End    Position
	Stable Position // as its pages carry it
	Buffer *aio.Buffer
}

// EffectKind says what the host must do.
type EffectKind uint8

const (
	EffectRetired EffectKind = 1 + iota // the file's slot is free once nobody pins it: then call FreeSlot
	EffectOpened                        // the new file counts
)

// Effect is something that the host must do.
type Effect struct {
	Kind EffectKind
	Slot int
	File datafile.Name
	file *file
}

// Machine turns records into pages, pages into writes, and completions into durable positions. It is pure: no goroutine,
// no lock, no clock, no I/O; buffers come from a pool. One owner.
type Machine struct {
	o    Options
	pool *aio.Pool
	l    *ledger
	err  error

	open    openPage
	backlog []*batch // not sealed; the last one may still grow
	flight  []*batch // sealed, in order; some may be done
	spare   []*batch
	ids     WriteID

	writer  writer
	members members
	space   space
	cp      checkpointWriter
	effects []Effect
	stats   Stats
}

// writer is where the log is being extended.
type writer struct {
	phase       phase
	opening     *file          // whose page 0 and COPY are waited for
	first       datafile.First // of the file whose first pages are sealed
	epoch       uint32
	incarnation uint32
	secret      uint64 // salts are made from it
	nextFile    uint64
	ended       bool   // the next record starts a new file
	nextBlock   uint32 // where the next page of the current file starts
	lastHash    uint64 // of the last page sealed
	lastEnd     Position
	carried     Position // stable in the last page sealed
	recordsEnd  Position // end of the last sealed page with records
	wall        int64
	sealed      uint64 // blocks sealed since the open
	durable     uint64 // of them durable
	pos         Position
}

type phase uint8

const (
	phaseFirst     phase = iota // page 0 must be sealed
	phaseFirstSent              // it is in flight
	phaseCopy                   // COPY must be sealed
	phaseCopySent
	phaseRunning
)

// batch is a write in the making, then in flight.
type batch struct {
	id     WriteID
	buf    *aio.Buffer
	file   *file
	block  uint32 // where it starts
	size   int    // bytes of closed pages
	pages  []record.Header
	head   bool // begins with page 0 and COPY
	done   bool
	sum    uint64 // blocks sealed up to its end
	end    Position
	stable Position
}

// openPage is the page that takes records.
type openPage struct {
	b       *batch // nil: none
	start   int    // offset in the batch's buffer
	used    int    // bytes, the header included
	limit   int    // most bytes it may get
	block   uint32
	records uint32
	first   RecordID
}

// machineStart is what an activation gives the machine.
type machineStart struct {
	ledger      *ledger
	epoch       uint32
	incarnation uint32
	file        uint64 // id of the file to open
	secret      uint64
	first       datafile.First // with the link to the predecessor
	firstRecord RecordID
	wall        int64
	slot        int
	free        []int
	freeOnOpen  []int // slots that are free once the new file counts
	rolledBack  func(TxID) error
}

func newMachine(o Options, pool *aio.Pool, s machineStart) (*Machine, error) {
	m := &Machine{o: o, pool: pool, l: s.ledger}
	m.writer = writer{first: s.first, epoch: s.epoch, incarnation: s.incarnation, secret: s.secret, nextFile: s.file,
		nextBlock: datafile.HeadBlocks, lastHash: s.first.Pred.TailHash, wall: s.wall}
	m.writer.pos = Position{s.first.Pred.ID, s.first.Pred.End}
	m.writer.lastEnd = m.writer.pos
	m.space = space{free: s.free, freeOnOpen: s.freeOnOpen, peerFree: -1, grown: -1}
	m.l.onRetire = m.retired
	m.cp.due = true
	name := m.newName()
	h := record.Header{FirstRecord: uint64(s.firstRecord), Epoch: s.epoch, Incarnation: s.incarnation}
	if err := m.l.enter(name, &h, &s.first, s.slot, s.rolledBack); err != nil {
		return nil, err
	}
	m.writer.opening = m.l.current
	return m, nil
}

func (m *Machine) newName() datafile.Name {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], m.writer.secret)
	binary.LittleEndian.PutUint64(b[8:], m.writer.nextFile)
	name := datafile.Name{ID: m.writer.nextFile, Salt: xxhash.Sum64(b[:])}
	m.writer.nextFile++
	return name
}

// Err is why the machine stopped; nil while it runs.
func (m *Machine) Err() error { return m.err }

// Fail stops the machine for good.
func (m *Machine) Fail(err error) {
	if m.err == nil {
		m.err = fmt.Errorf("%w: %w", ErrFailed, err)
	}
}

// Durable is the position up to which everything is on this disk.
func (m *Machine) Durable() Position { return m.writer.pos }

// End is the end of the last sealed page.
func (m *Machine) End() Position { return m.writer.lastEnd }

// Opened says that the new file counts.
func (m *Machine) Opened() bool { return m.writer.phase == phaseRunning }

// Completed takes the result of a write. Durable moves over the finished prefix. An error is final.
func (m *Machine) Completed(id WriteID, err error) {
	i := 0
	for i < len(m.flight) && m.flight[i].id != id {
		i++
	}
	if i == len(m.flight) {
		return
	}
	if err != nil {
		m.Fail(err)
	}
	m.flight[i].done = true
	if m.err != nil {
		m.dropDone()
		return
	}
	n := 0
	for n < len(m.flight) && m.flight[n].done {
		b := m.flight[n]
		m.writer.pos, m.writer.durable = b.end, b.sum
		if b.stable.File == b.file.name.ID && b.stable.Block > 0 {
			m.space.vouched = b.file.name.ID
		}
		m.recycle(b)
		n++
	}
	m.flight = append(m.flight[:0], m.flight[n:]...)
	if n > 0 {
		m.advanceOpening()
		m.releaseRetired()
	}
}

// dropDone gives back buffers of a failed machine; nothing becomes durable any more.
func (m *Machine) dropDone() {
	kept := m.flight[:0]
	for _, b := range m.flight {
		if b.done {
			m.recycle(b)
		} else {
			kept = append(kept, b)
		}
	}
	m.flight = kept
}

func (m *Machine) recycle(b *batch) {
	b.buf.Release()
	pages := b.pages[:0]
	*b = batch{pages: pages}
	m.spare = append(m.spare, b)
}

func (m *Machine) newBatch(f *file, block uint32) *batch {
	buf := m.pool.TryGet()
	if buf == nil {
		return nil
	}
	var b *batch
	if n := len(m.spare); n > 0 {
		b = m.spare[n-1]
		m.spare = m.spare[:n-1]
	} else {
		b = new(batch)
	}
	m.ids++
	b.id, b.buf, b.file, b.block = m.ids, buf, f, block
	return b
}

// abandon gives back the buffers that nobody will write.
func (m *Machine) abandon() {
	for _, b := range m.backlog {
		m.recycle(b)
	}
	m.backlog = nil
	m.open = openPage{}
}

// Effects appends what the host must do since the last call.
func (m *Machine) Effects(dst []Effect) []Effect {
	dst = append(dst, m.effects...)
	m.effects = m.effects[:0]
	return dst
}

// Pending says how many writes are in flight and how many bytes wait to be sealed.
func (m *Machine) Pending() (writes int, backlog int) {
	for _, b := range m.backlog {
		backlog += b.size
	}
	if m.open.b != nil {
		backlog += m.open.used
	}
	return len(m.flight), backlog
}

// Quiet says that nothing waits to be sealed and nothing is in flight.
func (m *Machine) Quiet() bool { return len(m.backlog) == 0 && len(m.flight) == 0 && m.Opened() }
