package shard

import (
	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/filter"
	"github.com/hindmq/hind/broker/postoffice"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/broker/storage"
	"github.com/hindmq/hind/journal"
)

// CreateAddress makes a lasting address, or a temporary one that is in no record. It must not exist.
func (s *Shard) CreateAddress(spec storage.AddressSpec, temporary bool) (a *postoffice.Address, pos journal.Position, err error) {
	var id journal.RecordID
	if !temporary {
		if id, pos, err = s.append(storage.AddressRecord(&spec, 0)); err != nil {
			return nil, pos, err
		}
	}
	return s.store.AddAddress(&spec, id), pos, nil
}

// AddRoutings lets an address support more routing types.
func (s *Shard) AddRoutings(a *postoffice.Address, more address.RoutingSet) (pos journal.Position, err error) {
	spec := storage.SpecOf(a)
	spec.Routings |= more
	if spec.Routings == a.Routings {
		return pos, nil
	}
	if a.Record != 0 {
		if _, pos, err = s.append(storage.AddressRecord(&spec, journal.RecordID(a.Record))); err != nil {
			return pos, err
		}
	}
	s.store.ChangeAddress(a, &spec)
	return pos, nil
}

// Keep makes a temporary address a lasting one.
func (s *Shard) Keep(a *postoffice.Address) (journal.Position, error) {
	if a.Record != 0 {
		return journal.Position{}, nil
	}
	spec := storage.SpecOf(a)
	id, pos, err := s.append(storage.AddressRecord(&spec, 0))
	if err == nil {
		s.store.Persist(a, id)
	}
	return pos, err
}

// CreateQueue makes a queue, which must not exist, at an address, which must. f is the parsed filter of the attributes.
func (s *Shard) CreateQueue(spec storage.QueueSpec, f *filter.Filter) (q *queue.Queue, pos journal.Position, err error) {
	var id journal.RecordID
	if spec.Attributes.Durable {
		if id, pos, err = s.append(storage.QueueRecord(&spec)); err != nil {
			return nil, pos, err
		}
	}
	return s.store.AddQueue(&spec, f, id), pos, nil
}

// DeleteQueue deletes a queue with its messages, and its address if that is temporary and has no other queue. Consumers
// must be detached before.
func (s *Shard) DeleteQueue(q *queue.Queue) (pos journal.Position, err error) {
	if q.Record != 0 {
		rec := journal.Record{Kind: journal.KindDelete, Target: journal.RecordID(q.Record)}
		if _, pos, err = s.append(rec); err != nil {
			return pos, err
		}
	}
	s.store.RemoveQueue(q)
	if a := s.store.Office.Address(q.Address); a != nil && a.Temporary && len(a.Queues()) == 0 {
		s.store.Office.RemoveAddress(a)
	}
	return pos, nil
}

// DeleteAddress deletes an address without queues.
func (s *Shard) DeleteAddress(a *postoffice.Address) error {
	if a.Record != 0 {
		rec := journal.Record{Kind: journal.KindDelete, Target: journal.RecordID(a.Record)}
		if _, _, err := s.append(rec); err != nil {
			return err
		}
	}
	s.store.Office.RemoveAddress(a)
	return nil
}
