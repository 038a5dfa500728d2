package journal

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// replay rebuilds the ledger, and through the loader the host's state, from the last complete checkpoint and everything
// after its START.
func (i *Image) replay() error {
	r := &i.recovery
	l := i.ledger
	if len(r.chain) == 0 {
		if i.loader != nil {
			return i.loader.Snapshot(nil)
		}
		return nil
	}
	var blob []byte
	if r.start.File != 0 {
		data, err := r.checkpointData()
		if err != nil {
			return err
		}
		if blob, err = l.restore(data); err != nil {
			return r.chain[0].v.damage(r.start.Block, "@I", err.Error())
		}
		if err := i.resume(); err != nil {
			return err
		}
	}
	if i.loader != nil {
		if err := i.loader.Snapshot(blob); err != nil {
			return err
		}
	}
	if r.start.File != 0 {
		if err := i.liveRecords(); err != nil {
			return err
		}
	}
	for k := range r.chain {
		if err := i.replayFile(k); err != nil {
			return err
		}
	}
	return i.checkTable()
}

// checkpointData collects the parts of the checkpoint whose START is named, up to its END.
func (r *recovery) checkpointData() ([]byte, error) {
	var data []byte
	var size, hash uint64
	begun, ended := false, false
	startView := r.chain[0].v
	for k := range r.chain {
		c := &r.chain[k]
		for j := range c.steps {
			s := &c.steps[j]
			if ended || !s.controls || k == 0 && s.block < r.start.Block {
				continue
			}
			err := eachRecord(c.v, s, func(id RecordID, rec *record.Record) (err error) {
				switch {
				case Kind(rec.Kind) == kindStart && uint64(id) == r.start.Record:
					size, hash, err = parseStart(rec.Body)
					begun = true
				case !begun || ended:
				case Kind(rec.Kind) == kindStart:
					begun = false // another one began: the named one never got its END
				case Kind(rec.Kind) == kindPart:
					data = append(data, rec.Body...)
				case Kind(rec.Kind) == kindEnd:
					ended = true
				}
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	if !begun || !ended || uint64(len(data)) != size || xxhash.Sum64(data) != hash {
		return nil, startView.damage(r.start.Block, "@I", fmt.Sprintf("the last complete checkpoint (START %s), of which %d of %d bytes are there",
			RecordID(r.start.Record), len(data), size))
	}
	return data, nil
}

// resume points the restored ledger at the slots, and at START's file as the current one.
func (i *Image) resume() error {
	r, l := &i.recovery, i.ledger
	l.start = r.start
	for _, f := range l.files {
		for _, v := range r.views {
			if v.head.Present && !v.head.Broken && v.head.Name == f.name {
				f.slot = v.slot
			}
		}
		if f.name == r.chain[0].v.head.Name {
			l.current = f
		}
	}
	if l.current == nil || l.current != l.files[len(l.files)-1] {
		return r.chain[0].v.damage(r.start.Block, "@I", "a checkpoint whose table does not end with its own file")
	}
	return nil
}

// liveRecords gives the loader what lived at START, in id order. Files that retired since hold nothing that lives now:
// the replay ends their records.
func (i *Image) liveRecords() error {
	held := i.heldItems()
	gone, err := i.recovery.retiredSince()
	if err != nil {
		return err
	}
	for _, f := range i.ledger.files {
		f.unread = slices.Contains(gone, f.name)
		if f.kind != datafile.Log || f.live == 0 || f.unread {
			continue
		}
		v, steps, err := i.stepsOf(f)
		if err != nil {
			return err
		}
		for j := range steps {
			s := &steps[j]
			if s.h.Records == 0 {
				continue
			}
			f.mark(RecordID(s.h.FirstRecord), s.block, i.o.Geometry.BlockShift)
			err := eachRecord(v, s, func(id RecordID, rec *record.Record) error {
				if !f.has(id) || !f.bit(id) {
					return nil
				}
				if held, err = i.giveHeld(held, id); err != nil {
					return err
				}
				return i.giveLive(id, rec)
			})
			if err != nil {
				return err
			}
		}
	}
	_, err = i.giveHeld(held, ^RecordID(0))
	return err
}

// stepsOf are the pages of a file of the checkpoint's table; for START's own file those of the chain.
func (i *Image) stepsOf(f *file) (*view, []step, error) {
	r := &i.recovery
	if c := &r.chain[0]; c.v.head.Name == f.name {
		return c.v, c.steps, nil
	}
	link := datafile.Link{Name: f.name, End: f.end, TailHash: f.tail}
	v, steps, err := r.byName(link)
	if err == nil && v == nil {
		err = r.missingLink(link)
	}
	return v, steps, err
}

// retiredSince are the files that RETIRE records after START name.
func (r *recovery) retiredSince() ([]datafile.Name, error) {
	var gone []datafile.Name
	for k := range r.chain {
		c := &r.chain[k]
		for j := range c.steps {
			s := &c.steps[j]
			if !s.controls || k == 0 && s.block < r.start.Block {
				continue
			}
			err := eachRecord(c.v, s, func(id RecordID, rec *record.Record) error {
				if Kind(rec.Kind) != kindRetire || uint64(id) < r.start.Record {
					return nil
				}
				names, err := parseRetire(rec.Body)
				gone = append(gone, names...)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return gone, nil
}

func (i *Image) giveLive(id RecordID, rec *record.Record) error {
	l := i.ledger
	tx := TxID(0)
	if t := l.txs[TxID(rec.Tx)]; rec.Tx != 0 && t != nil && t.holds(id) {
		tx = TxID(rec.Tx)
	}
	if Kind(rec.Kind) == KindUpdate && tx == 0 {
		l.updates[RecordID(rec.Target)] = id
	}
	if i.loader == nil {
		return nil
	}
	out := hostRecord(id, rec)
	out.Tx = tx // decided before START: it takes effect by itself
	return i.loader.Live(out)
}

// holds says that a record is on the transaction's list; items ascend.
func (t *transaction) holds(id RecordID) bool {
	_, ok := slices.BinarySearchFunc(t.items, id, func(item txItem, id RecordID) int { return cmp.Compare(item.id, id) })
	return ok
}

func hostRecord(id RecordID, rec *record.Record) Record {
	return Record{ID: id, Kind: Kind(rec.Kind), Type: rec.Type, Tx: TxID(rec.Tx), Target: RecordID(rec.Target), Meta: rec.Meta, Body: rec.Body}
}

// heldItem is what an undecided transaction held at START and no file holds: deletes, events, the prepare.
type heldItem struct {
	id  RecordID
	raw []byte
}

func (i *Image) heldItems() []heldItem {
	var held []heldItem
	for _, id := range i.ledger.undecided() {
		for _, item := range i.ledger.txs[id].items {
			if item.raw != nil {
				held = append(held, heldItem{item.id, item.raw})
			}
		}
	}
	slices.SortFunc(held, func(a, b heldItem) int { return cmp.Compare(a.id, b.id) })
	return held
}

// giveHeld gives the loader the held items before id.
func (i *Image) giveHeld(held []heldItem, id RecordID) ([]heldItem, error) {
	for len(held) > 0 && held[0].id < id {
		rec, _, err := record.Decode(held[0].raw, uint64(held[0].id))
		if err != nil {
			return nil, i.recovery.chain[0].v.damage(i.recovery.start.Block, "@I", fmt.Sprintf("transaction in a checkpoint: %v", err))
		}
		if i.loader != nil {
			if err := i.loader.Live(hostRecord(held[0].id, &rec)); err != nil {
				return nil, err
			}
		}
		held = held[1:]
	}
	return held, nil
}

// replayFile applies one file of the chain: the first one from START on, the others whole.
func (i *Image) replayFile(k int) error {
	r, l := &i.recovery, i.ledger
	c := &r.chain[k]
	if k > 0 || r.start.File == 0 {
		h := &c.v.head
		if err := l.enter(h.Name, &h.Header, &h.First, c.v.slot, i.rolledBack); err != nil {
			return err
		}
		if err := i.giveRole(h.First.Role); err != nil {
			return err
		}
	}
	for j := range c.steps {
		s := &c.steps[j]
		i.wall = max(i.wall, s.h.WallTime)
		l.current.end, l.current.tail = s.end, s.hash
		if s.h.Records == 0 || k == 0 && s.block < r.start.Block {
			continue
		}
		l.current.mark(RecordID(s.h.FirstRecord), s.block, i.o.Geometry.BlockShift)
		err := eachRecord(c.v, s, func(id RecordID, rec *record.Record) error {
			if k == 0 && uint64(id) < r.start.Record {
				return nil
			}
			return i.replayRecord(id, rec, s.block)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (i *Image) replayRecord(id RecordID, rec *record.Record, block uint32) error {
	if id != i.ledger.next {
		return fmt.Errorf("%w: record %s where %s should follow", ErrDamaged, id, i.ledger.next)
	}
	if err := i.ledger.apply(id, rec, block); err != nil {
		return err
	}
	if i.loader == nil || Kind(rec.Kind) >= kindStart {
		return nil
	}
	return i.loader.Replay(hostRecord(id, rec))
}

// giveRole tells the loader of a role record in page 0, which has no id.
func (i *Image) giveRole(role []byte) error {
	if len(role) == 0 || i.loader == nil {
		return nil
	}
	return i.loader.Replay(Record{Kind: KindRole, Body: role})
}

// rolledBack tells the loader that an open rolled a transaction back.
func (i *Image) rolledBack(id TxID) error {
	if i.loader == nil {
		return nil
	}
	return i.loader.Replay(Record{Kind: KindRollback, Tx: id})
}

// checkTable: every file that is in the table must be there.
func (i *Image) checkTable() error {
	for _, f := range i.ledger.files {
		if f.slot < 0 && !i.recovery.copying {
			return &DamageError{File: f.name, Label: "@K", Held: fmt.Sprintf("%d records, %d of them live; no RETIRE names the file", f.count, f.live)}
		}
	}
	return nil
}
