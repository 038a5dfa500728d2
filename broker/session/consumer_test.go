package session

import (
	"testing"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/message"
)

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
