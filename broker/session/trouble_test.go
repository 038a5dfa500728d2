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
