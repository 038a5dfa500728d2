package transport

import (
	"fmt"
	"time"
)

// One timer per connection serves all its time-outs. Reads and writes only store an instant; when the timer fires it
// looks whether something is really due and otherwise sleeps until the next instant at which something could be. So
// a busy connection re-arms its timer once per time-out, not once per read.

// deadlineLocked returns the nearest instant at which the connection would end, and why.
func (c *core) deadlineLocked() (at time.Time, reason error) {
	k := &c.mu.clocks
	nearest := func(t time.Time, err error) {
		if at.IsZero() || t.Before(at) {
			at, reason = t, err
		}
	}
	switch c.mu.state {
	case stateOpen:
	case stateClosing:
		return k.closing.Add(c.limits.Linger), c.mu.reason
	default:
		return time.Time{}, nil
	}
	if !c.mu.proven {
		nearest(k.opened.Add(c.limits.Handshake), ErrHandshakeTimeout)
	}
	if k.idle > 0 && !c.mu.paused {
		nearest(k.read.Add(k.idle), ErrIdle)
	}
	if c.mu.out.size > 0 {
		nearest(k.progress.Add(c.limits.WriteStall), ErrWriteStalled)
	}
	return at, reason
}

// rearmLocked makes the timer fire no later than the nearest deadline.
func (c *core) rearmLocked(now time.Time) {
	if at, _ := c.deadlineLocked(); !at.IsZero() && !c.mu.clocks.opened.IsZero() {
		c.armLocked(at)
	}
}

func (c *core) armLocked(at time.Time) {
	k := &c.mu.clocks
	if !k.due.IsZero() && !at.Before(k.due) {
		return // it fires earlier and will look
	}
	k.due = at
	if k.timer == nil {
		k.timer = time.AfterFunc(time.Until(at), c.expire)
		return
	}
	k.timer.Reset(time.Until(at))
}

// expire is the timer's function, on a goroutine of the runtime.
func (c *core) expire() {
	c.mu.Lock()
	now := time.Now()
	c.mu.clocks.due = time.Time{}
	at, reason := c.deadlineLocked()
	late := !at.IsZero() && !now.Before(at)
	if !late {
		if !at.IsZero() {
			c.armLocked(at)
		}
		c.mu.Unlock()
		return
	}
	waited := now.Sub(c.mu.clocks.opened)
	closing := c.mu.state == stateClosing
	c.mu.Unlock()
	if !closing {
		reason = fmt.Errorf("%s: %w (connection %s old)", c.remote, reason, waited.Round(time.Millisecond))
	}
	c.Abort(reason)
}
