package shard

import (
	"errors"

	"github.com/hindmq/hind/broker/clock"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/journal"
)

// Step does what there is to do, in this order: work out of the mailbox, upkeep, seal and submit, release what is safe,
// dispatch, flush. It never waits. again: there is more to do at once; else call it when the mailbox wakes, when the log's
// safe position moved, and every now and then (a second) for what depends on time.
func (s *Shard) Step(now clock.Instant) (again bool) {
	s.now = now
	s.runWork()
	if s.mode != Active {
		s.flushTouched()
		return s.mailbox.waiting(true)
	}
	left := s.keepUp()
	if !s.flushLog() {
		return false
	}
	s.releaseSafe()
	more := s.deliver()
	s.store.Office.Relieve()
	if s.gate.dirty && !s.flushLog() {
		return false
	}
	s.flushTouched()
	return left || more || s.mailbox.waiting(s.takesClients())
}

// takesClients says whether client work may run: not too much waits to become safe.
func (s *Shard) takesClients() bool {
	return s.mode != Active || s.release.size < s.options.UnsafeMax
}

// runWork runs the broker's own work, then that of clients until the log is busy or too much waits.
func (s *Shard) runWork() {
	w := &s.work
	w.own, w.clients = s.mailbox.take(w.own, w.clients, s.takesClients() && w.next == len(w.clients))
	for i, own := range w.own {
		own.Run(s)
		w.own[i] = nil
	}
	w.own = w.own[:0]
	for w.next < len(w.clients) && s.takesClients() {
		if !w.clients[w.next].work.Run(s) || len(w.clients) == 0 {
			break // the log is busy, or the shard ended and dropped the work
		}
		w.size += w.clients[w.next].size
		w.clients[w.next] = item{}
		w.next++
	}
	if w.next == len(w.clients) {
		w.clients, w.next = w.clients[:0], 0
	}
	s.tellDone()
}

// tellDone gives the room of the work that ran back to the mailbox.
func (s *Shard) tellDone() {
	if s.work.size == 0 {
		return
	}
	waiters := s.mailbox.done(s.work.size)
	s.work.size = 0
	for _, waiter := range waiters {
		waiter.Room()
	}
}

// dropWork forgets what was taken and not run: its connections are being closed.
func (s *Shard) dropWork() {
	w := &s.work
	for _, it := range w.clients[w.next:] {
		w.size += it.size
	}
	clear(w.clients)
	w.clients, w.next = w.clients[:0], 0
	s.tellDone()
}

// flushLog submits; false if the log failed.
func (s *Shard) flushLog() bool {
	s.gate.dirty = false
	if err := s.log.Flush(journal.Now{Mono: s.now.Boot, Wall: s.now.Wall * 1e6}); err != nil {
		s.fail(err)
	}
	return s.mode == Active
}

// deliver dispatches the marked queues. more: the budget ended it, or what it did gave others something to do.
func (s *Shard) deliver() (more bool) {
	if !s.gate.deliveries || s.gate.committing {
		return false
	}
	d := &s.dispatch
	budget, busy := s.options.DispatchBudget, 0
	d.marked, d.other = d.other[:0], d.marked
	for i, q := range d.other {
		d.other[i] = nil
		q.Marked = false
		ended, err := true, error(nil)
		if budget > 0 {
			budget, ended, err = q.Dispatch(s.now.Wall, budget, keeper{s})
		}
		if ended || err != nil {
			s.MarkQueue(q)
		}
		if err != nil {
			busy++ // the log will wake us
		}
	}
	s.settlePassed()
	return len(d.marked) > busy
}

// keeper lets a queue's dispatch expire messages.
type keeper struct{ s *Shard }

// Expire moves or drops an expired message.
func (k keeper) Expire(r *queue.Reference) error {
	_, err := k.s.Expire(r)
	if err == nil || errors.Is(err, ErrBusy) || errors.Is(err, ErrEnded) {
		return err
	}
	k.s.upkeep.rewind = append(k.s.upkeep.rewind, r.Queue) // full: it goes when there is room
	return queue.ErrHeld
}

func (s *Shard) flushTouched() {
	touched := s.dispatch.touched
	for i := 0; i < len(touched); i++ {
		touched[i].FlushStep()
		touched[i] = nil
	}
	s.dispatch.touched = touched[:0]
}
