package core

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hindmq/hind/net/transport"
)

// fakeConn is a transport.Conn without a socket. Bytes that the handler did not consume are offered again, and reads
// pause, as a transport does it. The test is its loop.
type fakeConn struct {
	id      transport.ConnID
	handler transport.Handler
	rest    []byte

	mu struct {
		sync.Mutex
		out         []byte
		outMax      int // 0: no limit
		paused      bool
		reoffer     bool
		established bool
		idle        time.Duration
		ended       bool
		reason      error
	}
}

func (f *fakeConn) ID() transport.ConnID { return f.id }
func (f *fakeConn) LocalAddr() string    { return "127.0.0.1:61616" }
func (f *fakeConn) RemoteAddr() string   { return fmt.Sprintf("127.0.0.1:%d", 40000+int(f.id)) }

func (f *fakeConn) Write(p []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.mu.reason != nil:
		return transport.ErrClosed
	case f.mu.outMax > 0 && len(f.mu.out)+len(p) > f.mu.outMax:
		return transport.ErrOutboundFull
	}
	f.mu.out = append(f.mu.out, p...)
	return nil
}

func (f *fakeConn) Writev(release func(), parts ...[]byte) error {
	defer release()
	for _, p := range parts {
		if err := f.Write(p); err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeConn) Outbound() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.mu.out)
}

func (f *fakeConn) PauseRead() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.paused = true
}

func (f *fakeConn) ResumeRead() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.paused {
		f.mu.paused, f.mu.reoffer = false, true
	}
}

func (f *fakeConn) Established() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.established = true
}

func (f *fakeConn) SetIdle(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.idle = d
}

func (f *fakeConn) Close(reason error) { f.end(reason) }
func (f *fakeConn) Abort(reason error) { f.end(reason) }

func (f *fakeConn) end(reason error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.reason == nil {
		if reason == nil {
			reason = transport.ErrClosed
		}
		f.mu.reason = reason
	}
}

// feed gives the handler bytes as one read.
func (f *fakeConn) feed(data []byte) {
	f.rest = append(f.rest, data...)
	f.offer()
}

// offer calls the handler with what is there, unless reading is paused.
func (f *fakeConn) offer() {
	f.mu.Lock()
	stop := f.mu.paused || f.mu.reason != nil || len(f.rest) == 0
	f.mu.reoffer = false
	f.mu.Unlock()
	if !stop {
		n := f.handler.Received(f, f.rest)
		f.rest = append([]byte(nil), f.rest[n:]...)
	}
}

// settle does what the loop owes: offer again after a resume, and say that the connection ended.
func (f *fakeConn) settle() {
	f.mu.Lock()
	reoffer, reason, ended := f.mu.reoffer, f.mu.reason, f.mu.ended
	f.mu.Unlock()
	if reoffer {
		f.offer()
	}
	if reason != nil && !ended {
		f.mu.Lock()
		f.mu.ended = true
		f.mu.Unlock()
		f.handler.Closed(f, reason)
	}
}

// drop ends the connection as if the peer had gone.
func (f *fakeConn) drop() {
	f.end(transport.ErrPeerClosed)
	f.settle()
}

// take is what was written since the last call.
func (f *fakeConn) take() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.mu.out
	f.mu.out = nil
	return out
}

// reason is why the connection ended, nil while it is open.
func (f *fakeConn) reason() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mu.reason
}

var errTest = errors.New("the test says so")
