package session

import (
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/journal"
)

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

	r := newRig(t, rigOptions{rules: []rule{{Match: "closed.#", Apply: func(s *address.Settings) {
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
