package transporttest

import (
	"fmt"

	"github.com/hindmq/hind/net/transport"
)

// segmentMax is how much one packet of the simulation carries.
const segmentMax = 16 << 10

// outbound is what waits to leave, and what the kernels hold of it.
type outbound struct {
	queue    []piece
	size     int
	flight   int // bytes that the kernels of both ends hold
	drainDue bool
	planned  bool
	said     bool // the end of the stream was sent
	order    order
}

// order makes one direction of a connection first in, first out, whatever delays and cuts do to its packets.
type order struct {
	sent  uint64
	taken uint64
	early map[uint64]func() // arrived before their turn; only ever looked up
}

func (o *order) arrived(number uint64, do func()) {
	if number != o.taken {
		if o.early == nil {
			o.early = make(map[uint64]func())
		}
		o.early[number] = do
		return
	}
	for do != nil {
		do()
		o.taken++
		do = o.early[o.taken]
		delete(o.early, o.taken)
	}
}

type piece struct {
	data    []byte
	release func()
}

// Write implements transport.Conn.
func (c *Conn) Write(p []byte) error {
	if err := c.admit(len(p)); err != nil || len(p) == 0 {
		return err
	}
	c.queued(piece{data: append([]byte(nil), p...)})
	return nil
}

// Writev implements transport.Conn. Lent bytes are read, and released, only when a later step sends them: whoever
// changes them too early is found out.
func (c *Conn) Writev(release func(), parts ...[]byte) error {
	n, last := 0, -1
	for i, p := range parts {
		if n += len(p); len(p) > 0 {
			last = i
		}
	}
	err := c.admit(n)
	if err != nil || n == 0 {
		if release != nil {
			release()
		}
		return err
	}
	for i, p := range parts {
		switch {
		case i == last:
			c.queued(piece{p, release})
		case len(p) > 0:
			c.queued(piece{data: p})
		}
	}
	return nil
}

func (c *Conn) admit(n int) error {
	if c.state > open {
		return fmt.Errorf("%s: %w", c.remote, transport.ErrClosed)
	}
	if n > c.limits.Outbound-c.out.size {
		c.out.drainDue = true
		return fmt.Errorf("%s: %w: %d bytes wait, %d more do not fit into %d", c.remote, transport.ErrOutboundFull,
			c.out.size, n, c.limits.Outbound)
	}
	return nil
}

func (c *Conn) queued(p piece) {
	if c.out.size == 0 {
		c.clocks.progress = c.host.net.now
	}
	c.out.queue = append(c.out.queue, p)
	c.out.size += len(p.data)
	if c.out.size > c.limits.OutboundHigh {
		c.out.drainDue = true
	}
	c.rearm()
	c.planPump()
}

// Outbound implements transport.Conn.
func (c *Conn) Outbound() int { return c.out.size }

func (c *Conn) planPump() {
	if c.out.planned || c.state == opening || c.state >= aborted {
		return
	}
	c.out.planned = true
	c.host.later(c.host.net.now, func() {
		c.out.planned = false
		c.pump()
	})
}

// pump hands queued bytes to the kernel while it takes some.
func (c *Conn) pump() {
	if c.state >= aborted {
		return
	}
	for len(c.out.queue) > 0 && c.out.flight < c.host.net.options.Window {
		p := &c.out.queue[0]
		n := min(len(p.data), segmentMax, c.host.net.options.Window-c.out.flight)
		c.segment(append([]byte(nil), p.data[:n]...))
		p.data = p.data[n:]
		c.out.size -= n
		c.clocks.progress = c.host.net.now
		if len(p.data) > 0 {
			continue
		}
		release := p.release
		c.out.queue = c.out.queue[1:]
		if release != nil {
			release()
		}
	}
	if c.out.drainDue && c.state == open && c.out.size <= c.limits.OutboundLow {
		c.out.drainDue = false
		if d, ok := c.handler.(transport.Drainer); ok {
			c.guard(func() { d.Drained(c) })
		}
	}
	if c.state == closing && len(c.out.queue) == 0 {
		c.sayEnd()
	}
}

// segment puts bytes on the wire.
func (c *Conn) segment(data []byte) {
	c.out.flight += len(data)
	c.wire(func(p *Conn) {
		if p.state == ended {
			c.resetFrom(c.peerMachine)
			return
		}
		p.arrive(data)
	})
}

// sayEnd sends the end of the stream, once.
func (c *Conn) sayEnd() {
	if c.out.said {
		return
	}
	c.out.said = true
	c.wire(func(p *Conn) {
		if p.state != ended {
			p.in.fin = true
			p.planDelivery()
		}
	})
}

// goodbye is what the kernel sends when the process is done with the socket: the end of the stream, or a reset if bytes
// were left unread.
func (c *Conn) goodbye() {
	if len(c.in.kernel) > 0 && !c.in.fin {
		c.out.said = true
		c.wire(func(p *Conn) { p.broken() })
		return
	}
	c.sayEnd()
}

// wire plans an arrival at the peer, after everything sent before.
func (c *Conn) wire(arrive func(p *Conn)) {
	n := c.host.net
	c.packet(func() {
		if n.machine(c.peerMachine).power == powerOn && c.peer != nil {
			arrive(c.peer)
		}
	})
}

func (c *Conn) packet(arrive func()) {
	number := c.out.order.sent
	c.out.order.sent++
	c.host.net.send(c.host.machine.name, c.peerMachine, func() { c.out.order.arrived(number, arrive) })
}

// resetFrom sends a reset to c from the machine at the other end.
func (c *Conn) resetFrom(machine string) {
	n := c.host.net
	n.send(machine, c.host.machine.name, func() {
		if n.machine(c.host.machine.name).power == powerOn {
			c.broken()
		}
	})
}

func (o *outbound) drop() (done []func()) {
	for _, p := range o.queue {
		if p.release != nil {
			done = append(done, p.release)
		}
	}
	o.queue, o.size = nil, 0
	return done
}
