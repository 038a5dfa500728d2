package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/net/core/wire"
)

// Outgoing is a message to send.
type Outgoing struct {
	Body       []byte // in the encoding of its type; at most message.BodySizeMax bytes
	Type       message.Type
	Durable    bool
	Priority   uint8 // 0 to 9
	Timestamp  int64 // wall clock, ms; 0: none
	Expiration int64 // wall clock, ms; 0: never
	Properties []message.Property
	// DuplicateID lets the broker take the message once however often it comes; an unanswered send is then repeated on
	// the next connection. Empty: ProducerOptions decide.
	DuplicateID string
}

// ProducerOptions of one producer.
type ProducerOptions struct {
	// DuplicateIDs gives every message without a duplicate id a random one.
	DuplicateIDs bool
}

// Producer sends to one address. Any goroutine may; several at once share the connection.
type Producer struct {
	session *Session
	address string
	options ProducerOptions
	credit  *credit
}

// NewProducer makes a producer for an address whose messages go to one of its queues (anycast).
func (s *Session) NewProducer(address string, o ProducerOptions) *Producer {
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	line := s.credits[address]
	if line == nil {
		line = new(credit)
		s.credits[address] = line
	}
	return &Producer{session: s, address: address, options: o, credit: line}
}

// Send gives a message to the broker and returns when it has it: durable messages on disk, and with a backup in sync on
// both. It waits while the address is full, while a pair's confirms wait, and during a reconnection; ctx bounds it.
//
// ErrUnanswered: the message may be there or not. Messages with a duplicate id are sent again instead. *Error: refused.
func (p *Producer) Send(ctx context.Context, m *Outgoing) error {
	id := m.DuplicateID
	if id == "" && p.options.DuplicateIDs {
		id = newID()
	}
	encoded, err := p.encode(m, id)
	if err != nil {
		return err
	}
	sent := false // something may have reached a broker
	for {
		err := p.attempt(ctx, encoded)
		switch {
		case err == nil, sent && refusedWith(err, wire.CodeDuplicateID): // the first one had arrived
			return nil
		case errors.Is(err, errNotSent):
			continue
		case errors.Is(err, ErrUnanswered) && id != "" && ctx.Err() == nil:
			sent = true
			continue
		case sent && !errors.Is(err, ErrUnanswered):
			return fmt.Errorf("send to %q: %w; trying again: %w", p.address, ErrUnanswered, err)
		}
		return fmt.Errorf("send to %q: %w", p.address, err)
	}
}

func (p *Producer) encode(m *Outgoing, id string) (*message.Message, error) {
	if len(m.Body) > message.BodySizeMax {
		return nil, fmt.Errorf("send to %q: %w: its body has %d bytes, at most %d are sent", p.address, ErrTooLarge, len(m.Body), message.BodySizeMax)
	}
	props := append([]message.Property{{Name: message.PropRoutingType, Value: message.Byte(int8(wire.RoutingAnycast))}}, m.Properties...)
	if id != "" {
		props = append(props, message.Property{Name: message.PropDuplicateID, Value: message.String(id)})
	}
	encoded, err := message.New(&message.Header{Address: p.address, HasAddress: true, Type: m.Type, Durable: m.Durable, Priority: m.Priority,
		Timestamp: m.Timestamp, Expiration: m.Expiration}, m.Body, props)
	if err != nil {
		return nil, fmt.Errorf("send to %q: %w", p.address, err)
	}
	if size := encoded.EncodeSize(); size > message.EncodeSizeMax {
		return nil, fmt.Errorf("send to %q: %w: with its properties it has %d bytes, at most %d are sent", p.address, ErrTooLarge, size, message.EncodeSizeMax)
	}
	return encoded, nil
}

// attempt sends once, on the connection in force.
func (p *Producer) attempt(ctx context.Context, m *message.Message) error {
	s := p.session
	l, err := s.ready(ctx)
	if err != nil {
		return err
	}
	if err := p.acquire(ctx, l, int64(m.EncodeSize())); err != nil {
		return err
	}
	c := s.client
	c.mu.Lock()
	s.correlation++
	correlation := s.correlation
	c.mu.Unlock()
	cl, err := l.begin(ctx, s.channel, &wire.Send{Message: m.Raw(), RequiresResponse: true, Correlation: correlation}, correlation)
	if err != nil {
		return err
	}
	_, err = cl.end(ctx)
	return err
}

// creditWindow is how many bytes are asked for at a time.
const creditWindow = 1 << 20

// credit is what may be sent to one address. Under the Client's mutex.
type credit struct {
	balance  int64
	asked    bool
	refusals int
	changed  bell
}

func (line *credit) lost() {
	line.balance, line.asked = 0, false
	line.changed.ring()
}

// acquire takes credits for a message, and asks the broker for more when they run out.
func (p *Producer) acquire(ctx context.Context, l *link, size int64) error {
	c, line := p.session.client, p.credit
	c.mu.Lock()
	defer c.mu.Unlock()
	refusals := line.refusals
	for {
		switch {
		case c.mu.link != l:
			return errNotSent
		case p.session.closed:
			return fmt.Errorf("session: %w", ErrClosed)
		case line.refusals != refusals:
			return fmt.Errorf("the broker takes no more messages for %q: the address is full", p.address)
		case line.balance >= size:
			line.balance -= size
			return nil
		}
		wake := line.changed.next()
		if !line.asked {
			line.asked = l.write(p.session.channel, &wire.RequestProducerCredits{Credits: int32(max(creditWindow, size)), Address: p.address}) == nil
			if !line.asked { // no room in the output, or the connection is ending: both ring
				wake = l.room.next()
			}
		}
		c.mu.Unlock()
		var err error
		select {
		case <-wake:
		case <-ctx.Done():
			err = ctx.Err()
		}
		c.mu.Lock()
		if err != nil {
			return err
		}
	}
}

// credited takes credits in.
func (s *Session) credited(address string, credits int64) {
	if s == nil || s.credits[address] == nil {
		return
	}
	line := s.credits[address]
	line.balance, line.asked = line.balance+credits, false
	line.changed.ring()
}

// uncredited lets those who wait fail.
func (s *Session) uncredited(address string) {
	if s == nil || s.credits[address] == nil {
		return
	}
	line := s.credits[address]
	line.refusals, line.asked = line.refusals+1, false
	line.changed.ring()
}
