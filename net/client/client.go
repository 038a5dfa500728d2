package client

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hindmq/hind/net/transport"
)

// Defaults of Options.
const (
	ConnectDefault   = 5 * time.Second
	ReconnectDefault = 60 * time.Second
	IntervalDefault  = 100 * time.Millisecond
	SilenceDefault   = 30 * time.Second
)

// Options of a Client. The zero value is a client without login that does not look for its broker again.
type Options struct {
	User, Password string
	// HA: after a loss the members of the topology are tried too, those other than the lost one first.
	HA bool
	// Reconnect is how long a lost connection is looked for; 0: ReconnectDefault with HA, not at all without.
	Reconnect time.Duration
	// Interval is the pause after all addresses were tried in vain; 0: IntervalDefault.
	Interval time.Duration
	// Connect bounds one attempt: dialing, login, and sessions and consumers made anew; 0: ConnectDefault.
	Connect time.Duration
	// Silence: a connection on which nothing came for that long is given up; a third of it is the period of pings.
	// 0: SilenceDefault.
	Silence time.Duration
	// Transport makes the connections and stays open; nil: one of the Client's own.
	Transport transport.Transport
	Log       *slog.Logger // losses and reconnections; nil: discarded
}

func (o Options) withDefaults() Options {
	if o.Reconnect == 0 && o.HA {
		o.Reconnect = ReconnectDefault
	}
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{{&o.Interval, IntervalDefault}, {&o.Connect, ConnectDefault}, {&o.Silence, SilenceDefault}} {
		if *d.value <= 0 {
			*d.value = d.def
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Client is a connection to a broker, or to a pair, that is kept up. Its methods may be called from any goroutine.
type Client struct {
	options   Options
	initial   []string // host:port, in the order given
	transport transport.Transport
	own       bool // the transport is closed with the Client
	closing   context.Context
	close     context.CancelFunc
	kept      chan struct{} // closed when the keeper has ended

	mu struct {
		sync.Mutex
		link        *link // nil: down
		err         error // why the Client has ended
		changed     bell  // link or err changed
		sessions    []*Session
		topology    []Member // as the last connection told it
		channelLast int64
		losses      int
	}
}

// Dial connects to the first of the brokers that answers, each tried once. urls are tcp://host:port or host:port.
func Dial(ctx context.Context, urls []string, o Options) (*Client, error) {
	c := &Client{options: o.withDefaults(), kept: make(chan struct{})}
	if len(urls) == 0 {
		return nil, errors.New("no address of a broker is given")
	}
	for _, u := range urls {
		address, err := addressOf(u)
		if err != nil {
			return nil, err
		}
		c.initial = append(c.initial, address)
	}
	c.transport = o.Transport
	if c.transport == nil {
		c.transport, c.own = transport.Plain(transport.Options{Log: c.options.Log}), true
	}
	c.mu.channelLast = channelFirstSession - 1
	c.closing, c.close = context.WithCancel(context.Background())
	l, err := c.round(ctx, c.initial)
	if err != nil {
		close(c.kept)
		return nil, errors.Join(err, c.Close())
	}
	go c.keep(l) // owner: Client; ends with Close, or when the broker is not found again
	return c, nil
}

// Close ends the connection and everything that was made of the Client. Calls in progress return ErrClosed or
// ErrUnanswered. It may be called again.
func (c *Client) Close() error {
	c.close()
	c.end(ErrClosed)
	<-c.kept
	if c.own {
		return c.transport.Close()
	}
	return nil
}

// end gives the Client its last error, once, and drops the connection after what is queued has left.
func (c *Client) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.err == nil {
		c.mu.err = err
	}
	if c.mu.link != nil {
		c.mu.link.conn.Close(err)
	}
	c.mu.changed.ring()
	for _, s := range c.mu.sessions {
		s.ring()
	}
}

// Address is the host:port of the broker connected to, empty while there is none.
func (c *Client) Address() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.link == nil {
		return ""
	}
	return c.mu.link.target
}

// Losses is how often a connection was lost and found again.
func (c *Client) Losses() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.losses
}

// Topology is what the broker last said about the pair.
func (c *Client) Topology() []Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.mu.topology)
}

// ready waits for a connection that is up.
func (c *Client) ready(ctx context.Context) (*link, error) {
	for {
		c.mu.Lock()
		l, err, changed := c.mu.link, c.mu.err, c.mu.changed.next()
		c.mu.Unlock()
		switch {
		case err != nil:
			return nil, err
		case l != nil:
			return l, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for a broker: %w", ctx.Err())
		}
	}
}

// newID is 128 random bits as text.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}
