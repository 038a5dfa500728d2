package transporttest

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/hindmq/hind/net/transport"
)

// Host is a process on a machine: a transport.Transport.
type Host struct {
	net       *Network
	machine   *machine
	dead      bool
	stopped   bool
	waiting   []func() // callbacks that wait for Continue
	listeners map[string]*listener
	conns     []*Conn // in the order of their ids
	dials     []*dial
}

var _ transport.Transport = (*Host)(nil)

func newHost(n *Network, m *machine) *Host {
	return &Host{net: n, machine: m, listeners: make(map[string]*listener)}
}

// Name implements transport.Transport.
func (h *Host) Name() string { return "sim" }

// run does something in the process: now, when it continues, or never.
func (h *Host) run(do func()) {
	switch {
	case h.dead:
	case h.stopped:
		h.waiting = append(h.waiting, do)
	default:
		do()
	}
}

// later plans something to be done in the process at time t.
func (h *Host) later(t time.Duration, do func()) { h.net.at(t, func() { h.run(do) }) }

func (h *Host) list() []*Conn { return append([]*Conn(nil), h.conns...) }

type listener struct {
	host    *Host
	port    string
	options transport.AcceptOptions
	closed  bool
}

// Listen implements transport.Transport. The host part of the address must be the machine's name, a wildcard or a
// loopback.
func (h *Host) Listen(address string, o transport.AcceptOptions) (transport.Acceptor, error) {
	if h.dead {
		return nil, fmt.Errorf("listen on %s: %w", address, transport.ErrShutdown)
	}
	name, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	switch name {
	case h.machine.name, "", "0.0.0.0", "::", "localhost", "127.0.0.1":
	default:
		return nil, fmt.Errorf("listen on %s: it is not an address of machine %s", address, h.machine.name)
	}
	if port == "0" {
		port = h.freePort()
	}
	if h.listeners[port] != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, transport.ErrAddressInUse)
	}
	o.Limits = o.Limits.WithDefaults()
	l := &listener{host: h, port: port, options: o}
	h.listeners[port] = l
	return l, nil
}

func (h *Host) freePort() string {
	h.machine.nextPort++
	return strconv.Itoa(h.machine.nextPort)
}

// Addr implements transport.Acceptor.
func (l *listener) Addr() string { return net.JoinHostPort(l.host.machine.name, l.port) }

// Close implements transport.Acceptor.
func (l *listener) Close() error {
	if !l.closed {
		l.closed = true
		delete(l.host.listeners, l.port)
	}
	return nil
}

// Connections implements transport.Acceptor.
func (l *listener) Connections() int {
	open, _, _ := l.count("")
	return open
}

func (l *listener) count(machine string) (open, unproven, fromHost int) {
	for _, c := range l.host.conns {
		if c.listener != l {
			continue
		}
		open++
		if !c.proven {
			unproven++
		}
		if c.peerMachine == machine {
			fromHost++
		}
	}
	return open, unproven, fromHost
}

// admits says whether one more connection passes the limits.
func (l *listener) admits(machine string) bool {
	open, unproven, fromHost := l.count(machine)
	limits := l.options.Limits
	return open < limits.Connections && unproven < limits.Unproven && fromHost < limits.ConnectionsPerHost
}

// dial is one attempt to connect.
type dial struct {
	host    *Host
	address string
	options transport.DialOptions
	over    bool
}

// Dial implements transport.Transport.
func (h *Host) Dial(address string, o transport.DialOptions) (cancel func()) {
	if h.dead {
		o.Failed(fmt.Errorf("dial %s: %w", address, transport.ErrShutdown))
		return func() {}
	}
	if o.Timeout <= 0 {
		o.Timeout = transport.DialTimeoutDefault
	}
	o.Limits = o.Limits.WithDefaults()
	d := &dial{host: h, address: address, options: o}
	h.dials = append(h.dials, d)
	h.later(h.net.now+o.Timeout, func() { d.fail(transport.ErrTimeout) })
	h.later(h.net.now, d.start)
	return func() { h.later(h.net.now, func() { d.fail(transport.ErrClosed) }) }
}

func (d *dial) end() bool {
	if d.over {
		return false
	}
	d.over = true
	for i, other := range d.host.dials {
		if other == d {
			d.host.dials = append(d.host.dials[:i:i], d.host.dials[i+1:]...)
			break
		}
	}
	return true
}

func (d *dial) fail(kind error) {
	if d.end() {
		d.options.Failed(fmt.Errorf("dial %s: %w", d.address, kind))
	}
}

// start sends the first packet; what the kernel of the target answers comes back to answered.
func (d *dial) start() {
	n, from := d.host.net, d.host.machine.name
	name, port, err := net.SplitHostPort(d.address)
	target := n.machines[name]
	if name == "localhost" || name == "127.0.0.1" {
		target = d.host.machine
	}
	if err != nil || target == nil {
		d.fail(transport.ErrUnreachable)
		return
	}
	n.send(from, target.name, func() {
		if target.power == powerOff {
			return
		}
		listens := target.process != nil && target.process.listeners[port] != nil
		n.send(target.name, from, func() { d.host.run(func() { d.answered(target, port, listens) }) })
	})
}

func (d *dial) answered(target *machine, port string, listens bool) {
	if !listens {
		d.fail(transport.ErrRefused)
		return
	}
	if !d.end() {
		return // too late: the kernel resets what nobody wants
	}
	h := d.host
	local := net.JoinHostPort(h.machine.name, h.freePort())
	near := newConn(h, local, net.JoinHostPort(target.name, port), d.options.Limits)
	near.peerMachine = target.name
	near.handler = d.options.Handler
	// The third packet makes the server's side. It goes the way of the data, before them.
	near.packet(func() { accept(near, target, port) })
	near.open()
}

// accept makes the server's end of a connection, if somebody still listens.
func accept(near *Conn, target *machine, port string) {
	var l *listener
	if target.power == powerOn && target.process != nil {
		l = target.process.listeners[port]
	}
	if l == nil {
		if target.power == powerOn {
			near.resetFrom(target.name)
		}
		return
	}
	far := newConn(target.process, near.remote, near.local, l.options.Limits)
	far.peerMachine = near.host.machine.name
	near.peer, far.peer = far, near
	target.process.run(func() { far.accepted(l) })
}

func (c *Conn) accepted(l *listener) {
	if c.state == ended {
		return
	}
	if l.closed || !l.admits(c.peerMachine) {
		c.refuse()
		return
	}
	if c.guard(func() { c.handler = l.options.Accept(c) }); c.handler == nil {
		c.refuse()
		return
	}
	c.listener = l
	c.open()
}

// Close implements transport.Transport. It must not be called from a callback.
func (h *Host) Close() error {
	if h.dead {
		return nil
	}
	for _, d := range append([]*dial(nil), h.dials...) {
		d.fail(transport.ErrShutdown)
	}
	for _, c := range h.list() {
		c.Abort(transport.ErrShutdown)
		c.finish()
	}
	h.dead = true
	h.listeners = make(map[string]*listener)
	if h.machine.process == h {
		h.machine.process = nil
	}
	return nil
}

// die ends the process without a word to it. told: its kernel tells the peers.
func (h *Host) die(told bool) {
	h.dead = true
	for _, c := range h.conns {
		c.state = ended
		c.out.drop()
		if told {
			c.goodbye()
		}
	}
	h.conns, h.dials, h.waiting = nil, nil, nil
	h.listeners = make(map[string]*listener)
}
