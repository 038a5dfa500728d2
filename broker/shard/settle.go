package shard

import (
	"errors"

	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/broker/storage"
	"github.com/hindmq/hind/journal"
)

// settleMax is how many settlements go into one Append: together they stay far below a page.
const settleMax = 256

// Settle removes references for good. It returns the position to wait for, zero if nothing was recorded. On ErrBusy some
// may be settled already; those are Gone, and the call may be repeated with the rest.
func (s *Shard) Settle(refs []*queue.Reference, reason queue.Reason) (pos journal.Position, err error) {
	for len(refs) > 0 {
		n := min(settleMax, len(refs))
		at, err := s.settleSome(refs[:n], reason)
		if err != nil {
			return pos, err
		}
		if pos.Less(at) {
			pos = at
		}
		refs = refs[n:]
	}
	return pos, nil
}

func (s *Shard) settleSome(refs []*queue.Reference, reason queue.Reason) (pos journal.Position, err error) {
	s.upkeep.recs = s.store.SettleRecords(refs, reason, s.upkeep.recs[:0])
	if len(s.upkeep.recs) > 0 {
		if _, pos, err = s.append(s.upkeep.recs...); err != nil {
			storage.Unmark(refs)
			return pos, err
		}
	}
	s.store.Settle(refs, reason)
	return pos, nil
}

// Return gives references back to their queues, in their old places, behind the counting or dead-lettering that is due.
// Their Count says how often they were delivered.
func (s *Shard) Return(refs []*queue.Reference) {
	for _, r := range refs {
		r.Queue.Give(r)
		if r.State() == queue.Returning {
			s.upkeep.returning = append(s.upkeep.returning, r)
		}
	}
}

// SettleLater settles a reference at the end of the step: it was acknowledged before it was delivered.
func (s *Shard) SettleLater(r *queue.Reference) { s.upkeep.passed = append(s.upkeep.passed, r) }

// settlePassed settles what SettleLater gathered; what the log has no room for now stays for the next step.
func (s *Shard) settlePassed() {
	u := &s.upkeep
	for len(u.passed) > 0 {
		n := min(settleMax, len(u.passed))
		if _, err := s.settleSome(u.passed[:n], queue.Acknowledged); err != nil {
			return
		}
		u.passed = u.passed[n:]
	}
	u.passed = nil
}

// returnSome brings references back: dead ones go to their dead-letter address, the count of the others is recorded. It
// stops when the log is busy.
func (s *Shard) returnSome() {
	u := &s.upkeep
	for len(u.returning) > 0 && s.mode == Active {
		r := u.returning[0]
		if r.State() == queue.Returning {
			if err := s.returnOne(r); err != nil {
				return
			}
		}
		u.returning[0] = nil
		u.returning = u.returning[1:]
	}
	if len(u.returning) == 0 {
		u.returning = nil
	}
}

// returnOne decides about one reference. A full journal keeps it alive and uncounted rather than losing it.
func (s *Shard) returnOne(r *queue.Reference) error {
	q := r.Queue
	settings := s.settingsOf(q)
	if settings.MaxDeliveryAttempts > 0 && int(r.Count) >= settings.MaxDeliveryAttempts &&
		settings.DeadLetterAddress != q.Address {
		_, err := s.move(r, settings.DeadLetterAddress, queue.Killed)
		if err == nil || errors.Is(err, ErrBusy) || errors.Is(err, ErrEnded) {
			s.MarkQueue(q)
			return err
		}
	} else if r.Persistent() && r.Count != r.Stored {
		_, _, err := s.append(s.store.CountRecord(r.Entity))
		if errors.Is(err, ErrBusy) || errors.Is(err, ErrEnded) {
			return err
		}
		if err == nil {
			s.store.CountStored(r.Entity)
		}
	}
	q.Return(r)
	s.MarkQueue(q)
	return nil
}
