package core

import (
	"errors"
	"fmt"

	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core/wire"
)

// channel is one session as the connection's loop sees it.
type channel struct {
	conn       *conn
	id         int64
	session    *session.Session
	open       bool // the client was told that the session exists
	confirming bool // the client wants its packets confirmed
	large      largeMessage
	counted    count // packets that no request has carried to the shard yet
}

// handle takes one frame of an open session. An error closes the connection.
func (ch *channel) handle(f wire.Frame) error {
	if ch.confirming && f.Type != wire.TypeAddMetadataV2 && f.Type.Counted(true) {
		ch.counted.add(f.Size())
	}
	version := ch.conn.effectiveVersion()
	s := &ch.conn.scratch
	switch f.Type {
	case wire.TypeSend:
		s.send = wire.Send{}
		if err := wire.DecodeInto(&s.send, f, version); err != nil {
			return err
		}
		return ch.send(&s.send)
	case wire.TypeAcknowledge:
		if err := wire.DecodeInto(&s.acknowledge, f, version); err != nil {
			return err
		}
		ch.acknowledge(&s.acknowledge)
		return nil
	case wire.TypeIndividualAcknowledge:
		if err := wire.DecodeInto(&s.individual, f, version); err != nil {
			return err
		}
		ch.acknowledgeOne(&s.individual)
		return nil
	case wire.TypeConsumerCredits:
		if err := wire.DecodeInto(&s.credits, f, version); err != nil {
			return err
		}
		ch.session.Credits(s.credits.Consumer, s.credits.Credits)
		return nil
	}
	p, err := wire.Decode(f, version)
	var unknown *wire.UnknownTypeError
	if errors.As(err, &unknown) {
		return fmt.Errorf("%w; it cannot be skipped, because the client may wait for an answer of unknown form", err)
	}
	if err != nil {
		return err
	}
	return ch.dispatch(p, f)
}

// dispatch calls the method of each packet; they are in the file of their group.
func (ch *channel) dispatch(p wire.Packet, f wire.Frame) error {
	switch p := p.(type) {
	case *wire.Start:
		ch.session.Start(ch.tag(silent))
	case *wire.Stop:
		ch.session.Stop(ch.tag(answered))
	case *wire.Close:
		ch.close()
	case *wire.PacketsConfirmed:
		// Nothing is kept for resending: a session is never reattached.
	case *wire.AddMetadata:
		ch.session.AddMetadata(p.Key, p.Value, false, ch.tag(answered))
	case *wire.AddMetadataV2:
		ch.addMetadata(p, f)
	case *wire.AddUniqueMetadata:
		ch.session.AddMetadata(p.Key, p.Value, true, ch.tag(answeredIf(p.RequiresResponse)))
	case *wire.CreateAddress:
		ch.createAddress(p)
	case *wire.CreateQueue:
		ch.createQueue(p)
	case *wire.CreateSharedQueue:
		ch.createSharedQueue(p)
	case *wire.DeleteQueue:
		ch.session.DeleteQueue(p.Name, ch.tag(answered))
	case *wire.QueueQuery:
		ch.session.QueryQueue(p.Name, ch.tag(answered))
	case *wire.BindingQuery:
		ch.session.QueryBinding(p.Address, ch.tag(answered))
	case *wire.CreateProducer, *wire.RemoveProducer:
		// Producers are known by what they send; a client does not even repeat these after a failover.
	case *wire.RequestProducerCredits:
		ch.session.ProducerCredits(p.Address, p.Credits)
	case *wire.SendLarge:
		ch.sendLarge()
	case *wire.SendContinuation:
		ch.sendContinuation(p)
	case *wire.CreateConsumer:
		ch.createConsumer(p)
	case *wire.ConsumerClose:
		ch.session.CloseConsumer(p.Consumer, ch.tag(answered))
	case *wire.ForceDelivery:
		ch.session.ForceDelivery(p.Consumer, p.Sequence, ch.tag(answered))
	case *wire.Expired:
		ch.session.Expire(p.Consumer, p.Message, ch.tag(silent))
	case *wire.Commit:
		ch.commit(p)
	case *wire.Rollback:
		ch.session.Rollback(p.LastMessageDelivered, ch.tag(answered))
	case *wire.XA:
		ch.refuseXA(p)
	case *wire.XAQuery, *wire.XASetTimeout:
		ch.refuseXA(p)
	default:
		return fmt.Errorf("%v is nothing that a client sends on a session's channel", f.Type)
	}
	return nil
}

// close ends the session. The channel is free at once: the client sends nothing more on it.
func (ch *channel) close() {
	ch.session.Close(ch.tag(answered))
	delete(ch.conn.channels, ch.id)
}

// addMetadata has a flag that says whether the packet is answered, and counted.
func (ch *channel) addMetadata(p *wire.AddMetadataV2, f wire.Frame) {
	if ch.confirming && f.Type.Counted(p.RequiresResponse) {
		ch.counted.add(f.Size())
	}
	ch.session.AddMetadata(p.Key, p.Value, false, ch.tag(answeredIf(p.RequiresResponse)))
}

// answer says whether the client waits for the end of a request.
type answer bool

const (
	silent   answer = false
	answered answer = true
)

func answeredIf(requiresResponse bool) answer { return answer(requiresResponse) }

// tag goes with a request whose type has no correlation id on the wire.
func (ch *channel) tag(a answer) session.Tag { return ch.correlated(a, wire.NoCorrelation) }

// correlated goes with a request and comes back with its answer. Its note carries the packets that this request confirms.
func (ch *channel) correlated(a answer, correlation int64) session.Tag {
	return session.Tag{Channel: ch.id, Correlation: correlation, Note: ch.counted.take(), Silent: a == silent}
}
