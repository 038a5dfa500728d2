package queue

import (
	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/filter"
	"github.com/hindmq/hind/broker/message"
)

// Attributes say how a queue behaves. They do not change.
type Attributes struct {
	Routing            address.Routing // multicast or anycast
	Durable            bool
	Temporary          bool // goes with its connection
	Transient          bool // goes with its last consumer (shared and not durable)
	AutoCreated        bool
	PurgeOnNoConsumers bool
	Exclusive          bool
	AutoDelete         bool
	AutoDeleteDelay    int64 // ms
	AutoDeleteMessages int64 // it may still have as many
	MaxConsumers       int32 // -1: no limit
	Filter             string
}

// Counters count what happened in a queue. Durable ones continue over restarts and failovers.
type Counters struct {
	Added, Acknowledged, Expired, Killed int64
}

// Reason says why a reference goes. The numbers are in records.
type Reason uint8

const (
	Acknowledged Reason = 1 + iota
	Expired
	Killed // dead, purged, or deleted with its queue
	Undone // removed without a trace in the counters
)

// priorities is how many lists a queue has.
const priorities = message.PriorityMax + 1

// Queue is one queue. Fields that are exported are for the owner's packages; invariants are in the package comment.
type Queue struct {
	ID         ID
	Name       string
	Address    string
	Attributes Attributes
	Counters   Counters
	Record     uint64 // id of its record; 0: it is in none
	Marked     bool   // the owner has it on its list of queues to dispatch
	Used       bool   // it had a consumer or a message: an auto-created queue that nobody used yet stays
	IdleSince  int64  // boot clock in ns when it was last seen with consumers or messages
	Purging    bool   // its messages are being removed

	filter    *filter.Filter
	lists     [priorities]list
	cursors   []*cursor // the first is the queue's own
	consumers []*Consumer
	browsers  []*Consumer
	turn      int // rotates among consumers of the same priority
	counts    struct {
		messages, delivering, returning int64
		asking                          int // consumers that asked
	}
}

// list is a doubly linked list of references in the order of their entities.
type list struct{ head, tail *Reference }

// New makes an empty queue; the filter is that of the attributes, already parsed.
func New(id ID, name, addr string, a Attributes, f *filter.Filter) *Queue {
	q := &Queue{ID: id, Name: name, Address: addr, Attributes: a, filter: f}
	q.cursors = []*cursor{{}}
	return q
}

// Durable says that the queue and its references survive a restart.
func (q *Queue) Durable() bool { return q.Attributes.Durable }

// Accepts says whether the queue's filter lets the message in.
func (q *Queue) Accepts(m *message.Message) bool {
	return q.filter == nil || q.filter.Matches(View{m})
}

// Messages is how many references the queue has, in every state.
func (q *Queue) Messages() int64 { return q.counts.messages }

// Delivering is how many are with consumers or in open transactions.
func (q *Queue) Delivering() int64 { return q.counts.delivering }

// Consumers is how many consumers there are, browsers included.
func (q *Queue) Consumers() int { return len(q.consumers) + len(q.browsers) }

// Add puts a reference at the end of its priority's list. visible: at once, else when Release says so.
func (q *Queue) Add(r *Reference, visible bool) {
	p := r.Entity.Message.Priority()
	l := &q.lists[p]
	r.prev, r.next = l.tail, nil
	if l.tail != nil {
		l.tail.next = r
	} else {
		l.head = r
	}
	l.tail = r
	for _, c := range q.cursors {
		if c.at[p] == nil {
			c.set(p, r)
		}
	}
	r.state = Pending
	if visible {
		r.state = Ready
	}
	q.counts.messages++
	q.Counters.Added++
	q.Used = true
}

// Release makes a pending reference visible; one that is gone meanwhile stays so.
func (q *Queue) Release(r *Reference) {
	if r.state == Pending {
		r.state = Ready
		q.revisit(r, true)
	}
}

// revisit moves the cursors that have passed r back to it. Browsers go back only for what they have not seen.
func (q *Queue) revisit(r *Reference, unseen bool) {
	p := r.Entity.Message.Priority()
	for _, c := range q.cursors {
		if at := c.at[p]; (at == nil || r.Entity.Order < at.Entity.Order) && (unseen || !c.browse) {
			c.set(p, r)
		}
	}
}

// Remove takes a reference out for good, in whatever state it is.
func (q *Queue) Remove(r *Reference, reason Reason) {
	if r.state == Gone {
		return
	}
	q.leave(r)
	p := r.Entity.Message.Priority()
	for _, c := range q.cursors {
		if c.at[p] == r {
			c.set(p, r.next)
		}
	}
	l := &q.lists[p]
	if r.prev != nil {
		r.prev.next = r.next
	} else {
		l.head = r.next
	}
	if r.next != nil {
		r.next.prev = r.prev
	} else {
		l.tail = r.prev
	}
	r.prev, r.next, r.consumer = nil, nil, nil
	r.state = Gone
	q.counts.messages--
	switch reason {
	case Acknowledged:
		q.Counters.Acknowledged++
	case Expired:
		q.Counters.Expired++
	case Killed:
		q.Counters.Killed++
	}
	r.Entity.detach(r)
}

// leave undoes what the state counts.
func (q *Queue) leave(r *Reference) {
	switch r.state {
	case Delivering, Held:
		q.counts.delivering--
	case Returning:
		q.counts.returning--
	}
}

// Hold keeps an acknowledged reference until its transaction is decided.
func (q *Queue) Hold(r *Reference) {
	if r.state == Delivering {
		r.state = Held
	}
}

// Give marks a reference as coming back: nothing is dispatched from the queue before Return or Remove.
func (q *Queue) Give(r *Reference) {
	if r.state != Delivering && r.state != Held {
		return
	}
	q.leave(r)
	r.state, r.consumer = Returning, nil
	q.counts.returning++
}

// Return makes a reference that was coming back ready again, in its old place.
func (q *Queue) Return(r *Reference) {
	if r.state != Returning {
		return
	}
	q.leave(r)
	r.state = Ready
	q.revisit(r, false)
}

// Each calls fn for every reference, by priority from the highest, in order, until it returns false. fn may remove the
// reference it is given.
func (q *Queue) Each(fn func(*Reference) bool) {
	for p := priorities - 1; p >= 0; p-- {
		for r := q.lists[p].head; r != nil; {
			next := r.next
			if !fn(r) {
				return
			}
			r = next
		}
	}
}

// Idle says that an automatic deletion would lose nothing and disturb nobody.
func (q *Queue) Idle() bool {
	return q.Consumers() == 0 && q.counts.messages <= q.Attributes.AutoDeleteMessages
}
