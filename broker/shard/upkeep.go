package shard

import (
	"errors"
	"time"

	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/journal"
)

// upkeep is what the shard does in its own time, a part in each step.
type upkeep struct {
	returning []*queue.Reference // on their way back to their queues, in the order they were given
	passed    []*queue.Reference // delivered and to be settled
	purging   []*queue.Queue     // to be emptied
	rewind    []*queue.Queue     // passed over messages that could not be moved
	reapAt    time.Duration      // boot clock of the next look at what may be deleted by itself
	retryAt   time.Duration      // boot clock at which producers may try a full journal again; 0: it is not full
	recs      []journal.Record   // reused
}

// upkeepMax is how many references or orphans one step takes on.
const upkeepMax = 1024

// keepUp does a part of what is due; left: there is more that need not wait for anything.
func (s *Shard) keepUp() (left bool) {
	if s.gate.committing {
		return false
	}
	s.returnSome()
	left = s.sweepSome()
	if s.purgeSome() {
		left = true
	}
	if u := &s.upkeep; u.retryAt != 0 && s.now.Boot >= u.retryAt {
		u.retryAt = 0
		s.store.Office.Stop(false)
	}
	if s.now.Boot >= s.upkeep.reapAt {
		s.upkeep.reapAt = s.now.Boot + s.options.ReapPeriod
		s.reap()
		for _, q := range s.upkeep.rewind {
			q.Rewind()
			s.MarkQueue(q)
		}
		s.upkeep.rewind = nil
	}
	return left
}

// sweepSome deletes records of messages whose queues are gone.
func (s *Shard) sweepSome() (left bool) {
	for range upkeepMax / settleMax {
		ids := s.store.Orphans(settleMax)
		if len(ids) == 0 || s.mode != Active {
			return false
		}
		recs := s.upkeep.recs[:0]
		for _, id := range ids {
			recs = append(recs, journal.Record{Kind: journal.KindDelete, Type: uint8(queue.Killed), Target: id})
		}
		s.upkeep.recs = recs
		if _, _, err := s.append(recs...); err != nil {
			return false
		}
		s.store.Swept(len(ids))
	}
	return len(s.store.Orphans(1)) > 0
}

// Purge empties a queue of what nobody holds, a part in each step; it delivers nothing meanwhile.
func (s *Shard) Purge(q *queue.Queue) {
	if !q.Purging {
		q.Purging = true
		s.upkeep.purging = append(s.upkeep.purging, q)
	}
}

func (s *Shard) purgeSome() (left bool) {
	u := &s.upkeep
	for len(u.purging) > 0 && s.mode == Active {
		q := u.purging[0]
		var refs []*queue.Reference
		q.Each(func(r *queue.Reference) bool {
			if r.State() == queue.Ready {
				refs = append(refs, r)
			}
			return len(refs) < upkeepMax
		})
		if _, err := s.Settle(refs, queue.Killed); err != nil {
			return false
		}
		if len(refs) == upkeepMax {
			return true
		}
		q.Purging = false
		s.MarkQueue(q)
		u.purging = u.purging[1:]
	}
	u.purging = nil
	return false
}

// reap deletes auto-created queues that were used and are idle, then auto-created addresses without queues. Each must
// have been found idle once before, and its delay be over.
func (s *Shard) reap() {
	now := int64(s.now.Boot)
	for _, a := range s.store.Office.Addresses() {
		for _, q := range append([]*queue.Queue(nil), a.Queues()...) {
			if !q.Attributes.AutoDelete || !q.Used || !q.Idle() {
				q.IdleSince = 0
				continue
			}
			if q.IdleSince == 0 {
				q.IdleSince = now
			} else if now-q.IdleSince >= q.Attributes.AutoDeleteDelay*int64(time.Millisecond) {
				if _, err := s.DeleteQueue(q); errors.Is(err, ErrBusy) || errors.Is(err, ErrEnded) {
					return // the next look
				}
			}
		}
		if len(a.Queues()) > 0 || !a.AutoCreated || !a.Settings.AutoDeleteAddresses {
			a.IdleSince = 0
			continue
		}
		if a.IdleSince == 0 {
			a.IdleSince = now
			continue
		}
		if err := s.DeleteAddress(a); err != nil {
			return
		}
	}
}
