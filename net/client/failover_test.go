package client

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hindmq/hind/net/core"
	"github.com/hindmq/hind/net/core/coretest"
	"github.com/hindmq/hind/net/core/wire"
)

// proxy stands between a client and a broker. It can hold answers back, and cut.
type proxy struct {
	t        *testing.T
	listener net.Listener
	broker   string

	mu    sync.Mutex
	deaf  bool // what the broker says is dropped
	conns []net.Conn
}

func newProxy(t *testing.T, broker string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, listener: l, broker: broker}
	t.Cleanup(func() { l.Close(); p.cut() })
	go p.serve() // ends with the listener
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		broker, err := net.Dial("tcp", p.broker)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, broker)
		p.mu.Unlock()
		go func() { io.Copy(broker, client); broker.Close() }()
		go func() { io.Copy(answers{p, client}, broker); client.Close() }()
	}
}

// answers is the way back to the client.
type answers struct {
	p  *proxy
	to net.Conn
}

func (a answers) Write(b []byte) (int, error) {
	a.p.mu.Lock()
	deaf := a.p.deaf
	a.p.mu.Unlock()
	if deaf {
		return len(b), nil
	}
	return a.to.Write(b)
}

func (p *proxy) hold(deaf bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = deaf
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// awaitMessages asks until the queue has that many.
func awaitMessages(t *testing.T, s *Session, queue string, want int64) {
	t.Helper()
	for {
		q, err := s.QueryQueue(bounded(t), queue)
		if err != nil {
			t.Fatal(err)
		}
		if q.Messages == want {
			return
		}
	}
}

// An answer is lost with its connection. A message with a duplicate id is sent again and is there once; one without is
// an error that says what is known, and is not sent again.
func TestUnansweredSend(t *testing.T) {
	for _, c := range []struct {
		name     string
		producer ProducerOptions
		id       string
		again    bool
	}{
		{"with the program's id", ProducerOptions{}, "mine", true},
		{"with a random id", ProducerOptions{DuplicateIDs: true}, "", true},
		{"without", ProducerOptions{}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := startBroker(t, coretest.Options{})
			defer b.Close()
			direct := sessionOf(t, connectTo(t, Options{}, b.Addr()), "q")
			way := newProxy(t, b.Addr())
			through := connectTo(t, Options{HA: true, Interval: time.Millisecond}, way.addr())
			p := sessionOf(t, through, "q").NewProducer("q", c.producer)
			send(t, p, "before")
			way.hold(true)
			got := make(chan error)
			go func() { got <- p.Send(bounded(t), &Outgoing{Body: []byte("x"), Durable: true, DuplicateID: c.id}) }()
			awaitMessages(t, direct, "q", 2)
			way.hold(false)
			way.cut()
			if err := <-got; c.again && err != nil || !c.again && !errors.Is(err, ErrUnanswered) {
				t.Errorf("send returned %v", err)
			}
			send(t, p, "after")
			if n := through.Losses(); n != 1 {
				t.Errorf("%d losses", n)
			}
			messages(t, direct, "q", 3)
			k := consume(t, direct, "q", ConsumerOptions{})
			for _, want := range []string{"before", "x", "after"} {
				receive(t, k, want)
			}
		})
	}
}

// After a cut the consumer is there again: what was not acknowledged comes again, with a higher count; an acknowledgement
// of an earlier connection's message is refused here and settles nothing.
func TestConsumerAfterCut(t *testing.T) {
	b := startBroker(t, coretest.Options{})
	defer b.Close()
	way := newProxy(t, b.Addr())
	c := connectTo(t, Options{Reconnect: time.Minute, Interval: time.Millisecond}, way.addr())
	s := sessionOf(t, c, "q")
	p := s.NewProducer("q", ProducerOptions{})
	for _, body := range []string{"0", "1", "2"} {
		send(t, p, body)
	}
	k := consume(t, s, "q", ConsumerOptions{})
	if err := k.Ack(bounded(t), receive(t, k, "0")); err != nil {
		t.Fatal(err)
	}
	old := receive(t, k, "1")
	way.cut()
	again := receive2(t, k, "1", old)
	if err := k.Ack(bounded(t), old); !errors.Is(err, ErrStale) {
		t.Errorf("an old message: %v", err)
	}
	if again.DeliveryCount < 2 {
		t.Errorf("delivery %d of the second time", again.DeliveryCount)
	}
	if err := k.Ack(bounded(t), receive(t, k, "2")); err != nil {
		t.Error(err)
	}
	messages(t, s, "q", 0)
}

// receive2 receives body on another connection than old's. What had come before the cut was noticed may be taken first.
func receive2(t *testing.T, k *Consumer, body string, old *Message) *Message {
	t.Helper()
	for {
		m, err := k.Receive(bounded(t))
		if err != nil {
			t.Fatal(err)
		}
		if m.link == old.link {
			continue
		}
		if string(m.Body()) != body {
			t.Fatalf("got %q, want %q", m.Body(), body)
		}
		return m
	}
}

// connector is how a broker is told of in the topology.
func connector(t *testing.T, address string) wire.Optional[wire.Connector] {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return wire.Some(wire.TCPConnector(address, host, port))
}

// The active dies; its backup, which only the topology names, has the queues (here: a queue of the same name). Sends that
// wait and a consumer that waits go on there.
func TestFailover(t *testing.T) {
	active, backup := startBroker(t, coretest.Options{}), startBroker(t, coretest.Options{})
	defer backup.Close()
	active.Topology.Publish(core.Snapshot{Members: []core.Member{{NodeID: "n", EventUID: 1, Primary: connector(t, active.Addr()), Backup: connector(t, backup.Addr())}}})
	backup.Topology.Publish(core.Snapshot{Members: []core.Member{{NodeID: "n", EventUID: 2, Primary: connector(t, backup.Addr())}}})
	sessionOf(t, connectTo(t, Options{}, backup.Addr()), "q")
	c := connectTo(t, Options{HA: true, Interval: time.Millisecond}, active.Addr())
	s := sessionOf(t, c, "q")
	p, k := s.NewProducer("q", ProducerOptions{DuplicateIDs: true}), consume(t, s, "q", ConsumerOptions{})
	send(t, p, "first")
	receive(t, k, "first")
	waiting := make(chan *Message)
	go func() {
		m, err := k.Receive(bounded(t))
		if err != nil {
			t.Error(err)
		}
		waiting <- m
	}()
	if err := active.Close(); err != nil {
		t.Error(err)
	}
	send(t, p, "second")
	m := <-waiting
	if string(m.Body()) != "second" {
		t.Errorf("got %q", m.Body())
	}
	if err := k.Ack(bounded(t), m); err != nil {
		t.Error(err)
	}
	if c.Address() != backup.Addr() || c.Losses() != 1 || len(c.Topology()) != 1 || c.Topology()[0].Primary != backup.Addr() {
		t.Errorf("at %s after %d losses, %+v", c.Address(), c.Losses(), c.Topology())
	}
}

// A consumer whose queue is gone after the failover ends by itself; the rest of the session goes on.
func TestFailoverWithoutQueue(t *testing.T) {
	active, backup := startBroker(t, coretest.Options{}), startBroker(t, coretest.Options{})
	defer backup.Close()
	c := connectTo(t, Options{Reconnect: time.Minute, Interval: time.Millisecond}, active.Addr(), backup.Addr())
	s := sessionOf(t, c, "q")
	k := consume(t, s, "q", ConsumerOptions{})
	if err := active.Close(); err != nil {
		t.Error(err)
	}
	if _, err := k.Receive(bounded(t)); !refusedWith(err, wire.CodeQueueDoesNotExist) {
		t.Errorf("%v", err)
	}
	send(t, s.NewProducer("q", ProducerOptions{}), "x")
}

// Nobody is left: calls end when the time for the search is over, or at once if there is none.
func TestNobodyLeft(t *testing.T) {
	for _, reconnect := range []time.Duration{0, 50 * time.Millisecond} {
		b := startBroker(t, coretest.Options{})
		c := connectTo(t, Options{Reconnect: reconnect, Interval: time.Millisecond}, b.Addr())
		s := sessionOf(t, c, "q")
		k := consume(t, s, "q", ConsumerOptions{})
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if _, err := k.Receive(bounded(t)); !errors.Is(err, ErrLost) {
			t.Errorf("receive: %v", err)
		}
		if err := s.NewProducer("q", ProducerOptions{DuplicateIDs: true}).Send(bounded(t), &Outgoing{}); !errors.Is(err, ErrLost) {
			t.Errorf("send: %v", err)
		}
		if _, err := Dial(bounded(t), []string{b.Addr()}, Options{}); err == nil {
			t.Error("nobody there is no error")
		}
	}
}

// A broker that has stopped, with its sockets open, is noticed by its silence; one that never speaks, by the time for an
// attempt.
func TestSilence(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes connections that nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	if _, err := Dial(bounded(t), []string{mute.Addr().String()}, Options{Connect: 50 * time.Millisecond}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a mute broker: %v", err)
	}
	b := startBroker(t, coretest.Options{})
	defer b.Close()
	way := newProxy(t, b.Addr())
	c := connectTo(t, Options{Silence: 300 * time.Millisecond}, way.addr())
	k := consume(t, sessionOf(t, c, "q"), "q", ConsumerOptions{})
	way.hold(true)
	if _, err := k.Receive(bounded(t)); !errors.Is(err, ErrLost) || !errors.Is(err, errSilent) {
		t.Errorf("a silent broker: %v", err)
	}
}
