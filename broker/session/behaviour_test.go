package session

import (
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/broker/shard/shardtest"
	"github.com/hindmq/hind/journal"
)

func duplicate(id string) sendOption { return with(message.PropDuplicateID, message.String(id)) }

func TestDuplicates(t *testing.T) {
	r := newRig(t, rigOptions{rules: []address.Rule{{Match: "small", Apply: func(s *address.Settings) { s.IDCacheSize = 2 }}}})
	a := r.connect("a")
	s := a.session("s")
	s.queue("q")
	s.consume(1, "q")
	r.expect(``)
	r.log.Hold = true
	s.quiet("q", "first", duplicate("x"))
	b := r.connect("b").session("b")
	b.send("q", "second", duplicate("x")) // answered only when the first is safe
	r.expect(``)
	r.log.SafeAll()
	r.log.Hold = false
	r.expect(`
		b send: ok
		a gets first consumer=1 count=1`)
	s.ack("first")
	r.expect(`a ack: ok`)
	for _, checkpoint := range []bool{false, true} { // remembered by its record, then by the checkpoint
		if checkpoint {
			r.log.Checkpoint(r.shard.Checkpoint())
		}
		r.crash(0)
		c := r.connect("c").session("c")
		c.consume(1, "q")
		c.send("q", "third", duplicate("x"))
		c.send("q", "fourth", with(message.PropDuplicateID, message.Bytes([]byte("x\x00")))) // the same bytes
		r.expect(`
			c send: ok
			c send: ok`)
	}
	d := r.connect("d").session("d")
	d.queue("small")
	for _, id := range []string{"1", "2", "3", "1", "3"} { // a window of two: 1 is forgotten, 3 is not
		d.send("small", id, duplicate(id))
	}
	d.consume(1, "small")
	r.expect(`
		d send: ok
		d send: ok
		d send: ok
		d send: ok
		d send: ok
		d gets 1 consumer=1 count=1
		d gets 2 consumer=1 count=1
		d gets 3 consumer=1 count=1
		d gets 1 consumer=1 count=1`)
}

func TestDuplicateWithoutQueue(t *testing.T) {
	r := newRig(t, rigOptions{})
	s := r.connect("a").session("s")
	s.do(func(tag Tag) { s.CreateAddress("topic", address.SetOf(address.Multicast), false, tag) })
	s.send("topic", "nobody", duplicate("x"))
	r.expect(`
		a create-address: ok
		a send: ok`)
	r.crash(0)
	b := r.connect("b").session("s")
	b.do(func(tag Tag) {
		b.CreateQueue(&QueueOptions{Address: "topic", Name: "sub", Routing: address.Multicast, Kind: QueueKind{Durable: true}}, tag)
	})
	b.consume(1, "sub")
	b.send("topic", "again", duplicate("x"))
	r.expect(`
		b create-queue: ok
		b send: ok`)
}

func TestDuplicateInTransaction(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s", transacted)
	s.queue("q")
	s.send("q", "1", duplicate("x"))
	s.send("q", "2", duplicate("x")) // within the same
	s.do(s.Commit)
	r.expect(`
		a send: ok
		a send: ok
		a commit: error 113`)
	other := r.connect("b").session("b", transacted)
	s.send("q", "3", duplicate("y"))
	other.send("q", "4", duplicate("y"))
	s.do(s.Commit)
	r.expect(`
		a send: ok
		b send: ok
		a commit: ok`)
	other.do(other.Commit) // the other was faster
	other.do(other.Commit)
	r.expect(`
		b commit: error 113
		b commit: ok`)
}

// At the limit credits are withheld, one byte below they are not; nothing is lost.
func TestMemoryLimit(t *testing.T) {
	size := int64(newMessage(t, "q", "x").EncodeSize())
	for _, c := range []struct {
		limit   int64
		granted bool
	}{{2*size - 1, false}, {2 * size, false}, {2*size + 1, true}} {
		r := newRig(t, rigOptions{rules: []address.Rule{{Match: "q", Apply: func(s *address.Settings) { s.MaxSizeBytes = c.limit }}}})
		a := r.connect("a")
		s := a.session("s")
		s.queue("q")
		s.quiet("q", "x")
		s.quiet("q", "y")
		s.ProducerCredits("q", 1000)
		a.post()
		if c.granted {
			r.expect(`a credits 1000 for q`)
			continue
		}
		r.expect(``)
		s.send("q", "z") // sent with older credits: taken all the same
		r.expect(`a send: ok`)
		s.consume(1, "q")
		r.expect(`
			a gets x consumer=1 count=1
			a gets y consumer=1 count=1
			a gets z consumer=1 count=1`)
		s.ack("x")
		r.expect(`a ack: ok`)
		s.ack("z")
		r.expect(`
			a ack: ok
			a credits 1000 for q`)
	}
}

func TestGlobalMemoryLimit(t *testing.T) {
	size := int64(newMessage(t, "q", "x").EncodeSize())
	r := newRig(t, rigOptions{shard: func(o *shard.Options) { o.Office.GlobalMaxBytes = size }})
	a := r.connect("a")
	s := a.session("s")
	s.queue("p")
	s.queue("q")
	s.quiet("q", "x")
	s.ProducerCredits("p", 5)
	a.post()
	r.expect(``)
	s.consume(1, "q")
	r.step()
	s.ack("x")
	r.expect(`
		a gets x consumer=1 count=1
		a ack: ok
		a credits 5 for p`)
	x := r.connect("x").session("x", transacted) // an open transaction counts too
	x.quiet("q", "y")
	s.ProducerCredits("p", 6)
	a.post()
	r.expect(``)
	x.do(func(tag Tag) { x.Rollback(false, tag) })
	r.expect(`
		x rollback: ok
		a credits 6 for p`)
	s.quiet("q", "y")
	s.ProducerCredits("p", 5)
	a.post()
	r.step()
	a.conn.Close() // whoever waits and goes is forgotten
	r.step()
	r.expect(`a gets y consumer=1 count=1`)
}

func TestTopic(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	for i, f := range []string{"", "colour = 'red'"} {
		name := []string{"all", "red"}[i]
		s.do(func(tag Tag) {
			s.CreateQueue(&QueueOptions{Address: "topic", Name: name, Filter: f, Routing: address.Multicast,
				Kind: QueueKind{Temporary: true}}, tag)
		})
		s.consume(int64(i), name)
	}
	s.send("topic", "1", with("colour", message.String("red")))
	s.send("topic", "2", with("colour", message.String("blue")))
	r.expect(`
		a create-queue: ok
		a create-queue: ok
		a send: ok
		a send: ok
		a gets 1 consumer=0 count=1
		a gets 2 consumer=0 count=1
		a gets 1 consumer=1 count=1`)
	if n := len(r.log.Records()); n != 0 {
		t.Errorf("temporary queues and their messages made %d records", n)
	}
	b := r.connect("b").session("b")
	a.conn.Close()
	b.do(func(tag Tag) { b.QueryQueue("all", tag) })
	b.do(func(tag Tag) { b.QueryBinding("topic", tag) })
	r.expect(`
		b queue all exists=false address=all consumers=0 messages=0
		b binding exists=false queues=[] multicast=false anycast=false`)
}

// One message in two durable queues: each settlement keeps the other, and a restart between them too.
func TestSharedMessage(t *testing.T) {
	r := newRig(t, rigOptions{})
	s := r.connect("a").session("s")
	for _, name := range []string{"one", "two"} {
		s.do(func(tag Tag) {
			s.CreateQueue(&QueueOptions{Address: "topic", Name: name, Routing: address.Multicast, Kind: QueueKind{Durable: true}}, tag)
		})
	}
	s.send("topic", "x")
	s.consume(1, "one")
	r.step()
	s.ack("x")
	r.step()
	r.crash(0)
	b := r.connect("b").session("s")
	b.consume(1, "one")
	b.consume(2, "two")
	r.expect(`b gets x consumer=2 count=1`)
	b.ack("x")
	r.expect(`b ack: ok`)
	r.crash(0)
	if got := r.shard.Office().Address("topic").Messages(); got != 0 {
		t.Errorf("%d messages are left", got)
	}
}

func TestBrowser(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	s.do(s.Stop) // browsers do not need a started session
	s.queue("q")
	s.quiet("q", "1")
	s.quiet("q", "2", withPriority(9))
	s.CreateConsumer(ConsumerOptions{ID: 1, Queue: "q", Browse: true, Filter: "AMQPriority > 3"}, silent)
	s.Credits(1, 100)
	s.ForceDelivery(1, 1, r.tag())
	a.post()
	r.expect(`
		a stop: ok
		a gets 2 consumer=1 count=0
		a gets 1 consumer=1 count=0
		a marker consumer=1 seq=1 queue=q`)
	s.do(func(tag Tag) { s.CloseConsumer(1, tag) })
	s.do(s.Start)
	s.consume(2, "q")
	r.expect(`
		a close-consumer: ok
		a start: ok
		a gets 2 consumer=2 count=1
		a gets 1 consumer=2 count=1`)
}

func TestFilteredConsumers(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	s.queue("q")
	for _, n := range []int32{1, 2, 3, 4} {
		s.quiet("q", string(rune('0'+n)), with("n", message.Int(n)))
	}
	s.CreateConsumer(ConsumerOptions{ID: 1, Queue: "q", Filter: "n > 2"}, silent)
	s.Credits(1, 100)
	a.post()
	r.expect(`
		a gets 3 consumer=1 count=1
		a gets 4 consumer=1 count=1`)
	s.consume(2, "q")
	r.expect(`
		a gets 1 consumer=2 count=1
		a gets 2 consumer=2 count=1`)
	s.CloseConsumer(2, silent) // what it gives back, the filter of the first does not want
	s.quiet("q", "5", with("n", message.Int(5)))
	r.expect(`a gets 5 consumer=1 count=1`)
	s.do(func(tag Tag) { s.CreateConsumer(ConsumerOptions{ID: 3, Queue: "q", Filter: "n >"}, tag) })
	r.expect(`a create-consumer: error 103`)
}

func TestExclusiveAndPriority(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	yes := true
	s.CreateQueue(&QueueOptions{Address: "x", Name: "x", Routing: address.Anycast, Exclusive: &yes}, silent)
	s.consume(1, "x")
	s.consume(2, "x")
	s.quiet("x", "1")
	s.quiet("x", "2")
	r.expect(`
		a gets 1 consumer=1 count=1
		a gets 2 consumer=1 count=1`)
	s.queue("q")
	s.consume(3, "q")
	s.CreateConsumer(ConsumerOptions{ID: 4, Queue: "q", Priority: 5}, silent)
	s.Credits(4, 1)
	s.quiet("q", "3")
	s.quiet("q", "4")
	a.post()
	r.expect(`
		a gets 3 consumer=4 count=1
		a gets 4 consumer=3 count=1`)
}

func TestMaxConsumersAndTransientQueues(t *testing.T) {
	r := newRig(t, rigOptions{})
	s := r.connect("a").session("s")
	one := int32(1)
	shared := &QueueOptions{Address: "topic", Name: "shared", Routing: address.Multicast, MaxConsumers: &one, Kind: QueueKind{Shared: true}}
	s.do(func(tag Tag) { s.CreateQueue(shared, tag) })
	s.do(func(tag Tag) { s.CreateQueue(shared, tag) })
	s.do(func(tag Tag) {
		s.CreateQueue(&QueueOptions{Address: "topic", Name: "shared", Filter: "a=1", Kind: QueueKind{Shared: true}}, tag)
	})
	s.consume(1, "shared")
	s.do(func(tag Tag) { s.CreateConsumer(ConsumerOptions{ID: 2, Queue: "shared"}, tag) })
	s.do(func(tag Tag) { s.DeleteQueue("shared", tag) })
	s.do(func(tag Tag) { s.CloseConsumer(1, tag) })
	s.do(func(tag Tag) { s.QueryQueue("topic::shared", tag) })
	r.expect(`
		a create-queue: ok
		a create-queue: ok
		a create-queue: error 118
		a create-consumer: error 214
		a delete-queue: error 104
		a close-consumer: ok
		a queue shared exists=false address=topic consumers=0 messages=0`)
}

func TestCreateRefusals(t *testing.T) {
	yes, no, two, name := true, false, int64(2), "k"
	n := int32(3)
	for what, change := range map[string]func(*QueueOptions){
		"last-value":                func(o *QueueOptions) { o.Unbuilt.LastValue = &yes },
		"last-value-key":            func(o *QueueOptions) { o.Unbuilt.LastValueKey = &name },
		"non-destructive":           func(o *QueueOptions) { o.Unbuilt.NonDestructive = &yes },
		"consumers-before-dispatch": func(o *QueueOptions) { o.Unbuilt.ConsumersBefore = &n },
		"delay-before-dispatch":     func(o *QueueOptions) { o.Unbuilt.DelayBefore = &two },
		"group-rebalance":           func(o *QueueOptions) { o.Unbuilt.GroupRebalance = &yes },
		"group-rebalance-pause":     func(o *QueueOptions) { o.Unbuilt.GroupRebalancePause = &yes },
		"group-buckets":             func(o *QueueOptions) { o.Unbuilt.GroupBuckets = &n },
		"group-first-key":           func(o *QueueOptions) { o.Unbuilt.GroupFirstKey = &name },
		"ring-size":                 func(o *QueueOptions) { o.Unbuilt.RingSize = &two },
		"enabled":                   func(o *QueueOptions) { o.Unbuilt.Enabled = &no },
	} {
		o := &QueueOptions{Address: "a", Name: "q"}
		change(o)
		err := o.Unbuilt.refuse()
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	none, minus, zero := "", int64(-1), int32(0)
	buckets := int32(-1)
	u := Unbuilt{LastValue: &no, LastValueKey: &none, NonDestructive: &no, ConsumersBefore: &zero, DelayBefore: &minus,
		GroupRebalance: &no, GroupRebalancePause: &no, GroupBuckets: &buckets, GroupFirstKey: &none, RingSize: &minus, Enabled: &yes}
	if err := u.refuse(); err != nil {
		t.Errorf("defaults are refused: %v", err)
	}

	r := newRig(t, rigOptions{rules: []address.Rule{{Match: "closed.#", Apply: func(s *address.Settings) {
		s.AutoCreateAddresses, s.AutoCreateQueues = false, false
	}}}})
	s := r.connect("a").session("s")
	create := func(o QueueOptions) { s.do(func(tag Tag) { s.CreateQueue(&o, tag) }) }
	create(QueueOptions{Address: "a", Name: "q", Kind: QueueKind{Durable: true}})
	create(QueueOptions{Address: "a", Name: "a::q", Kind: QueueKind{Durable: true}})
	create(QueueOptions{Address: "a", Name: "f", Filter: "x ="})
	create(QueueOptions{Address: "closed.a", Name: "c"})
	create(QueueOptions{Address: "b", Name: "dt", Kind: QueueKind{Durable: true, Temporary: true}})
	create(QueueOptions{})
	create(QueueOptions{Address: "b", Name: "lvq", Unbuilt: Unbuilt{LastValue: &yes}})
	s.send("closed.a", "x")
	s.do(func(tag Tag) { s.DeleteQueue("nothing", tag) })
	s.do(func(tag Tag) { s.CreateConsumer(ConsumerOptions{Queue: "nothing"}, tag) })
	s.do(func(tag Tag) { s.AcknowledgeOne(7, 7, tag) })
	s.do(func(tag Tag) { s.XA("start", tag) })
	r.expect(`
		a create-queue: ok
		a create-queue: error 101
		a create-queue: error 103
		a create-queue: error 106
		a create-queue: error 216
		a create-queue: error 106
		a create-queue: error 213
		a send: error 106
		a delete-queue: error 100
		a create-consumer: error 100
		a ack: error 104
		a xa: error 213`)
}

func TestSendRefusals(t *testing.T) {
	r := newRig(t, rigOptions{})
	s := r.connect("a").session("s")
	s.send("q", strings.Repeat("x", message.BodySizeMax))
	s.send("q", strings.Repeat("x", message.BodySizeMax+1))
	s.send("q", "later", with(message.PropScheduled, message.Long(startWall+1)))
	s.send("q", "now", with(message.PropScheduled, message.Long(startWall)))
	s.send("q", "group", with(message.PropGroupID, message.String("g")))
	s.send("q::nothing", "x")
	s.send("", "x")
	r.expect(`
		a send: ok
		a send: error 213
		a send: error 213
		a send: ok
		a send: error 213
		a send: error 100
		a send: error 106`)
	x := r.connect("b").session("t", transacted)
	x.quiet("q", "group", with(message.PropGroupID, message.String("g")))
	x.do(x.Commit)
	x.do(x.Commit)
	r.expect(`
		b commit: error 213
		b commit: ok`)
}

func TestAutoCreationAndFullyQualifiedNames(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	s.send("orders", "1", with(message.PropRoutingType, message.Byte(1)))
	s.do(func(tag Tag) { s.QueryBinding("orders", tag) })
	s.consume(1, "orders::orders")
	r.expect(`
		a send: ok
		a binding exists=true queues=[orders] multicast=false anycast=true
		a gets 1 consumer=1 count=1`)
	s.send("orders::orders", "2")
	r.expect(`
		a send: ok
		a gets 2 consumer=1 count=1`)
	r.crash(0)
	b := r.connect("b").session("b")
	b.do(func(tag Tag) { b.QueryQueue("orders", tag) })
	r.expect(`b queue orders exists=true address=orders consumers=0 messages=2`)
}

func TestAnycastRoundRobin(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	for i, name := range []string{"one", "two"} {
		s.CreateQueue(&QueueOptions{Address: "any", Name: name, Routing: address.Anycast, Kind: QueueKind{Durable: true}}, silent)
		s.consume(int64(i), name)
	}
	for _, text := range []string{"1", "2", "3"} {
		s.quiet("any", text)
	}
	r.expect(`
		a gets 1 consumer=0 count=1
		a gets 3 consumer=0 count=1
		a gets 2 consumer=1 count=1`)
}

func TestConnectionLost(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s", transacted)
	s.queue("q")
	s.consume(1, "q")
	p := r.connect("p").session("p")
	p.quiet("q", "1")
	p.quiet("q", "2")
	r.step()
	s.ack("1")
	a.conn.Close()
	r.trace = nil
	c := r.connect("c").session("c")
	c.consume(1, "q")
	r.expect(`
		a ack: ok
		c gets 1 consumer=1 count=2
		c gets 2 consumer=1 count=2`)
	c.Close(silent) // an orderly close gives the prefetched back uncounted
	c.peer.post()
	d := r.connect("d").session("d")
	d.consume(1, "q")
	r.expect(`
		d gets 1 consumer=1 count=2
		d gets 2 consumer=1 count=2`)
	a.conn.Close()
	a.conn.Writable()
	r.expect(``)
}

func TestCloseNamedAndMetadata(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	yes := true
	s.CreateQueue(&QueueOptions{Address: "x", Name: "x", Exclusive: &yes}, silent)
	s.consume(1, "x")
	s.do(func(tag Tag) { s.AddMetadata("jms-client-id", "me", true, tag) })
	s.do(func(tag Tag) { s.AddMetadata("jms-client-id", "me", true, tag) }) // its own is no duplicate
	b := r.connect("b")
	other := b.session("t")
	other.do(func(tag Tag) { other.AddMetadata("jms-client-id", "me", true, tag) })
	r.expect(`
		b metadata: error 114
		a metadata: ok
		a metadata: ok`)
	b.conn.CloseNamed("s", r.tag())
	b.conn.CloseNamed("s", r.tag())
	other.do(func(tag Tag) { other.AddMetadata("jms-client-id", "me", true, tag) })
	s.do(func(tag Tag) { s.QueryQueue("x", tag) })
	r.expect(`
		b close-named found=true
		b close-named found=false
		b metadata: ok
		a query-queue: error 104`)
}

type onlyConsume struct{}

func (onlyConsume) Authenticate(user, password string) (Identity, error) {
	if password != "right" {
		return nil, errStop
	}
	return reader{}, nil
}

type reader struct{}

func (reader) Name() string                       { return "reader" }
func (reader) May(p Permission, addr string) bool { return p == Consume || p == Send && addr == "open" }

func TestPermissions(t *testing.T) {
	r := newRig(t, rigOptions{authority: onlyConsume{}})
	a := r.connect("a")
	wrong := a.conn.OpenSession(SessionOptions{Name: "w", Password: "wrong"}, r.tag())
	wrong.Start(r.tag())
	s := a.session("s", func(o *SessionOptions) { o.Password = "right" })
	s.send("q", "x")
	s.send("open", "x")
	s.do(func(tag Tag) { s.CreateQueue(&QueueOptions{Name: "q", Kind: QueueKind{Durable: true}}, tag) })
	s.do(func(tag Tag) { s.CreateAddress("q", 0, false, tag) })
	r.expect(`
		a open: error 105
		a start: error 104
		a send: error 105
		a send: error 105
		a create-queue: error 105
		a create-address: error 105`)
}

func TestPreAcknowledge(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s", func(o *SessionOptions) { o.PreAcknowledge = true })
	s.queue("q")
	s.consume(1, "q")
	s.quiet("q", "x")
	r.expect(`a gets x consumer=1 count=1`)
	s.ack("x") // needless, and no error
	r.expect(`a ack: ok`)
	r.crash(0)
	b := r.connect("b").session("s")
	b.do(func(tag Tag) { b.QueryQueue("q", tag) })
	r.expect(`b queue q exists=true address=q consumers=0 messages=0`)
}

func TestBusyLog(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	s.queue("q")
	s.consume(1, "q")
	r.expect(``)
	r.log.Refuse = journal.ErrBusy
	s.send("q", "1")
	s.do(func(tag Tag) { s.QueryQueue("q", tag) })
	r.connect("b").session("b").send("q", "2", nonDurable)
	r.expect(``)
	r.log.Refuse = nil
	r.expect(`
		b send: ok
		a send: ok
		a queue q exists=true address=q consumers=1 messages=1
		a gets 1 consumer=1 count=1
		a gets 2 consumer=1 count=1`)
}

func TestFullLog(t *testing.T) {
	r := newRig(t, rigOptions{rules: []address.Rule{{Match: "q", Apply: func(s *address.Settings) {
		s.DeadLetterAddress, s.MaxDeliveryAttempts = "dead", 1
	}}}})
	a := r.connect("a")
	s := a.session("s", transacted)
	s.queue("q")
	s.queue("dead")
	p := r.connect("p").session("p")
	p.quiet("q", "x")
	s.consume(1, "q")
	r.step()
	r.log.Refuse = journal.ErrFull
	r.trace = nil
	p.send("q", "y")
	s.send("q", "z")
	s.do(s.Commit)
	r.expect(`
		p send: error 210
		a send: ok
		a commit: error 210`)
	s.ack("x")
	s.do(func(tag Tag) { s.Rollback(false, tag) }) // no room for the dead letter: it stays where it is
	r.expect(`
		a ack: ok
		a rollback: ok
		a gets x consumer=1 count=2`)
	p.ProducerCredits("q", 10) // producers wait until it is worth a try
	p.peer.post()
	r.expect(``)
	r.log.Refuse = nil
	r.advance(time.Second)
	r.expect(`p credits 10 for q`)
}

func TestFailedLog(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	s.queue("q")
	r.step()
	r.log.Hold = true
	s.send("q", "1")
	r.step()
	r.log.Refuse = errStop
	s.send("q", "2")
	r.expect(`a disconnected: error 6`)
	r.log.SafeAll()
	r.expect(``)
	if mode, cause := r.shard.Mode(); mode != shard.Ended || cause == nil {
		t.Errorf("mode %s, cause %v", mode, cause)
	}
	b := r.connect("b")
	b.session("b")
	r.expect(`b disconnected: error 219`)
}

func TestDeactivate(t *testing.T) {
	r := newRig(t, rigOptions{})
	a, b := r.connect("a"), r.connect("b")
	s := a.session("s")
	b.session("b")
	r.step()
	r.log.Hold = true
	s.send("q", "1")
	r.step()
	r.shard.Deactivate("the backup takes over")
	r.log.SafeAll()
	r.expect(`
		a disconnected: error 219
		b disconnected: error 219`)
	if err := r.shard.Activate(r.log, r.now); err == nil {
		t.Error("a shard that ended was activated")
	}
}

// While too much waits to become safe, no more is read; the mailbox fills and says so.
func TestBackPressure(t *testing.T) {
	r := newRig(t, rigOptions{mailbox: 4 << 10, shard: func(o *shard.Options) { o.UnsafeMax = 2 << 10 }})
	a := r.connect("a")
	s := a.session("s")
	s.queue("q")
	r.step()
	r.log.Hold = true
	body := strings.Repeat("x", 1000)
	sent, refused := 0, false
	for range 20 {
		s.Send(newMessage(t, "q", body), "", address.RoutingNone, silent)
		if err := a.conn.Post(); err == shard.ErrFull {
			refused = true
			break
		}
		sent++
		r.step()
	}
	if !refused || sent < 3 || sent > 8 {
		t.Fatalf("refused=%t after %d", refused, sent)
	}
	r.expect(``)
	r.log.SafeAll()
	r.expect(`a room`)
	r.log.Hold = false
	a.post()
	s.do(func(tag Tag) { s.QueryQueue("q", tag) })
	r.step()
	if want := int64(sent + 1); r.shard.Office().Queue("q").Messages() != want {
		t.Errorf("%d messages, want %d", r.shard.Office().Queue("q").Messages(), want)
	}
}

func TestDeleteQueueSweepsOrphans(t *testing.T) {
	r := newRig(t, rigOptions{})
	s := r.connect("a").session("s")
	s.queue("q")
	s.CreateQueue(&QueueOptions{Address: "q", Name: "q2", Routing: address.Multicast, Kind: QueueKind{Durable: true}}, silent)
	for range 3000 {
		s.quiet("q", "x")
	}
	s.do(func(tag Tag) { s.DeleteQueue("q", tag) })
	s.do(func(tag Tag) { s.DeleteQueue("q2", tag) })
	r.expect(`
		a delete-queue: ok
		a delete-queue: ok`)
	live := map[journal.RecordID]bool{}
	for _, rec := range r.log.Records() {
		switch rec.Kind {
		case journal.KindAdd:
			live[rec.ID] = true
		case journal.KindDelete:
			delete(live, rec.Target)
		}
	}
	if len(live) != 1 { // the address
		t.Errorf("%d records are left", len(live))
	}
	r.crash(0)
	if a := r.shard.Office().Address("q"); a.Messages() != 0 || a.Bytes() != 0 {
		t.Errorf("%d messages of %d bytes are left", a.Messages(), a.Bytes())
	}
}

// A crash between the queue's deletion and that of its messages: the next active sweeps them.
func TestOrphansAfterCrash(t *testing.T) {
	r := newRig(t, rigOptions{})
	s := r.connect("a").session("s")
	s.queue("q")
	s.quiet("q", "x")
	r.step()
	r.log.Refuse, r.log.Left = journal.ErrBusy, 1
	s.do(func(tag Tag) { s.DeleteQueue("q", tag) })
	r.expect(`a delete-queue: ok`)
	r.log.Refuse = nil
	before := len(r.log.Records())
	r.crash(0)
	r.step()
	records := r.log.Records()
	if len(records) != before+1 || records[before].Kind != journal.KindDelete {
		t.Errorf("%d records became %d", before, len(records))
	}
}

func TestAutoDelete(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	s.send("tmp", "x", with(message.PropRoutingType, message.Byte(1)))
	s.consume(1, "tmp")
	r.step()
	s.ack("x")
	s.do(func(tag Tag) { s.CloseConsumer(1, tag) })
	r.step()
	r.trace = nil
	exists := func() bool { return r.shard.Office().Queue("tmp") != nil }
	r.step()
	r.advance(time.Minute) // clients have time to return
	r.step()
	if !exists() {
		t.Fatal("deleted within the grace")
	}
	for range 6 {
		r.advance(time.Minute)
		r.step()
	}
	if exists() || r.shard.Office().Address("tmp") != nil {
		t.Error("still there")
	}
	r.crash(0)
	if exists() || r.shard.Office().Address("tmp") != nil {
		t.Error("there again after a restart")
	}
}

func TestPurge(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	yes := true
	s.CreateQueue(&QueueOptions{Address: "q", Name: "q", Routing: address.Anycast, PurgeOnNoConsumers: &yes,
		Kind: QueueKind{Durable: true}}, silent)
	for range 2500 {
		s.quiet("q", "x")
	}
	s.CreateConsumer(ConsumerOptions{ID: 1, Queue: "q"}, silent)
	s.Credits(1, 1)
	a.post()
	r.expect(`a gets x consumer=1 count=1`)
	s.do(func(tag Tag) { s.CloseConsumer(1, tag) })
	r.expect(`a close-consumer: ok`)
	q := r.shard.Office().Queue("q")
	if q.Messages() != 0 || q.Counters.Killed != 2500 || q.Counters.Added != 2500 {
		t.Errorf("%d messages, counters %+v", q.Messages(), q.Counters)
	}
	r.crash(0)
	q = r.shard.Office().Queue("q")
	if q.Messages() != 0 || q.Counters.Killed != 2500 || q.Counters.Added != 2500 {
		t.Errorf("after a restart: %d messages, counters %+v", q.Messages(), q.Counters)
	}
}

func TestCountersOverCheckpoint(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	s.queue("q")
	s.consume(1, "q")
	for _, text := range []string{"1", "2", "3"} {
		s.quiet("q", text)
	}
	r.step()
	s.ack("1")
	r.step()
	r.log.Checkpoint(r.shard.Checkpoint())
	s.ack("2")
	r.step()
	want := r.shard.Office().Queue("q").Counters
	if want.Added != 3 || want.Acknowledged != 2 {
		t.Fatalf("counters %+v", want)
	}
	r.crash(0)
	if got := r.shard.Office().Queue("q").Counters; got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
}

// Two brokers in one process share nothing.
func TestTwoBrokers(t *testing.T) {
	x, y := newRig(t, rigOptions{}), newRig(t, rigOptions{})
	xs, ys := x.connect("x").session("s"), y.connect("y").session("s")
	xs.queue("q")
	xs.quiet("q", "only in x", duplicate("d"))
	ys.queue("q")
	ys.quiet("q", "only in y", duplicate("d"))
	xs.consume(1, "q")
	ys.consume(1, "q")
	x.expect(`x gets only in x consumer=1 count=1`)
	y.expect(`y gets only in y consumer=1 count=1`)
}

func TestDeclare(t *testing.T) {
	r := newRig(t, rigOptions{})
	declare := func() {
		for _, o := range []QueueOptions{
			{Address: "topic", Routing: address.Multicast},
			{Address: "orders", Name: "orders", Routing: address.Anycast, Kind: QueueKind{Durable: true}},
		} {
			if err := r.host.Declare(r.shard, &o); err != nil {
				t.Fatal(err)
			}
		}
	}
	declare()
	declare()
	r.step()
	if n := len(r.log.Records()); n != 3 {
		t.Errorf("%d records, want two addresses and a queue", n)
	}
}

var _ shard.Log = (*shardtest.Log)(nil)
