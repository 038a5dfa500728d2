package client

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/net/core/wire"
)

// windowDefault is how many bytes of messages wait in the client for Receive.
const windowDefault = 1 << 20

// Consumer receives from one queue. Any goroutine may call; a message goes to one of them.
type Consumer struct {
	session *Session
	id      int64
	queue   string
	window  int

	// Under the Client's mutex.
	buffer   []*Message
	buffered int // bytes of frames in buffer
	owed     int // bytes that were received and not given back as credits
	opened   bool
	err      error
	changed  bell
}

// Message is one that was received. It is not changed by the client.
type Message struct {
	*message.Message
	DeliveryCount int // 1 the first time
	consumer      *Consumer
	link          *link
	cost          int
}

// ConsumerOptions of one consumer.
type ConsumerOptions struct {
	Window int // bytes that may wait for Receive; 0: 1 MiB
}

// NewConsumer opens a consumer on a queue that exists.
func (s *Session) NewConsumer(ctx context.Context, queue string, o ConsumerOptions) (*Consumer, error) {
	if o.Window <= 0 {
		o.Window = windowDefault
	}
	c := s.client
	for {
		l, err := s.lockReady(ctx)
		if err != nil {
			return nil, err
		}
		s.consumerLast++
		k := &Consumer{session: s, id: s.consumerLast, queue: queue, window: o.Window}
		s.consumers = append(s.consumers, k) // before it is open: deliveries may come at once
		c.mu.Unlock()
		err = k.open(ctx, l)
		c.mu.Lock()
		if err == nil && c.mu.link != l {
			err = errNotSent
		}
		if k.opened = err == nil; !k.opened {
			k.remove()
		}
		c.mu.Unlock()
		if err == nil {
			return k, nil
		}
		if !isLoss(err) || ctx.Err() != nil {
			return nil, fmt.Errorf("consumer on %q: %w", queue, err)
		}
	}
}

// open makes the consumer on a connection.
func (k *Consumer) open(ctx context.Context, l *link) error {
	if _, err := l.ask(ctx, k.session.channel, &wire.CreateConsumer{ID: k.id, Queue: k.queue, RequiresResponse: true}); err != nil {
		return err
	}
	c := k.session.client
	c.mu.Lock()
	defer c.mu.Unlock()
	k.owed = k.window
	k.grant(l)
	return nil
}

// remove takes the consumer out of its session. This and the next are called under the mutex.
func (k *Consumer) remove() {
	k.session.consumers = slices.DeleteFunc(k.session.consumers, func(other *Consumer) bool { return other == k })
}

// end gives the consumer its last error; what is buffered goes back to the queue when the broker notices.
func (k *Consumer) end(err error) {
	if k.err == nil {
		k.err = fmt.Errorf("consumer on %q: %w", k.queue, err)
	}
	k.buffer, k.buffered = nil, 0
	k.changed.ring()
}

func (k *Consumer) lost() { k.buffer, k.buffered, k.owed = nil, 0, 0 }

// grant gives credits back when half of the window is due. Without room in the output they stay owed.
func (k *Consumer) grant(l *link) {
	if k.owed > 0 && k.owed >= k.window/2 && k.err == nil &&
		l.write(k.session.channel, &wire.ConsumerCredits{Consumer: k.id, Credits: int32(k.owed)}) == nil {
		k.owed = 0
	}
}

// deliver takes a message in.
func (k *Consumer) deliver(l *link, p *wire.Receive) error {
	if k.err != nil {
		return nil
	}
	cost := wire.ReceiveSize(len(p.Message))
	if k.buffered >= 2*k.window { // twice, because brokers count the cost of a message in slightly different ways
		return fmt.Errorf("%w: a message came for consumer %d beyond its credits", errProtocol, k.id)
	}
	m, err := message.Parse(bytes.Clone(p.Message))
	if err != nil {
		return err
	}
	k.buffer = append(k.buffer, &Message{Message: m, DeliveryCount: int(p.DeliveryCount), consumer: k, link: l, cost: cost})
	k.buffered += cost
	k.changed.ring()
	return nil
}

// Receive waits for the next message. After a reconnection those that were not acknowledged come again.
func (k *Consumer) Receive(ctx context.Context) (*Message, error) {
	c := k.session.client
	for {
		c.mu.Lock()
		if m := k.take(); m != nil {
			c.mu.Unlock()
			return m, nil
		}
		err, changed := k.err, k.changed.next()
		if err == nil {
			err = c.mu.err
		}
		c.mu.Unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (k *Consumer) take() *Message {
	if len(k.buffer) == 0 || k.session.client.mu.err != nil {
		return nil
	}
	m := k.buffer[0]
	k.buffer[0] = nil
	k.buffer = k.buffer[1:]
	k.buffered -= m.cost
	k.owed += m.cost
	k.grant(m.link)
	return m
}

// Ack tells the broker that this message, and every one that came to this consumer before it, is done, and waits until that
// is safe. ErrStale: the connection changed, they come again. ErrUnanswered: they may come again.
func (k *Consumer) Ack(ctx context.Context, m *Message) error {
	c := k.session.client
	c.mu.Lock()
	present, err := c.mu.link, k.err
	if err == nil {
		err = c.mu.err
	}
	c.mu.Unlock()
	switch {
	case err != nil:
		return err
	case present != m.link:
		return fmt.Errorf("acknowledge on %q: %w", k.queue, ErrStale)
	}
	cl, err := m.link.begin(ctx, k.session.channel, &wire.Acknowledge{Consumer: k.id, Message: m.ID(), RequiresResponse: true}, wire.NoCorrelation)
	if err == errNotSent {
		err = ErrStale
	}
	if err == nil {
		_, err = cl.end(ctx)
	}
	if err != nil {
		return fmt.Errorf("acknowledge on %q: %w", k.queue, err)
	}
	return nil
}

// Close ends the consumer; what was not acknowledged goes back to the queue. It waits for a reconnection in progress.
func (k *Consumer) Close(ctx context.Context) error {
	s := k.session
	l, err := s.lockReady(ctx)
	if err != nil {
		return err
	}
	k.remove()
	k.end(ErrClosed)
	s.client.mu.Unlock()
	if _, err = l.ask(ctx, s.channel, &wire.ConsumerClose{Consumer: k.id}); isLoss(err) && ctx.Err() == nil {
		return nil // the end of the connection ended it
	}
	return err
}
