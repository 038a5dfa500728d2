package queue

import (
	"github.com/hindmq/hind/broker/fault"
	"github.com/hindmq/hind/broker/filter"
)

// Target is the consumer's far side.
type Target interface {
	// Able says whether deliveries may go on: the session is started and the outbound buffer is below high water.
	Able() bool

	// Deliver sends the message and returns what it costs in credits. It must not change the queue.
	Deliver(r *Reference) (cost int)

	// Asked is called at the end of a dispatch that had nothing more for a consumer that had called Ask. False: the
	// outbound buffer was the reason, ask again.
	Asked() bool
}

// unlimited is the balance of a consumer without flow control.
const unlimited = int64(1) << 62

// Consumer takes messages from one queue.
type Consumer struct {
	queue    *Queue
	target   Target
	filter   *filter.Filter
	cursor   *cursor // its own, if it filters or browses, else the queue's
	credits  int64   // may be below zero after a large message
	priority int32
	browse   bool
	settled  bool // what is delivered is settled by its target
	asking   bool
	out      []*Reference // delivered and neither acknowledged nor given back, in order; nil: taken out of the middle
	head     int          // out[:head] is used up
}

// ConsumerOptions say what a consumer wants.
type ConsumerOptions struct {
	Filter   *filter.Filter // nil: none
	Browse   bool
	Settled  bool // the target settles what it gets; the consumer keeps no list
	Priority int32
}

// Attach adds a consumer without credits. It refuses one too many.
func (q *Queue) AttachConsumer(t Target, o ConsumerOptions) (*Consumer, error) {
	a := &q.Attributes
	if a.MaxConsumers >= 0 && q.Consumers() >= int(a.MaxConsumers) && !o.Browse {
		return nil, fault.New(fault.CodeConsumerLimit, "queue %q has its %d consumers; raise max-consumers or close one",
			q.Name, a.MaxConsumers)
	}
	c := &Consumer{queue: q, target: t, filter: o.Filter, priority: o.Priority, browse: o.Browse,
		settled: o.Settled, cursor: q.cursors[0]}
	if o.Filter != nil || o.Browse {
		c.cursor = &cursor{browse: o.Browse}
		c.cursor.start(q)
		q.cursors = append(q.cursors, c.cursor)
	}
	q.Used = true
	if o.Browse {
		q.browsers = append(q.browsers, c)
		return c, nil
	}
	at := len(q.consumers)
	for at > 0 && q.consumers[at-1].priority < o.Priority {
		at--
	}
	q.consumers = append(q.consumers, nil)
	copy(q.consumers[at+1:], q.consumers[at:])
	q.consumers[at] = c
	return c, nil
}

// Detach takes the consumer away and returns what it has not acknowledged, in order; the caller gives it back.
func (c *Consumer) Detach() []*Reference {
	c.queue.consumers = without(c.queue.consumers, c)
	c.queue.browsers = without(c.queue.browsers, c)
	c.queue.drop(c.cursor)
	if c.asking {
		c.asking = false
		c.queue.counts.asking--
	}
	return c.TakeAll()
}

func without(list []*Consumer, c *Consumer) []*Consumer {
	for i, other := range list {
		if other == c {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}

// EachTarget calls fn for every consumer's target; fn may detach its consumer.
func (q *Queue) EachTarget(fn func(Target)) {
	for _, list := range [...][]*Consumer{q.consumers, q.browsers} {
		for _, c := range append([]*Consumer(nil), list...) {
			fn(c.target)
		}
	}
}

// Queue that the consumer takes from.
func (c *Consumer) Queue() *Queue { return c.queue }

// Browses says that the consumer gets copies.
func (c *Consumer) Browses() bool { return c.browse }

// Credit changes the balance: above 0 adds, 0 sets it to none, below 0 is unlimited from now on.
func (c *Consumer) Credit(n int32) {
	switch {
	case n < 0:
		c.credits = unlimited
	case n == 0:
		c.credits = 0
	case c.credits < unlimited/2:
		c.credits += int64(n)
	}
}

// Credits is the balance.
func (c *Consumer) Credits() int64 { return c.credits }

func (c *Consumer) charge(cost int) {
	if c.credits < unlimited/2 {
		c.credits -= int64(cost)
	}
}

// TakeAll empties the list of what is delivered and returns it, in order.
func (c *Consumer) TakeAll() []*Reference {
	var refs []*Reference
	for _, r := range c.out[c.head:] {
		if r != nil && r.state == Delivering {
			refs = append(refs, r)
		}
	}
	c.out, c.head = nil, 0
	return refs
}

// Upto finds what a cumulative acknowledgement of the message id means: how many entries of the list, and the
// references, appended to refs. ok is false if the message is not with this consumer.
func (c *Consumer) Upto(id int64, refs []*Reference) (_ []*Reference, count int, ok bool) {
	for i, r := range c.out[c.head:] {
		if r == nil || r.state != Delivering {
			continue
		}
		refs = append(refs, r)
		if r.Entity.ID == id {
			return refs, i + 1, true
		}
	}
	return nil, 0, false
}

// One finds one delivered message and its place in the list.
func (c *Consumer) One(id int64) (r *Reference, place int, ok bool) {
	for i, r := range c.out[c.head:] {
		if r != nil && r.state == Delivering && r.Entity.ID == id {
			return r, i, true
		}
	}
	return nil, 0, false
}

// First is the first delivered message that is neither acknowledged nor given back; nil: none.
func (c *Consumer) First() *Reference {
	for _, r := range c.out[c.head:] {
		if r != nil && r.state == Delivering {
			return r
		}
	}
	return nil
}

// Drop takes the first count entries off the list; DropOne the one at a place.
func (c *Consumer) Drop(count int) {
	clear(c.out[c.head : c.head+count])
	c.head += count
	c.trim()
}

// DropOne takes the entry at a place off the list.
func (c *Consumer) DropOne(place int) {
	c.out[c.head+place] = nil
	for c.head < len(c.out) && c.out[c.head] == nil {
		c.head++
	}
	c.trim()
}

// trim keeps the used-up part of the list smaller than the rest.
func (c *Consumer) trim() {
	if c.head == len(c.out) {
		c.out, c.head = c.out[:0], 0
		return
	}
	if c.head > 64 && c.head > len(c.out)/2 {
		n := copy(c.out, c.out[c.head:])
		clear(c.out[n:])
		c.out, c.head = c.out[:n], 0
	}
}
