package replication

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/hindmq/hind/net/transport"
)

// LinkID names a Link within its PairPort. It is given when the link is proven, rises and is not reused: of two links
// the one with the higher id opened later, as this side saw it. 0 is none.
type LinkID uint64

// LinkHandler is what a Link calls, one call at a time, on the link's goroutine (an event loop that others may share):
// it never blocks. LinkOpened comes first, LinkClosed last, each once.
type LinkHandler interface {
	// LinkOpened: both sides are proven; Send may be used from here on.
	LinkOpened(l *Link)
	// FrameReceived gets one whole frame. Head is valid during the call only; Body until Release.
	FrameReceived(l *Link, f Received)
	// LinkDrained: a bulk Send had failed with ErrBulkFull, and half of the lane is free again.
	LinkDrained(l *Link)
	// LinkClosed says why: an error given to Close, one of this package's or of package transport's.
	LinkClosed(l *Link, err error)
}

// Errors of Send.
var (
	// ErrBulkFull: the bulk lane holds Limits.Bulk bytes. Nothing was taken, the frame and its Release stay with the
	// caller; LinkDrained follows.
	ErrBulkFull = errors.New("the bulk lane is full")
	// ErrWordsFull: the peer takes no words. The link is closed with it.
	ErrWordsFull = errors.New("the peer takes no words")
)

// bulkWindow is how much may wait in the connection before the next bulk frame joins it. It keeps the kernel busy
// while the loop fetches that frame, and is what a word waits for, with the frame itself.
const bulkWindow = 128 << 10

// Link is one proven connection to the peer. Its methods may be called from any goroutine, also from its handler's
// callbacks, and do not block.
type Link struct {
	id      LinkID
	port    *PairPort
	handler LinkHandler
	failed  func(error) // of the dialer, until proven
	conn    transport.Conn
	peer    Peer

	handshake *handshake // nil once proven. Of the loop, like decoder
	decoder   decoder
	held      atomic.Bool // PauseReceive: stop between two frames

	mu struct {
		sync.Mutex
		bulk   []Frame // waits for the connection; heads are copies
		size   int     // bytes of bulk
		owed   bool    // LinkDrained
		closed bool
		parts  [][]byte // scratch of pump
	}
}

// ID is the link's number.
func (l *Link) ID() LinkID { return l.id }

// Peer is who proved itself at the other end.
func (l *Link) Peer() Peer { return l.peer }

// Dialed says that this side called.
func (l *Link) Dialed() bool { return l.failed != nil }

// Send queues a frame. A word or an acknowledgement leaves before all bulk frames that the connection did not take
// yet; if there is no room for it the link ends with ErrWordsFull, since a pair whose words are lost must not look
// alive. A bulk frame fails with ErrBulkFull, and the caller keeps his pages and waits for LinkDrained.
func (l *Link) Send(f Frame) error {
	if err := f.check(); err != nil {
		f.done()
		return err
	}
	if !f.Type.Bulk() {
		return l.sendWord(&f)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.mu.closed:
		f.done()
		return fmt.Errorf("link %d to %s: %w", l.id, l.peer.Address, transport.ErrClosed)
	case l.mu.size+f.size() > l.port.limits.Bulk:
		l.mu.owed = true
		return fmt.Errorf("link %d to %s: %w (%d bytes)", l.id, l.peer.Address, ErrBulkFull, l.port.limits.Bulk)
	}
	f.Head = append(make([]byte, 0, len(f.Head)), f.Head...)
	f.Body = append(make([][]byte, 0, len(f.Body)), f.Body...)
	l.mu.bulk = append(l.mu.bulk, f)
	l.mu.size += f.size()
	l.pumpLocked()
	return nil
}

func (f *Frame) done() {
	if f.Release != nil {
		f.Release()
	}
}

func (l *Link) sendWord(f *Frame) error {
	defer f.done()
	err := l.conn.Write(appendFrame(make([]byte, 0, f.size()), f.Type, f.Head, 0))
	if errors.Is(err, transport.ErrOutboundFull) {
		err = fmt.Errorf("link %d to %s: %w: %w", l.id, l.peer.Address, ErrWordsFull, err)
		l.conn.Abort(err)
	}
	return err
}

// pumpLocked hands bulk frames to the connection while it is nearly empty.
func (l *Link) pumpLocked() {
	for len(l.mu.bulk) > 0 && !l.mu.closed && l.conn.Outbound() <= bulkWindow {
		f := l.mu.bulk[0]
		l.mu.bulk[0] = Frame{}
		l.mu.bulk = l.mu.bulk[1:]
		l.mu.size -= f.size()
		head := appendFrame(make([]byte, 0, HeaderSize+len(f.Head)), f.Type, f.Head, f.size()-HeaderSize-len(f.Head))
		l.mu.parts = append(append(l.mu.parts[:0], head), f.Body...)
		err := l.conn.Writev(f.Release, l.mu.parts...)
		clear(l.mu.parts)
		if err != nil {
			// Closed, or words fill the room that is kept for one bulk frame: then they are not taken either.
			l.conn.Abort(fmt.Errorf("link %d to %s: %w", l.id, l.peer.Address, err))
			return
		}
	}
	if len(l.mu.bulk) == 0 {
		l.mu.bulk = nil
	}
}

// Queued is how many bytes wait: taken by the connection and not by the kernel, and in the bulk lane behind it. It is
// what the link pins of the journal's buffers, and a little more.
func (l *Link) Queued() int {
	l.mu.Lock()
	size := l.mu.size
	l.mu.Unlock()
	return size + l.conn.Outbound()
}

// PauseReceive stops FrameReceived, at the latest after the frame that is being delivered, and pushes the peer back.
func (l *Link) PauseReceive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held.Store(true)
	l.conn.PauseRead()
}

// ResumeReceive ends a pause: that of PauseReceive, or that of an Allocate which had no memory. Whoever gives memory
// back calls it afterwards.
func (l *Link) ResumeReceive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held.Store(false)
	l.conn.ResumeRead()
}

// Close ends the link once its queued words and the frame in flight have left, or the time for that is over.
func (l *Link) Close(reason error) { l.conn.Close(reason) }

// Abort ends the link at once.
func (l *Link) Abort(reason error) { l.conn.Abort(reason) }

// The rest is called by the transport.

// Opened implements transport.Handler.
func (l *Link) Opened(c transport.Conn) {
	l.conn = c
	l.peer.Address = c.RemoteAddr()
	if start := l.handshake.start(); start != nil {
		l.conn.Write(start)
	}
}

// Received implements transport.Handler.
func (l *Link) Received(c transport.Conn, data []byte) int {
	n := 0
	if l.handshake != nil {
		consumed, reply, done, err := l.handshake.feed(data)
		if len(reply) > 0 {
			c.Write(reply)
		}
		if err != nil {
			c.Close(err)
			return len(data)
		}
		if !done {
			return consumed
		}
		n = consumed
		l.prove()
	}
	consumed, err := l.decode(data[n:])
	if err != nil {
		c.Abort(fmt.Errorf("link %d from %s: %w", l.id, l.peer.Address, err))
		return len(data)
	}
	return n + consumed
}

// decode delivers frames until data ends, the handler pauses, or a body finds no memory.
func (l *Link) decode(data []byte) (consumed int, err error) {
	hungry := false
	for consumed < len(data) && !l.held.Load() {
		n, err := l.decoder.feed(data[consumed:], func(f Received) bool {
			l.handler.FrameReceived(l, f)
			return !l.held.Load()
		})
		consumed += n
		if err != nil {
			return consumed, err
		}
		if consumed == len(data) || l.held.Load() {
			break
		}
		// What is left begins a body for which there is no memory. Pause, then try once more: memory that was given
		// back before the pause wakes nobody.
		if n == 0 && hungry {
			return consumed, nil
		}
		hungry = true
		l.hunger(true)
	}
	if hungry {
		l.hunger(false)
	}
	return consumed, nil
}

// hunger pauses or resumes reading for want of memory.
func (l *Link) hunger(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case on:
		l.conn.PauseRead()
	case !l.held.Load():
		l.conn.ResumeRead()
	}
}

func (l *Link) prove() {
	peer := l.handshake.peer
	peer.Address = l.peer.Address
	l.id, l.peer, l.handshake = LinkID(l.port.lastLink.Add(1)), peer, nil
	l.conn.Established()
	l.conn.SetIdle(l.port.limits.Idle)
	l.handler.LinkOpened(l)
}

// Drained implements transport.Drainer.
func (l *Link) Drained(transport.Conn) {
	l.mu.Lock()
	l.pumpLocked()
	tell := l.mu.owed && !l.mu.closed && l.mu.size <= l.port.limits.Bulk/2
	if tell {
		l.mu.owed = false
	}
	l.mu.Unlock()
	if tell {
		l.handler.LinkDrained(l)
	}
}

// Closed implements transport.Handler.
func (l *Link) Closed(c transport.Conn, err error) {
	l.mu.Lock()
	l.mu.closed = true
	waiting := l.mu.bulk
	l.mu.bulk, l.mu.size = nil, 0
	l.mu.Unlock()
	for i := range waiting {
		waiting[i].done()
	}
	l.decoder.drop()
	l.port.linkClosed(l, err)
}
