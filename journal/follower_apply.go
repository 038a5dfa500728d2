package journal

import (
	"fmt"
	"slices"

	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// keptMax limits the bytes of pages that stay in memory until they are applied; beyond it they are read from the disk.
const keptMax = 32 << 20

// applying is what waits to be applied.
type applying struct {
	at    Position // everything up to here was applied
	safe  Position // everything up to here may be
	kept  []*run   // received and not applied, in order
	bytes int      // of data in kept
}

func (f *Follower) keep(rs ...*run) {
	for _, r := range rs {
		f.apply.kept = append(f.apply.kept, r)
		f.apply.bytes += len(r.data)
	}
}

// trim drops data that is on the disk when too much is kept.
func (f *Follower) trim() {
	for _, r := range f.apply.kept {
		if f.apply.bytes <= keptMax || f.out.durable.Less(r.end) {
			return
		}
		f.apply.bytes -= len(r.data)
		r.data = nil
	}
}

// Apply says that everything up to a position is safe: it may be told to the loader once it is on this disk too. An error
// is final.
func (f *Follower) Apply(to Position) error {
	if f.err != nil {
		return f.err
	}
	if f.apply.safe.Less(to) {
		f.apply.safe = to
	}
	return f.fail(f.applySafe())
}

func (f *Follower) applySafe() error {
	to := f.apply.safe
	if f.out.durable.Less(to) {
		to = f.out.durable
	}
	if f.rebuild.on {
		f.retireCopied(to)
		return nil
	}
	return f.applyTo(to)
}

// applyTo applies all pages that end at or before a position that is durable.
func (f *Follower) applyTo(to Position) error {
	a := &f.apply
	done := 0
	defer func() { a.kept = slices.Delete(a.kept, 0, done) }()
	for _, r := range a.kept {
		if to.Less(Position{r.file.name.ID, r.block + 1}) {
			return nil
		}
		had := len(r.data)
		data, err := f.dataOf(r)
		if err != nil {
			return err
		}
		for r.applied < r.size {
			h, err := record.ParseHeader(data[r.applied:])
			if err != nil {
				return err
			}
			if to.Less(Position{h.File, h.End()}) {
				return nil
			}
			if err := f.applyPage(r.file, data[r.applied:r.applied+h.Size()], &h); err != nil {
				return fmt.Errorf("page at block %d of file %s: %w", h.Block, r.file.name, err)
			}
			r.applied += h.Size()
			a.at = Position{h.File, h.End()}
		}
		a.bytes -= had
		done++
	}
	return nil
}

// dataOf is a run's pages: from memory, or from the disk if they were dropped.
func (f *Follower) dataOf(r *run) ([]byte, error) {
	if r.data != nil {
		return r.data, nil
	}
	slot := f.disk.slots[r.file.slot]
	data, err := readAt(slot, f.o.Geometry, alignedBytes(r.size), r.block)
	if err != nil {
		return nil, err
	}
	for off := r.applied; off < r.size; {
		h, err := record.OpenPage(data[off:])
		if err != nil || h.File != r.file.name.ID || h.Salt != r.file.name.Salt {
			return nil, &DamageError{Path: slot.Name(), File: r.file.name, Offset: int64(r.block)<<f.o.Geometry.BlockShift + int64(off),
				Held: "a page that was written a moment ago", Label: "@M"}
		}
		off += h.Size()
	}
	return data, nil
}

// applyPage does to the ledger and the loader what a load does.
func (f *Follower) applyPage(file *followed, p []byte, h *record.Header) error {
	i := f.image
	if h.Kind == record.PageFirst {
		first, err := datafile.ParseFirst(record.Payload(p, h))
		if err != nil {
			return err
		}
		if err := i.ledger.enter(file.name, h, &first, file.slot, i.rolledBack); err != nil {
			return err
		}
		if err := i.giveRole(first.Role); err != nil {
			return err
		}
	}
	i.wall = max(i.wall, h.WallTime)
	i.ledger.current.end, i.ledger.current.tail = h.End(), h.Hash
	if h.Records == 0 {
		return nil
	}
	i.ledger.current.mark(RecordID(h.FirstRecord), h.Block, f.o.Geometry.BlockShift)
	return record.Walk(p, h, func(id uint64, _ int, r *record.Record) error {
		return i.replayRecord(RecordID(id), r, h.Block)
	})
}

// retired is told by the ledger of each file that a RETIRE names.
func (f *Follower) retired(l *file) {
	f.retire(Position{f.image.ledger.current.name.ID, 1}, l.name)
}

// retire takes a file out of the log; its slot is free once the file that holds the RETIRE is vouched.
func (f *Follower) retire(pos Position, name datafile.Name) {
	i := slices.IndexFunc(f.files, func(x *followed) bool { return x.name == name })
	if i < 0 || i == len(f.files)-1 {
		return
	}
	f.disk.retiring = append(f.disk.retiring, leaving{pos, f.files[i]})
	f.files = slices.Delete(f.files, i, i+1)
	f.releaseRetired()
}
