package storage

import (
	"github.com/hindmq/hind/broker/filter"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/postoffice"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/journal"
)

// Store is the domain's state with the ties to its records. The shard's owner has it alone.
type Store struct {
	Office *postoffice.Office

	order    uint64 // of the last entity
	volatile uint64 // counts ids of what is in no record
	txHigh   journal.TxID

	passive *passive // what only load and standby need; nil once active
	sweep   []journal.RecordID
	scratch scratch
}

// scratch is reused memory.
type scratch struct {
	ids   []queue.ID
	lefts []left
	meta  []byte
}

// New makes an empty passive store.
func New(office *postoffice.Office) *Store {
	return &Store{Office: office, passive: newPassive()}
}

// VolatileID gives an id for what is in no record; it is unique in this process' activation.
func (s *Store) VolatileID() uint64 {
	s.volatile++
	return queue.VolatileID | s.volatile
}

// NextTx gives the id of a transaction, above all that the log knows.
func (s *Store) NextTx() journal.TxID {
	s.txHigh++
	return s.txHigh
}

// MessageRecord makes the record of a message that goes to the queues, nil bytes shared with the message. ok is false if
// no record is needed: the message or all the queues are not durable. duplicate: its duplicate id enters the window. The
// record is valid until the next call.
func (s *Store) MessageRecord(m *message.Message, to []*queue.Queue, duplicate bool) (rec journal.Record, ok bool) {
	if !m.Durable() {
		return rec, false
	}
	ids := s.scratch.ids[:0]
	for _, q := range to {
		if q.Durable() {
			ids = append(ids, q.ID)
		}
	}
	s.scratch.ids = ids
	if len(ids) == 0 {
		return rec, false
	}
	flags := flag(duplicate, flagDuplicate)
	meta := appendRoutes(append(s.scratch.meta[:0], flags), ids)
	rec = journal.Record{Kind: journal.KindAdd, Type: TypeMessage, Meta: meta, Body: m.Raw()}
	if len(meta) > journal.MetaSizeMax {
		body := make([]byte, 0, len(meta)+len(m.Raw()))
		body = append(body, meta[1:]...)
		rec.Body = append(body, m.Raw()...)
		rec.Meta = append(meta[:0], flags|flagRoutesInBody)
	}
	s.scratch.meta = meta
	return rec, true
}

// Incoming is a message that was routed.
type Incoming struct {
	Message *message.Message
	Record  journal.RecordID // 0: it is in none
	Address *postoffice.Address
	Queues  []*queue.Queue
	Visible bool // at once
}

// AddMessage takes a routed message into its queues.
func (s *Store) AddMessage(in *Incoming) *queue.Entity {
	s.order++
	e := &queue.Entity{Message: in.Message, Record: uint64(in.Record), ID: int64(in.Record), Order: s.order}
	if in.Record == 0 {
		e.ID = int64(s.VolatileID())
	}
	if in.Address != nil && len(in.Queues) > 0 {
		in.Address.Take(e)
	}
	for _, q := range in.Queues {
		q.Add(e.Attach(q), in.Visible)
	}
	return e
}

// SettleRecords appends the records that remove the references, all at once and for one reason, and marks them as
// leaving: carry it out with Settle, or take it back with Unmark. Bytes are new.
func (s *Store) SettleRecords(refs []*queue.Reference, reason queue.Reason, recs []journal.Record) []journal.Record {
	for _, r := range refs {
		r.Leaving = true
	}
	for i, r := range refs {
		if !r.Persistent() || seen(refs[:i], r) {
			continue
		}
		rec := journal.Record{Kind: journal.KindDelete, Type: uint8(reason), Target: journal.RecordID(r.Entity.Record)}
		if r.Entity.Durable > 1 && stays(r.Entity) {
			rec.Kind, rec.Type = journal.KindUpdate, TypeMessage
			rec.Body = appendUpdate(nil, reason, r.Entity, false)
		}
		recs = append(recs, rec)
	}
	return recs
}

// seen says whether the entity had its record already: only entities with several references can come twice.
func seen(before []*queue.Reference, r *queue.Reference) bool {
	if r.Entity.Durable == 1 {
		return false
	}
	for _, other := range before {
		if other.Entity == r.Entity && other.Persistent() {
			return true
		}
	}
	return false
}

// stays says whether a durable reference is left.
func stays(e *queue.Entity) bool {
	any := false
	e.References(func(r *queue.Reference) { any = any || r.Persistent() && !r.Leaving })
	return any
}

// Unmark takes SettleRecords back.
func Unmark(refs []*queue.Reference) {
	for _, r := range refs {
		r.Leaving = false
	}
}

// Settle removes the references for good.
func (s *Store) Settle(refs []*queue.Reference, reason queue.Reason) {
	for _, r := range refs {
		r.Queue.Remove(r, reason)
	}
}

// CountRecord makes the record that keeps the delivery counts of an entity's returning references.
func (s *Store) CountRecord(e *queue.Entity) journal.Record {
	return journal.Record{Kind: journal.KindUpdate, Type: TypeMessage, Target: journal.RecordID(e.Record),
		Body: appendUpdate(nil, 0, e, true)}
}

// CountStored carries CountRecord out.
func (s *Store) CountStored(e *queue.Entity) {
	e.References(func(r *queue.Reference) {
		if r.Persistent() && r.State() == queue.Returning {
			r.Stored = r.Count
		}
	})
}

// DuplicateRecord keeps a duplicate id whose message went nowhere.
func DuplicateRecord(k postoffice.Key, addr string) journal.Record {
	return journal.Record{Kind: journal.KindEvent, Type: TypeDuplicate, Body: appendDuplicate(nil, k, addr)}
}

// AddressRecord makes the record of a new address, or of a changed one.
func AddressRecord(a *AddressSpec, target journal.RecordID) journal.Record {
	rec := journal.Record{Kind: journal.KindAdd, Type: TypeAddress, Body: appendAddress(nil, a)}
	if target != 0 {
		rec.Kind, rec.Target = journal.KindUpdate, target
	}
	return rec
}

// AddAddress takes an address in. record 0: it is in no record, and temporary.
func (s *Store) AddAddress(spec *AddressSpec, record journal.RecordID) *postoffice.Address {
	a := &postoffice.Address{Name: spec.Name, Routings: spec.Routings, AutoCreated: spec.AutoCreated,
		Temporary: record == 0, Record: uint64(record)}
	s.Office.AddAddress(a)
	return a
}

// ChangeAddress carries an update of an address out; a temporary address becomes a lasting one by its first record.
func (s *Store) ChangeAddress(a *postoffice.Address, spec *AddressSpec) {
	a.Routings, a.AutoCreated = spec.Routings, spec.AutoCreated
}

// Persist gives a temporary address its record.
func (s *Store) Persist(a *postoffice.Address, record journal.RecordID) {
	a.Record, a.Temporary = uint64(record), false
}

// SpecOf is what a record of the address says.
func SpecOf(a *postoffice.Address) AddressSpec {
	return AddressSpec{Name: a.Name, Routings: a.Routings, AutoCreated: a.AutoCreated}
}

// QueueRecord makes the record of a durable queue.
func QueueRecord(q *QueueSpec) journal.Record {
	return journal.Record{Kind: journal.KindAdd, Type: TypeQueue, Body: appendQueue(nil, q)}
}

// AddQueue takes a queue in; its address exists. record 0: it is not durable. f is the parsed filter.
func (s *Store) AddQueue(spec *QueueSpec, f *filter.Filter, record journal.RecordID) *queue.Queue {
	id := queue.ID(record)
	if record == 0 {
		id = queue.ID(s.VolatileID())
	}
	q := queue.New(id, spec.Name, spec.Address, spec.Attributes, f)
	q.Record = uint64(record)
	s.Office.AddQueue(q)
	return q
}

// RemoveQueue carries the deletion of a queue out, with its references. Messages that were nowhere else become orphans.
func (s *Store) RemoveQueue(q *queue.Queue) {
	s.Office.RemoveQueue(q)
	q.Each(func(r *queue.Reference) bool {
		e := r.Entity
		persistent := r.Persistent()
		q.Remove(r, queue.Killed)
		if persistent && e.Durable == 0 && s.passive == nil {
			s.sweep = append(s.sweep, journal.RecordID(e.Record))
		}
		return true
	})
}

// Orphans takes up to n orphans whose records should be deleted; give them back with Orphaned if that fails.
func (s *Store) Orphans(n int) []journal.RecordID {
	n = min(n, len(s.sweep))
	return s.sweep[:n:n]
}

// Swept says that the records of the first n orphans are deleted.
func (s *Store) Swept(n int) {
	s.sweep = s.sweep[n:]
	if len(s.sweep) == 0 {
		s.sweep = nil
	}
}
