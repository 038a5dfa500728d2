package history

import (
	"slices"
	"time"
)

// Options adjust what Check demands.
type Options struct {
	// Floor is the least number of confirmed sends between the last heal (or the start) and the next fault. Zero demands
	// nothing.
	Floor int
	// Unfinished allows a history whose worker did not end by itself.
	Unfinished bool
}

// message is all that is known of one id.
type message struct {
	id        string
	producer  string
	queue     string
	seq       int64
	group     *group
	confirmed bool
	doomed    bool
	acked     bool
	count     int
	firstMID  string
	doubled   bool
	lastAt    int  // index of the last delivery
	shaken    bool // the last delivery fell into a fault or its aftermath
	freedAt   int  // index of the last give-back of it
	pending   int  // index of the last acknowledgement of unknown outcome
}

// group is one transaction of sends: the messages count all together or not at all.
type group struct {
	ids     []string
	decided bool
}

// aftermath is how long after service came back a connection may still find out that it had been cut: above the connection
// time-outs that the scenarios set.
const aftermath = int64(10 * time.Second)

type checker struct {
	opts      Options
	r         *Report
	messages  map[string]*message
	groups    []*group
	consumers map[string]map[string]bool // queue -> names of consumers that ever opened on it
	front     map[[2]string]int64        // producer, queue -> highest first-delivered seq
	lastFault int
	since     int
	healed    bool
	calmAt    int64 // when the aftermath of the last fault is over
	ended     bool
}

// Check judges a history. Events must be in the order in which they were recorded.
func Check(events []Event, opts Options) *Report {
	c := &checker{
		opts: opts, r: newReport(), messages: make(map[string]*message), consumers: make(map[string]map[string]bool),
		front: make(map[[2]string]int64), lastFault: -1, healed: true,
	}
	// Which queues have one consumer must be known before the first delivery is judged.
	for _, e := range events {
		if e.E == Consumer {
			if c.consumers[e.Q] == nil {
				c.consumers[e.Q] = make(map[string]bool)
			}
			c.consumers[e.Q][e.C] = true
		}
	}
	for i := range events {
		c.step(i, &events[i])
	}
	c.finish()
	return c.r
}

func (c *checker) step(i int, e *Event) {
	switch e.E {
	case SendInvoke:
		c.invoke(e, []string{e.ID}, nil)
	case TxInvoke:
		c.invoke(e, e.IDs, &group{ids: e.IDs})
	case TxDoomed:
		c.invoke(e, e.IDs, nil)
		c.each(e.IDs, func(m *message) { m.doomed = true })
		c.r.Counts["transactions rolled back"]++
	case SendOK:
		c.confirm([]string{e.ID})
	case TxOK:
		c.confirm(e.IDs)
		c.r.Counts["transactions committed"]++
	case SendInfo, TxInfo:
		c.r.Counts["outcomes unknown"]++
	case TxUndone:
		c.r.Counts["transactions undone"]++
	case Deliver:
		c.deliver(i, e)
	case AckOK:
		c.each(e.IDs, func(m *message) { m.acked = true })
		c.r.Counts["acknowledged by consumers"] += len(e.IDs)
	case AckInfo:
		c.each(e.IDs, func(m *message) { m.pending = i })
		c.r.Counts["acknowledgements unknown"] += len(e.IDs)
	case GiveBack:
		c.each(e.IDs, func(m *message) { m.freedAt = i })
		c.r.Counts["given back"] += len(e.IDs)
	case Fault:
		c.fault(i, e)
	case Healed:
		c.healed = true
		c.calmAt = e.T + aftermath
		c.since = 0
	case End:
		c.ended = true
	}
}

func (c *checker) each(ids []string, f func(*message)) {
	for _, id := range ids {
		if m := c.messages[id]; m != nil {
			f(m)
		}
	}
}

func (c *checker) invoke(e *Event, ids []string, g *group) {
	for k, id := range ids {
		if c.messages[id] != nil {
			c.r.Counts["retries"]++
			continue
		}
		c.messages[id] = &message{
			id: id, producer: e.P, queue: e.Q, seq: e.S + int64(k), group: g, lastAt: -1, freedAt: -1, pending: -1,
		}
		c.r.Counts["ids attempted"]++
		if g != nil && k == 0 {
			c.groups = append(c.groups, g)
		}
	}
}

func (c *checker) confirm(ids []string) {
	c.since += len(ids)
	c.each(ids, func(m *message) {
		if !m.confirmed {
			c.r.Counts["ids confirmed"]++
		}
		m.confirmed = true
		if m.group != nil {
			m.group.decided = true
		}
	})
}

func (c *checker) fault(i int, e *Event) {
	c.r.Counts["faults: "+e.Kind]++
	if e.Kind != Return && c.healed && c.since < c.opts.Floor {
		c.r.violate(Quiet, "%s of %s after %d confirmed sends, fewer than %d", e.Kind, e.Target, c.since, c.opts.Floor)
	}
	c.healed = false
	c.lastFault = i
}

func (c *checker) deliver(i int, e *Event) {
	c.r.Counts["deliveries"]++
	m := c.messages[e.ID]
	if m == nil {
		c.r.violate(Phantom, "%s got %q (%s) on %s, which nobody sent", e.C, e.ID, e.MID, e.Q)
		return
	}
	if e.Bad != "" {
		c.r.violate(Damaged, "%s got %s on %s: %s", e.C, e.ID, e.Q, e.Bad)
	}
	if m.doomed {
		c.r.violate(Undead, "%s got %s on %s, whose transaction was rolled back", e.C, e.ID, e.Q)
	}
	setAside := e.Q == "DLQ" || e.Q == "ExpiryQueue"
	if setAside {
		c.r.Counts["set aside on "+e.Q]++
	} else if e.Q != m.queue {
		c.r.violate(Phantom, "%s got %s on %s, sent to %s", e.C, e.ID, e.Q, m.queue)
	}
	m.count++
	if m.count == 1 {
		m.firstMID = e.MID
		if !setAside {
			c.order(m, e)
		}
	} else {
		c.again(m, e)
	}
	m.lastAt, m.shaken = i, !c.healed || e.T < c.calmAt
}

// order is judged on first deliveries of a queue that one consumer reads: with several, what one of them had in its
// buffer when its connection broke rightly comes to another one late.
func (c *checker) order(m *message, e *Event) {
	if len(c.consumers[m.queue]) != 1 {
		return
	}
	c.r.Counts["order judged"]++
	key := [2]string{m.producer, m.queue}
	if front, ok := c.front[key]; ok && m.seq < front {
		c.r.violate(Disorder, "%s got %s first after %s-%d", e.C, m.id, m.producer, front)
		return
	}
	c.front[key] = m.seq
}

func (c *checker) again(m *message, e *Event) {
	c.r.Counts["deliveries again"]++
	if m.acked {
		c.r.violate(AckedAgain, "%s got %s (%s) after its acknowledgement was confirmed", e.C, m.id, e.MID)
	}
	// The client gives each send a new message id, so two ids are two accepted messages, and one is a redelivery.
	if e.MID != m.firstMID && !m.doubled {
		m.doubled = true
		c.r.violate(Doubled, "%s was accepted as %s and as %s", m.id, m.firstMID, e.MID)
	}
	explained := m.shaken || c.lastFault > m.lastAt || m.freedAt > m.lastAt || m.pending > m.lastAt
	if !e.RD && !explained {
		c.r.violate(Unmarked, "%s got %s again without the redelivered mark (count %d)", e.C, m.id, e.N)
	}
	if !e.RD {
		c.r.Counts["deliveries again, unmarked"]++
	}
}

func (c *checker) finish() {
	ids := make([]string, 0, len(c.messages))
	for id, m := range c.messages {
		if m.confirmed && m.count == 0 {
			ids = append(ids, id)
		}
		if m.count > 0 {
			c.r.Counts["ids delivered"]++
			if !m.confirmed && !m.doomed {
				c.r.Counts["ids delivered, unconfirmed"]++
			}
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		m := c.messages[id]
		c.r.violate(Lost, "%s on %s (first delivered of this producer there: up to %d)", id, m.queue, c.front[[2]string{m.producer, m.queue}])
	}
	for _, g := range c.groups {
		c.wholeOrNothing(g)
	}
	if !c.ended && !c.opts.Unfinished {
		c.r.violate(NotFinished, "the worker did not drain and end")
	}
}

func (c *checker) wholeOrNothing(g *group) {
	if g.decided {
		return // a lost member of a committed transaction is reported as lost
	}
	n := 0
	c.each(g.ids, func(m *message) {
		if m.count > 0 {
			n++
		}
	})
	if n > 0 && n < len(g.ids) {
		c.r.violate(Torn, "%d of %d messages of the transaction from %s were delivered", n, len(g.ids), g.ids[0])
	}
}
