package sim

import (
	"fmt"
	"math"
	"time"

	"github.com/hindmq/hind/broker/session"
)

// consumer takes from one queue and acknowledges, message by message, many at once, or in transactions; now and then it
// rolls back or begins anew. A mover sends each message that it takes on to another queue in the transaction that
// acknowledges it.
type consumer struct {
	client
	queue   string
	moveTo  string // "": it only takes
	id      int64  // of the attachment
	have    []*got
	acked   []Place // in the open transaction
	rolling bool
	rate    time.Duration
}

func (w *world) newConsumer(queue, moveTo string, transacted bool) *consumer {
	c := &consumer{queue: queue, moveTo: moveTo, rate: time.Duration(50+w.rng.client.IntN(400)) * time.Millisecond}
	c.client = client{w: w, name: "c-" + queue, transact: transacted || moveTo != "", turn: w.rng.client.IntN(2)}
	c.connected, c.lost, c.delivered = c.begin, c.end, c.take
	w.loop.after(w.clientDelay(), c.connect)
	w.loop.after(time.Second, c.watch)
	w.loop.after(c.rate, c.tick)
	return c
}

// attachment names what order is promised to.
func (c *client) attachment(consumer int64) string { return fmt.Sprintf("%s/%d", c.name, consumer) }

func (c *consumer) begin() {
	c.conn.open(c.transact)
	c.attach()
}

// attach makes a consumer; ids are never used twice.
func (c *consumer) attach() {
	c.id++
	id, credits := c.id, int32(4+c.w.rng.client.IntN(20))
	c.have, c.rolling = nil, false
	n := c.conn
	c.ask(false, func(s *session.Session, tag session.Tag) {
		s.CreateConsumer(session.ConsumerOptions{ID: id, Queue: c.queue}, tag)
		s.Credits(id, credits)
	}, func(err *session.Error) {
		if err != nil {
			c.w.refusal(&c.client, err)
			n.leave()
		}
	})
}

// end: the connection is gone. Acknowledgements in a transaction that was not to be committed are void; those on their way
// stay unknown.
func (c *consumer) end() {
	c.void()
	c.have, c.rolling = nil, false
}

func (c *consumer) void() {
	for _, p := range c.acked {
		c.w.history.Returned(p)
	}
	c.acked = nil
}

// take keeps a delivery; what was on its way to an attachment that was closed comes again.
func (c *consumer) take(g *got) {
	if g.consumer == c.id {
		c.have = append(c.have, g)
	}
}

func (c *consumer) tick() {
	c.w.loop.after(c.rate/2+time.Duration(c.w.rng.client.Int64N(int64(c.rate))), c.tick)
	if c.conn == nil || c.rolling || c.waits > 0 {
		return
	}
	r := c.w.rng.client
	switch n := r.IntN(40); {
	case !c.w.load:
		if len(c.acked) > 0 {
			c.commit()
		}
	case n == 0:
		c.reattach()
	case n < 4 && c.transact:
		c.rollback()
	case len(c.have) > 0:
		c.acknowledge()
		if c.transact && r.IntN(3) > 0 {
			c.commit()
		}
	}
}

// acknowledge settles the oldest few, or one in the middle.
func (c *consumer) acknowledge() {
	k := c.w.rng.client.IntN(len(c.have))
	id, g := c.id, c.have[k]
	list := c.have[:k+1]
	one := c.moveTo != "" || c.w.rng.client.IntN(3) == 0
	if one {
		list = c.have[k : k+1]
	}
	var places []Place
	for _, x := range list {
		places = append(places, x.place)
		c.w.history.Settling(x.place)
	}
	if one {
		c.have = append(c.have[:k:k], c.have[k+1:]...)
	} else {
		c.have = append([]*got(nil), c.have[k+1:]...)
	}
	if c.moveTo != "" {
		c.move(g)
	}
	settle := func(s *session.Session, tag session.Tag) {
		if one {
			s.AcknowledgeOne(id, g.id, tag)
		} else {
			s.Acknowledge(id, g.id, tag)
		}
		s.Credits(id, int32(len(places)))
	}
	if c.transact {
		c.acked = append(c.acked, places...)
		c.ask(false, settle, nil)
		return
	}
	c.ask(true, settle, func(err *session.Error) { c.settled(err, places) })
}

// move sends what was taken to the other queue, in the transaction that acknowledges it.
func (c *consumer) move(g *got) {
	m, sum := newMessage(c.moveTo, movedText(g.place.Text), 0, false)
	c.w.history.Attempted(Attempt{Place: c.movedTo(g.place), Sum: sum})
	c.ask(false, put(m), nil)
}

func movedText(text string) string { return "moved-" + text }

func (c *consumer) movedTo(p Place) Place { return Place{c.moveTo, movedText(p.Text)} }

func (c *consumer) commit() {
	places := c.acked
	c.acked = nil
	if len(places) == 0 {
		return
	}
	c.ask(true, func(s *session.Session, tag session.Tag) { s.Commit(tag) }, func(err *session.Error) { c.settled(err, places) })
}

// settled: acknowledgements have their answer. After a refusal (the journal is full, or the message is not with this
// consumer any more) they are void, and the connection begins anew.
func (c *consumer) settled(err *session.Error, places []Place) {
	for _, p := range places {
		if err != nil {
			c.w.history.Returned(p)
			continue
		}
		c.w.history.Settled(p)
		if c.moveTo != "" {
			c.w.history.Confirmed(c.movedTo(p))
		}
	}
	if err != nil {
		c.w.refusal(&c.client, err)
		if c.conn != nil {
			c.conn.leave()
		}
	}
}

// rollback does as clients do: stop, roll back, and start when that is answered.
func (c *consumer) rollback() {
	c.void()
	c.rolling = true
	c.ask(false, func(s *session.Session, tag session.Tag) {
		s.Stop(session.Tag{Silent: true})
		s.Rollback(c.w.rng.client.IntN(2) == 0, tag)
	}, func(*session.Error) {
		c.w.history.Anew(c.attachment(c.id))
		c.have, c.rolling = nil, false
		c.ask(false, func(s *session.Session, tag session.Tag) { s.Start(tag) }, nil)
	})
}

// reattach closes the consumer, which gives everything back, and makes another.
func (c *consumer) reattach() {
	if c.transact && len(c.acked) > 0 {
		c.commit()
	}
	id := c.id
	c.ask(false, func(s *session.Session, tag session.Tag) { s.CloseConsumer(id, tag) }, nil)
	c.attach()
}

// done says that every acknowledgement has its answer.
func (c *consumer) done() bool { return c.waits == 0 && len(c.acked) == 0 }

// drain takes what is left in a queue, acknowledging nothing.
func (w *world) drain(queue string) {
	c := &client{w: w, name: "drain-" + queue, drains: true}
	c.lost = func() { w.fail("the connection that drains %s was lost", queue) }
	c.connected = func() {
		c.conn.open(false)
		c.ask(false, func(s *session.Session, tag session.Tag) {
			s.CreateConsumer(session.ConsumerOptions{ID: 1, Queue: queue}, tag)
			s.Credits(1, math.MaxInt32)
		}, func(err *session.Error) {
			if err != nil {
				w.fail("draining %s: %v", queue, err)
			}
		})
		c.ask(false, func(s *session.Session, tag session.Tag) { s.ForceDelivery(1, 1, tag) }, func(*session.Error) { w.drained++ })
	}
	c.connect()
}
