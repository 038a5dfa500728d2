package session

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/clock"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/broker/shard/shardtest"
)

// rig is a broker without network and disk, stepped by the test.
type rig struct {
	t       testing.TB
	log     *shardtest.Log
	mailbox *shard.Mailbox
	shard   *shard.Shard
	host    *Host
	now     clock.Instant
	options rigOptions
	trace   []string
	nextTag int64
}

type rigOptions struct {
	rules     []rule
	shard     func(*shard.Options)
	session   func(*Options)
	authority Authority
	mailbox   int
}

const startWall = 1_800_000_000_000

func newRig(t testing.TB, o rigOptions) *rig {
	r := &rig{t: t, options: o, now: clock.Instant{Boot: time.Hour, Wall: startWall}}
	r.load(shardtest.New())
	return r
}

// load starts a broker on a log.
func (r *rig) load(log *shardtest.Log) {
	r.t.Helper()
	o, so := shard.DefaultOptions(), DefaultOptions()
	o.Settings = settingsBy(r.options.rules)
	if r.options.shard != nil {
		r.options.shard(&o)
	}
	if r.options.session != nil {
		r.options.session(&so)
	}
	size := r.options.mailbox
	if size == 0 {
		size = 1 << 20
	}
	var authority Authority = Everyone{}
	if r.options.authority != nil {
		authority = r.options.authority
	}
	r.log = log
	r.mailbox = shard.NewMailbox(size, func() {})
	r.shard = shard.New(r.mailbox, o)
	r.host = NewHost(r.shard, authority, so)
	if err := log.Load(r.shard); err != nil {
		r.t.Fatal(err)
	}
	if err := r.shard.Activate(log, r.now); err != nil {
		r.t.Fatal(err)
	}
}

// crash kills the broker and starts it again on what its log has.
func (r *rig) crash(beyond uint32) {
	r.t.Helper()
	r.load(r.log.Crash(beyond))
	r.trace = nil
}

// step steps the shard until it has nothing to do, twice in a row: a flush at the end of a step makes things safe.
func (r *rig) step() {
	r.t.Helper()
	idle := 0
	for range 1000 {
		if r.shard.Step(r.now) {
			idle = 0
		} else if idle++; idle == 2 {
			return
		}
	}
	r.t.Fatal("the shard finds something to do for ever")
}

// advance moves both clocks.
func (r *rig) advance(d time.Duration) {
	r.now.Boot += d
	r.now.Wall += d.Milliseconds()
}

func (r *rig) say(format string, args ...any) {
	r.trace = append(r.trace, fmt.Sprintf(format, args...))
}

// expect steps, compares what happened since the last time with want, line by line, and forgets it.
func (r *rig) expect(want string) {
	r.t.Helper()
	r.step()
	got := strings.Join(r.trace, "\n")
	r.trace = nil
	var lines []string
	for _, line := range strings.Split(want, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if want = strings.Join(lines, "\n"); got != want {
		r.t.Fatalf("happened:\n%s\nwanted:\n%s", got, want)
	}
}

// peer is one connection; it is the outlet too.
type peer struct {
	rig     *rig
	name    string
	conn    *Conn
	queued  int
	flushes int
	got     []got // everything delivered
}

type got struct {
	consumer, id int64
	count        int
	text         string
	message      *message.Message
}

func (r *rig) connect(name string) *peer {
	p := &peer{rig: r, name: name}
	p.conn = r.host.Connect(p)
	return p
}

func (p *peer) post() {
	p.rig.t.Helper()
	if err := p.conn.Post(); err != nil {
		p.rig.t.Fatal(err)
	}
}

var opNames = map[Op]string{OpOpenSession: "open", OpCloseSession: "close", OpCloseNamed: "close-named", OpStart: "start",
	OpStop: "stop", OpAddMetadata: "metadata", OpCreateAddress: "create-address", OpCreateQueue: "create-queue",
	OpDeleteQueue: "delete-queue", OpQueryQueue: "query-queue", OpQueryBinding: "query-binding",
	OpCreateConsumer: "create-consumer", OpCloseConsumer: "close-consumer", OpSend: "send", OpAcknowledge: "ack",
	OpExpire: "expire", OpCommit: "commit", OpRollback: "rollback", OpXA: "xa", OpRefuse: "refuse"}

func (p *peer) Answer(a *Answer) {
	switch {
	case a.Err != nil:
		p.rig.say("%s %s: error %d", p.name, opNames[a.Op], a.Err.Code)
	case a.Op == OpForceDelivery:
		p.rig.say("%s marker consumer=%d seq=%d queue=%s", p.name, a.Consumer, a.Sequence, a.Name)
	case a.Op == OpCloseNamed:
		p.rig.say("%s close-named found=%t", p.name, a.Found)
	case a.Op == OpQueryQueue:
		q := a.Queue
		p.rig.say("%s queue %s exists=%t address=%s consumers=%d messages=%d", p.name, q.Name, q.Exists, q.Address,
			q.Consumers, q.Messages)
	case a.Op == OpQueryBinding:
		b := a.Binding
		p.rig.say("%s binding exists=%t queues=%v multicast=%t anycast=%t", p.name, b.Exists, b.Queues, b.Multicast, b.Anycast)
	default:
		p.rig.say("%s %s: ok", p.name, opNames[a.Op])
	}
}

func (p *peer) Deliver(d *Delivery) int {
	g := got{consumer: d.Consumer, id: d.ID, count: d.DeliveryCount, text: string(d.Message.Body()), message: d.Message}
	p.got = append(p.got, g)
	p.rig.say("%s gets %s consumer=%d count=%d", p.name, g.text, g.consumer, g.count)
	return len(d.Message.Body())
}

func (p *peer) Notify(e *Event) {
	switch e.Kind {
	case EventCredits:
		p.rig.say("%s credits %d for %s", p.name, e.Credits, e.Address)
	case EventConsumerClosed:
		p.rig.say("%s consumer %d closed", p.name, e.Consumer)
	case EventDisconnect:
		p.rig.say("%s disconnected: error %d", p.name, e.Err.Code)
	case EventRoom:
		p.rig.say("%s room", p.name)
	}
}

func (p *peer) Queued() int { return p.queued }
func (p *peer) Flush()      { p.flushes++ }

// last is the newest delivery of a text.
func (p *peer) last(text string) got {
	p.rig.t.Helper()
	for i := len(p.got) - 1; i >= 0; i-- {
		if p.got[i].text == text {
			return p.got[i]
		}
	}
	p.rig.t.Fatalf("%s never got %q", p.name, text)
	return got{}
}

// user is a session with short words for tests.
type user struct {
	*Session
	peer *peer
}

func (r *rig) tag() Tag {
	r.nextTag++
	return Tag{Correlation: r.nextTag}
}

var silent = Tag{Silent: true}

// session opens an auto-acknowledging session that is started.
func (p *peer) session(name string, change ...func(*SessionOptions)) *user {
	p.rig.t.Helper()
	o := SessionOptions{Name: name, AutoCommitSends: true, AutoCommitAcks: true}
	for _, c := range change {
		c(&o)
	}
	u := &user{Session: p.conn.OpenSession(o, silent), peer: p}
	u.Start(silent)
	p.post()
	return u
}

func transacted(o *SessionOptions) { o.AutoCommitSends, o.AutoCommitAcks = false, false }

// queue makes a durable anycast queue of the same address.
func (u *user) queue(name string) {
	u.CreateQueue(&QueueOptions{Address: name, Name: name, Routing: address.Anycast, Kind: QueueKind{Durable: true}}, silent)
	u.peer.post()
}

// consume makes a consumer with plenty of credits.
func (u *user) consume(id int64, queue string) {
	u.CreateConsumer(ConsumerOptions{ID: id, Queue: queue}, silent)
	u.Credits(id, 1<<20)
	u.peer.post()
}

type sendOption func(*message.Header, *[]message.Property)

func nonDurable(h *message.Header, _ *[]message.Property) { h.Durable = false }
func withPriority(n uint8) sendOption {
	return func(h *message.Header, _ *[]message.Property) { h.Priority = n }
}
func expiring(at int64) sendOption {
	return func(h *message.Header, _ *[]message.Property) { h.Expiration = at }
}
func with(name string, v message.Value) sendOption {
	return func(_ *message.Header, p *[]message.Property) {
		*p = append(*p, message.Property{Name: name, Value: v})
	}
}

func newMessage(t testing.TB, to, text string, options ...sendOption) *message.Message {
	h := message.Header{Address: to, HasAddress: true, Durable: true, Priority: 4, Type: message.TypeBytes}
	var props []message.Property
	for _, o := range options {
		o(&h, &props)
	}
	m, err := message.New(&h, []byte(text), props)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// send sends and wants an answer.
func (u *user) send(to, text string, options ...sendOption) {
	u.Send(newMessage(u.peer.rig.t, to, text, options...), "", address.RoutingNone, u.peer.rig.tag())
	u.peer.post()
}

// quiet sends without an answer.
func (u *user) quiet(to, text string, options ...sendOption) {
	u.Send(newMessage(u.peer.rig.t, to, text, options...), "", address.RoutingNone, silent)
	u.peer.post()
}

// ack settles the newest delivery of a text, and all before it.
func (u *user) ack(text string) {
	u.peer.rig.t.Helper()
	g := u.peer.last(text)
	u.Acknowledge(g.consumer, g.id, u.peer.rig.tag())
	u.peer.post()
}

func (u *user) do(fn func(Tag)) {
	fn(u.peer.rig.tag())
	u.peer.post()
}

// rule gives settings to one address, to all below one ("closed.#"), or to all ("#").
type rule struct {
	Match string
	Apply func(*address.Settings)
}

func settingsBy(rules []rule) *address.Table {
	return address.Resolved(func(name string) address.Settings {
		s := address.Defaults()
		for _, r := range rules {
			below, all := strings.CutSuffix(r.Match, "#")
			if r.Match == name || all && strings.HasPrefix(name, below) {
				r.Apply(&s)
			}
		}
		return s
	})
}
