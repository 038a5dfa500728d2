package shard

import (
	"errors"
	"sync"
)

// ErrFull says that the mailbox has no room: keep the work, stop reading from the peer, and post again after the
// waiter was told.
var ErrFull = errors.New("shard: mailbox is full")

// ErrClosed says that the shard has ended; the work was dropped.
var ErrClosed = errors.New("shard: mailbox is closed")

// Work is what the owner runs.
type Work interface {
	// Run is called on the owner's goroutine and must not block. False: the log is busy; Run is called again in the next
	// step, before any other work of clients, and goes on where it stopped.
	Run(s *Shard) (done bool)
}

// Waiter is told once, on the owner's goroutine, when a full mailbox has room again. It must not block and must not
// post from within the call.
type Waiter interface{ Room() }

// Mailbox is where others leave work for the owner: a slice under a small mutex, swapped whole by the owner, and one
// wake-up. Work of clients is limited in bytes; when the limit is reached Post refuses. Work of the broker itself
// (completions, closes, ticks) has no limit here because its sources have one.
type Mailbox struct {
	wake func() // called without the lock when a lane was empty; must not block
	max  int    // bytes of client work waiting

	mu struct {
		sync.Mutex
		closed  bool
		own     []Work // of the broker itself: taken first, never refused
		clients []item
		bytes   int // sum of clients' sizes, and of what the owner took but left waiting
		waiters []Waiter
	}
}

type item struct {
	work Work
	size int
}

// NewMailbox makes a mailbox that holds up to maxBytes of client work. wake is called, from any goroutine and without
// a lock held, when there is work in a lane that was empty before; it must not block.
func NewMailbox(maxBytes int, wake func()) *Mailbox {
	return &Mailbox{wake: wake, max: maxBytes}
}

// Post leaves client work of a size in bytes. Any goroutine may call; it does not block. A mailbox with no client work
// takes a piece of any size, so that a large batch cannot starve. ErrFull: waiter.Room is called once when there is
// room again (a nil waiter is not told).
func (m *Mailbox) Post(work Work, size int, waiter Waiter) error {
	m.mu.Lock()
	if m.mu.closed {
		m.mu.Unlock()
		return ErrClosed
	}
	if m.mu.bytes > 0 && m.mu.bytes+size > m.max {
		if waiter != nil {
			m.mu.waiters = append(m.mu.waiters, waiter)
		}
		m.mu.Unlock()
		return ErrFull
	}
	empty := len(m.mu.clients) == 0
	m.mu.clients = append(m.mu.clients, item{work, size})
	m.mu.bytes += size
	m.mu.Unlock()
	if empty {
		m.wake()
	}
	return nil
}

// PostAlways leaves client work that may not be refused because it ends a connection: there is one for each. It keeps
// its place behind what was posted before.
func (m *Mailbox) PostAlways(work Work) error {
	m.mu.Lock()
	if m.mu.closed {
		m.mu.Unlock()
		return ErrClosed
	}
	empty := len(m.mu.clients) == 0
	m.mu.clients = append(m.mu.clients, item{work, 0})
	m.mu.Unlock()
	if empty {
		m.wake()
	}
	return nil
}

// PostOwn leaves work of the broker itself. It overtakes client work.
func (m *Mailbox) PostOwn(work Work) error {
	m.mu.Lock()
	if m.mu.closed {
		m.mu.Unlock()
		return ErrClosed
	}
	empty := len(m.mu.own) == 0
	m.mu.own = append(m.mu.own, work)
	m.mu.Unlock()
	if empty {
		m.wake()
	}
	return nil
}

// Close refuses everything from now on. What is waiting is still taken.
func (m *Mailbox) Close() {
	m.mu.Lock()
	m.mu.closed = true
	m.mu.Unlock()
}

// take appends what is waiting to own and clients and empties the lanes. Without withClients the client work stays where
// it is, and counts, which is how a broker that may not go on stops its producers.
func (m *Mailbox) take(own []Work, clients []item, withClients bool) ([]Work, []item) {
	m.mu.Lock()
	defer m.mu.Unlock()
	own = append(own, m.mu.own...)
	clear(m.mu.own)
	m.mu.own = m.mu.own[:0]
	if withClients {
		clients = append(clients, m.mu.clients...)
		clear(m.mu.clients)
		m.mu.clients = m.mu.clients[:0]
	}
	return own, clients
}

// done says that client work of a size has run; waiters are returned once half of the room is free.
func (m *Mailbox) done(size int) []Waiter {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.bytes -= size
	if m.mu.bytes > m.max/2 || len(m.mu.waiters) == 0 {
		return nil
	}
	waiters := m.mu.waiters
	m.mu.waiters = nil
	return waiters
}

// waiting says whether there is work, of clients or of any kind.
func (m *Mailbox) waiting(clients bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.mu.own) > 0 || clients && len(m.mu.clients) > 0
}
