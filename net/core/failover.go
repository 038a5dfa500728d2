package core

import (
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core/wire"
)

// checkForFailover answers a client that comes back and asks whether this server stands in for the node it knew. It does:
// a broker that does not opens no acceptor. The answer goes out at once, without the shard, or the client's
// reconnection would wait for its call time-out.
func (c *conn) checkForFailover() error {
	c.tc.Established()
	return c.send(channelSession, &wire.CheckForFailoverResponse{OK: true})
}

// reattach is always answered with false: a session ends with its connection, and the client makes it anew. If the old
// one is still here (the client noticed the end of its connection first), it is closed before the answer, so that the
// new session does not meet the old one's exclusive consumers or its client id.
func (c *conn) reattach(p *wire.ReattachSession) error {
	c.tc.Established()
	c.sessions.CloseNamed(p.Name, session.Tag{Channel: channelSession})
	return nil
}

func (o *outlet) answerReattach(a *session.Answer) {
	o.append(channelSession, &wire.ReattachSessionResponse{LastConfirmedCommandID: -1})
}
