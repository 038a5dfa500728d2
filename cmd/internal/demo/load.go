package demo

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/net/core/wire"
)

// retryInterval is how long a client waits when neither broker lets it in.
const retryInterval = 10 * time.Millisecond

// load is the clients of one run.
type load struct {
	run    string // part of the duplicate ids
	addrs  [2]string
	size   int // of a body
	ledger *ledger

	ctx       context.Context // ends everything at once
	cancel    context.CancelFunc
	enough    chan struct{} // closed: producers end after the send they are at
	producers sync.WaitGroup
	consumer  sync.WaitGroup
}

// startLoad starts the clients. They end at stop.
func startLoad(run string, addrs [2]string, producers, size int) *load {
	l := &load{run: run, addrs: addrs, size: size, ledger: newLedger(producers), enough: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.consumer.Go(l.consume) // owner: load; ends when cancelled, close waits
	for i := range producers {
		l.producers.Go(func() { l.produce(i) }) // owner: load; ends at enough or when cancelled, close waits
	}
	return l
}

// connect tries both brokers in turn, first the other one than before, until one lets the client in. nil: cancelled.
func (l *load) connect(name string, before int) (*conn, int) {
	for at := before; l.ctx.Err() == nil; {
		at = 1 - at
		if c, err := dial(l.ctx, l.addrs[at], name); err == nil {
			return c, at
		}
		if at == before {
			select {
			case <-l.ctx.Done():
			case <-time.After(retryInterval):
			}
		}
	}
	return nil, before
}

// produce sends 1, 2, 3, ... and goes on to the next number only when the one before is confirmed.
func (l *load) produce(producer int) {
	var c *conn
	var encoded []byte
	at, body := 1, make([]byte, l.size)
	defer func() {
		if c != nil {
			c.close()
		}
	}()
	for seq := uint64(1); ; {
		if c == nil {
			if c, at = l.connect(fmt.Sprintf("%s-producer-%d", l.run, producer), at); c == nil {
				return
			}
		}
		encoded = encode(encoded[:0], l.run, producer, seq, body)
		l.ledger.start(producer, seq)
		if err := c.send(encoded); err != nil {
			c.close()
			c = nil
			continue
		}
		l.ledger.confirm(producer, seq, at, time.Now())
		seq++
		select {
		case <-l.enough:
			return
		default:
		}
	}
}

// mark is a message whose acknowledgement is on the way; producer is -1 if nobody sent it.
type mark struct {
	producer int
	seq      uint64
}

// consume takes everything that comes and acknowledges it.
func (l *load) consume() {
	at := 1
	for {
		c, now := l.connect(l.run+"-consumer", at)
		if c == nil {
			return
		}
		at = now
		l.drain(c)
		c.close()
	}
}

// drain serves one connection until it ends.
func (l *load) drain(c *conn) {
	l.ledger.connect()
	if c.subscribe(queueName) != nil {
		return
	}
	var open []mark
	scratch := make([]byte, l.size)
	for {
		p, err := c.read()
		if err != nil {
			return
		}
		switch p := p.(type) {
		case *wire.NullResponse:
			if len(open) > 0 {
				l.ledger.settle(open[0].producer, open[0].seq)
				open = open[1:]
			}
		case *wire.Receive:
			m, err := message.Parse(p.Message)
			if err != nil { // it has no id by which it could be acknowledged
				l.ledger.damage()
				return
			}
			who, seq, ok := readBody(m.Body(), scratch)
			if ok {
				l.ledger.deliver(who, seq, m.ID())
			} else {
				l.ledger.damage()
				who = -1
			}
			open = append(open, mark{who, seq})
			c.acknowledge(m.ID())
		}
		if c.idle() && len(c.out) > 0 && c.flush() != nil {
			return
		}
	}
}

// finish lets the producers end, and waits until all that was acknowledged has come and is settled, or for at most limit.
func (l *load) finish(limit time.Duration) {
	close(l.enough)
	ended := make(chan struct{})
	go func() { // ends with the producers, which close cancels
		l.producers.Wait()
		close(ended)
	}()
	over := time.NewTimer(limit)
	defer over.Stop()
	select {
	case <-ended:
	case <-over.C:
		return
	}
	look := time.NewTicker(retryInterval)
	defer look.Stop()
	for {
		if l.ledger.drained() {
			return
		}
		select {
		case <-look.C:
		case <-over.C:
			return
		}
	}
}

// close ends the clients.
func (l *load) close() {
	l.cancel()
	l.producers.Wait()
	l.consumer.Wait()
}

// counts are those of the ledger; of no load yet: none.
func (l *load) counts() Counts {
	if l == nil {
		return Counts{}
	}
	return l.ledger.counts()
}
