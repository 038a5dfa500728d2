package session

import (
	"strings"
	"testing"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/shard"
)

func duplicate(id string) sendOption { return with(message.PropDuplicateID, message.String(id)) }

func TestDuplicates(t *testing.T) {
	r := newRig(t, rigOptions{rules: []rule{{Match: "small", Apply: func(s *address.Settings) { s.IDCacheSize = 2 }}}})
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
		r := newRig(t, rigOptions{rules: []rule{{Match: "q", Apply: func(s *address.Settings) { s.MaxSizeBytes = c.limit }}}})
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
