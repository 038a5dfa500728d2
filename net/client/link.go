package client

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hindmq/hind/net/core/wire"
	"github.com/hindmq/hind/net/transport"
)

// Channels with a fixed use.
const (
	channelPing         = 0
	channelSession      = 1
	channelOwn          = 10 // the session by which the Client logs in
	channelFirstSession = 11
)

// versionCorrelation is the first version in which answers name the send that they answer.
const versionCorrelation = 130

const (
	// callsMax bounds the requests of one connection that have no answer; more wait.
	callsMax = 1024
	// chunkSize is told to the broker as the size from which it may cut messages in chunks; this client takes none.
	chunkSize = 100 << 10
)

// link is one connection: its transport.Handler. Fields are under the Client's mutex, unless they say otherwise.
type link struct {
	client *Client
	target string         // fixed
	conn   transport.Conn // written by Opened before anything else knows the link
	hello  chan struct{}  // closed when the topology was told
	done   chan struct{}  // closed at the end
	reason error          // why it ended; written before done is closed

	version   int32
	members   []Member
	told      bool // hello is closed
	calls     []*call
	room      bell // calls or output have become fewer
	published bool // it was the Client's connection
	ended     bool
	given     error // why it shall not be used, if it is not open yet
}

func newLink(c *Client, target string) *link {
	return &link{client: c, target: target, hello: make(chan struct{}), done: make(chan struct{}), version: wire.VersionMax}
}

// call is a request that waits for its answer.
type call struct {
	link        *link
	channel     int64
	correlation int64            // NoCorrelation: answers of its kind come in the order of the requests
	answer      chan wire.Packet // of one place
}

// Opened implements transport.Handler: the client speaks first.
func (l *link) Opened(conn transport.Conn) {
	c := l.client
	c.mu.Lock()
	defer c.mu.Unlock()
	l.conn = conn
	if l.given != nil {
		conn.Abort(l.given)
		return
	}
	conn.Established() // a client needs no protection from strangers; the time of an attempt is bounded by its context
	out := wire.Append([]byte(wire.Handshake), channelPing, l.pingPacket(), l.version)
	out = wire.Append(out, channelPing, &wire.SubscribeTopologyV2{ClientVersion: wire.VersionMax}, l.version)
	_ = conn.Write(out) // a new connection has room; if it is closing, Closed follows
}

// pingPacket tells the broker to wait longer than the client itself would.
func (l *link) pingPacket() *wire.Ping {
	return &wire.Ping{TTL: 2 * l.client.options.Silence.Milliseconds()}
}

// failed is the end of a link that never was one.
func (l *link) failed(err error) { l.finish(err) }

// Closed implements transport.Handler.
func (l *link) Closed(_ transport.Conn, err error) {
	if errors.Is(err, transport.ErrIdle) {
		err = fmt.Errorf("%w: %w", errSilent, err)
	}
	l.finish(err)
}

// finish wakes everybody who waits for this connection. Messages that it brought come again.
func (l *link) finish(err error) {
	c := l.client
	c.mu.Lock()
	defer c.mu.Unlock()
	l.ended, l.reason, l.calls = true, err, nil
	close(l.done)
	l.room.ring()
	if c.mu.link != l {
		return
	}
	c.mu.link = nil
	for _, s := range c.mu.sessions {
		s.lost()
	}
	c.mu.changed.ring()
}

// abort ends the connection without a farewell.
func (l *link) abort(err error) {
	l.client.mu.Lock()
	conn := l.conn
	l.given = err
	l.client.mu.Unlock()
	if conn != nil {
		conn.Abort(err)
	}
}

// Drained implements transport.Drainer.
func (l *link) Drained(transport.Conn) {
	c := l.client
	c.mu.Lock()
	defer c.mu.Unlock()
	l.room.ring()
	for _, s := range c.mu.sessions {
		s.grant(l)
	}
}

func (l *link) announced(version int32) {
	l.client.mu.Lock()
	defer l.client.mu.Unlock()
	l.version = wire.EffectiveVersion(version, l.version)
}

// write queues one packet. It is called under the mutex and does not wait.
func (l *link) write(channel int64, p wire.Packet) error {
	if l.ended || l.conn == nil {
		return ErrUnanswered
	}
	return l.conn.Write(wire.Append(nil, channel, p, l.version))
}

// post sends a packet that has no answer.
func (l *link) post(channel int64, p wire.Packet) error {
	l.client.mu.Lock()
	defer l.client.mu.Unlock()
	return l.write(channel, p)
}

// begin sends a request; it waits while too much is under way. errNotSent: the connection has ended, and nothing left.
func (l *link) begin(ctx context.Context, channel int64, p wire.Packet, correlation int64) (*call, error) {
	cl := &call{link: l, channel: channel, correlation: correlation, answer: make(chan wire.Packet, 1)}
	return cl, l.push(ctx, channel, p, cl)
}

// push writes a packet and notes the call that waits for its answer; nil: none does.
func (l *link) push(ctx context.Context, channel int64, p wire.Packet, cl *call) error {
	c := l.client
	for {
		c.mu.Lock()
		room := l.room.next()
		if l.ended {
			c.mu.Unlock()
			return errNotSent
		}
		if cl != nil && l.version < versionCorrelation {
			cl.correlation = wire.NoCorrelation
		}
		if len(l.calls) < callsMax {
			err := l.write(channel, p)
			if err == nil && cl != nil {
				l.calls = append(l.calls, cl)
			}
			if err == nil {
				c.mu.Unlock()
				return nil
			}
			if !errors.Is(err, transport.ErrOutboundFull) {
				room = l.done // it is closing
			}
		}
		c.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// errNotSent: the connection had ended before the request was written.
var errNotSent = errors.New("the connection ended before anything was sent")

// end waits for the answer. A refusal is *Error; ErrUnanswered is wrapped if none came.
func (cl *call) end(ctx context.Context) (wire.Packet, error) {
	var p wire.Packet
	select {
	case p = <-cl.answer:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnanswered, ctx.Err())
	case <-cl.link.done:
		select {
		case p = <-cl.answer: // it came before the end
		default:
			return nil, fmt.Errorf("%w: %w", ErrUnanswered, cl.link.reason)
		}
	}
	if e, ok := p.(*wire.Exception); ok {
		return nil, &Error{Code: e.Code, Message: e.Message.Value}
	}
	return p, nil
}

// ask sends a request and waits for its answer.
func (l *link) ask(ctx context.Context, channel int64, p wire.Packet) (wire.Packet, error) {
	cl, err := l.begin(ctx, channel, p, wire.NoCorrelation)
	if err != nil {
		return nil, err
	}
	return cl.end(ctx)
}

// answered hands an answer to the call it belongs to. Under the mutex.
func (l *link) answered(channel int64, p wire.Packet) error {
	correlation := int64(wire.NoCorrelation)
	switch p := p.(type) {
	case *wire.NullResponse:
		correlation = p.Correlation
	case *wire.Exception:
		correlation = p.Correlation.Or(wire.NoCorrelation)
	}
	i := slices.IndexFunc(l.calls, func(cl *call) bool { return cl.channel == channel && cl.correlation == correlation })
	if i < 0 && correlation == wire.NoCorrelation { // a refusal may come without
		i = slices.IndexFunc(l.calls, func(cl *call) bool { return cl.channel == channel })
	}
	if i < 0 {
		return fmt.Errorf("%w: %T on channel %d answers nothing", errProtocol, p, channel)
	}
	l.calls[i].answer <- p
	l.calls = slices.Delete(l.calls, i, i+1)
	if len(l.calls) == callsMax-1 {
		l.room.ring()
	}
	return nil
}
