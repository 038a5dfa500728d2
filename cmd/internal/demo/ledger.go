package demo

import (
	"sync"
	"time"
)

// Counts are what clients saw.
type Counts struct {
	Acknowledged int64 `json:"acknowledged"` // sends that a broker confirmed
	Delivered    int64 `json:"delivered"`    // messages that came for the first time
	Redelivered  int64 `json:"redelivered"`  // that came again because their acknowledgement was not confirmed yet
	Doubled      int64 `json:"doubled"`
	Disordered   int64 `json:"orderViolations"`
	Damaged      int64 `json:"damaged"` // with a body that nobody sent
	Lost         int64 `json:"lost"`    // acknowledged and not delivered; means something only once the queue is drained
}

// Clean says that nothing went wrong.
func (c *Counts) Clean() bool { return c.Lost+c.Doubled+c.Disordered+c.Damaged == 0 }

// track is the history of one producer's sequence 1, 2, 3, ...
type track struct {
	started   uint64           // highest number that was ever sent
	confirmed uint64           // all up to here are acknowledged
	next      uint64           // lowest number above all that came
	last      uint64           // of the consumer's present connection
	missing   map[uint64]bool  // below next, not come
	open      map[uint64]int64 // came, acknowledgement not confirmed: message id
}

// wait is a director's interest in the first confirm after a kill.
type wait struct {
	victim int
	gap    chan time.Duration
}

// ledger compares what was confirmed with what came. All methods may be called from any goroutine.
type ledger struct {
	mu struct {
		sync.Mutex
		counts Counts
		tracks []track
		asked  int          // acknowledgements sent on the consumer's present connection and not confirmed
		last   [2]time.Time // the latest confirm by each member
		wait   *wait
	}
}

func newLedger(producers int) *ledger {
	l := &ledger{}
	l.mu.tracks = make([]track, producers)
	for i := range l.mu.tracks {
		l.mu.tracks[i] = track{next: 1, missing: map[uint64]bool{}, open: map[uint64]int64{}}
	}
	return l
}

// start notes that a number is about to be sent.
func (l *ledger) start(producer int, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.tracks[producer].started = seq
}

// confirm notes a broker's answer to a send. Numbers of one producer come in order.
func (l *ledger) confirm(producer int, seq uint64, member int, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.tracks[producer].confirmed = seq
	l.mu.counts.Acknowledged++
	if w := l.mu.wait; w != nil && member != w.victim {
		w.gap <- at.Sub(l.mu.last[w.victim]) // has room for one, and is forgotten then
		l.mu.wait = nil
	}
	l.mu.last[member] = at
}

// awaitFailover is called before the victim is killed; what it returns gets the failover time, once.
func (l *ledger) awaitFailover(victim int) <-chan time.Duration {
	w := &wait{victim: victim, gap: make(chan time.Duration, 1)}
	l.mu.Lock()
	l.mu.wait = w
	l.mu.Unlock()
	return w.gap
}

// connect notes that the consumer begins anew. What it had acknowledged without an answer comes again, from the oldest, or
// does not, if the broker had done it and only the answer was lost; so nothing waits for those answers any more.
func (l *ledger) connect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.asked = 0
	for i := range l.mu.tracks {
		l.mu.tracks[i].last = 0
	}
}

// damage notes a delivery that cannot be read as a message of this run. It is acknowledged as any other.
func (l *ledger) damage() {
	l.mu.Lock()
	l.mu.counts.Damaged++
	l.mu.asked++
	l.mu.Unlock()
}

// deliver notes that a message came; its acknowledgement is sent next.
func (l *ledger) deliver(producer int, seq uint64, id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.asked++
	c := &l.mu.counts
	if producer < 0 || producer >= len(l.mu.tracks) || seq == 0 || seq > l.mu.tracks[producer].started {
		c.Damaged++
		return
	}
	t := &l.mu.tracks[producer]
	disordered := seq <= t.last
	t.last = max(t.last, seq)
	switch first, open := t.open[seq]; {
	case t.missing[seq]: // its place in the order was missed when a later one came, and counted then
		delete(t.missing, seq)
		disordered = false
		c.Delivered++
	case open && first == id:
		c.Redelivered++
	case seq < t.next:
		c.Doubled++
		disordered = false // a second copy is one mistake, not two
	default:
		disordered = disordered || seq > t.next
		for ; t.next < seq; t.next++ {
			t.missing[t.next] = true
		}
		t.next = seq + 1
		c.Delivered++
	}
	if disordered {
		c.Disordered++
	}
	t.open[seq] = id
}

// settle notes that a broker confirmed the acknowledgement of a delivery on the present connection.
func (l *ledger) settle(producer int, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.asked--
	if producer >= 0 && producer < len(l.mu.tracks) {
		delete(l.mu.tracks[producer].open, seq)
	}
}

// counts adds up.
func (l *ledger) counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.mu.counts
	for i := range l.mu.tracks {
		t := &l.mu.tracks[i]
		if t.next <= t.confirmed {
			c.Lost += int64(t.confirmed + 1 - t.next)
		}
		for seq := range t.missing {
			if seq <= t.confirmed {
				c.Lost++
			}
		}
	}
	return c
}

// drained says that all that was confirmed has come, and that no answer to an acknowledgement is due.
func (l *ledger) drained() bool {
	if c := l.counts(); c.Lost > 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.asked == 0
}
