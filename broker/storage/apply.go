package storage

import (
	"fmt"
	"slices"

	"github.com/hindmq/hind/broker/filter"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/postoffice"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/journal"
)

// passive is what finds the things that records name. The active reaches them by pointers and drops it.
type passive struct {
	messages  map[journal.RecordID]*queue.Entity
	queues    map[journal.RecordID]*queue.Queue
	addresses map[journal.RecordID]*postoffice.Address
	txs       map[journal.TxID]*undecided
	counters  map[journal.RecordID]queue.Counters // of the checkpoint, until their queue comes
	live      bool                                // records come from the checkpoint: counters and windows have them already
}

// undecided is a transaction without commit or rollback so far.
type undecided struct {
	prepared bool
	records  []journal.Record
}

func newPassive() *passive {
	return &passive{
		messages:  map[journal.RecordID]*queue.Entity{},
		queues:    map[journal.RecordID]*queue.Queue{},
		addresses: map[journal.RecordID]*postoffice.Address{},
		txs:       map[journal.TxID]*undecided{},
		counters:  map[journal.RecordID]queue.Counters{},
	}
}

// Live takes one record of the checkpoint.
func (s *Store) Live(r *journal.Record) error {
	s.passive.live = true
	err := s.Replay(r)
	s.passive.live = false
	return err
}

// Replay takes one record of the log, on load and on a standby. The record's bytes are copied where they stay.
func (s *Store) Replay(r *journal.Record) error {
	p := s.passive
	if p == nil {
		return fmt.Errorf("storage: record %s comes to an active store", r.ID)
	}
	s.txHigh = max(s.txHigh, r.Tx)
	switch r.Kind {
	case journal.KindCommit:
		return s.decide(r.Tx, true)
	case journal.KindRollback:
		return s.decide(r.Tx, false)
	case journal.KindPrepare:
		p.undecided(r.Tx).prepared = true
		return nil
	case journal.KindRole:
		return nil
	}
	if r.Tx != 0 {
		t := p.undecided(r.Tx)
		kept := *r
		kept.Meta, kept.Body = slices.Clone(r.Meta), slices.Clone(r.Body)
		t.records = append(t.records, kept)
		return nil
	}
	return s.apply(r)
}

func (p *passive) undecided(tx journal.TxID) *undecided {
	t := p.txs[tx]
	if t == nil {
		t = &undecided{}
		p.txs[tx] = t
	}
	return t
}

// decide ends a transaction; one that held nothing is unknown here.
func (s *Store) decide(tx journal.TxID, commit bool) error {
	t := s.passive.txs[tx]
	delete(s.passive.txs, tx)
	if t == nil || !commit {
		return nil
	}
	for i := range t.records {
		if err := s.apply(&t.records[i]); err != nil {
			return err
		}
	}
	return nil
}

// apply carries one effective record out.
func (s *Store) apply(r *journal.Record) error {
	switch r.Kind {
	case journal.KindAdd:
		return s.applyAdd(r)
	case journal.KindUpdate:
		return s.applyUpdate(r)
	case journal.KindDelete:
		return s.applyDelete(r)
	case journal.KindEvent:
		if r.Type == TypeDuplicate && len(r.Body) > len(postoffice.Key{}) && !s.passive.live {
			s.Office.Remember(string(r.Body[len(postoffice.Key{}):]), postoffice.Key(r.Body[:len(postoffice.Key{})]))
		}
		return nil
	}
	return fmt.Errorf("%w: record %s has kind %d", ErrRecord, r.ID, r.Kind)
}

func (s *Store) applyAdd(r *journal.Record) error {
	switch r.Type {
	case TypeMessage:
		return s.applyMessage(r)
	case TypeAddress:
		spec, err := decodeAddress(r)
		if err != nil {
			return err
		}
		if a := s.Office.Address(spec.Name); a != nil {
			return fmt.Errorf("%w: record %s makes address %q, which exists", ErrRecord, r.ID, spec.Name)
		}
		s.passive.addresses[r.ID] = s.AddAddress(&spec, r.ID)
		return nil
	case TypeQueue:
		return s.applyQueue(r)
	}
	return fmt.Errorf("%w: record %s has type %d", ErrRecord, r.ID, r.Type)
}

func (s *Store) applyMessage(r *journal.Record) error {
	raw, duplicate, ids, err := decodeMessage(r, s.scratch.ids[:0])
	if err != nil {
		return err
	}
	s.scratch.ids = ids
	m, err := message.Parse(slices.Clone(raw))
	if err != nil {
		return fmt.Errorf("%w: message of record %s: %w", ErrRecord, r.ID, err)
	}
	to := make([]*queue.Queue, 0, len(ids))
	for _, id := range ids {
		if q := s.Office.QueueByID(id); q != nil {
			to = append(to, q)
		}
	}
	addr := AddressOf(m)
	s.passive.messages[r.ID] = s.AddMessage(&Incoming{Message: m, Record: r.ID, Address: s.Office.Address(addr),
		Queues: to, Visible: true})
	if s.passive.live {
		for _, q := range to {
			q.Counters.Added--
		}
	} else if duplicate {
		s.Office.Remember(addr, postoffice.KeyOf(m.DuplicateID()))
	}
	return nil
}

func (s *Store) applyQueue(r *journal.Record) error {
	spec, err := decodeQueue(r)
	if err != nil {
		return err
	}
	if s.Office.Queue(spec.Name) != nil {
		return fmt.Errorf("%w: record %s makes queue %q, which exists", ErrRecord, r.ID, spec.Name)
	}
	var f *filter.Filter
	if spec.Attributes.Filter != "" {
		if f, err = filter.Parse(spec.Attributes.Filter); err != nil {
			return fmt.Errorf("%w: queue %q of record %s: %w", ErrRecord, spec.Name, r.ID, err)
		}
	}
	q := s.AddQueue(&spec, f, r.ID)
	q.Counters = s.passive.counters[r.ID]
	delete(s.passive.counters, r.ID)
	s.passive.queues[r.ID] = q
	return nil
}

func (s *Store) applyUpdate(r *journal.Record) error {
	if a := s.passive.addresses[r.Target]; a != nil {
		spec, err := decodeAddress(r)
		if err == nil {
			s.ChangeAddress(a, &spec)
		}
		return err
	}
	e := s.passive.messages[r.Target]
	if e == nil {
		return nil // born dead: its message is gone
	}
	reason, lefts, err := decodeUpdate(r, s.scratch.lefts[:0])
	s.scratch.lefts = lefts
	if err != nil {
		return err
	}
	if s.passive.live {
		reason = queue.Undone
	}
	e.References(func(ref *queue.Reference) {
		for _, l := range lefts {
			if l.id == ref.Queue.ID {
				ref.Count, ref.Stored = l.count, l.count
				return
			}
		}
		ref.Queue.Remove(ref, reason)
	})
	return nil
}

func (s *Store) applyDelete(r *journal.Record) error {
	p := s.passive
	if e := p.messages[r.Target]; e != nil {
		delete(p.messages, r.Target)
		e.References(func(ref *queue.Reference) { ref.Queue.Remove(ref, queue.Reason(r.Type)) })
		return nil
	}
	if q := p.queues[r.Target]; q != nil {
		delete(p.queues, r.Target)
		s.RemoveQueue(q)
		return nil
	}
	if a := p.addresses[r.Target]; a != nil {
		delete(p.addresses, r.Target)
		s.Office.RemoveAddress(a)
	}
	return nil
}

// AddressOf is the address part of where a message was sent.
func AddressOf(m *message.Message) string {
	name, _ := splitAddress(m.Address())
	return name
}

// Activate makes the store the active's: unprepared transactions are undone, what is in no queue is set aside to be
// deleted, and records are found by pointers from now on.
func (s *Store) Activate() {
	for id, e := range s.passive.messages {
		if e.Durable == 0 {
			s.sweep = append(s.sweep, id)
		}
	}
	slices.Sort(s.sweep)
	s.passive = nil
}

// Undecided lists transactions without a decision: prepared ones must stay hidden.
func (s *Store) Undecided() (open, prepared []journal.TxID) {
	if s.passive == nil {
		return nil, nil
	}
	for id, t := range s.passive.txs {
		if t.prepared {
			prepared = append(prepared, id)
		} else {
			open = append(open, id)
		}
	}
	slices.Sort(open)
	slices.Sort(prepared)
	return open, prepared
}
