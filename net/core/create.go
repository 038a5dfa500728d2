package core

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core/wire"
)

// loginsMax is how many sessions a connection may ask for before one was opened. Applications give up after one; a
// client that steps its version down tries fifteen.
const loginsMax = 20

// createSession asks for a session. The answer comes on channel 1; until then the client may send nothing on the new
// channel.
func (c *conn) createSession(p *wire.CreateSession) error {
	c.tc.Established()
	if p.Version < wire.VersionMin || p.Version > wire.VersionMax {
		// The client tries again with a lower version and another channel; the connection stays.
		return c.refuse(wire.CodeIncompatibleVersions, "protocol version %d is not spoken here, %d to %d are", p.Version, wire.VersionMin, wire.VersionMax)
	}
	switch {
	case p.Channel < channelFirstSession:
		return fmt.Errorf("CREATESESSION asks for channel %d; sessions begin at %d", p.Channel, channelFirstSession)
	case c.channels[p.Channel] != nil:
		return fmt.Errorf("CREATESESSION asks for channel %d, which has a session", p.Channel)
	case len(c.channels) >= c.server.options.SessionsMax:
		return c.refuse(wire.CodeIllegalState, "this connection has %d sessions, the most that one may have; close some or open another connection", len(c.channels))
	}
	if !c.authenticated {
		if c.logins++; c.logins > loginsMax {
			return fmt.Errorf("%d sessions were asked for and none could be opened", loginsMax)
		}
	}
	c.announced(p.Version)
	ch := &channel{conn: c, id: p.Channel, confirming: p.ConfirmationWindow >= 0}
	c.channels[p.Channel] = ch
	ch.session = c.sessions.OpenSession(session.SessionOptions{
		Name: p.Name, Channel: p.Channel, User: p.Username.Value, Password: p.Password.Value, ClientID: p.ClientID.Value,
		DefaultAddress: p.DefaultAddress.Value, XA: p.XA, AutoCommitSends: p.AutoCommitSends, AutoCommitAcks: p.AutoCommitAcks,
		PreAcknowledge: p.PreAcknowledge, ConfirmAll: ch.confirming,
	}, session.Tag{Channel: p.Channel, Note: int64(p.ConfirmationWindow)})
	return nil
}

// refuse answers a request on channel 1 without asking the shard.
func (c *conn) refuse(code wire.Code, format string, args ...any) error {
	return c.send(channelSession, &wire.Exception{Code: code, Message: wire.Some(fmt.Sprintf(format, args...))})
}

func (o *outlet) answerOpenSession(a *session.Answer) {
	o.conn.openings.add(opening{channel: a.Tag.Channel, failed: a.Err != nil})
	if a.Err != nil {
		o.append(channelSession, exception(a))
		return
	}
	if window := a.Tag.Note; window >= 0 {
		o.confirmations[a.Tag.Channel] = &confirmation{window: window, last: -1}
	}
	o.append(channelSession, &wire.CreateSessionResponse{ServerVersion: wire.VersionMax})
}

// opening is what became of one CREATESESSION.
type opening struct {
	channel int64
	failed  bool
}

// openings carries results from the shard to the loop. They are added before the response can leave, so the loop sees
// them before anything that the client sends after it.
type openings struct {
	some atomic.Bool
	mu   struct {
		sync.Mutex
		list []opening
	}
}

func (o *openings) add(result opening) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mu.list = append(o.mu.list, result)
	o.some.Store(true)
}

func (o *openings) take() []opening {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := o.mu.list
	o.mu.list = nil
	o.some.Store(false)
	return list
}

// takeOpenings brings the table of channels up to date. Of the loop.
func (c *conn) takeOpenings() {
	for _, result := range c.openings.take() {
		ch := c.channels[result.channel]
		if ch == nil || ch.open {
			continue
		}
		if result.failed {
			delete(c.channels, result.channel)
			continue
		}
		ch.open = true
		if !c.authenticated && c.ttl != 0 {
			c.tc.SetIdle(c.ttl)
		}
		c.authenticated = true
	}
}
