package session

import (
	"testing"
	"time"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/message"
)

func TestSendAndAcknowledge(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	s.queue("q")
	s.consume(1, "q")
	s.send("q", "one")
	s.send("q", "two")
	r.expect(`
		a send: ok
		a send: ok
		a gets one consumer=1 count=1
		a gets two consumer=1 count=1`)
	s.ack("two")
	r.expect(`a ack: ok`)
	s.do(func(tag Tag) { s.QueryQueue("q", tag) })
	r.expect(`a queue q exists=true address=q consumers=1 messages=0`)
	r.crash(0)
	b := r.connect("b")
	bs := b.session("s")
	bs.consume(1, "q")
	bs.do(func(tag Tag) { bs.ForceDelivery(1, 7, tag) })
	r.expect(`b marker consumer=1 seq=7 queue=q`)
}

// Nothing is answered or visible before it is safe, and what has no record waits behind what has.
func TestNothingBeforeSafe(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	s.queue("q")
	s.consume(1, "q")
	r.expect(``)
	r.log.Hold = true
	s.send("q", "durable")
	s.send("q", "passing", nonDurable)
	s.do(func(tag Tag) { s.QueryQueue("q", tag) })
	r.expect(``)
	b := r.connect("b")
	other := b.session("t")
	other.send("q", "other", nonDurable) // another session does not wait
	r.expect(`
		b send: ok
		a gets other consumer=1 count=1`)
	r.log.SafeAll()
	r.expect(`
		a send: ok
		a send: ok
		a queue q exists=true address=q consumers=1 messages=2
		a gets durable consumer=1 count=1
		a gets passing consumer=1 count=1`)
}

func TestConfirmsAndLease(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	s.queue("q")
	s.consume(1, "q")
	r.expect(``)
	r.shard.SetConfirms(false) // the pair is blocked: records go into the log, answers do not go out
	s.send("q", "held")
	r.expect(``)
	r.shard.SetDeliveries(false) // and the lease has run out
	r.shard.SetConfirms(true)
	s.send("q", "passing", nonDurable)
	r.expect(`a send: ok`)
	r.shard.SetDeliveries(true)
	r.expect(`
		a send: ok
		a gets held consumer=1 count=1
		a gets passing consumer=1 count=1`)
}

func TestRoundRobinAndPriorities(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	s.queue("q")
	for _, m := range []struct {
		text     string
		priority uint8
	}{{"low", 0}, {"normal", 4}, {"high", 9}, {"normal2", 4}} {
		s.quiet("q", m.text, withPriority(m.priority))
	}
	r.step()
	s.consume(1, "q")
	s.consume(2, "q")
	r.expect(`
		a gets high consumer=1 count=1
		a gets normal consumer=2 count=1
		a gets normal2 consumer=1 count=1
		a gets low consumer=2 count=1`)
}

func TestCredits(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	s.queue("q")
	s.CreateConsumer(ConsumerOptions{ID: 1, Queue: "q"}, silent)
	for _, text := range []string{"1111", "2222", "3333"} {
		s.quiet("q", text)
	}
	r.expect(``)
	credit := func(n int32) {
		s.Credits(1, n)
		a.post()
	}
	credit(1) // any positive balance lets one out; the balance goes below zero
	r.expect(`a gets 1111 consumer=1 count=1`)
	credit(3)
	r.expect(``)
	credit(0)
	credit(1)
	r.expect(`a gets 2222 consumer=1 count=1`)
	credit(-1)
	r.expect(`a gets 3333 consumer=1 count=1`)
}

func TestStoppedSession(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	s.queue("q")
	s.consume(1, "q")
	s.do(s.Stop)
	s.send("q", "x")
	r.expect(`
		a stop: ok
		a send: ok`)
	s.do(func(tag Tag) { s.ForceDelivery(1, 1, tag) })
	r.expect(`a marker consumer=1 seq=1 queue=q`)
	s.do(s.Start)
	r.expect(`
		a start: ok
		a gets x consumer=1 count=1`)
}

func TestHighWater(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s")
	s.queue("q")
	s.consume(1, "q")
	a.queued = DefaultOptions().OutboundHighWater
	s.send("q", "x")
	s.do(func(tag Tag) { s.ForceDelivery(1, 1, tag) })
	r.expect(`a send: ok`)
	a.queued--
	a.conn.Writable()
	r.expect(`
		a gets x consumer=1 count=1
		a marker consumer=1 seq=1 queue=q`)
}

func TestRollbackOrderAndCounts(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s", transacted)
	s.queue("q")
	producer := r.connect("p").session("p")
	for _, text := range []string{"1", "2", "3", "4"} {
		producer.quiet("q", text)
	}
	s.consume(1, "q")
	r.expect(`
		a gets 1 consumer=1 count=1
		a gets 2 consumer=1 count=1
		a gets 3 consumer=1 count=1
		a gets 4 consumer=1 count=1`)
	s.ack("2")
	s.do(func(tag Tag) { s.Rollback(false, tag) })
	r.expect(`
		a ack: ok
		a rollback: ok
		a gets 1 consumer=1 count=2
		a gets 2 consumer=1 count=2
		a gets 3 consumer=1 count=1
		a gets 4 consumer=1 count=1`)
	s.ack("1")
	s.do(func(tag Tag) { s.Rollback(true, tag) }) // 2 was the last that the client saw
	r.expect(`
		a ack: ok
		a rollback: ok
		a gets 1 consumer=1 count=3
		a gets 2 consumer=1 count=3
		a gets 3 consumer=1 count=1
		a gets 4 consumer=1 count=1`)
	s.ack("3")
	s.do(s.Commit)
	r.expect(`
		a ack: ok
		a commit: ok`)
	r.crash(0) // 4 was delivered uncounted
	b := r.connect("b").session("s")
	b.consume(1, "q")
	r.expect(`b gets 4 consumer=1 count=1`)
}

func TestCountsSurvive(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s", transacted)
	s.queue("q")
	r.connect("p").session("p").quiet("q", "x")
	s.consume(1, "q")
	r.step()
	s.ack("x")
	s.do(func(tag Tag) { s.Rollback(false, tag) })
	r.step()
	r.crash(0)
	b := r.connect("b").session("s")
	b.consume(1, "q")
	r.expect(`b gets x consumer=1 count=2`)
}

func TestTransactedSends(t *testing.T) {
	r := newRig(t, rigOptions{})
	a := r.connect("a")
	s := a.session("s", transacted)
	s.queue("q")
	s.send("q", "1")
	s.send("q", "2")
	c := r.connect("c").session("c")
	c.consume(1, "q")
	r.expect(`
		a send: ok
		a send: ok`)
	s.do(s.Commit)
	r.expect(`
		a commit: ok
		c gets 1 consumer=1 count=1
		c gets 2 consumer=1 count=1`)
	s.send("q", "3")
	s.do(func(tag Tag) { s.Rollback(false, tag) })
	s.do(s.Commit)
	r.expect(`
		a send: ok
		a rollback: ok
		a commit: ok`)
}

// A transaction that does not fit one Append is tied by its commit record: a crash before that leaves nothing of it.
func TestLargeTransaction(t *testing.T) {
	body := string(make([]byte, 20<<10))
	for _, whole := range []bool{false, true} {
		r := newRig(t, rigOptions{})
		s := r.connect("a").session("s", transacted)
		s.queue("q")
		r.step()
		for range 10 {
			s.send("q", body)
		}
		s.do(s.Commit)
		if !whole { // the log stops half-way
			r.log.Refuse, r.log.Left = errStop, 3
		}
		r.step()
		r.log.Refuse = nil
		r.crash(100)
		q := r.connect("b").session("s")
		q.do(func(tag Tag) { q.QueryQueue("q", tag) })
		want := "b queue q exists=true address=q consumers=0 messages=0"
		if whole {
			want = "b queue q exists=true address=q consumers=0 messages=10"
		}
		r.expect(want)
	}
}

func TestExpiry(t *testing.T) {
	r := newRig(t, rigOptions{rules: []rule{{Match: "q", Apply: func(s *address.Settings) { s.ExpiryAddress = "expired" }}}})
	a := r.connect("a")
	s := a.session("s")
	s.queue("q")
	s.queue("expired")
	s.quiet("q", "old", expiring(startWall+1000))
	s.quiet("q", "fresh")
	s.quiet("q", "client", expiring(startWall+5000))
	r.step()
	r.advance(time.Second)
	s.consume(1, "q")
	s.consume(2, "expired")
	r.expect(`
		a gets fresh consumer=1 count=1
		a gets client consumer=1 count=1
		a gets old consumer=2 count=1`)
	g := a.last("client") // the client's clock is ahead
	s.do(func(tag Tag) { s.Expire(g.consumer, g.id, tag) })
	r.expect(`
		a expire: ok
		a gets client consumer=2 count=1`)
	m := a.last("old").message
	if m.Expiration() != 0 || m.Address() != "expired" {
		t.Errorf("copy: expiration %d, address %q", m.Expiration(), m.Address())
	}
	for name, want := range map[string]string{message.PropOrigAddress: "q", message.PropOrigQueue: "q"} {
		if v, ok := m.Property(name); !ok || v.Text() != want {
			t.Errorf("%s = %q, %t", name, v.Text(), ok)
		}
	}
	if v, _ := m.Property(message.PropActualExpiry); v.Int() != startWall+1000 {
		t.Errorf("actual expiry %d", v.Int())
	}
}

func TestDeadLetters(t *testing.T) {
	r := newRig(t, rigOptions{rules: []rule{{Match: "q", Apply: func(s *address.Settings) {
		s.DeadLetterAddress, s.MaxDeliveryAttempts = "dead", 2
	}}}})
	a := r.connect("a")
	s := a.session("s", transacted)
	s.queue("q")
	s.queue("dead")
	r.connect("p").session("p").quiet("q", "poison", with(message.PropRoutingType, message.Byte(1)),
		with(message.PropDuplicateID, message.String("d")), with("kept", message.Int(7)))
	s.consume(1, "q")
	r.step()
	id := a.last("poison").id
	for range 2 {
		s.ack("poison")
		s.do(func(tag Tag) { s.Rollback(false, tag) })
		r.step()
	}
	r.trace = nil
	d := r.connect("d")
	ds := d.session("d")
	ds.consume(1, "dead")
	r.expect(`d gets poison consumer=1 count=1`)
	m := d.last("poison").message
	if v, _ := m.Property(message.PropOrigMessageID); v.Int() != id {
		t.Errorf("original id %d, want %d", v.Int(), id)
	}
	if v, _ := m.Property(message.PropOrigRoutingType); v.Int() != 1 {
		t.Errorf("original routing type %d", v.Int())
	}
	if v, _ := m.Property("kept"); v.Int() != 7 {
		t.Errorf("property kept = %d", v.Int())
	}
	if _, ok := m.Property(message.PropRoutingType); ok {
		t.Error("the copy still says how the original was routed")
	}
	for range 2 { // the copy is not a duplicate of itself, and survives alone
		r.crash(0)
		q := r.connect("e").session("e")
		q.do(func(tag Tag) { q.QueryQueue("q", tag) })
		q.do(func(tag Tag) { q.QueryQueue("dead", tag) })
		r.expect(`
			e queue q exists=true address=q consumers=0 messages=0
			e queue dead exists=true address=dead consumers=0 messages=1`)
	}
}

// Copy and removal are one: whatever page is lost, the message is in exactly one of the queues.
func TestDeadLetterIsAtomic(t *testing.T) {
	for beyond := range uint32(8) {
		r := newRig(t, rigOptions{rules: []rule{{Match: "q", Apply: func(s *address.Settings) {
			s.DeadLetterAddress, s.MaxDeliveryAttempts = "dead", 1
		}}}})
		a := r.connect("a")
		s := a.session("s", transacted)
		s.queue("q")
		s.queue("dead")
		r.connect("p").session("p").quiet("q", "poison")
		s.consume(1, "q")
		r.step()
		r.log.Hold = true
		s.ack("poison")
		s.do(func(tag Tag) { s.Rollback(false, tag) })
		r.step()
		r.crash(beyond)
		total := int64(0)
		for _, as := range r.shard.Stats().Addresses {
			total += as.Queues[0].Messages
		}
		if total != 1 {
			t.Fatalf("%d pages beyond safe: %d messages", beyond, total)
		}
	}
}
