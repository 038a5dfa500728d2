package journal

import (
	"fmt"
	"slices"

	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// space is the account of slots.
type space struct {
	free       []int // ascending
	freeOnOpen []int // free once the new file counts
	peerFree   int   // of the backup; negative: none
	retiring   []retiring
	vouched    uint64 // newest file of which a durable page carries a stable in the file itself
	stuck      bool   // upkeep is due and has no slot
	grown      int    // upper bound of the checkpoint's size; negative: to be counted again
}

// retiring is a file that a RETIRE names, waiting for that to be stable.
type retiring struct {
	pos  Position
	name datafile.Name
	slot int
	file *file // of a driver
}

// take hands out the lowest free slot; the caller has checked that there is one.
func (s *space) take() int {
	slot := s.free[0]
	s.free = append(s.free[:0], s.free[1:]...)
	return slot
}

// freeBoth is what producers may count on: the lower number of both brokers.
func (s *space) freeBoth() int {
	if s.peerFree >= 0 {
		return min(len(s.free), s.peerFree)
	}
	return len(s.free)
}

// low says that the journal is in reserve mode: upkeep goes before clients.
func (s *space) low(reserve int) bool { return s.freeBoth() <= reserve }

// FreeSlot gives a slot to the machine: a new one, or one whose file is retired and no longer pinned.
func (m *Machine) FreeSlot(slot int) {
	i, found := slices.BinarySearch(m.space.free, slot)
	if found {
		panic(fmt.Sprintf("journal: slot %d is freed twice", slot))
	}
	m.space.free = slices.Insert(m.space.free, i, slot)
}

// SetPeerFree gives the free slots of the backup; negative: there is none.
func (m *Machine) SetPeerFree(slots int) { m.space.peerFree = slots }

// Low says that only the reserve, or less, is free.
func (m *Machine) Low() bool { return m.space.low(m.o.Reserve) }

// admit says whether records of a class may go where p says. The rules keep theorem E: from any full state, deletes
// alone drain the journal to empty.
func (m *Machine) admit(c class, p placement, recs []Record) error {
	free := len(m.space.free)
	if c == classInternal {
		if p.roll && free < 1 {
			return m.noSlot("the last slot is in use")
		}
		return nil
	}
	if m.Low() && m.upkeepDue() {
		if m.space.stuck {
			return m.noSlot("upkeep, which comes first, has none")
		}
		return fmt.Errorf("%w (upkeep comes first while only the reserve is free)", ErrBusy)
	}
	if m.spent() {
		return fmt.Errorf("%w (record ids of this incarnation are used up)", ErrBusy)
	}
	if p.roll && free < 2 {
		return m.noSlot("the last slot is kept for upkeep")
	}
	if c == classProducer {
		need := m.o.Reserve
		if p.roll {
			need++
		}
		if both := m.space.freeBoth(); both < need {
			return m.noSlot(fmt.Sprintf("%d slots are free, %d are the reserve that lets consumers drain the journal", both, m.o.Reserve))
		}
	}
	if c == classProducer || undecided(recs) {
		// What a checkpoint must hold grows: it has to fit half a slot, or upkeep could not come first.
		return m.admitGrowth(p.size, len(recs))
	}
	return nil
}

// admitGrowth keeps the sum of what was admitted since the last count, so that an append need not look at every file.
func (m *Machine) admitGrowth(size, records int) error {
	if m.space.grown < 0 {
		m.space.grown = m.l.checkpointSize() + m.o.BlobMax
	}
	size += records * (txFixedSize + 32)
	if m.space.grown+size <= m.checkpointMax() {
		m.space.grown += size
		return nil
	}
	m.space.grown = m.l.checkpointSize() + m.o.BlobMax
	if m.space.grown+size <= m.checkpointMax() {
		m.space.grown += size
		return nil
	}
	return fmt.Errorf("%w: a checkpoint would take %d bytes of the %d in half a slot; settle messages or decide transactions",
		ErrFull, m.space.grown+size, m.checkpointMax())
}

func (m *Machine) noSlot(why string) error {
	if len(m.space.retiring) > 0 {
		return fmt.Errorf("%w (%d slots are about to be free)", ErrBusy, len(m.space.retiring))
	}
	return fmt.Errorf("%w: %s", ErrFull, why)
}

// undecided says that records go on a transaction's list.
func undecided(recs []Record) bool {
	for i := range recs {
		if recs[i].Tx != 0 && recs[i].Kind != KindCommit && recs[i].Kind != KindRollback {
			return true
		}
	}
	return false
}

// checkpointMax is how much data fits half a slot, cut into parts.
func (m *Machine) checkpointMax() int {
	g := m.o.Geometry
	part := partSizeMax(m.o.PageMax)
	parts := int(g.SlotSize()) / 2 / (m.o.PageMax)
	return parts*part - int(g.SlotSize())/64
}

// retired is told by the ledger of each file that a RETIRE names.
func (m *Machine) retired(f *file) {
	m.space.retiring = append(m.space.retiring, retiring{Position{m.l.current.name.ID, m.open.block + 1}, f.name, f.slot, f})
}

// releaseRetired frees the slots whose RETIRE is stable, once the file that holds the RETIRE is vouched on disk. Without
// that, recovery would find the log through an older file, which may be the very one that is overwritten.
func (m *Machine) releaseRetired() {
	stable := m.Stable()
	n := 0
	for n < len(m.space.retiring) && !stable.Less(m.space.retiring[n].pos) && m.space.vouched >= m.space.retiring[n].pos.File {
		r := &m.space.retiring[n]
		m.effects = append(m.effects, Effect{Kind: EffectRetired, Slot: r.slot, File: r.name, file: r.file})
		m.stats.Retired++
		n++
	}
	m.space.retiring = append(m.space.retiring[:0], m.space.retiring[n:]...)
}

// vouchDue says that slots wait for nothing but a page that says so.
func (m *Machine) vouchDue() bool {
	return len(m.space.retiring) > 0 && !m.Stable().Less(m.space.retiring[0].pos) && m.space.vouched < m.space.retiring[0].pos.File
}

// retireNamesMax is how many files one RETIRE names.
func (m *Machine) retireNamesMax() int {
	return (m.o.PageMax - record.HeaderSize - 32) / retireNameSize
}
