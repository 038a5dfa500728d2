package transport

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Options of both implementations.
type Options struct {
	Log   *slog.Logger // nil: discarded
	Loops int          // event loops of Gnet; 0: one per processor, at most 8
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// engine moves the bytes of connections that Sockets made.
type engine interface {
	name() string
	// attach takes nc over; c.open has returned or will be called. On an error nc is closed and c never opened.
	attach(nc *net.TCPConn, c *core) error
	// stop waits until every connection called Closed; all were aborted, and none is attached any more.
	stop()
}

// Sockets is a Transport on the kernel's TCP. It listens and dials through the standard library: there SO_REUSEADDR is
// on and SO_REUSEPORT off, names are resolved, and errors are told apart. What differs is who moves the bytes.
type Sockets struct {
	engine engine
	log    *slog.Logger
	pool   blocks
	lastID atomic.Uint64
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup // acceptors and dials; added to under mu, while not closed

	mu struct {
		sync.Mutex
		closed    bool
		acceptors map[*acceptor]struct{}
		conns     map[ConnID]*core
	}
}

var _ Transport = (*Sockets)(nil)

func newSockets(o Options) *Sockets {
	s := &Sockets{log: o.Log}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.mu.acceptors = make(map[*acceptor]struct{})
	s.mu.conns = make(map[ConnID]*core)
	return s
}

// Name implements Transport.
func (s *Sockets) Name() string { return s.engine.name() }

// begin counts a piece of work that Close waits for; false if it is too late.
func (s *Sockets) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed {
		return false
	}
	s.work.Add(1)
	return true
}

// adopt makes a connection of a socket. handler is asked for once the connection has its name.
func (s *Sockets) adopt(nc *net.TCPConn, limits Limits, reg *registry, handler func(Conn) Handler) error {
	c := newCore(ConnID(s.lastID.Add(1)), nc.LocalAddr().String(), nc.RemoteAddr().String(), limits, &s.pool, s.log)
	c.forget = func() { s.forget(c) }
	var ok bool
	if !c.guard(func() { c.handler = handler(c); ok = true }) || !ok || c.handler == nil {
		nc.Close()
		return fmt.Errorf("%s: %w: no handler takes the connection", c.remote, ErrClosed)
	}
	if reg != nil {
		if err := reg.add(c.remote); err != nil {
			nc.Close()
			return err
		}
		c.registry = reg
	}
	if limits.Unsent > 0 {
		setUnsent(nc, limits.Unsent)
	}
	s.mu.Lock()
	s.mu.conns[c.id] = c
	closed := s.mu.closed
	s.mu.Unlock()
	if closed {
		c.Abort(ErrShutdown)
	}
	if err := s.engine.attach(nc, c); err != nil {
		s.forget(c)
		if reg != nil {
			reg.remove(c.remote, false)
		}
		return fmt.Errorf("%s: %w", c.remote, err)
	}
	return nil
}

func (s *Sockets) forget(c *core) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mu.conns, c.id)
}

// Dial implements Transport.
func (s *Sockets) Dial(address string, o DialOptions) (cancel func()) {
	if !s.begin() {
		o.Failed(fmt.Errorf("dial %s: %w", address, ErrShutdown))
		return func() {}
	}
	if o.Timeout <= 0 {
		o.Timeout = DialTimeoutDefault
	}
	ctx, cancel := context.WithTimeout(s.ctx, o.Timeout)
	go func() { // owner: Sockets; ends by the time-out, cancel or Close, which waits for it
		defer s.work.Done()
		defer cancel()
		if err := s.dial(ctx, address, o); err != nil {
			o.Failed(err)
		}
	}()
	return cancel
}

func (s *Sockets) dial(ctx context.Context, address string, o DialOptions) error {
	nc, err := dialTCP(ctx, address)
	if err != nil && s.ctx.Err() != nil {
		return fmt.Errorf("dial %s: %w", address, ErrShutdown)
	}
	if err != nil {
		return err
	}
	err = s.adopt(nc, o.Limits.WithDefaults(), nil, func(Conn) Handler { return o.Handler })
	if err != nil {
		return fmt.Errorf("dial %s: %w: %w", address, ErrUnreachable, err)
	}
	return nil
}

// Close implements Transport.
func (s *Sockets) Close() error {
	s.mu.Lock()
	if s.mu.closed {
		s.mu.Unlock()
		return nil
	}
	s.mu.closed = true
	acceptors := make([]*acceptor, 0, len(s.mu.acceptors))
	for a := range s.mu.acceptors {
		acceptors = append(acceptors, a)
	}
	conns := make([]*core, 0, len(s.mu.conns))
	for _, c := range s.mu.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	s.cancel()
	for _, a := range acceptors {
		a.Close()
	}
	for _, c := range conns {
		c.Abort(ErrShutdown)
	}
	s.work.Wait() // connections adopted meanwhile saw closed and are aborted
	s.engine.stop()
	return nil
}

// retryAfter paces an acceptor that the kernel refuses a descriptor.
const (
	retryAfterMin = 5 * time.Millisecond
	retryAfterMax = time.Second
)
