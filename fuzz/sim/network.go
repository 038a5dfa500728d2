package sim

import (
	"errors"
	"slices"
	"time"

	"github.com/hindmq/hind/broker"
	"github.com/hindmq/hind/broker/ha"
)

// The pair port, at the level of frames. A connection keeps the order of each lane; words and acknowledgements overtake
// other frames, nothing overtakes a word. What is sent into a cut waits, as in a kernel that retransmits, until the cut
// heals or an end gives up. A process that is down refuses; a machine that is off, a cut and a paused process are silent.

// network is what lies between the two hosts.
type network struct {
	cut   [2]bool // by sender: nothing that it sends arrives
	delay [2]time.Duration
	room  int // bytes of bulk frames that a connection holds in one direction
	// perByte is how long a byte of a bulk frame takes.
	perByte time.Duration
}

// end is one end of a connection.
type end struct {
	w     *world
	h     *host
	life  int
	id    ha.Link
	other *end
	down  bool // LinkDown was reported, or the process is gone

	out    []*packet // sent and not arrived, in order of arrival
	fast   time.Duration
	bulk   time.Duration
	held   int  // bytes of bulk frames not yet used by the other side
	owed   bool // LinkDrained
	closed bool // sends nothing any more
}

// packet is one frame, or the end of the connection, on its way.
type packet struct {
	at    time.Duration
	frame broker.Frame
	fin   bool
	size  int
}

var errGone = errors.New("sim: the connection is gone")

const (
	dialTimeout      = time.Second
	handshakeTimeout = 5 * time.Second
)

// latency of one frame from a host.
func (w *world) latency(from *host) time.Duration {
	d := w.net.delay[from.index]
	return d + time.Duration(w.rng.net.Int64N(int64(d)+1))
}

// dial connects a host to the other one.
func (w *world) dial(h *host, peer ha.Peer) {
	life, began := h.life, w.loop.now
	post := func(d time.Duration, e ha.Event) {
		w.loop.after(d, func() {
			if h.life == life && h.up() {
				h.node.Post(e)
				h.wake()
			}
		})
	}
	var try func()
	try = func() {
		to := w.hosts[1-h.index]
		waited := w.loop.now - began
		switch {
		case h.life != life || !h.up():
		case w.net.cut[0] || w.net.cut[1] || !to.power:
			post(max(0, dialTimeout-waited), ha.Unreachable{Peer: peer})
		case !to.up():
			post(w.latency(to), ha.Refused{Peer: peer})
		case to.paused && waited < handshakeTimeout: // its kernel accepts, nobody answers
			w.loop.after(100*time.Millisecond, try)
		case to.paused:
			post(0, ha.Unreachable{Peer: peer})
		default:
			w.connect(h, to, peer)
		}
	}
	w.loop.after(w.latency(h), try)
}

// connect makes a connection. Each side learns of it in its own time.
func (w *world) connect(from, to *host, peer ha.Peer) {
	a, b := from.newEnd(), to.newEnd()
	a.other, b.other = b, a
	w.countQuiet("connections")
	b.opened(ha.Accepted)
	w.loop.after(w.latency(to), func() { a.opened(peer) })
}

func (h *host) newEnd() *end {
	h.nextID++
	e := &end{w: h.w, h: h, life: h.life, id: h.nextID, down: true}
	h.w.ends = append(h.w.ends, e)
	return e
}

// here says that the end's process still runs.
func (e *end) here() bool { return e.h.life == e.life && e.h.up() }

func (e *end) opened(peer ha.Peer) {
	if !e.here() {
		e.closed = true
		if e.h.power {
			e.fin()
		}
		return
	}
	e.down = false
	e.h.ends[e.id] = e
	e.h.node.LinkUp(e.id, peer)
	e.h.wake()
	e.other.pump() // what was sent before this side knew
}

// send queues a frame.
func (e *end) send(f broker.Frame) error {
	size := len(f.Head) + len(f.Body)
	bulk := f.Lane != broker.LaneWord && f.Lane != broker.LaneAck
	switch {
	case e.down || e.closed:
		if f.Release != nil {
			f.Release()
		}
		return errGone
	case bulk && e.held > 0 && e.held+size > e.w.net.room:
		e.owed = true
		return broker.ErrLinkFull
	}
	p := &packet{frame: broker.Frame{Lane: f.Lane, Head: slices.Clone(f.Head), Body: slices.Clone(f.Body)}, size: size}
	if f.Release != nil {
		f.Release()
	}
	p.at = e.w.loop.now + e.w.latency(e.h)
	if bulk {
		e.held += size
		p.at = max(p.at+time.Duration(size)*e.w.net.perByte, e.fast, e.bulk+time.Duration(size)*e.w.net.perByte)
		e.bulk = p.at
	} else {
		p.size = 0
		p.at = max(p.at, e.fast)
		e.fast = p.at
	}
	e.queue(p)
	return nil
}

// queue puts a packet behind those that arrive no later.
func (e *end) queue(p *packet) {
	k := len(e.out)
	for k > 0 && e.out[k-1].at > p.at {
		k--
	}
	e.out = slices.Insert(e.out, k, p)
	e.w.loop.at(p.at, e.pump)
}

// pump delivers what has arrived.
func (e *end) pump() {
	for len(e.out) > 0 && e.out[0].at <= e.w.loop.now && !e.w.net.cut[e.h.index] {
		to := e.other
		if !to.here() || to.down && to.closed {
			e.out = nil
			if to.h.power { // its kernel says that it knows no such connection
				e.lost(e.w.latency(to.h))
			}
			return
		}
		if to.down {
			return // not opened yet
		}
		p := e.out[0]
		e.out = e.out[1:]
		if p.fin {
			to.lost(0)
			return
		}
		e.deliver(to, p)
	}
}

func (e *end) deliver(to *end, p *packet) {
	f, size, life := p.frame, p.size, e.life
	f.Release = func() {
		e.held -= size
		if e.owed && e.held <= e.w.net.room/2 && e.h.life == life && !e.down {
			e.owed = false
			e.w.loop.after(0, func() {
				if e.here() && !e.down {
					e.h.node.LinkDrained(e.id)
					e.h.wake()
				}
			})
		}
	}
	to.h.node.Receive(to.id, f)
	to.h.wake()
}

// close ends the connection from this side, behind what was sent.
func (e *end) close(why string) {
	if e.closed {
		return
	}
	e.closed = true
	e.w.say(e.h, "closes connection %d: %s", e.id, why)
	e.fin()
	e.lost(time.Duration(e.w.rng.net.IntN(2000)) * time.Microsecond)
}

// fin tells the other side, behind what was sent.
func (e *end) fin() {
	e.queue(&packet{at: max(e.fast, e.bulk, e.w.loop.now+e.w.latency(e.h)), fin: true})
}

// lost tells the process that the connection is gone; nothing of it is reported afterwards.
func (e *end) lost(after time.Duration) {
	e.closed = true
	e.w.loop.after(after, func() {
		if !e.here() || e.down {
			return
		}
		e.down = true
		delete(e.h.ends, e.id)
		e.h.node.LinkDown(e.id)
		e.h.wake()
		if !e.other.closed {
			e.fin()
		}
	})
}

// processGone ends the connection because this side's process does. The kernel sends what it has and closes, or, with
// what arrives unread, resets; a machine without power says nothing.
func (e *end) processGone() {
	e.closed, e.down = true, true
	switch {
	case !e.h.power:
		e.out = nil
	case e.w.rng.net.IntN(2) == 0:
		e.out = e.out[:e.w.rng.net.IntN(len(e.out)+1)]
		e.fin()
	default:
		e.fin()
	}
}

// reset loses the connection: what is on its way is lost from a random place on.
func (e *end) reset() {
	for _, x := range []*end{e, e.other} {
		x.out = x.out[:e.w.rng.fault.IntN(len(x.out)+1)]
		x.lost(time.Duration(e.w.rng.fault.IntN(200)) * time.Millisecond)
	}
}

// setCut begins or ends a cut of what a host sends.
func (w *world) setCut(from int, on bool) {
	w.net.cut[from] = on
	if on {
		return
	}
	for _, e := range w.ends {
		if e.h.index == from {
			e.pump()
		}
	}
	w.ends = slices.DeleteFunc(w.ends, func(e *end) bool { return e.closed && e.other.closed && len(e.out) == 0 && len(e.other.out) == 0 })
}
