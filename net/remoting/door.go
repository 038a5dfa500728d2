package remoting

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hindmq/hind/net/transport"
)

// ErrClosing is what Close and CutOff give as reason if they are given none.
var ErrClosing = errors.New("the broker closes its acceptors")

// AcceptorOptions describe one acceptor.
type AcceptorOptions struct {
	Name      string // of the configuration, for people
	Address   string // host:port
	Protocols []Protocol
	Limits    transport.Limits
}

// Options of a Door.
type Options struct {
	Transport transport.Transport
	Acceptors []AcceptorOptions
	Log       *slog.Logger // nil: discarded
}

// Door is a set of open acceptors and the connections that came through them. It is opened when the broker becomes
// active and closed for good when it ceases to be; the next activation opens another one. Its methods may be called
// from any goroutine.
type Door struct {
	log       *slog.Logger
	protocols []Protocol // of all acceptors, each once
	acceptors []*acceptor

	mu struct {
		sync.Mutex
		conns   map[transport.ConnID]*entry
		closing bool
		reason  error
		empty   chan struct{} // closed when closing and no connection is left; nil until then
		grace   *time.Timer
	}
}

type acceptor struct {
	options  AcceptorOptions
	listener transport.Acceptor
	unknown  limitedLog
}

type entry struct {
	c        *connection
	protocol string
	since    time.Time
}

// Open binds all acceptors. If one cannot be bound, those before it are closed again and the error names it.
func Open(o Options) (*Door, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &Door{log: o.Log}
	d.mu.conns = make(map[transport.ConnID]*entry)
	for _, ao := range o.Acceptors {
		if len(ao.Protocols) == 0 {
			d.closeAcceptors()
			return nil, fmt.Errorf("acceptor %q: it has no protocol", ao.Name)
		}
		a := &acceptor{options: ao}
		l, err := o.Transport.Listen(ao.Address, transport.AcceptOptions{
			Limits: ao.Limits,
			Accept: func(transport.Conn) transport.Handler { return &connection{door: d, acceptor: a} },
		})
		if err != nil {
			d.closeAcceptors()
			for _, c := range d.snapshot() {
				c.conn.Abort(ErrClosing)
			}
			return nil, fmt.Errorf("acceptor %q: %w", ao.Name, err)
		}
		a.listener = l
		d.acceptors = append(d.acceptors, a)
		for _, p := range ao.Protocols {
			if !slices.ContainsFunc(d.protocols, func(q Protocol) bool { return q.Name == p.Name }) {
				d.protocols = append(d.protocols, p)
			}
		}
	}
	return d, nil
}

func (d *Door) closeAcceptors() {
	for _, a := range d.acceptors {
		if err := a.listener.Close(); err != nil {
			d.log.Warn("closing an acceptor", "acceptor", a.options.Name, "error", err)
		}
	}
}

// Addr is the bound address of the acceptor with that name, "" if there is none.
func (d *Door) Addr(name string) string {
	for _, a := range d.acceptors {
		if a.options.Name == name {
			return a.listener.Addr()
		}
	}
	return ""
}

// Info describes one connection, for people.
type Info struct {
	ID       transport.ConnID
	Acceptor string
	Remote   string
	Protocol string // "" until known
	Since    time.Time
}

// Connections lists the open connections, oldest first.
func (d *Door) Connections() []Info {
	d.mu.Lock()
	list := make([]Info, 0, len(d.mu.conns))
	for id, e := range d.mu.conns {
		list = append(list, Info{ID: id, Acceptor: e.c.acceptor.options.Name, Remote: e.c.conn.RemoteAddr(),
			Protocol: e.protocol, Since: e.since})
	}
	d.mu.Unlock()
	slices.SortFunc(list, func(a, b Info) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Close stops accepting (the addresses are free when it returns), lets the protocols part from their clients, gives
// the connections grace to end, and aborts those that did not. It does not wait: the channel is closed when the last
// connection has ended.
func (d *Door) Close(reason error, grace time.Duration) <-chan struct{} {
	empty, first := d.begin(reason)
	if !first {
		return empty
	}
	for _, p := range d.protocols {
		if p.Farewell != nil {
			p.Farewell(d.reason())
		}
	}
	for _, c := range d.snapshot() {
		c.conn.Close(d.reason())
	}
	d.mu.Lock()
	d.mu.grace = time.AfterFunc(grace, d.abortAll) // its stop signal is the last connection's end
	d.mu.Unlock()
	d.settle()
	return empty
}

// CutOff stops accepting and aborts every connection, without a word to anybody. Like Close it does not wait. It may
// follow a Close that takes too long.
func (d *Door) CutOff(reason error) <-chan struct{} {
	empty, _ := d.begin(reason)
	d.abortAll()
	d.settle()
	return empty
}

func (d *Door) begin(reason error) (empty <-chan struct{}, first bool) {
	if reason == nil {
		reason = ErrClosing
	}
	d.mu.Lock()
	first = !d.mu.closing
	if first {
		d.mu.closing, d.mu.reason, d.mu.empty = true, reason, make(chan struct{})
	}
	empty = d.mu.empty
	d.mu.Unlock()
	if first {
		d.closeAcceptors()
	}
	return empty, first
}

func (d *Door) reason() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mu.reason
}

func (d *Door) abortAll() {
	d.mu.Lock()
	reason := d.mu.reason
	d.mu.Unlock()
	for _, c := range d.snapshot() {
		c.conn.Abort(reason)
	}
}

// snapshot returns the connections in the order of their ids.
func (d *Door) snapshot() []*connection {
	d.mu.Lock()
	list := make([]*connection, 0, len(d.mu.conns))
	for _, e := range d.mu.conns {
		list = append(list, e.c)
	}
	d.mu.Unlock()
	slices.SortFunc(list, func(a, b *connection) int { return cmp.Compare(a.conn.ID(), b.conn.ID()) })
	return list
}

// add enters a new connection. One that slipped in while the door closed is sent away.
func (d *Door) add(c *connection) {
	d.mu.Lock()
	d.mu.conns[c.conn.ID()] = &entry{c: c, since: time.Now()}
	closing, reason := d.mu.closing, d.mu.reason
	d.mu.Unlock()
	if closing {
		c.conn.Abort(reason)
	}
}

func (d *Door) named(c *connection, protocol string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.mu.conns[c.conn.ID()]; e != nil {
		e.protocol = protocol
	}
}

func (d *Door) gone(c *connection) {
	d.mu.Lock()
	delete(d.mu.conns, c.conn.ID())
	d.mu.Unlock()
	d.settle()
}

// settle tells who waits for the last connection's end.
func (d *Door) settle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.mu.closing || len(d.mu.conns) > 0 {
		return
	}
	select {
	case <-d.mu.empty:
	default:
		close(d.mu.empty)
	}
	if d.mu.grace != nil {
		d.mu.grace.Stop()
	}
}
