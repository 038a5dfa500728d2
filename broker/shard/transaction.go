package shard

import (
	"errors"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/fault"
	"github.com/hindmq/hind/broker/postoffice"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/broker/storage"
	"github.com/hindmq/hind/journal"
)

// Tx is the work of one session until it commits. Nothing of it is in the log before.
type Tx struct {
	Cause *fault.Error // not nil: it can only be rolled back, and the commit answers this

	sends []*Parcel
	acks  []*queue.Reference
	keys  map[txKey]struct{} // duplicate ids of its own sends
	size  int                // sends and acknowledgements
	held  int                // what of that counts in the broker's memory
	run   *commit
}

type txKey struct {
	address *postoffice.Address
	key     postoffice.Key
}

// Empty says that there is nothing to commit and nothing to undo.
func (t *Tx) Empty() bool { return len(t.sends) == 0 && len(t.acks) == 0 && t.Cause == nil }

// Size is what the transaction holds, in bytes.
func (t *Tx) Size() int { return t.size }

// Doom makes the transaction rollback-only; the first cause stays.
func (t *Tx) Doom(cause *fault.Error) {
	if t.Cause == nil {
		t.Cause = cause
	}
}

// Send adds a message. A duplicate dooms the transaction.
func (t *Tx) Send(s *Shard, p *Parcel) {
	k := txKey{p.Address, p.key}
	_, own := t.keys[k]
	if p.keyed && (own || s.Duplicate(p)) {
		t.Doom(duplicateError(p))
		return
	}
	if p.keyed {
		if t.keys == nil {
			t.keys = map[txKey]struct{}{}
		}
		t.keys[k] = struct{}{}
	}
	kept := *p
	kept.Queues = append([]*queue.Queue(nil), p.Queues...)
	t.sends = append(t.sends, &kept)
	size := p.Message.EncodeSize() + entrySize
	t.size += size
	t.held += size
	s.store.Office.Hold(size)
}

func duplicateError(p *Parcel) *fault.Error {
	return fault.New(fault.CodeDuplicateID, "a message with its duplicate id was sent to %q before; the transaction is rolled back",
		p.Address.Name)
}

// Acknowledge adds references that were delivered.
func (t *Tx) Acknowledge(refs []*queue.Reference) {
	for _, r := range refs {
		r.Queue.Hold(r)
	}
	t.acks = append(t.acks, refs...)
	t.size += len(refs) * entrySize
}

// Rollback undoes the transaction: what it acknowledged goes back, its delivery counted. The Tx is empty again.
func (s *Shard) Rollback(t *Tx) {
	s.Return(t.acks)
	s.forget(t)
}

// forget makes the Tx empty again.
func (s *Shard) forget(t *Tx) {
	s.store.Office.Hold(-t.held)
	*t = Tx{}
}

const (
	// groupSize and groupCount are how much goes into one Append: about one page.
	groupSize  = 48 << 10
	groupCount = 256

	// recordOverhead is about what a record takes beside its Meta and Body.
	recordOverhead = 40
)

// commit is a transaction on its way into the log.
type commit struct {
	recs  []journal.Record
	ids   []journal.RecordID // of recs[:len(ids)]
	kinds []int              // index into sends, or -1
	tx    journal.TxID       // 0: everything fits one Append
	acks  []*queue.Reference
}

// Commit makes the transaction effective. On success and on a fault (then it was rolled back) the Tx is empty again. On
// ErrBusy it is half done: call again in the next step, before anything else appends.
func (s *Shard) Commit(t *Tx, after journal.Position) (pos journal.Position, volatile bool, err error) {
	if t.run == nil {
		if cause := s.prepareCommit(t); cause != nil {
			s.Rollback(t)
			return pos, false, cause
		}
	}
	pos, err = s.appendCommit(t.run)
	if errors.Is(err, ErrBusy) {
		s.gate.committing = true
		return pos, false, err
	}
	s.gate.committing = false
	if err != nil {
		storage.Unmark(t.run.acks)
		s.Rollback(t)
		return pos, false, err
	}
	volatile = len(t.run.recs) == 0
	if volatile {
		pos = after
	}
	s.carryOut(t, pos)
	s.forget(t)
	return pos, volatile, nil
}

// prepareCommit checks the transaction and makes its records; a cause means that it must be rolled back.
func (s *Shard) prepareCommit(t *Tx) *fault.Error {
	if t.Cause != nil {
		return t.Cause
	}
	for _, p := range t.sends {
		if s.Duplicate(p) { // another session was faster
			return duplicateError(p)
		}
	}
	c := &commit{}
	size := 0
	for i, p := range t.sends {
		if cause := s.rerouted(p); cause != nil {
			return cause
		}
		rec, ok := s.parcelRecord(p)
		if !ok {
			continue
		}
		rec.Meta = append([]byte(nil), rec.Meta...) // it is the store's scratch
		c.recs = append(c.recs, rec)
		c.kinds = append(c.kinds, i)
		size += len(rec.Body) + len(rec.Meta) + recordOverhead
	}
	for _, r := range t.acks {
		if r.State() == queue.Held { // else its queue was deleted
			c.acks = append(c.acks, r)
		}
	}
	c.recs = s.store.SettleRecords(c.acks, queue.Acknowledged, c.recs)
	size += (len(c.recs) - len(c.kinds)) * recordOverhead
	if size > groupSize || len(c.recs) > groupCount {
		c.tx = s.store.NextTx()
		for i := range c.recs {
			c.recs[i].Tx = c.tx
		}
	}
	t.run = c
	return nil
}

// rerouted finds other queues for a parcel if one of its queues was deleted since the send.
func (s *Shard) rerouted(p *Parcel) *fault.Error {
	for _, q := range p.Queues {
		if s.store.Office.QueueByID(q.ID) == q {
			continue
		}
		if s.store.Office.Address(p.Address.Name) != p.Address {
			return fault.New(fault.CodeAddressMissing, "address %q was deleted before the commit", p.Address.Name)
		}
		p.Queues = p.Address.Route(p.Message, address.Routing(p.Message.RoutingType()), nil)
		return nil
	}
	return nil
}

// appendCommit appends what is left: one group, or many and the commit record. If the journal is full half-way, the
// transaction is rolled back in the log too.
func (s *Shard) appendCommit(c *commit) (pos journal.Position, err error) {
	for len(c.ids) < len(c.recs) {
		group := nextGroup(c.recs[len(c.ids):])
		if c.tx == 0 {
			group = c.recs
		}
		var first journal.RecordID
		if first, pos, err = s.append(group...); err != nil {
			return pos, s.abandon(c, err)
		}
		for i := range group {
			c.ids = append(c.ids, first+journal.RecordID(i))
		}
	}
	if c.tx != 0 {
		_, pos, err = s.append(journal.Record{Kind: journal.KindCommit, Tx: c.tx})
		return pos, s.abandon(c, err)
	}
	return pos, nil
}

// abandon writes the rollback of a transaction that the journal refused half-way. A busy journal is no refusal.
func (s *Shard) abandon(c *commit, err error) error {
	if err == nil || errors.Is(err, ErrBusy) || errors.Is(err, ErrEnded) || c.tx == 0 || len(c.ids) == 0 {
		return err
	}
	if _, _, again := s.append(journal.Record{Kind: journal.KindRollback, Tx: c.tx}); again != nil {
		return again // busy: the whole is tried again, and then abandoned or committed
	}
	return err
}

func nextGroup(recs []journal.Record) []journal.Record {
	size := 0
	for i := range recs {
		size += len(recs[i].Body) + len(recs[i].Meta) + recordOverhead
		if i > 0 && size > groupSize || i >= groupCount {
			return recs[:i]
		}
	}
	return recs
}

// carryOut does in memory what the log has: the same, in the same order, as a standby that reads it.
func (s *Shard) carryOut(t *Tx, pos journal.Position) {
	for i, at := range t.run.kinds {
		s.stamp(t.sends[at], t.run.recs[i].Kind, t.run.ids[i])
	}
	for _, p := range t.sends {
		s.take(p, pos)
	}
	s.store.Settle(t.run.acks, queue.Acknowledged)
}
