package shard

import (
	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/postoffice"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/broker/storage"
	"github.com/hindmq/hind/journal"
)

// Parcel is a message on its way into its queues.
type Parcel struct {
	Message *message.Message
	Address *postoffice.Address
	Queues  []*queue.Queue
	key     postoffice.Key
	keyed   bool // it has a duplicate id that counts
	record  journal.RecordID
}

// Route finds the queues of a message: of one queue by name, or by the address' rules. The parcel is valid until the next
// call; a transaction copies it.
func (s *Shard) Route(m *message.Message, a *postoffice.Address, only *queue.Queue, r address.Routing) *Parcel {
	p := &s.parcel
	*p = Parcel{Message: m, Address: a, Queues: p.Queues[:0]}
	if id := m.DuplicateID(); id != nil && a.Settings.IDCacheSize > 0 {
		p.key, p.keyed = postoffice.KeyOf(id), true
	}
	if only == nil {
		p.Queues = a.Route(m, r, p.Queues)
	} else if only.Accepts(m) {
		p.Queues = append(p.Queues, only)
	}
	return p
}

// Duplicate says whether the address has seen the parcel's duplicate id.
func (s *Shard) Duplicate(p *Parcel) bool { return p.keyed && p.Address.Duplicate(p.key) }

// Appended is the position of the last record: whatever is in memory now is safe when it is.
func (s *Shard) Appended() journal.Position { return s.gate.appended }

// Send takes a message in by itself. after is the position of what its session did before. A duplicate goes nowhere; its
// position is one at which the first is safe. It returns the position to wait for; volatile: nothing was recorded.
func (s *Shard) Send(p *Parcel, after journal.Position) (pos journal.Position, volatile bool, err error) {
	if s.Duplicate(p) {
		return s.gate.appended, false, nil
	}
	rec, recorded := s.parcelRecord(p)
	if recorded {
		s.upkeep.recs = append(s.upkeep.recs[:0], rec)
		id, at, err := s.append(s.upkeep.recs...)
		if err != nil {
			return pos, false, err
		}
		after = at
		s.stamp(p, rec.Kind, id)
	}
	s.take(p, after)
	return after, !recorded, nil
}

// parcelRecord makes the record that a parcel needs, if it does: of the message, or of its duplicate id alone.
func (s *Shard) parcelRecord(p *Parcel) (journal.Record, bool) {
	if rec, ok := s.store.MessageRecord(p.Message, p.Queues, p.keyed); ok {
		return rec, true
	}
	if p.keyed && p.Message.Durable() {
		return storage.DuplicateRecord(p.key, p.Address.Name), true
	}
	return journal.Record{}, false
}

// stamp notes the id of the parcel's record, and its duplicate id in the durable window.
func (s *Shard) stamp(p *Parcel, kind journal.Kind, id journal.RecordID) {
	if kind == journal.KindAdd {
		p.record = id
	}
	if p.keyed {
		s.store.Office.Remember(p.Address.Name, p.key)
		p.keyed = false
	}
}

// take puts the message into its queues: visible at once if everything before it is safe, else then.
func (s *Shard) take(p *Parcel, pos journal.Position) {
	if p.keyed {
		p.Address.RememberPassing(p.key)
	}
	if len(p.Queues) == 0 {
		return
	}
	volatile := p.record == 0
	visible := volatile && s.Safe(pos, true)
	e := s.store.AddMessage(&storage.Incoming{Message: p.Message, Record: p.record, Address: p.Address, Queues: p.Queues,
		Visible: visible})
	if visible {
		for _, q := range p.Queues {
			s.MarkQueue(q)
		}
		return
	}
	s.reveal(e, pos, volatile)
}
