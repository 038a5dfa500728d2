package sim

import (
	"errors"
	"hash/crc32"
	"strings"
	"time"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/broker/shard"
)

// conn is one connection of a client: the broker's outlet, and the way there and back. What is sent in one direction keeps
// its order; both directions take time, and break off anywhere.
type conn struct {
	w    *world
	h    *host
	life int
	c    *client
	sc   *session.Conn // the broker's side

	session  *session.Session
	there    time.Duration // when the last request arrives
	back     time.Duration // when the last answer arrives
	batch    []func()      // answers and deliveries of this step
	gone     bool          // the client has given it up, or knows that it is lost
	cutAt    time.Duration // answers that would arrive later are lost; 0: none
	answered map[int64]func(*session.Error)
}

var _ session.Outlet = (*conn)(nil)

// client is what producers and consumers have in common: a connection to whichever broker serves, watched for silence.
type client struct {
	w         *world
	name      string
	conn      *conn
	turn      int // host to try next
	waits     int // requests without an answer
	since     time.Duration
	tags      int64
	transact  bool
	drains    bool   // takes what is left at the end
	left      bool   // makes no connection any more
	connected func() // a connection was made: open a session
	lost      func() // it is gone, and what was on its way is unknown
	delivered func(d *got)
}

// got is a delivery as the client sees it.
type got struct {
	id       int64
	consumer int64
	place    Place
}

const (
	patience    = 4 * time.Second // of a client without an answer
	reconnectIn = 150 * time.Millisecond
)

// connect tries the hosts in turn until one serves.
func (c *client) connect() {
	h := c.w.hosts[c.turn%2]
	c.turn++
	if c.conn != nil || c.left {
		return
	}
	if h.doors == nil || !h.power {
		c.w.loop.after(reconnectIn/2+time.Duration(c.w.rng.client.Int64N(int64(reconnectIn))), c.connect)
		return
	}
	n := &conn{w: c.w, h: h, life: h.life, c: c, answered: map[int64]func(*session.Error){}}
	n.sc = h.doors.Connect(n)
	h.conns = append(h.conns, n)
	c.conn, c.waits, c.since = n, 0, c.w.loop.now
	c.connected()
}

// leave ends the client.
func (c *client) leave() {
	c.left = true
	if c.conn != nil {
		c.conn.leave()
	}
}

// watch gives a silent connection up.
func (c *client) watch() {
	if c.conn != nil && c.waits > 0 && c.w.loop.now-c.since > patience {
		c.w.countQuiet("client time-outs")
		c.conn.leave()
	}
	c.w.loop.after(500*time.Millisecond, c.watch)
}

// ask sends requests; answer, if not nil, is called with the answer to the request that used the tag.
func (c *client) ask(durable bool, run func(*session.Session, session.Tag), answer func(*session.Error)) {
	n := c.conn
	c.tags++
	tag := session.Tag{Correlation: c.tags, Silent: answer == nil}
	if durable {
		tag.Note = 1 + int64(c.w.history.Epoch())
	}
	if answer != nil {
		if c.waits == 0 {
			c.since = c.w.loop.now
		}
		c.waits++
		n.answered[tag.Correlation] = answer
	}
	n.do(func() { run(n.session, tag) })
}

// do runs a piece of the protocol when the request arrives at the broker.
func (n *conn) do(run func()) {
	n.there = max(n.there, n.w.loop.now+n.w.clientDelay())
	n.w.loop.at(n.there, func() {
		if n.sc == nil || n.h.life != n.life || !n.h.up() {
			return
		}
		run()
		n.post()
	})
}

func (n *conn) post() {
	if n.sc == nil || n.h.life != n.life || !n.h.up() {
		return
	}
	if err := n.sc.Post(); errors.Is(err, shard.ErrFull) {
		n.w.loop.after(time.Millisecond, n.post)
	}
	n.h.wake()
}

// open opens the session and starts it.
func (n *conn) open(transacted bool) {
	n.do(func() {
		n.session = n.sc.OpenSession(session.SessionOptions{Name: n.c.name, AutoCommitSends: !transacted, AutoCommitAcks: !transacted}, session.Tag{Silent: true})
		n.session.Start(session.Tag{Silent: true})
	})
}

// leave is the client's side giving up: the broker learns of it behind what was sent, if it still runs.
func (n *conn) leave() {
	if n.gone {
		return
	}
	n.lose()
	n.there = max(n.there, n.w.loop.now+n.w.clientDelay())
	n.w.loop.at(n.there, func() {
		if n.sc != nil && n.h.life == n.life && n.h.up() {
			n.sc.Close()
			n.sc = nil
			n.h.wake()
		}
	})
}

// lose tells the client that the connection is gone.
func (n *conn) lose() {
	n.gone = true
	n.c.conn, n.c.waits = nil, 0
	n.c.lost()
	n.w.loop.after(n.w.clientDelay(), n.c.connect)
}

// serverGone ends the connection from the broker's side: by a close, behind what was sent, or by a reset.
func (n *conn) serverGone() {
	n.sc = nil
	if !n.h.power {
		return // the client must find out by itself
	}
	at := max(n.back, n.w.loop.now+n.w.clientDelay())
	if n.w.rng.client.IntN(2) == 0 {
		n.cutAt = n.w.loop.now + n.w.clientDelay()
		at = n.cutAt
	}
	n.w.loop.at(at, func() {
		if !n.gone {
			n.lose()
		}
	})
}

// Answer implements session.Outlet.
func (n *conn) Answer(a *session.Answer) {
	if a.Tag.Note > 0 && a.Err == nil {
		n.w.history.Released(n.h.name, n.h.node.Look().Epoch, uint64(a.Tag.Note-1))
	}
	correlation, err := a.Tag.Correlation, a.Err
	n.batch = append(n.batch, func() {
		if answer := n.answered[correlation]; answer != nil {
			delete(n.answered, correlation)
			n.c.waits--
			n.c.since = n.w.loop.now
			answer(err)
		}
	})
}

// Deliver implements session.Outlet.
func (n *conn) Deliver(d *session.Delivery) int {
	g := &got{id: d.ID, consumer: d.Consumer, place: Place{d.Queue, textOf(d.Message.Body())}}
	seen := Delivery{Place: g.place, ID: d.ID, Sum: sumOf(d.Message.Body()), Times: d.DeliveryCount, Consumer: n.c.attachment(d.Consumer)}
	if n.c.drains {
		n.w.history.Drained(seen)
		return 1
	}
	n.w.history.Delivered(seen)
	n.batch = append(n.batch, func() {
		if n.c.delivered != nil {
			n.c.delivered(g)
		}
	})
	return 1
}

// Notify implements session.Outlet.
func (n *conn) Notify(e *session.Event) {
	if e.Kind == session.EventDisconnect {
		n.batch = append(n.batch, func() { n.lose() })
	}
}

// Queued implements session.Outlet.
func (n *conn) Queued() int { return 0 }

// Flush implements session.Outlet.
func (n *conn) Flush() {
	batch := n.batch
	n.batch = nil
	if len(batch) == 0 {
		return
	}
	n.back = max(n.back, n.w.loop.now+n.w.clientDelay())
	n.w.loop.at(n.back, func() {
		for _, run := range batch {
			if n.gone || n.cutAt != 0 && n.w.loop.now > n.cutAt {
				return
			}
			run()
		}
	})
}

func (w *world) clientDelay() time.Duration {
	return time.Duration(50+w.rng.client.IntN(1000)) * time.Microsecond
}

// newMessage makes a durable message whose body begins with a unique text.
func newMessage(to, text string, fill int, duplicateID bool) (*message.Message, uint32) {
	body := []byte(text + "|" + strings.Repeat(text, fill/len(text)))
	var props []message.Property
	if duplicateID {
		props = append(props, message.Property{Name: message.PropDuplicateID, Value: message.String(text)})
	}
	m, err := message.New(&message.Header{Address: to, HasAddress: true, Durable: true, Priority: 4, Type: message.TypeBytes}, body, props)
	if err != nil {
		panic(err)
	}
	return m, sumOf(body)
}

func textOf(body []byte) string {
	text, _, _ := strings.Cut(string(body), "|")
	return text
}

func sumOf(body []byte) uint32 { return crc32.ChecksumIEEE(body) }

// put is the request that sends a message.
func put(m *message.Message) func(*session.Session, session.Tag) {
	return func(s *session.Session, tag session.Tag) { s.Send(m, "", address.RoutingNone, tag) }
}
