package transport

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// state of a connection.
type state uint8

const (
	stateOpen    state = iota
	stateClosing       // Close was called: no more Received, the queue may leave until the linger ends
	stateAborted       // the socket is to be closed now
	stateEnded         // Closed was called or is being called; the socket is not touched any more
)

// core is what the connections of both implementations share: the queue, the limits, the clocks and the order of
// callbacks. The implementation owns the socket and a loop; it is told through wake that there is something to do.
type core struct {
	id            ConnID
	local, remote string
	limits        Limits
	handler       Handler
	log           *slog.Logger
	registry      *registry // of the acceptor; nil if dialed
	forget        func()    // takes the connection out of the transport's table
	in            inbound   // of the loop
	done          []func()  // of whoever sends: releases that are due

	mu struct {
		sync.Mutex
		// wake makes the loop look at this state soon. It is called with the lock held and must not block.
		wake     func()
		out      outbox
		state    state
		reason   error
		paused   bool
		resumed  bool // ResumeRead was called and what inbound holds was not offered again
		proven   bool
		woken    bool // wake was called and the loop did not look yet
		flushing bool // the loop is going to look at the queue again before it rests, or waits for the kernel
		drainDue bool
		clocks   clocks
	}
}

// clocks are the instants from which the time-outs of a connection count.
type clocks struct {
	timer    *time.Timer
	due      time.Time // when timer fires; zero: it is not running
	idle     time.Duration
	opened   time.Time
	read     time.Time // last byte received, or reading resumed
	progress time.Time // the kernel took a byte, or the queue ceased to be empty
	closing  time.Time
}

func newCore(id ConnID, local, remote string, limits Limits, pool *blocks, log *slog.Logger) *core {
	c := &core{id: id, local: local, remote: remote, limits: limits, log: log}
	c.in.limit = limits.Inbound
	c.mu.out = outbox{pool: pool, limit: limits.Outbound}
	c.mu.clocks.idle = limits.Idle
	return c
}

func (c *core) ID() ConnID         { return c.id }
func (c *core) LocalAddr() string  { return c.local }
func (c *core) RemoteAddr() string { return c.remote }

// Write implements Conn.
func (c *core) Write(p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.admitLocked(len(p), len(p)/blockSize+2); err != nil {
		return err
	}
	c.mu.out.put(p)
	c.queuedLocked(len(p))
	return nil
}

// Writev implements Conn.
func (c *core) Writev(release func(), parts ...[]byte) error {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	c.mu.Lock()
	err := c.admitLocked(n, len(parts))
	if err == nil && n > 0 {
		c.mu.out.lend(release, parts)
		c.queuedLocked(n)
		release = nil
	}
	c.mu.Unlock()
	if release != nil {
		release()
	}
	return err
}

func (c *core) admitLocked(n, parts int) error {
	if c.mu.state != stateOpen {
		return fmt.Errorf("%s: %w", c.remote, ErrClosed)
	}
	if c.mu.out.full(n, parts) {
		c.mu.drainDue = true
		return fmt.Errorf("%s: %w: %d bytes wait, %d more do not fit into %d", c.remote, ErrOutboundFull,
			c.mu.out.size, n, c.limits.Outbound)
	}
	return nil
}

func (c *core) queuedLocked(n int) {
	if c.mu.out.size == n {
		c.mu.clocks.progress = time.Now()
		c.armLocked(c.mu.clocks.progress.Add(c.limits.WriteStall))
	}
	if c.mu.out.size > c.limits.OutboundHigh {
		c.mu.drainDue = true
	}
	if !c.mu.flushing {
		c.wakeLocked()
	}
}

func (c *core) wakeLocked() {
	if !c.mu.woken && c.mu.state != stateEnded && c.mu.wake != nil {
		c.mu.woken = true
		c.mu.wake()
	}
}

// again makes the loop look at the state soon.
func (c *core) again() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wakeLocked()
}

// Outbound implements Conn.
func (c *core) Outbound() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.out.size
}

// PauseRead implements Conn.
func (c *core) PauseRead() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.mu.paused {
		c.mu.paused = true
		c.wakeLocked()
	}
}

// ResumeRead implements Conn.
func (c *core) ResumeRead() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.paused {
		c.mu.paused, c.mu.resumed = false, true
		c.mu.clocks.read = time.Now()
		c.rearmLocked(c.mu.clocks.read)
		c.wakeLocked()
	}
}

// Established implements Conn.
func (c *core) Established() {
	c.mu.Lock()
	first := !c.mu.proven && c.mu.state != stateEnded
	if first {
		c.mu.proven = true
	}
	c.mu.Unlock()
	if first && c.registry != nil {
		c.registry.proved()
	}
}

// SetIdle implements Conn.
func (c *core) SetIdle(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d <= 0 {
		d = NoIdle
	}
	c.mu.clocks.idle = d
	c.rearmLocked(time.Now())
}

// Close implements Conn.
func (c *core) Close(reason error) { c.end(reason, stateClosing) }

// Abort implements Conn.
func (c *core) Abort(reason error) { c.end(reason, stateAborted) }

func (c *core) end(reason error, to state) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.state >= to {
		return
	}
	if c.mu.reason == nil {
		if reason == nil {
			reason = ErrClosed
		}
		c.mu.reason = reason
	}
	c.mu.state = to
	c.mu.clocks.closing = time.Now()
	c.rearmLocked(c.mu.clocks.closing)
	c.mu.woken = false // the loop may be resting on a wake that it will answer too late (a blocked write)
	c.wakeLocked()
}

// open starts the clocks and calls Opened. Of the loop.
func (c *core) open() {
	c.mu.Lock()
	now := time.Now()
	c.mu.clocks.opened, c.mu.clocks.read = now, now
	c.rearmLocked(now)
	c.mu.Unlock()
	c.guard(func() { c.handler.Opened(c) })
}

// received passes bytes to the handler, keeps what it leaves, and offers again what a pause had held back. Of the loop.
func (c *core) received(data []byte) {
	c.mu.Lock()
	st, paused, resumed := c.mu.state, c.mu.paused, c.mu.resumed
	c.mu.resumed = false
	if len(data) > 0 {
		c.mu.clocks.read = time.Now()
	}
	c.mu.Unlock()
	switch {
	case st != stateOpen:
		return // the farewell: input is read off and forgotten
	case len(data) == 0 && (!resumed || len(c.in.rest) == 0):
		return
	case paused: // what had already been read when the pause came
		if err := c.in.keep(c.in.offer(data), 0, true); err != nil {
			c.Abort(fmt.Errorf("%s: %w", c.remote, err))
		}
		return
	}
	offered := c.in.offer(data)
	consumed := 0
	if !c.guard(func() { consumed = c.consume(offered) }) {
		return
	}
	c.mu.Lock()
	paused = c.mu.paused || c.mu.state != stateOpen
	c.mu.Unlock()
	if err := c.in.keep(offered, consumed, paused); err != nil {
		c.Abort(fmt.Errorf("%s: %w (%d bytes)", c.remote, err, c.limits.Inbound))
	}
}

func (c *core) consume(offered []byte) int {
	n := c.handler.Received(c, offered)
	if n < 0 || n > len(offered) {
		panic(fmt.Sprintf("handler consumed %d of %d bytes", n, len(offered)))
	}
	return n
}

// next returns what to send now; the caller sends it without the lock and reports to sent. Nothing to send: flushing
// is over, and a Write from now on wakes the loop.
func (c *core) next(vec [][]byte, max int) ([][]byte, state) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.state >= stateAborted {
		return nil, c.mu.state
	}
	vec = c.mu.out.peek(vec, max)
	c.mu.flushing = len(vec) > 0
	return vec, c.mu.state
}

// sent takes what the kernel took off the queue, gives lent bytes back, and says whether Drained is due.
func (c *core) sent(n int) (drained bool) {
	c.mu.Lock()
	c.done = c.mu.out.advance(n, c.done[:0])
	if n > 0 {
		c.mu.clocks.progress = time.Now()
	}
	drained = c.mu.drainDue && c.mu.out.size <= c.limits.OutboundLow && c.mu.state == stateOpen
	if drained {
		c.mu.drainDue = false
	}
	c.mu.Unlock()
	for i, release := range c.done {
		release()
		c.done[i] = nil
	}
	return drained
}

// drained calls Drained. Of the loop.
func (c *core) drained() {
	if d, ok := c.handler.(Drainer); ok {
		c.guard(func() { d.Drained(c) })
	}
}

// closed calls Closed, once. cause is what the socket said; a reason given to Close or Abort goes first. Of the loop;
// the caller does not touch the socket's output afterwards.
func (c *core) closed(cause error) {
	c.mu.Lock()
	if c.mu.state == stateEnded {
		c.mu.Unlock()
		return
	}
	c.mu.state = stateEnded
	if c.mu.reason == nil {
		c.mu.reason = readError(c.remote, cause)
	}
	reason, proven := c.mu.reason, c.mu.proven
	done := c.mu.out.drop()
	if c.mu.clocks.timer != nil {
		c.mu.clocks.timer.Stop()
	}
	c.mu.Unlock()
	c.in.rest = nil
	for _, release := range done {
		release()
	}
	if c.registry != nil {
		c.registry.remove(c.remote, proven)
	}
	c.guard(func() { c.handler.Closed(c, reason) })
	c.forget()
}

// guard runs a callback; a panic ends the connection and nothing else. It says whether f returned.
func (c *core) guard(f func()) (returned bool) {
	defer func() {
		if returned {
			return
		}
		p := recover()
		c.log.Error("a connection's handler panicked; the connection is closed, others go on",
			"remote", c.remote, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		c.Abort(fmt.Errorf("%s: %w: %v", c.remote, ErrPanic, p))
	}()
	f()
	return true
}
