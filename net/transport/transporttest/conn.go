package transporttest

import (
	"fmt"
	"time"

	"github.com/hindmq/hind/net/transport"
)

type state uint8

const (
	opening state = iota // of an accepted connection whose handler is not chosen yet
	open
	closing
	aborted
	ended
)

// Conn is one end of a connection. It implements transport.Conn under the package's rule: nothing is called back from
// within its methods.
type Conn struct {
	host          *Host
	id            transport.ConnID
	local, remote string
	peerMachine   string
	peer          *Conn // nil until the other end exists
	limits        transport.Limits
	handler       transport.Handler
	listener      *listener // that accepted it; nil: dialed

	state  state
	reason error
	proven bool
	out    outbound
	in     inbound
	clocks clocks
}

// inbound is what has arrived.
type inbound struct {
	kernel  [][]byte // not read by the process yet
	rest    []byte   // read, and left by the handler
	fin     bool     // the peer's end follows the bytes of kernel
	paused  bool
	resumed bool
	planned bool // a delivery is planned
}

func newConn(h *Host, local, remote string, limits transport.Limits) *Conn {
	h.net.lastID++
	c := &Conn{host: h, id: transport.ConnID(h.net.lastID), local: local, remote: remote, limits: limits}
	c.clocks.idle = limits.Idle
	h.conns = append(h.conns, c)
	return c
}

// ID implements transport.Conn.
func (c *Conn) ID() transport.ConnID { return c.id }

// LocalAddr implements transport.Conn.
func (c *Conn) LocalAddr() string { return c.local }

// RemoteAddr implements transport.Conn.
func (c *Conn) RemoteAddr() string { return c.remote }

func (c *Conn) open() {
	if c.state == ended {
		return
	}
	if c.state == opening {
		c.state = open
	}
	now := c.host.net.now
	c.clocks.opened, c.clocks.read, c.clocks.running = now, now, true
	c.rearm()
	c.guard(func() { c.handler.Opened(c) })
	c.planPump()
	c.planDelivery()
}

// arrive takes bytes from the wire into the kernel's buffer. It runs in the kernel: a stopped process does not matter.
func (c *Conn) arrive(data []byte) {
	c.in.kernel = append(c.in.kernel, data)
	c.planDelivery()
}

func (c *Conn) planDelivery() {
	if c.in.planned || c.state == opening || c.state >= aborted || len(c.in.kernel) == 0 && !c.in.fin && !c.in.resumed {
		return
	}
	c.in.planned = true
	c.host.later(c.host.net.now, func() {
		c.in.planned = false
		c.deliver()
	})
}

// deliver is one turn of reading: at most one chunk.
func (c *Conn) deliver() {
	if c.state >= aborted || c.in.paused && c.state == open {
		return
	}
	resumed := c.in.resumed && len(c.in.rest) > 0
	c.in.resumed = false
	switch {
	case resumed:
		c.offer(nil)
	case len(c.in.kernel) > 0:
		c.clocks.read = c.host.net.now
		chunk := c.take()
		if c.state == open {
			c.offer(chunk)
		}
	case c.in.fin:
		c.closed(fmt.Errorf("%s: %w", c.remote, transport.ErrPeerClosed))
		return
	}
	c.planDelivery()
}

// take reads a chunk from the kernel and lets the peer's kernel know that there is room again.
func (c *Conn) take() []byte {
	first := c.in.kernel[0]
	n := min(len(first), c.host.net.chunk())
	chunk := first[:n:n]
	if n == len(first) {
		c.in.kernel = c.in.kernel[1:]
	} else {
		c.in.kernel[0] = first[n:]
	}
	if p := c.peer; p != nil {
		c.host.net.send(c.host.machine.name, c.peerMachine, func() {
			p.out.flight -= n
			p.planPump()
		})
	}
	return chunk
}

// chunk draws how much one read brings.
func (n *Network) chunk() int {
	const readMax = 64 << 10
	switch {
	case n.options.Chunk <= 0:
		return readMax
	case n.random.IntN(4) == 0:
		return 1
	}
	return min(readMax, 1+n.random.IntN(n.options.Chunk))
}

// offer calls Received by the rules of transport.Handler.
func (c *Conn) offer(data []byte) {
	offered := data
	if len(c.in.rest) > 0 {
		offered = append(c.in.rest, data...)
	}
	consumed := 0
	ok := c.guard(func() {
		consumed = c.handler.Received(c, offered)
		if consumed < 0 || consumed > len(offered) {
			panic(fmt.Sprintf("handler consumed %d of %d bytes", consumed, len(offered)))
		}
	})
	if !ok {
		return
	}
	c.in.rest = append([]byte(nil), offered[consumed:]...)
	// Nobody may keep a slice of what he was given: make it worthless.
	for i := range offered {
		offered[i] = 0xdb
	}
	if consumed == 0 && !c.in.paused && c.state == open && len(c.in.rest) >= c.limits.Inbound {
		c.Abort(fmt.Errorf("%s: %w (%d bytes)", c.remote, transport.ErrInboundFull, c.limits.Inbound))
	}
}

// PauseRead implements transport.Conn.
func (c *Conn) PauseRead() { c.in.paused = true }

// ResumeRead implements transport.Conn.
func (c *Conn) ResumeRead() {
	if !c.in.paused {
		return
	}
	c.in.paused, c.in.resumed = false, true
	c.clocks.read = c.host.net.now
	c.rearm()
	c.planDelivery()
}

// Established implements transport.Conn.
func (c *Conn) Established() { c.proven = true }

// Close implements transport.Conn.
func (c *Conn) Close(reason error) { c.end(reason, closing) }

// Abort implements transport.Conn.
func (c *Conn) Abort(reason error) { c.end(reason, aborted) }

func (c *Conn) end(reason error, to state) {
	if c.state >= to {
		return
	}
	if c.reason == nil {
		if reason == nil {
			reason = transport.ErrClosed
		}
		c.reason = reason
	}
	c.state = to
	c.clocks.closing = c.host.net.now
	if to == aborted {
		c.host.later(c.host.net.now, c.finish)
		return
	}
	c.rearm()
	c.planPump()
	c.planDelivery()
}

// closed ends the connection for a reason that came from outside.
func (c *Conn) closed(cause error) {
	if c.reason == nil {
		c.reason = cause
	}
	c.finish()
}

// finish calls Closed, once, and leaves the rest to the kernel.
func (c *Conn) finish() {
	if c.state == ended {
		return
	}
	was := c.state
	c.state = ended
	c.leave()
	for _, release := range c.out.drop() {
		release()
	}
	c.goodbye()
	if was != opening {
		c.guard(func() { c.handler.Closed(c, c.reason) })
	}
}

func (c *Conn) leave() {
	for i, other := range c.host.conns {
		if other == c {
			c.host.conns = append(c.host.conns[:i:i], c.host.conns[i+1:]...)
			return
		}
	}
}

// refuse ends an accepted connection that no handler takes.
func (c *Conn) refuse() {
	c.state = ended
	c.leave()
	c.goodbye()
}

// broken is a reset that arrived.
func (c *Conn) broken() {
	if c.state == ended {
		return
	}
	c.out.said = true // there is nobody to say goodbye to
	c.in.kernel = nil
	c.host.later(c.host.net.now, func() {
		if c.state != ended {
			c.closed(fmt.Errorf("%s: %w", c.remote, transport.ErrReset))
		}
	})
}

// guard runs a callback; a panic ends the connection.
func (c *Conn) guard(f func()) (returned bool) {
	defer func() {
		if !returned {
			c.Abort(fmt.Errorf("%s: %w: %v", c.remote, transport.ErrPanic, recover()))
		}
	}()
	f()
	return true
}

// clocks are the time-outs of one end.
type clocks struct {
	running                         bool
	opened, read, progress, closing time.Duration
	idle                            time.Duration
	due                             time.Duration // of the planned check; 0: none
}

// SetIdle implements transport.Conn.
func (c *Conn) SetIdle(d time.Duration) {
	if d <= 0 {
		d = transport.NoIdle
	}
	c.clocks.idle = d
	c.rearm()
}

func (c *Conn) deadline() (at time.Duration, reason error) {
	k := &c.clocks
	nearest := func(t time.Duration, err error) {
		if at == 0 || t < at {
			at, reason = t, err
		}
	}
	switch c.state {
	case open:
	case closing:
		return k.closing + c.limits.Linger, c.reason
	default:
		return 0, nil
	}
	if !c.proven {
		nearest(k.opened+c.limits.Handshake, transport.ErrHandshakeTimeout)
	}
	if k.idle > 0 && !c.in.paused {
		nearest(k.read+k.idle, transport.ErrIdle)
	}
	if c.out.size > 0 {
		nearest(k.progress+c.limits.WriteStall, transport.ErrWriteStalled)
	}
	return at, reason
}

func (c *Conn) rearm() {
	at, _ := c.deadline()
	if at == 0 || !c.clocks.running || c.clocks.due != 0 && c.clocks.due <= at {
		return
	}
	c.clocks.due = at
	c.host.later(at, func() { c.expire(at) })
}

func (c *Conn) expire(planned time.Duration) {
	if c.clocks.due != planned {
		return // an earlier check took over
	}
	c.clocks.due = 0
	at, reason := c.deadline()
	switch {
	case at == 0:
	case at > c.host.net.now:
		c.rearm()
	case c.state == closing:
		c.Abort(reason)
	default:
		c.Abort(fmt.Errorf("%s: %w", c.remote, reason))
	}
}
