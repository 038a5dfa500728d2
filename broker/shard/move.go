package shard

import (
	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/postoffice"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/broker/storage"
	"github.com/hindmq/hind/journal"
)

// settingsOf the address that a queue is bound to.
func (s *Shard) settingsOf(q *queue.Queue) address.Settings {
	if a := s.store.Office.Address(q.Address); a != nil {
		return a.Settings
	}
	return s.store.Office.Settings(q.Address)
}

// Expire moves an expired reference to its queue's expiry address, or drops it. It returns the position to wait for.
func (s *Shard) Expire(r *queue.Reference) (journal.Position, error) {
	return s.move(r, s.settingsOf(r.Queue).ExpiryAddress, queue.Expired)
}

// move takes a reference out of its queue and puts a copy of its message to another address, both in one Append. Without
// an address, or where no queue takes the copy, the reference is dropped and counted.
func (s *Shard) move(r *queue.Reference, to string, reason queue.Reason) (pos journal.Position, err error) {
	one := []*queue.Reference{r}
	target := s.store.Office.Address(to)
	if to == "" || target == nil {
		return s.settleSome(one, reason)
	}
	p := &Parcel{Message: s.copyFor(r, target, reason), Address: target}
	p.Queues = target.Route(p.Message, address.RoutingNone, nil)
	if len(p.Queues) == 0 {
		return s.settleSome(one, reason)
	}
	recs := s.upkeep.recs[:0]
	rec, recorded := s.store.MessageRecord(p.Message, p.Queues, false)
	if recorded {
		recs = append(recs, rec)
	}
	recs = s.store.SettleRecords(one, reason, recs)
	s.upkeep.recs = recs
	if len(recs) > 0 {
		var id journal.RecordID
		if id, pos, err = s.append(recs...); err != nil {
			storage.Unmark(one)
			return pos, err
		}
		if recorded {
			p.record = id
		}
	}
	s.store.Settle(one, reason)
	s.take(p, pos)
	return pos, nil
}

// copyFor makes the message that goes to a dead-letter or expiry address: it never expires, is routed by that address
// alone, and says where it was. Where the message had been moved before, that stays the origin.
func (s *Shard) copyFor(r *queue.Reference, target *postoffice.Address, reason queue.Reason) *message.Message {
	m := r.Entity.Message
	never := int64(0)
	e := message.Edit{Address: &target.Name, Expiration: &never, Remove: []string{message.PropRoutingType}}
	e.Set = append(e.Set, message.Property{Name: message.PropOrigQueue, Value: message.String(r.Queue.Name)})
	if _, moved := m.Property(message.PropOrigMessageID); !moved {
		e.Set = append(e.Set,
			message.Property{Name: message.PropOrigAddress, Value: message.String(m.Address())},
			message.Property{Name: message.PropOrigMessageID, Value: message.Long(r.Entity.ID)})
		if t := m.RoutingType(); t >= 0 {
			e.Set = append(e.Set, message.Property{Name: message.PropOrigRoutingType, Value: message.Byte(t)})
		}
	}
	if reason == queue.Expired {
		e.Set = append(e.Set, message.Property{Name: message.PropActualExpiry, Value: message.Long(s.now.Wall)})
	}
	return m.Edited(&e)
}
