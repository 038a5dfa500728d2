package shard

import (
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/journal"
)

// Waiting is somebody whose answer waits: a session. Released is called once for each Await, in order.
type Waiting interface{ Released() }

// entry is one thing that waits to become safe.
type entry struct {
	pos      journal.Position
	entity   *queue.Entity // becomes visible; nil: none
	waiting  Waiting       // is told; nil: nobody
	size     int           // what it counts in Options.UnsafeMax
	volatile bool          // is in no record: needs the lease too
}

// entrySize is about what an entry takes beside its message.
const entrySize = 96

// releases is a queue of entries, first in, first out: what was appended first is safe first, and what has no record of
// its own waits behind what its session did before.
type releases struct {
	ring  []entry
	head  int
	count int
	size  int
}

func (r *releases) push(e entry) {
	if r.count == len(r.ring) {
		r.grow()
	}
	e.size += entrySize
	r.size += e.size
	r.ring[(r.head+r.count)&(len(r.ring)-1)] = e
	r.count++
}

func (r *releases) grow() {
	ring := make([]entry, max(64, 2*len(r.ring)))
	for i := range r.count {
		ring[i] = r.ring[(r.head+i)&(len(r.ring)-1)]
	}
	r.ring, r.head = ring, 0
}

func (r *releases) first() *entry { return &r.ring[r.head] }

func (r *releases) last() *entry {
	if r.count == 0 {
		return nil
	}
	return &r.ring[(r.head+r.count-1)&(len(r.ring)-1)]
}

func (r *releases) pop() entry {
	e := r.ring[r.head]
	r.ring[r.head] = entry{}
	r.head = (r.head + 1) & (len(r.ring) - 1)
	r.count--
	r.size -= e.size
	return e
}

func (r *releases) clear() { *r = releases{} }

// Safe says whether a position is safe and answers may go out now. volatile: the answer is about what is in no record,
// which needs the lease.
func (s *Shard) Safe(pos journal.Position, volatile bool) bool {
	return s.gate.confirms && (!volatile || s.gate.deliveries) && !s.gate.safe.Less(pos)
}

// Await tells w when the position is safe, after everything that waits already.
func (s *Shard) Await(pos journal.Position, volatile bool, w Waiting) {
	if last := s.release.last(); last != nil && last.waiting == nil && last.pos == pos && last.volatile == volatile {
		last.waiting = w // the message that it just sent
		return
	}
	s.release.push(entry{pos: pos, waiting: w, volatile: volatile})
}

// reveal makes an entity visible when the position is safe.
func (s *Shard) reveal(e *queue.Entity, pos journal.Position, volatile bool) {
	s.release.push(entry{pos: pos, entity: e, size: e.Message.EncodeSize(), volatile: volatile})
}

// releaseSafe answers and shows what is safe.
func (s *Shard) releaseSafe() {
	s.gate.safe = s.log.Safe()
	for s.release.count > 0 && s.mode == Active {
		e := s.release.first()
		if !s.Safe(e.pos, e.volatile) {
			return
		}
		done := s.release.pop()
		if done.entity != nil {
			done.entity.References(s.show)
		}
		if done.waiting != nil {
			done.waiting.Released()
		}
	}
}

func (s *Shard) show(r *queue.Reference) {
	r.Queue.Release(r)
	s.MarkQueue(r.Queue)
}
