package demo

import (
	"net"
	"testing"
	"time"

	"github.com/hindmq/hind/net/core/coretest"
	"github.com/hindmq/hind/net/core/wire"
)

// startBroker starts one that keeps its journal in memory, with the queue of the load.
func startBroker(t *testing.T) *coretest.Broker {
	t.Helper()
	b, err := coretest.Start(coretest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := dial(t.Context(), b.Addr(), "setup")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	c.add(channelSession, &wire.CreateQueue{Address: queueName, Name: queueName, Durable: true, RoutingType: wire.RoutingAnycast, MaxConsumers: -1,
		RequiresResponse: true})
	if err := c.await(func(p wire.Packet) bool { _, ok := p.(*wire.NullResponse); return ok }); err != nil {
		t.Fatal(err)
	}
	return b
}

// Of two addresses clients find the one that serves; what they send comes once, in order, and the end waits for all of it.
func TestLoad(t *testing.T) {
	b := startBroker(t)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := nobody.Addr().String()
	if err := nobody.Close(); err != nil {
		t.Fatal(err)
	}
	l := startLoad("run", [2]string{dead, b.Addr()}, 3, 200)
	defer l.close()
	<-l.ledger.awaitFailover(0)
	begun := time.Now()
	l.finish(patience)
	c := l.counts()
	if time.Since(begun) >= patience || !l.ledger.drained() {
		t.Fatalf("not drained: %+v", c)
	}
	if !c.Clean() || c.Acknowledged < 3 || c.Delivered != c.Acknowledged {
		t.Errorf("%+v", c)
	}
}

// A send that is repeated because its answer was lost counts as confirmed and is there once; a foreign message is seen.
func TestRepeatedSend(t *testing.T) {
	b := startBroker(t)
	c, err := dial(t.Context(), b.Addr(), "twice")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	m := encode(nil, "run", 0, 1, make([]byte, 64))
	for range 2 {
		if err := c.send(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.send(encode(nil, "run", 0, 9, make([]byte, 65))); err != nil { // of another size than this run's
		t.Fatal(err)
	}
	l := &load{run: "run", addrs: [2]string{b.Addr(), b.Addr()}, size: 64, ledger: newLedger(1), enough: make(chan struct{}), ctx: t.Context(), cancel: func() {}}
	l.ledger.start(0, 1)
	l.ledger.confirm(0, 1, 0, time.Now())
	consumer, err := dial(t.Context(), b.Addr(), "consumer")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { // ends with its connection
		defer close(ended)
		l.drain(consumer)
	}()
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	for c := l.counts(); c.Damaged == 0 || !l.ledger.drained(); c = l.counts() {
		select {
		case <-look.C:
		case <-t.Context().Done():
			t.Fatalf("%+v", c)
		}
	}
	consumer.close()
	<-ended
	if c := l.counts(); c != (Counts{Acknowledged: 1, Delivered: 1, Damaged: 1}) {
		t.Errorf("%+v", c)
	}
}
