package session

import (
	"github.com/hindmq/hind/broker/fault"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/journal"
)

// What is in this file belongs to the shard's owner.

// hostState is what the owner knows of all connections.
type hostState struct {
	shard    *shard.Shard
	conns    []*Conn
	sessions map[string]*Session // open ones by name
	metadata map[metadata]int    // how many open sessions have it

	// Reused, so that a message costs no garbage: each is valid during one call only.
	refs     []*queue.Reference
	outcome  outcome
	released Answer
	delivery Delivery
}

type metadata struct{ key, value string }

// connState is what the owner knows of one connection.
type connState struct {
	known    bool
	ended    bool // the outlet is not called any more
	dirty    bool // the shard will flush it
	index    int  // in hostState.conns
	sessions []*Session
	temps    []*queue.Queue
}

// sessionState is what the owner knows of one session.
type sessionState struct {
	open      bool
	started   bool
	tx        shard.Tx
	consumers []*consumer // in the order they were made
	waiting   answers
	last      journal.Position // of the last record made for the session
	metadata  map[string]string
	target    sendTarget // of the last send
}

// Run runs the batch's commands in order; false: the log is busy, go on later.
func (b *batch) Run(sh *shard.Shard) bool {
	c := b.conn
	c.learn()
	for b.next < len(b.commands) && !c.owner.ended {
		if !c.run(sh, &b.commands[b.next]) {
			return false
		}
		b.next++
	}
	c.host.recycle(b)
	return true
}

// learn puts a connection on the list with its first work.
func (c *Conn) learn() {
	if c.owner.known || c.owner.ended {
		return
	}
	h := &c.host.owner
	c.owner.known, c.owner.index = true, len(h.conns)
	h.conns = append(h.conns, c)
	if !h.shard.Active() {
		c.finish(fault.New(CodeShutdown, "the broker is not active any more; connect again"))
	}
}

// Run goes on with the deliveries of a connection whose outbound buffer is low again.
func (w writable) Run(sh *shard.Shard) bool {
	for _, s := range w.conn.owner.sessions {
		for _, c := range s.owner.consumers {
			sh.MarkQueue(c.queue.Queue())
		}
	}
	return true
}

// Run closes what the connection had.
func (g gone) Run(*shard.Shard) bool {
	c := g.conn
	if c.owner.ended {
		return true
	}
	c.owner.ended = true
	c.forget()
	for len(c.owner.sessions) > 0 {
		c.owner.sessions[0].close(true)
	}
	for _, q := range c.owner.temps {
		c.host.dropQueue(q)
	}
	c.owner.temps = nil
	return true
}

// forget takes the connection off the host's list.
func (c *Conn) forget() {
	if !c.owner.known {
		return
	}
	h := &c.host.owner
	last := len(h.conns) - 1
	h.conns[c.owner.index] = h.conns[last]
	h.conns[c.owner.index].owner.index = c.owner.index
	h.conns[last] = nil
	h.conns = h.conns[:last]
	c.owner.known = false
}

// End closes all connections, in the order they came. The shard serves no more, so nothing of theirs is undone: its state
// is thrown away.
func (h *Host) End(reason *fault.Error) {
	conns := h.owner.conns
	h.owner.conns = nil
	for _, c := range conns {
		c.finish(reason)
	}
}

// finish tells the peer that it is over; the outlet is not called again.
func (c *Conn) finish(reason *fault.Error) {
	if c.owner.ended {
		return
	}
	c.owner.ended, c.owner.known = true, false
	c.outlet.Notify(&Event{Kind: EventDisconnect, Err: reason})
	c.outlet.Flush()
}

// touch has the outlet flushed at the end of the step.
func (c *Conn) touch() {
	if !c.owner.dirty {
		c.owner.dirty = true
		c.host.owner.shard.Touch(c)
	}
}

// FlushStep is the shard's word that the step ends.
func (c *Conn) FlushStep() {
	c.owner.dirty = false
	if !c.owner.ended {
		c.outlet.Flush()
	}
}

// room passes the mailbox's word on.
func (c *Conn) room() {
	if !c.owner.ended {
		c.outlet.Notify(&Event{Kind: EventRoom})
		c.touch()
	}
}

// clear says whether the outbound buffer is below high water.
func (c *Conn) clear() bool {
	return !c.owner.ended && c.outlet.Queued() < c.host.options.OutboundHighWater
}

// dropQueue deletes a queue that is in no record, with its consumers.
func (h *Host) dropQueue(q *queue.Queue) {
	sh := h.owner.shard
	if sh.Office().QueueByID(q.ID) != q {
		return
	}
	q.EachTarget(func(t queue.Target) { t.(*consumer).lose() })
	_, _ = sh.DeleteQueue(q) // without a record it cannot fail
}

func securityError(err error) *Error {
	return fault.New(CodeSecurity, "login refused: %v", err)
}
