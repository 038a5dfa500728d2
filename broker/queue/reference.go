package queue

import "github.com/hindmq/hind/broker/message"

// ID names a queue in records and in memory. A durable queue's is the id of its record; others have VolatileID set.
type ID uint64

// VolatileID marks the ids of messages and queues that are in no record.
const VolatileID = 1 << 62

// Entity is one message as the broker holds it: the bytes, the identity, and its references.
type Entity struct {
	Message *message.Message
	ID      int64  // what consumers see and acknowledge: the record's id, or a volatile one
	Record  uint64 // id of its record; 0: it is in none
	Order   uint64 // rises with every message added to the broker; order within queues
	Holder  Holder // accounts for its memory
	Durable int    // references of durable queues that are left; only of an entity with a record
	refs    int    // references left
	first   Reference
	more    []*Reference
}

// Holder accounts for the memory of messages: the address.
type Holder interface {
	Released(e *Entity)
}

// State of a reference; the drawing is in the package comment.
type State uint8

const (
	Gone State = iota
	Pending
	Ready
	Delivering
	Held
	Returning
)

func (s State) String() string {
	return [...]string{"gone", "pending", "ready", "delivering", "held", "returning"}[s]
}

// Reference is one message in one queue.
type Reference struct {
	Queue      *Queue
	Entity     *Entity
	prev, next *Reference // in the list of its priority
	consumer   *Consumer  // that it is delivered to or was acknowledged by
	Count      int32      // deliveries begun, those given back uncounted not included
	Stored     int32      // the count that the log knows
	state      State
	Leaving    bool // the record that removes it is being made
}

// State of the reference.
func (r *Reference) State() State { return r.state }

// Persistent says that the log knows the reference.
func (r *Reference) Persistent() bool { return r.Entity.Record != 0 && r.Queue.Durable() }

// Attach makes the entity's reference in q, not yet in any list.
func (e *Entity) Attach(q *Queue) *Reference {
	r := &e.first
	if r.Queue != nil {
		r = &Reference{}
		e.more = append(e.more, r)
	}
	r.Queue, r.Entity = q, e
	e.refs++
	if r.Persistent() {
		e.Durable++
	}
	return r
}

// References calls fn for each reference that is not gone, in the order they were attached.
func (e *Entity) References(fn func(*Reference)) {
	if e.first.Queue != nil && e.first.state != Gone {
		fn(&e.first)
	}
	for _, r := range e.more {
		if r.state != Gone {
			fn(r)
		}
	}
}

// Reference returns the reference in the queue with that id, nil if there is none.
func (e *Entity) Reference(id ID) *Reference {
	if e.first.Queue != nil && e.first.state != Gone && e.first.Queue.ID == id {
		return &e.first
	}
	for _, r := range e.more {
		if r.state != Gone && r.Queue.ID == id {
			return r
		}
	}
	return nil
}

// Size is what the entity counts in its address' memory, in bytes.
func (e *Entity) Size() int64 { return int64(e.Message.EncodeSize()) }

// Expired says whether the message may not be delivered any more at a wall clock in ms.
func (e *Entity) Expired(now int64) bool {
	at := e.Message.Expiration()
	return at != 0 && now >= at
}

// detach ends one reference of the entity.
func (e *Entity) detach(r *Reference) {
	e.refs--
	if r.Persistent() {
		e.Durable--
	}
	if e.refs == 0 && e.Holder != nil {
		e.Holder.Released(e)
	}
}
