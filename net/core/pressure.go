package core

import (
	"errors"
	"fmt"

	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/net/transport"
)

// Pressure goes both ways. Towards the shard: commands are gathered up to a bound and posted; when the mailbox has no room,
// this connection stops reading and the client's own socket fills. From the shard: deliveries stop while much is queued
// for the socket, and go on when it has drained.

// post hands the gathered commands over and says whether they are gone. If not, either the connection is closing, or
// reading is paused and Received will be called again once there is room.
func (c *conn) post() bool {
	err := c.sessions.Post()
	if errors.Is(err, shard.ErrFull) {
		// Pause first, then try again: room that was made in between is announced to a connection that is not paused
		// yet, and that word would be lost.
		c.tc.PauseRead()
		if err = c.sessions.Post(); err == nil {
			c.tc.ResumeRead()
		}
	}
	c.held = errors.Is(err, shard.ErrFull)
	if err != nil && !c.held {
		c.closing = true
		c.tc.Close(fmt.Errorf("the broker takes no more work: %w", err))
	}
	return err == nil
}

// hold is what Received returns. A transport that resumes calls Received again only if it has bytes left to offer; so
// while commands are held back, one byte that was decoded already stays behind, and mark says to skip it.
func (c *conn) hold(consumed, offered int) int {
	if c.held && consumed == offered {
		c.mark = 1
		return consumed - 1
	}
	return consumed
}

// Drained implements transport.Drainer: deliveries may go on.
func (c *conn) Drained(transport.Conn) { c.sessions.Writable() }

// TransportLimits fits limits to what sessions expect: the transport must say that a connection has drained whenever
// deliveries had stopped because much was queued, so the mark above which it does lies well below theirs.
func TransportLimits(l transport.Limits, o session.Options) transport.Limits {
	l.OutboundHigh = o.OutboundHighWater / 4
	l.OutboundLow = 0
	return l
}
