package session

import (
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/broker/shard/shardtest"
	"github.com/hindmq/hind/journal"
)

type onlyConsume struct{}

func (onlyConsume) Authenticate(user, password string) (Identity, error) {
	if password != "right" {
		return nil, errStop
	}
	return reader{}, nil
}

type reader struct{}

func (reader) Name() string { return "reader" }

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
	r := newRig(t, rigOptions{rules: []rule{{Match: "q", Apply: func(s *address.Settings) {
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

var _ shard.Log = (*shardtest.Log)(nil)

// A transaction of several groups that meets a full journal half-way is rolled back, in the log too; one that meets a busy
// journal goes on where it stopped, and nothing else gets between.
func TestLargeTransactionInTrouble(t *testing.T) {
	body := strings.Repeat("x", 20<<10)
	for _, trouble := range []error{journal.ErrFull, journal.ErrBusy} {
		r := newRig(t, rigOptions{})
		s := r.connect("a").session("s", transacted)
		s.queue("q")
		r.step()
		for range 10 {
			s.quiet("q", body)
		}
		r.log.Refuse, r.log.Left = trouble, 2
		s.do(s.Commit)
		other := r.connect("b").session("b")
		other.quiet("q", "other")
		want := int64(11)
		if trouble == journal.ErrFull {
			r.expect(`a commit: error 210`)
			want = 0
		} else {
			r.expect(``)
			r.log.Refuse = nil
			r.expect(`a commit: ok`)
			records := r.log.Records()
			for i := len(records) - 12; i < len(records)-1; i++ {
				if records[i].Tx == 0 {
					t.Errorf("record %d got into the transaction", i)
				}
			}
		}
		r.log.Refuse = nil
		kinds := map[journal.Kind]int{}
		for _, rec := range r.log.Records() {
			kinds[rec.Kind]++
		}
		if kinds[journal.KindCommit]+kinds[journal.KindRollback] != 1 || kinds[journal.KindCommit] != int(want/11) {
			t.Errorf("%v: %d commits, %d rollbacks", trouble, kinds[journal.KindCommit], kinds[journal.KindRollback])
		}
		r.crash(0)
		if got := r.shard.Office().Queue("q").Messages(); got != want {
			t.Errorf("%v: %d messages, want %d", trouble, got, want)
		}
	}
}

// While a transaction is half appended nothing else appends: here a message that the transaction settles in one queue
// expires in another, and its record must not go before the commit.
func TestNothingBetweenTheHalves(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s", transacted)
	for _, name := range []string{"one", "two"} {
		s.CreateQueue(&QueueOptions{Address: "topic", Name: name, Routing: address.Multicast, Kind: QueueKind{Durable: true}}, silent)
	}
	s.queue("q")
	s.consume(1, "one")
	r.connect("p").session("p").quiet("topic", "x", expiring(startWall+1000))
	r.expect(`a gets x consumer=1 count=1`)
	b := r.connect("b")
	b.queued = DefaultOptions().OutboundHighWater
	b.session("b").consume(1, "two")
	r.step()
	for range 10 {
		s.quiet("q", strings.Repeat("x", 20<<10))
	}
	s.ack("x")
	r.log.Refuse, r.log.Left, r.log.Small = journal.ErrBusy, 1, 1000 // small records would still be taken
	s.do(s.Commit)
	r.expect(`a ack: ok`)
	r.advance(2 * time.Second)
	b.queued = 0
	b.conn.Writable()
	r.expect(``)
	r.crash(100)
	if got := r.shard.Office().Queue("one").Messages(); got != 1 {
		t.Errorf("%d messages in the queue whose settlement was never committed", got)
	}
}

// What a client made is safe before it is told so, and before anybody else is told that it exists already.
func TestCreationIsSafe(t *testing.T) {
	r := newRig(t, rigOptions{})
	s := r.connect("a").session("s")
	other := r.connect("b").session("b")
	s.CreateAddress("topic", address.SetOf(address.Multicast), false, silent)
	s.peer.post()
	r.step()
	r.log.Hold = true
	shared := &QueueOptions{Address: "topic", Name: "sub", Routing: address.Multicast, Kind: QueueKind{Durable: true, Shared: true}}
	s.do(func(tag Tag) { s.CreateQueue(shared, tag) })
	other.do(func(tag Tag) { other.CreateQueue(shared, tag) })
	other.do(func(tag Tag) { other.CreateAddress("topic", address.SetOf(address.Multicast), false, tag) })
	r.expect(``)
	r.log.SafeAll()
	r.expect(`
		a create-queue: ok
		b create-queue: ok
		b create-address: ok`)
	s.do(func(tag Tag) { s.DeleteQueue("sub", tag) })
	r.expect(``)
	r.log.SafeAll()
	r.expect(`a delete-queue: ok`)
}
