package core

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core/wire"
	"github.com/hindmq/hind/net/transport"
)

// Channels with a fixed use. Sessions are on channels from channelFirstSession up.
const (
	channelPing         = 0
	channelSession      = 1
	channelReplication  = 2
	channelCluster      = 3
	channelFederation   = 4
	channelFirstSession = 10
)

// frameSizeMaxStranger bounds a frame before a session is authenticated: names, a password and a client id.
const frameSizeMaxStranger = 64 << 10

// conn is one connection of a client: its transport.Handler. Fields are of the connection's loop unless they say
// otherwise.
type conn struct {
	server   *Server
	tc       transport.Conn
	log      *slog.Logger
	sessions *session.Conn
	channels map[int64]*channel
	scratch  scratch

	handshaken    bool
	authenticated bool // a session has been opened
	closing       bool // no more input is looked at
	held          bool // the mailbox had no room: the gathered commands wait, and reading is paused
	mark          int  // bytes at the front of the next input that were decoded already, see hold
	logins        int  // sessions asked for before one was opened
	ttl           time.Duration

	// openings are the results of session creations that the loop has not looked at.
	openings openings
	// version is the effective version, 0 before anything was announced. The loop writes, anybody reads.
	version atomic.Int32
	// subscribed: the client asked for the topology. The loop writes, whoever publishes the topology reads.
	subscribed atomic.Bool
}

// scratch holds the packets that come with every message, so that decoding them allocates nothing.
type scratch struct {
	send        wire.Send
	acknowledge wire.Acknowledge
	individual  wire.IndividualAcknowledge
	credits     wire.ConsumerCredits
}

// Opened implements transport.Handler.
func (c *conn) Opened(tc transport.Conn) {
	c.tc = tc
	c.log = c.server.log.With("remote", tc.RemoteAddr(), "connection", uint64(tc.ID()))
	c.sessions = c.server.options.Host.Connect(newOutlet(c))
	c.server.add(c)
}

// Received implements transport.Handler: it consumes whole frames and hands over what they ask for, once, at the end.
func (c *conn) Received(_ transport.Conn, data []byte) int {
	if c.closing {
		return len(data)
	}
	consumed := c.mark
	if c.held && !c.post() {
		return 0
	}
	c.mark = 0
	n, err := c.decode(data[consumed:])
	consumed += n
	if err == nil || c.authenticated {
		c.post() // what came before a bad frame is still worth doing, but not a stranger's
	}
	switch {
	case err != nil:
		c.fail(err)
		return len(data)
	case c.closing:
		return len(data)
	}
	return c.hold(consumed, len(data))
}

// decode handles the whole frames in data and says how many bytes they take.
func (c *conn) decode(data []byte) (consumed int, err error) {
	if !c.handshaken {
		if consumed, err = c.handshake(data); err != nil || !c.handshaken {
			return consumed, err
		}
	}
	for !c.closing && !c.held {
		frame, size, _, err := wire.Split(data[consumed:], c.frameSizeMax())
		if err != nil || size == 0 {
			return consumed, err
		}
		if c.sessions.Pending() >= c.server.options.BatchSizeMax && !c.post() {
			return consumed, nil
		}
		if err := c.handle(frame); err != nil {
			return consumed, err
		}
		consumed += size
	}
	return consumed, nil
}

// handshake takes the bytes that start a connection.
func (c *conn) handshake(data []byte) (consumed int, err error) {
	n := min(len(data), len(wire.Handshake))
	if string(data[:n]) != wire.Handshake[:n] {
		return 0, fmt.Errorf("the connection starts with %q and not with %q: this is no CORE client of Artemis 2; check which protocol and which port it uses",
			data[:n], wire.Handshake)
	}
	if n < len(wire.Handshake) {
		return 0, nil
	}
	c.handshaken = true
	return n, nil
}

func (c *conn) frameSizeMax() int {
	if c.authenticated {
		return c.server.options.FrameSizeMax
	}
	return min(frameSizeMaxStranger, c.server.options.FrameSizeMax)
}

// handle takes one frame. An error closes the connection.
func (c *conn) handle(f wire.Frame) error {
	if c.openings.some.Load() {
		c.takeOpenings()
	}
	switch f.Channel {
	case channelPing:
		return c.handlePing(f)
	case channelSession:
		return c.handleSession(f)
	case channelReplication, channelCluster, channelFederation:
		return fmt.Errorf("%v on channel %d: clustering packets are for brokers, and the brokers of a pair talk on the pair's own port", f.Type, f.Channel)
	}
	ch := c.channels[f.Channel]
	switch {
	case ch != nil && ch.open:
		return ch.handle(f)
	case ch != nil || !c.authenticated:
		return fmt.Errorf("%v on channel %d before a session is open there; a client waits for the answer to CREATESESSION", f.Type, f.Channel)
	}
	// The session is closed, and the client had sent this before it knew.
	c.log.Debug("a packet for a channel without a session is dropped", "packet", f.Type.String(), "channel", f.Channel)
	return nil
}

// handlePing takes the packets of channel 0.
func (c *conn) handlePing(f wire.Frame) error {
	p, err := wire.Decode(f, wire.VersionMax)
	if err != nil {
		return err
	}
	switch p := p.(type) {
	case *wire.Ping:
		return c.ping(p)
	case *wire.SubscribeTopologyV2:
		c.announced(p.ClientVersion)
		return c.subscribe()
	case *wire.SubscribeTopology:
		return c.subscribe()
	}
	return fmt.Errorf("%v does not belong on channel %d", f.Type, f.Channel)
}

// handleSession takes the packets of channel 1.
func (c *conn) handleSession(f wire.Frame) error {
	p, err := wire.Decode(f, wire.VersionMax)
	if err != nil {
		return err
	}
	switch p := p.(type) {
	case *wire.CreateSession:
		return c.createSession(p)
	case *wire.ReattachSession:
		return c.reattach(p)
	case *wire.CheckForFailover:
		return c.checkForFailover()
	}
	return fmt.Errorf("%v does not belong on channel %d", f.Type, f.Channel)
}

// announced lowers the effective version to what the client says it knows. A client that comes back after a failover
// offers the version of the server it was connected to, which may be above its own: the smallest word counts.
func (c *conn) announced(version int32) {
	effective := wire.EffectiveVersion(version, wire.VersionMax)
	if known := c.version.Load(); known != 0 {
		effective = min(effective, known)
	}
	c.version.Store(effective)
}

// effectiveVersion is the version whose layouts are used on this connection. Any goroutine.
func (c *conn) effectiveVersion() int32 {
	if v := c.version.Load(); v != 0 {
		return v
	}
	return wire.VersionMax
}

// send writes one packet at once. Any goroutine; answers of sessions go through the outlet instead.
func (c *conn) send(channel int64, p wire.Packet) error {
	return c.tc.Write(wire.Append(nil, channel, p, c.effectiveVersion()))
}

// fail ends the connection because of something the client did.
func (c *conn) fail(err error) {
	c.closing = true
	c.log.Warn("a connection is closed for what the client sent", "reason", err.Error())
	c.tc.Close(err)
}

// Closed implements transport.Handler.
func (c *conn) Closed(_ transport.Conn, err error) {
	c.closing = true
	c.log.Debug("connection ended", "reason", err.Error())
	c.server.remove(c)
	c.sessions.Close()
}
