package core

import (
	"time"

	"github.com/hindmq/hind/net/core/wire"
	"github.com/hindmq/hind/net/transport"
)

// ttlMin keeps a client from asking to be closed between two packets; ttlMax keeps milliseconds from overflowing.
const (
	ttlMin = time.Second
	ttlMax = 365 * 24 * time.Hour
)

// ping takes the time to live that the client asks for and sends the packet back; without the echo an idle client gives
// the connection up. A stranger gets no more than the default.
func (c *conn) ping(p *wire.Ping) error {
	c.tc.Established()
	c.ttl = idleOf(p.TTL)
	if c.authenticated {
		c.tc.SetIdle(c.ttl)
	} else if c.ttl > 0 {
		c.tc.SetIdle(min(c.ttl, transport.IdleDefault))
	}
	return c.send(channelPing, p)
}

func idleOf(milliseconds int64) time.Duration {
	switch {
	case milliseconds <= 0:
		return transport.NoIdle
	case milliseconds > ttlMax.Milliseconds():
		return ttlMax
	}
	return max(ttlMin, time.Duration(milliseconds)*time.Millisecond)
}
