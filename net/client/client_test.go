package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core"
	"github.com/hindmq/hind/net/core/coretest"
	"github.com/hindmq/hind/net/core/wire"
)

// bounded is a context that ends before the test binary's own limit.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func startBroker(t *testing.T, o coretest.Options) *coretest.Broker {
	t.Helper()
	b, err := coretest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func connectTo(t *testing.T, o Options, urls ...string) *Client {
	t.Helper()
	c, err := Dial(bounded(t), urls, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func sessionOf(t *testing.T, c *Client, queue string) *Session {
	t.Helper()
	s, err := c.NewSession(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.EnsureQueue(bounded(t), queue); err != nil {
		t.Fatal(err)
	}
	return s
}

func consume(t *testing.T, s *Session, queue string, o ConsumerOptions) *Consumer {
	t.Helper()
	k, err := s.NewConsumer(bounded(t), queue, o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func send(t *testing.T, p *Producer, body string) {
	t.Helper()
	if err := p.Send(bounded(t), &Outgoing{Body: []byte(body), Durable: true}); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, k *Consumer, body string) *Message {
	t.Helper()
	m, err := k.Receive(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	if string(m.Body()) != body {
		t.Fatalf("got %q, want %q", m.Body(), body)
	}
	return m
}

func messages(t *testing.T, s *Session, queue string, want int64) {
	t.Helper()
	if q, err := s.QueryQueue(bounded(t), queue); err != nil || !q.Exists || q.Messages != want {
		t.Errorf("%+v, %v; want %d messages", q, err, want)
	}
}

// What is sent arrives as it was sent, in order; what was acknowledged is gone and what was not comes again, to whoever
// asks next.
func TestSendReceiveAck(t *testing.T) {
	for _, kind := range []string{"plain", "gnet"} {
		t.Run(kind, func(t *testing.T) {
			b := startBroker(t, coretest.Options{Transport: kind})
			c := connectTo(t, Options{}, "tcp://"+b.Addr())
			s := sessionOf(t, c, "q")
			p := s.NewProducer("q", ProducerOptions{})
			err := p.Send(bounded(t), &Outgoing{Body: []byte("0"), Type: message.TypeBytes, Durable: true, Priority: 4, Timestamp: 7, DuplicateID: "d",
				Properties: []message.Property{{Name: "color", Value: message.String("red")}}})
			if err != nil {
				t.Fatal(err)
			}
			send(t, p, "1")
			send(t, p, "2")
			k := consume(t, s, "q", ConsumerOptions{})
			m := receive(t, k, "0")
			color, _ := m.Property("color")
			if m.Type() != message.TypeBytes || !m.Durable() || m.Timestamp() != 7 || m.DeliveryCount != 1 || color.Text() != "red" || len(m.DuplicateID()) == 0 {
				t.Errorf("%+v, %q", m.Header(), color.Text())
			}
			m = receive(t, k, "1")
			if err := k.Ack(bounded(t), m); err != nil { // and the one before
				t.Fatal(err)
			}
			receive(t, k, "2")
			if err := k.Close(bounded(t)); err != nil {
				t.Fatal(err)
			}
			if _, err := k.Receive(bounded(t)); !errors.Is(err, ErrClosed) {
				t.Errorf("a closed consumer: %v", err)
			}
			messages(t, s, "q", 1)
			again := receive(t, consume(t, s, "q", ConsumerOptions{}), "2")
			if again.DeliveryCount != 1 { // an orderly close gives it back as if it had not been delivered
				t.Errorf("delivery %d, want the first", again.DeliveryCount)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A window smaller than the messages, and many senders at once on one connection: nothing stalls, nothing is lost.
func TestSmallWindowAndManySenders(t *testing.T) {
	const senders, each = 8, 50
	b := startBroker(t, coretest.Options{})
	defer b.Close()
	c := connectTo(t, Options{}, b.Addr())
	s := sessionOf(t, c, "q")
	p := s.NewProducer("q", ProducerOptions{})
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			for n := range each {
				if err := p.Send(bounded(t), &Outgoing{Body: fmt.Appendf(make([]byte, 2000), "%d/%d", i, n), Durable: n%2 == 0}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	k := consume(t, s, "q", ConsumerOptions{Window: 1000})
	seen := map[string]bool{}
	for range senders * each {
		m, err := k.Receive(bounded(t))
		if err != nil {
			t.Fatal(err)
		}
		seen[string(m.Body())] = true
		if err := k.Ack(bounded(t), m); err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	if len(seen) != senders*each {
		t.Errorf("%d different messages", len(seen))
	}
	messages(t, s, "q", 0)
}

// door lets one user in.
type door struct{}

func (door) Authenticate(user, password string) (session.Identity, error) {
	if user != "u" || password != "secret" {
		return nil, errors.New("unknown user or wrong password")
	}
	return session.Everyone{}.Authenticate(user, password)
}

func TestLogin(t *testing.T) {
	b := startBroker(t, coretest.Options{Authority: door{}})
	defer b.Close()
	for _, password := range []string{"", "guess"} {
		_, err := Dial(bounded(t), []string{b.Addr()}, Options{User: "u", Password: password})
		if !refusedWith(err, wire.CodeSecurity) {
			t.Errorf("password %q: %v", password, err)
		}
	}
	connectTo(t, Options{User: "u", Password: "secret"}, b.Addr())
}

// What the broker refuses is an error of the call with the broker's code, and the session goes on.
func TestRefusals(t *testing.T) {
	b := startBroker(t, coretest.Options{})
	defer b.Close()
	s := sessionOf(t, connectTo(t, Options{}, b.Addr()), "q")
	if _, err := s.NewConsumer(bounded(t), "missing", ConsumerOptions{}); !refusedWith(err, wire.CodeQueueDoesNotExist) {
		t.Errorf("a queue that is missing: %v", err)
	}
	p := s.NewProducer("q", ProducerOptions{})
	late := time.Now().Add(time.Hour).UnixMilli()
	err := p.Send(bounded(t), &Outgoing{Properties: []message.Property{{Name: message.PropScheduled, Value: message.Long(late)}}})
	if !refusedWith(err, wire.CodeNotImplemented) {
		t.Errorf("a scheduled message: %v", err)
	}
	for _, m := range []*Outgoing{
		{Body: make([]byte, message.BodySizeMax+1)},
		{Properties: []message.Property{{Name: "p", Value: message.Bytes(make([]byte, message.EncodeSizeMax))}}},
	} {
		if err := p.Send(bounded(t), m); !errors.Is(err, ErrTooLarge) {
			t.Errorf("a message that is too large: %v", err)
		}
	}
	if q, err := s.QueryQueue(bounded(t), "missing"); err != nil || q.Exists {
		t.Errorf("%+v, %v", q, err)
	}
	send(t, p, "x")
	if err := s.Close(bounded(t)); err != nil {
		t.Error(err)
	}
	if err := p.Send(bounded(t), &Outgoing{}); !errors.Is(err, ErrClosed) {
		t.Errorf("send on a closed session: %v", err)
	}
}

// Calls end with their context, and with Close.
func TestEnds(t *testing.T) {
	b := startBroker(t, coretest.Options{})
	defer b.Close()
	c := connectTo(t, Options{}, b.Addr())
	s := sessionOf(t, c, "q")
	k := consume(t, s, "q", ConsumerOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	got := make(chan error)
	go func() { _, err := k.Receive(ctx); got <- err }()
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	go func() { _, err := k.Receive(bounded(t)); got <- err }()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-got; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := s.NewProducer("q", ProducerOptions{}).Send(bounded(t), &Outgoing{}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := c.NewSession(bounded(t)); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

func TestTopology(t *testing.T) {
	b := startBroker(t, coretest.Options{})
	defer b.Close()
	publish := func(event int64, backup string) {
		b.Topology.Publish(core.Snapshot{Members: []core.Member{{NodeID: "n", EventUID: event,
			Primary: wire.Some(wire.TCPConnector("p", "127.0.0.1", "1001")), Backup: wire.Some(wire.TCPConnector("b", backup, "1002"))}}})
	}
	publish(5, "127.0.0.2")
	c := connectTo(t, Options{}, b.Addr())
	if m := c.Topology(); len(m) != 1 || m[0].NodeID != "n" || m[0].Primary != "127.0.0.1:1001" || m[0].Backup != "127.0.0.2:1002" {
		t.Errorf("%+v", m)
	}
	publish(4, "127.0.0.4") // older
	publish(6, "127.0.0.6")
	sessionOf(t, c, "q") // its answers come after the topology
	if m := c.Topology(); len(m) != 1 || m[0].Backup != "127.0.0.6:1002" {
		t.Errorf("%+v", m)
	}
}

func TestAddresses(t *testing.T) {
	for s, want := range map[string]string{
		"tcp://h:1": "h:1", "h:1": "h:1", "tcp://h": "h:61616", "tcp://[::1]:5": "[::1]:5", "tcp://h:1/": "h:1",
	} {
		if got, err := addressOf(s); err != nil || got != want {
			t.Errorf("%s: %s, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "h", "ssl://h:1", "tcp://u:p@h:1", "tcp://h:0", "tcp://h:99999", "tcp://h:1?ha=true", "tcp://h:1/x", "(tcp://a:1,tcp://b:2)", ":1", "tcp://:1"} {
		if got, err := addressOf(s); err == nil {
			t.Errorf("%s: %s", s, got)
		}
	}
	if _, err := Dial(bounded(t), nil, Options{}); err == nil {
		t.Error("no address is no error")
	}
}
