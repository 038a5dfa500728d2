package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"syscall"

	"github.com/panjf2000/gnet/v2"
	gio "github.com/panjf2000/gnet/v2/pkg/io"
)

// What gnet is used for, and what not. Its event loops read sockets and run callbacks. Sockets are accepted and
// dialed by the standard library and enrolled, so acceptors come and go at once (stopping a gnet server takes half a
// second). Output never enters gnet's buffers, which grow without bound and tell nobody when they drain: the loop
// writes from the outbox to the descriptor itself, and a writePoller says when a full socket takes more. As gnet then
// never changes the interest of a descriptor, pausing a read by changing it in gnet's epoll set is safe.
//
// Each loop is a gnet client of its own, so that the choice of the loop is ours and its epoll descriptor can be found.

// loopsMax bounds the event loops where the machine has many processors.
const loopsMax = 8

// writesPerTurn bounds how long one connection with a fast peer may hold its loop: 4 MiB at most.
const writesPerTurn = 16

// Gnet returns a Transport on gnet's event loops. It fails if this machine or this build of gnet does not let a read
// be paused (the trial takes milliseconds): then use Plain, as Open does.
func Gnet(o Options) (*Sockets, error) {
	o = o.withDefaults()
	s := newSockets(o)
	writes, err := newWritePoller()
	if err != nil {
		return nil, fmt.Errorf("gnet transport: %w", err)
	}
	e := &gnetEngine{writes: writes}
	s.engine = e
	n := o.Loops
	if n <= 0 {
		n = min(runtime.GOMAXPROCS(0), loopsMax)
	}
	for range n {
		l, err := startLoop(e, o.Log)
		if err != nil {
			e.stop()
			return nil, fmt.Errorf("gnet transport: %w", err)
		}
		e.loops = append(e.loops, l)
	}
	return s, nil
}

type gnetEngine struct {
	loops  []*gnetLoop
	writes *writePoller
}

func (e *gnetEngine) name() string { return "gnet" }

func (e *gnetEngine) stop() {
	var all sync.WaitGroup
	for _, l := range e.loops {
		all.Go(l.stop)
	}
	all.Wait()
	e.writes.close()
}

func (e *gnetEngine) attach(nc *net.TCPConn, c *core) error {
	l := e.loops[0]
	for _, other := range e.loops[1:] {
		if other.conns.Load() < l.conns.Load() {
			l = other
		}
	}
	l.conns.Add(1)
	g := &gnetConn{core: c, loop: l, writes: e.writes}
	// EnrollContext closes nc, whatever comes of it, and returns when OnOpen has.
	if _, err := l.client.EnrollContext(nc, g); err != nil {
		l.conns.Add(-1)
		return err
	}
	if g.gc == nil { // gnet swallows it when the kernel does not take the descriptor into the set
		l.conns.Add(-1)
		return errors.New("the event loop did not take the connection")
	}
	return nil
}

// gnetConn is one connection on its loop. Everything here but postLocked runs on the loop.
type gnetConn struct {
	*core
	loop   *gnetLoop
	writes *writePoller
	gc     gnet.Conn
	fd     int
	vec    [vectorsMax][]byte

	interestPaused bool // what the epoll set was told
	polled         bool // the write poller knows the descriptor
	saidGoodbye    bool // the sending side is shut down
}

// start is called by OnOpen.
func (g *gnetConn) start(gc gnet.Conn) gnet.Action {
	g.gc, g.fd = gc, gc.Fd()
	g.mu.Lock()
	g.mu.flushing = true
	g.mu.wake = g.postLocked
	g.mu.Unlock()
	g.open()
	return g.turn(nil)
}

// postLocked runs with the connection's lock held and the connection not ended: gnet's conn and its loop exist.
func (g *gnetConn) postLocked() { g.gc.Wake(nil) }

// turn does everything there is to do: takes input, sends output, follows pauses and the end.
func (g *gnetConn) turn(data []byte) gnet.Action {
	g.mu.Lock()
	g.mu.woken, g.mu.flushing = false, true // callbacks need not wake: flush comes last
	g.mu.Unlock()
	g.received(data)
	if err := g.flush(); err != nil {
		g.Abort(err)
	}
	g.mu.Lock()
	st, paused, queued := g.mu.state, g.mu.paused, g.mu.out.size
	g.mu.Unlock()
	if st >= stateAborted {
		return gnet.Close
	}
	if st == stateClosing {
		paused = false // the peer's end of stream is awaited
		if queued == 0 && !g.saidGoodbye {
			g.saidGoodbye = true
			syscall.Shutdown(g.fd, syscall.SHUT_WR)
		}
	}
	if paused != g.interestPaused {
		if err := g.loop.setReading(g.fd, !paused); err != nil {
			g.Abort(err)
			return gnet.Close
		}
		g.interestPaused = paused
	}
	return gnet.None
}

// flush sends until the queue is empty or the socket is full.
func (g *gnetConn) flush() error {
	for range writesPerTurn {
		vec, _ := g.next(g.vec[:0], sendMax)
		if len(vec) == 0 {
			return nil
		}
		n, err := gio.Writev(g.fd, vec)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			// flushing stays set: the write poller wakes the loop, not the next Write.
			g.polled = true
			return g.writes.await(g)
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return readError(g.remote, err)
		}
		if g.sent(n) {
			g.drained()
		}
		if n < sizeOf(vec) { // the socket is full: do not ask it again to hear so
			g.polled = true
			return g.writes.await(g)
		}
	}
	g.again()
	return nil
}

func sizeOf(vec [][]byte) (n int) {
	for _, v := range vec {
		n += len(v)
	}
	return n
}

// finish is called by OnClose; the descriptor is closed after it returns.
func (g *gnetConn) finish(err error) {
	if g.polled {
		g.writes.forget(g)
	}
	if err == nil || errors.Is(err, io.EOF) {
		// gnet calls a hang-up end of file; the socket knows whether it was a reset.
		if errno, e := syscall.GetsockoptInt(g.fd, syscall.SOL_SOCKET, syscall.SO_ERROR); e == nil && errno != 0 {
			err = syscall.Errno(errno)
		}
	}
	g.loop.conns.Add(-1)
	g.closed(err)
}
