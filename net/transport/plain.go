package transport

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// sendMax is how much one write hands to the kernel: enough for a batch of pages, little enough that progress of a
// slow peer is noticed between two writes.
const sendMax = 256 << 10

// vectorsMax is how many pieces one write hands to the kernel.
const vectorsMax = 256

// Plain returns a Transport on the standard net package: one goroutine per connection reads, one writes.
func Plain(o Options) *Sockets {
	o = o.withDefaults()
	s := newSockets(o)
	s.engine = &plainEngine{}
	return s
}

type plainEngine struct{ conns sync.WaitGroup }

func (e *plainEngine) name() string { return "plain" }
func (e *plainEngine) stop()        { e.conns.Wait() }

func (e *plainEngine) attach(nc *net.TCPConn, c *core) error {
	p := &plainConn{core: c, nc: nc, reader: make(chan struct{}, 1), writer: make(chan struct{}, 1),
		wrote: make(chan struct{})}
	c.mu.Lock()
	c.mu.wake = p.wakeLocked
	c.mu.Unlock()
	e.conns.Add(1)
	go func() { // owner: the connection; ends with its socket, stop waits for it
		defer e.conns.Done()
		p.read()
	}()
	return nil
}

// plainConn is the loop of one connection, made of two goroutines; turn serialises their callbacks.
type plainConn struct {
	*core
	nc     *net.TCPConn
	turn   sync.Mutex
	reader chan struct{} // wakes a reader that waits for the end of a pause
	writer chan struct{} // wakes a writer that waits for output
	wrote  chan struct{} // closed when the writer has ended
}

func (p *plainConn) wakeLocked() {
	p.mu.woken = false // both goroutines look at everything each time; nothing to be gained by waking once
	if p.mu.state >= stateAborted {
		p.nc.SetDeadline(time.Unix(1, 0)) // unblocks both
	}
	signal(p.reader)
	signal(p.writer)
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func (p *plainConn) callback(f func()) {
	p.turn.Lock()
	defer p.turn.Unlock()
	f()
}

func (p *plainConn) read() {
	p.callback(p.open)
	go p.write() // owner: this goroutine; ends when the connection is aborted or said goodbye, awaited below
	cause := p.readLoop()
	p.mu.Lock()
	if p.mu.state < stateAborted {
		p.mu.state = stateAborted
	}
	p.wakeLocked()
	p.mu.Unlock()
	<-p.wrote
	p.nc.Close()
	p.callback(func() { p.closed(cause) })
}

func (p *plainConn) readLoop() error {
	buf := make([]byte, readBufferSize)
	for {
		if !p.awaitResume() {
			return net.ErrClosed
		}
		p.callback(func() { p.received(nil) })
		if p.mustLook() {
			continue
		}
		n, err := p.nc.Read(buf)
		if n > 0 {
			if !p.awaitResume() {
				return net.ErrClosed
			}
			p.callback(func() { p.received(buf[:n]) })
		}
		if err != nil {
			return err
		}
	}
}

// awaitResume waits while reading is paused; false once the connection is aborted.
func (p *plainConn) awaitResume() bool {
	for {
		p.mu.Lock()
		st, paused := p.mu.state, p.mu.paused
		p.mu.Unlock()
		switch {
		case st >= stateAborted:
			return false
		case st == stateClosing || !paused:
			return true
		}
		<-p.reader
	}
}

// mustLook says that a pause began, or began and ended, since received looked: what it holds back would otherwise wait
// for the next byte of the peer.
func (p *plainConn) mustLook() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return (p.mu.paused || p.mu.resumed) && p.mu.state == stateOpen
}

func (p *plainConn) write() {
	defer close(p.wrote)
	vec := make([][]byte, 0, vectorsMax)
	for {
		out, st := p.next(vec[:0], sendMax)
		switch {
		case st >= stateAborted:
			return
		case len(out) > 0:
			if err := p.send(out); err != nil {
				p.Abort(err)
				return
			}
		case st == stateClosing:
			p.nc.CloseWrite()
			return
		default:
			<-p.writer
		}
	}
}

func (p *plainConn) send(out [][]byte) error {
	p.mu.Lock()
	if p.mu.state < stateAborted {
		p.nc.SetWriteDeadline(time.Now().Add(p.limits.WriteStall))
	}
	p.mu.Unlock()
	buffers := net.Buffers(out)
	n, err := buffers.WriteTo(p.nc)
	if p.sent(int(n)) {
		p.callback(p.drained)
	}
	switch {
	case err == nil, errors.Is(err, os.ErrDeadlineExceeded) && n > 0:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%s: %w: not a byte in %s", p.remote, ErrWriteStalled, p.limits.WriteStall)
	}
	return readError(p.remote, err)
}
