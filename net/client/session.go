package client

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hindmq/hind/net/core/wire"
)

// Session is a stream of work in order. It lives through reconnections. Its methods may be called from any goroutine.
type Session struct {
	client  *Client
	channel int64

	// Under the Client's mutex.
	name         string // on the present connection
	consumers    []*Consumer
	credits      map[string]*credit // by address
	consumerLast int64
	correlation  int64
	closed       bool
}

// NewSession opens a session whose sends and acknowledgements count at once.
func (c *Client) NewSession(ctx context.Context) (*Session, error) {
	for {
		l, err := c.ready(ctx)
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		c.mu.channelLast++
		s := &Session{client: c, channel: c.mu.channelLast, credits: map[string]*credit{}}
		c.mu.Unlock()
		if err = s.open(ctx, l); err == nil && c.adopt(l, s) {
			return s, nil
		}
		if err != nil && !isLoss(err) {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// isLoss says that a connection ended in the middle, so that the work may be begun again on the next.
func isLoss(err error) bool { return errors.Is(err, ErrUnanswered) || errors.Is(err, errNotSent) }

// adopt takes a session in that was opened on the present connection.
func (c *Client) adopt(l *link, s *Session) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.link != l {
		return false
	}
	c.mu.sessions = append(c.mu.sessions, s)
	return true
}

// open makes the session on a connection, and its consumers anew. A consumer that the broker refuses ends by itself.
func (s *Session) open(ctx context.Context, l *link) error {
	c := s.client
	name := newID()
	c.mu.Lock()
	old := s.name
	consumers := slices.Clone(s.consumers)
	c.mu.Unlock()
	if err := l.openSession(ctx, s.channel, name, old); err != nil {
		return err
	}
	c.mu.Lock()
	s.name = name
	c.mu.Unlock()
	if err := l.push(ctx, s.channel, &wire.Start{}, nil); err != nil {
		return err
	}
	for _, k := range consumers {
		err := k.open(ctx, l)
		var refused *Error
		if errors.As(err, &refused) {
			c.mu.Lock()
			k.end(err)
			c.mu.Unlock()
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ask sends a request of the session on the connection in force; it begins again after a loss, so it is for requests
// that may be done twice.
func (s *Session) ask(ctx context.Context, p wire.Packet) (wire.Packet, error) {
	for {
		l, err := s.ready(ctx)
		if err != nil {
			return nil, err
		}
		answer, err := l.ask(ctx, s.channel, p)
		if err == nil || !isLoss(err) || ctx.Err() != nil {
			return answer, err
		}
	}
}

func (s *Session) ready(ctx context.Context) (*link, error) {
	l, err := s.client.ready(ctx)
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	if err == nil && s.closed {
		err = fmt.Errorf("session: %w", ErrClosed)
	}
	return l, err
}

// lockReady waits for a connection that is up and returns with the mutex held, so that it stays the one in force. With an
// error the mutex is free.
func (s *Session) lockReady(ctx context.Context) (*link, error) {
	for {
		l, err := s.ready(ctx)
		if err != nil {
			return nil, err
		}
		s.client.mu.Lock()
		if s.client.mu.link == l {
			return l, nil
		}
		s.client.mu.Unlock()
	}
}

// EnsureQueue makes a durable anycast queue with an address of the same name, unless it is there.
func (s *Session) EnsureQueue(ctx context.Context, name string) error {
	answer, err := s.ask(ctx, &wire.QueueQuery{Name: name})
	if err != nil {
		return fmt.Errorf("ask for queue %q: %w", name, err)
	}
	info, ok := answer.(*wire.QueueQueryResponse)
	switch {
	case !ok:
		return fmt.Errorf("%w: SESS_QUEUEQUERY was answered with %T", errProtocol, answer)
	case info.Exists:
		return nil
	}
	_, err = s.ask(ctx, &wire.CreateQueue{Address: name, Name: name, Durable: true, RequiresResponse: true, AutoCreated: true,
		RoutingType: wire.RoutingAnycast, MaxConsumers: -1})
	if err != nil && !refusedWith(err, wire.CodeQueueExists) {
		return fmt.Errorf("make queue %q: %w", name, err)
	}
	return nil
}

// QueueInfo is what a broker says of a queue.
type QueueInfo struct {
	Exists    bool
	Messages  int64
	Consumers int
}

// QueryQueue asks about a queue.
func (s *Session) QueryQueue(ctx context.Context, name string) (QueueInfo, error) {
	answer, err := s.ask(ctx, &wire.QueueQuery{Name: name})
	if err != nil {
		return QueueInfo{}, fmt.Errorf("ask for queue %q: %w", name, err)
	}
	info, ok := answer.(*wire.QueueQueryResponse)
	if !ok {
		return QueueInfo{}, fmt.Errorf("%w: SESS_QUEUEQUERY was answered with %T", errProtocol, answer)
	}
	return QueueInfo{Exists: info.Exists, Messages: info.MessageCount, Consumers: int(info.ConsumerCount)}, nil
}

// Close ends the session and its consumers. Messages that were not acknowledged go back to their queues. It waits for a
// reconnection in progress.
func (s *Session) Close(ctx context.Context) error {
	l, err := s.lockReady(ctx)
	if err != nil {
		return err
	}
	c := s.client
	s.closed = true
	for _, k := range s.consumers {
		k.end(fmt.Errorf("session: %w", ErrClosed))
	}
	s.ring()
	c.mu.sessions = slices.DeleteFunc(c.mu.sessions, func(other *Session) bool { return other == s })
	c.mu.Unlock()
	if _, err = l.ask(ctx, s.channel, &wire.Close{}); isLoss(err) && ctx.Err() == nil {
		return nil // the end of the connection ended it
	}
	return err
}

// lost forgets what belonged to a connection that has ended. This and what follows is called under the mutex.
func (s *Session) lost() {
	// Whoever opens a consumer now does it again.
	s.consumers = slices.DeleteFunc(s.consumers, func(k *Consumer) bool { return !k.opened })
	for _, k := range s.consumers {
		k.lost()
	}
	for _, line := range s.credits {
		line.lost()
	}
}

// ring wakes everybody who waits in this session.
func (s *Session) ring() {
	for _, k := range s.consumers {
		k.changed.ring()
	}
	for _, line := range s.credits {
		line.changed.ring()
	}
}

// grant gives the broker the credits that there was no room for.
func (s *Session) grant(l *link) {
	for _, k := range s.consumers {
		k.grant(l)
	}
}

// consumer finds one by its id; nil: it was closed.
func (s *Session) consumer(id int64) *Consumer {
	if s == nil {
		return nil
	}
	i := slices.IndexFunc(s.consumers, func(k *Consumer) bool { return k.id == id })
	if i < 0 {
		return nil
	}
	return s.consumers[i]
}

func (s *Session) deliver(l *link, p *wire.Receive) error {
	if k := s.consumer(p.Consumer); k != nil {
		return k.deliver(l, p)
	}
	return nil // closed; the broker takes it back
}

func (s *Session) fail(_ *link, consumer int64, err error) {
	if k := s.consumer(consumer); k != nil {
		k.end(err)
	}
}
