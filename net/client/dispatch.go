package client

import (
	"fmt"
	"slices"

	"github.com/hindmq/hind/net/core/wire"
	"github.com/hindmq/hind/net/transport"
)

// Received implements transport.Handler: it consumes whole frames.
func (l *link) Received(conn transport.Conn, data []byte) (consumed int) {
	c := l.client
	c.mu.Lock()
	defer c.mu.Unlock()
	for !l.ended {
		f, size, _, err := wire.Split(data[consumed:], wire.FrameSizeMaxDefault)
		if err == nil && size == 0 {
			break
		}
		if err == nil {
			err = l.handle(f)
		}
		if err != nil {
			conn.Abort(err)
			return len(data)
		}
		consumed += size
	}
	return consumed
}

// handle takes one frame, under the mutex. An error ends the connection.
func (l *link) handle(f wire.Frame) error {
	p, err := wire.Decode(f, l.version)
	if err != nil {
		return err
	}
	if f.Channel == channelPing {
		return l.handlePing(p)
	}
	s := l.client.sessionOn(f.Channel)
	switch p := p.(type) {
	case *wire.Receive:
		return s.deliver(l, p)
	case *wire.ReceiveLarge:
		s.fail(l, p.Consumer, fmt.Errorf("%w: a large message (%d bytes) is at the head of the queue, and this client takes none", ErrTooLarge, p.BodySize))
	case *wire.ReceiveContinuation: // of a large message, whose consumer has failed
	case *wire.DisconnectConsumer:
		s.fail(l, p.Consumer, fmt.Errorf("the broker closed the consumer: its queue is gone"))
	case *wire.ProducerCredits:
		s.credited(p.Address, int64(p.Credits))
	case *wire.ProducerFailCredits:
		s.uncredited(p.Address)
	case *wire.PacketsConfirmed, *wire.DisconnectConsumerKill: // the first was not asked for, and after the second comes the end
	default:
		return l.answered(f.Channel, p)
	}
	return nil
}

func (l *link) handlePing(p wire.Packet) error {
	switch p := p.(type) {
	case *wire.Ping: // the echo
	case *wire.ClusterTopology:
		return l.tell(p)
	case *wire.Disconnect:
		return fmt.Errorf("the broker says goodbye (reason %d)", p.Reason)
	default:
		return fmt.Errorf("%w: %T on channel %d", errProtocol, p, channelPing)
	}
	return nil
}

// sessionOn finds a session by its channel; nil: there is none, or it was closed.
func (c *Client) sessionOn(channel int64) *Session {
	i := slices.IndexFunc(c.mu.sessions, func(s *Session) bool { return s.channel == channel })
	if i < 0 {
		return nil
	}
	return c.mu.sessions[i]
}
