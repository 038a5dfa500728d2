package core

import (
	"bytes"
	"fmt"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core/wire"
)

// send hands a message over. Bytes that are no message close the connection: no client makes them by mistake.
func (ch *channel) send(p *wire.Send) error {
	m, err := message.Parse(bytes.Clone(p.Message))
	if err != nil {
		return fmt.Errorf("%v: %w", wire.TypeSend, err)
	}
	ch.session.Send(m, "", address.RoutingNone, ch.correlated(answeredIf(p.RequiresResponse), p.Correlation))
	return nil
}

// largeMessage is a message that comes in chunks. They are counted and dropped; nothing of it is kept.
type largeMessage struct {
	open bool
	size int64
}

// sendLarge begins a large message; there is no answer to it.
func (ch *channel) sendLarge() { ch.large = largeMessage{open: true} }

// sendContinuation takes a chunk. The client can be told that the message is refused only where it waits: at the last
// chunk, or with a confirmation window at each; in a transaction, at the commit.
func (ch *channel) sendContinuation(p *wire.SendContinuation) {
	tag := ch.correlated(answeredIf(p.RequiresResponse), p.Correlation)
	if !ch.large.open {
		ch.session.Refuse(refusal(session.CodeIllegalState, "a chunk of a large message came without its beginning"), tag)
		return
	}
	ch.large.size += int64(len(p.Chunk))
	ch.session.Refuse(refusal(session.CodeNotImplemented,
		"large messages (SESS_SEND_LARGE) are not supported by this broker yet; send bodies of at most %d bytes, with minLargeMessageSize of the client not below that", message.BodySizeMax), tag)
	if !p.Continues {
		ch.large = largeMessage{}
	}
}

func refusal(code session.Code, format string, args ...any) *session.Error {
	return &session.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (o *outlet) notifyCredits(e *session.Event) {
	o.append(e.Channel, &wire.ProducerCredits{Credits: e.Credits, Address: e.Address})
}
