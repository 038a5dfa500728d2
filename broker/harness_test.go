package broker

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/clock"
	"github.com/hindmq/hind/broker/ha"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/datafile"
)

// rig is one broker on a simulated disk, stepped by the test. It is the node's Env.
type rig struct {
	t    testing.TB
	disk *aiotest.Disk
	fs   *aiotest.Process
	pool *aio.Pool
	node *Node
	now  clock.Instant
	seed uint64

	host   *session.Host // while clients are let in
	trace  []string      // what the node asked of the outside, in order
	topo   []Topology
	log    bytes.Buffer
	logger *slog.Logger
}

const startWall = 1_800_000_000_000

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, disk: aiotest.NewDisk(aiotest.Options{Seed: 1}), now: clock.Instant{Boot: time.Hour, Wall: startWall}}
	r.logger = slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	pool, err := aio.NewPool(aio.PoolOptions{Size: 1 << 20, Count: 32})
	if err != nil {
		t.Fatal(err)
	}
	r.pool = pool
	r.boot()
	return r
}

// boot makes a node of a new process on the disk, without starting it.
func (r *rig) boot() {
	r.t.Helper()
	r.fs, r.host, r.trace = r.disk.Process("broker"), nil, nil
	o := DefaultOptions()
	o.Name, o.Env, o.Pool = "alpha", r, r.pool
	o.FS, o.Dir, o.Engine = r.fs, "/journal", r.fs.Engine(aiotest.EngineOptions{})
	o.Journal = journal.Defaults(datafile.Geometry{BlockShift: 12, Capacity: 256})
	o.Journal.Slots = 10
	o.HA.Primary, o.HA.NewNodeID = true, ha.NodeID{7}
	o.Declared = []session.QueueOptions{{Address: "orders", Name: "orders", Routing: address.Anycast, Kind: session.QueueKind{Durable: true}}}
	var err error
	if r.node, err = New(o); err != nil {
		r.t.Fatal(err)
	}
}

// start boots a node and brings it to serve clients.
func start(t testing.TB) *rig {
	t.Helper()
	r := newRig(t)
	r.begin()
	return r
}

func (r *rig) begin() {
	r.t.Helper()
	if err := r.node.Start(r.now, nil); err != nil {
		r.t.Fatal(err)
	}
	r.until("clients are served", func() bool { return r.host != nil })
}

// step steps the node until it has nothing more to do at this time; the disk does nothing meanwhile.
func (r *rig) step() {
	r.t.Helper()
	for range 1000 {
		if !r.node.Step(r.now) {
			return
		}
	}
	r.t.Fatal("the node finds something to do for ever")
}

// settle lets disk and node work until both rest.
func (r *rig) settle() {
	r.t.Helper()
	for range 1000 {
		r.step()
		if r.disk.Run() == 0 && !r.node.inbox.waiting() {
			return
		}
	}
	r.t.Fatal("disk and node never rest")
}

// until settles and lets time pass, as far as the node asks for it, until what is wanted holds.
func (r *rig) until(what string, holds func() bool) {
	r.t.Helper()
	for range 500 {
		r.settle()
		if holds() {
			return
		}
		r.advance(max(time.Millisecond, r.node.Next()-r.now.Boot))
	}
	r.t.Fatalf("%s: did not come within %v; asked of the outside: %v; log:\n%s", what, r.now.Boot-time.Hour, r.trace, r.log.String())
}

func (r *rig) advance(d time.Duration) {
	r.now.Boot += d
	r.now.Wall += d.Milliseconds()
}

func (r *rig) say(format string, args ...any) {
	r.trace = append(r.trace, fmt.Sprintf(format, args...))
}

func (r *rig) asked(line string) bool {
	for _, l := range r.trace {
		if l == line {
			return true
		}
	}
	return false
}

func (r *rig) logged(text string) bool { return strings.Contains(r.log.String(), text) }

func (r *rig) Dial(peer ha.Peer) { r.say("dial %d", peer) }

func (r *rig) Send(link ha.Link, f Frame) error {
	r.say("send on link %d", link)
	if f.Release != nil {
		f.Release()
	}
	return nil
}

func (r *rig) CloseLink(link ha.Link, _ string) { r.say("close link %d", link) }

func (r *rig) OpenClients(host *session.Host) {
	r.say("open clients")
	r.host = host
}

func (r *rig) CloseClients() {
	r.say("close clients")
	r.host = nil
}

func (r *rig) Topology(t Topology) { r.topo = append(r.topo, t) }

func (r *rig) Random() uint64 {
	r.seed++
	return r.seed * 0x9e3779b97f4a7c15
}

func (r *rig) Log() *slog.Logger { return r.logger }

// client is one connection with one session; it is the outlet too.
type client struct {
	rig     *rig
	conn    *session.Conn
	session *session.Session
	answers []string // of requests with a tag: "ok 7" or "error 7"
	texts   []string // bodies of deliveries
	over    string   // why the connection ended
}

func (r *rig) connect(name string) *client {
	r.t.Helper()
	if r.host == nil {
		r.t.Fatal("clients are not served")
	}
	c := &client{rig: r}
	c.conn = r.host.Connect(c)
	c.session = c.conn.OpenSession(session.SessionOptions{Name: name, AutoCommitSends: true, AutoCommitAcks: true}, session.Tag{Silent: true})
	c.session.Start(session.Tag{Silent: true})
	c.post()
	return c
}

func (c *client) post() {
	c.rig.t.Helper()
	if err := c.conn.Post(); err != nil {
		c.rig.t.Fatal(err)
	}
}

// send sends a durable message, whose answer carries the number.
func (c *client) send(text string, number int64) {
	c.rig.t.Helper()
	m, err := message.New(&message.Header{Address: "orders", HasAddress: true, Durable: true, Priority: 4, Type: message.TypeBytes}, []byte(text), nil)
	if err != nil {
		c.rig.t.Fatal(err)
	}
	c.session.Send(m, "", address.RoutingNone, session.Tag{Correlation: number})
	c.post()
}

func (c *client) consume() {
	c.session.CreateConsumer(session.ConsumerOptions{ID: 1, Queue: "orders", Browse: true}, session.Tag{Silent: true})
	c.session.Credits(1, -1)
	c.post()
}

func (c *client) Answer(a *session.Answer) {
	if a.Err != nil {
		c.answers = append(c.answers, fmt.Sprintf("error %d", a.Tag.Correlation))
		return
	}
	c.answers = append(c.answers, fmt.Sprintf("ok %d", a.Tag.Correlation))
}

func (c *client) Deliver(d *session.Delivery) int {
	c.texts = append(c.texts, string(d.Message.Body()))
	return len(d.Message.Body())
}

func (c *client) Notify(e *session.Event) {
	if e.Kind == session.EventDisconnect {
		c.over = e.Err.Error()
	}
}

func (c *client) Queued() int { return 0 }
func (c *client) Flush()      {}

func (c *client) has(answer string) bool {
	for _, a := range c.answers {
		if a == answer {
			return true
		}
	}
	return false
}
