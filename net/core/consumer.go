package core

import (
	"fmt"

	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core/wire"
)

// forcedDeliveryProperty marks the message that ends a forced delivery; its value is the sequence of the request.
const forcedDeliveryProperty = "_hornetq.forced.delivery.seq"

// createConsumer opens a consumer. Clients that make their consumers again after a failover do not wait for the answer, so
// a failure would leave them with a consumer that never gets anything: the connection is closed then, and they try again.
func (ch *channel) createConsumer(p *wire.CreateConsumer) {
	tag := ch.tag(answered)
	if !p.RequiresResponse {
		tag.Note |= noteQuiet
	}
	ch.session.CreateConsumer(session.ConsumerOptions{
		ID: p.ID, Queue: p.Queue, Filter: p.Filter.Value, Browse: p.BrowseOnly, Priority: p.Priority,
	}, tag)
}

func (o *outlet) answerCreateConsumer(a *session.Answer) {
	quiet := a.Tag.Note&noteQuiet != 0
	switch {
	case a.Err != nil && quiet:
		o.conn.tc.Close(fmt.Errorf("a consumer could not be made again: %w", a.Err))
	case a.Err != nil:
		o.append(a.Tag.Channel, exception(a))
	case !quiet:
		o.append(a.Tag.Channel, queueQueryResponse(a.Queue))
	}
}

// Deliver implements session.Outlet. The cost is the size of the frame.
func (o *outlet) Deliver(d *session.Delivery) (cost int) {
	start := len(o.out)
	o.out = wire.BeginReceive(o.out, d.Channel)
	o.out = d.Message.AppendDelivery(o.out, d.ID)
	o.out = wire.EndReceive(o.out, start, d.Consumer, int32(d.DeliveryCount))
	return len(o.out) - start
}

// answerForceDelivery sends the marker: an empty message that costs no credits and is not acknowledged.
func (o *outlet) answerForceDelivery(a *session.Answer) {
	if a.Err != nil || a.Name == "" {
		return // an unknown consumer; the client has closed it
	}
	start := len(o.out)
	o.out = wire.BeginReceive(o.out, a.Tag.Channel)
	o.out = message.Encode(o.out, &message.Header{ID: a.ID, Address: a.Name, HasAddress: true}, nil,
		[]message.Property{{Name: forcedDeliveryProperty, Value: message.Long(a.Sequence)}})
	o.out = wire.EndReceive(o.out, start, a.Consumer, 0)
}

// notifyConsumerClosed tells the client, which closes its side and says so.
func (o *outlet) notifyConsumerClosed(e *session.Event) {
	o.append(e.Channel, &wire.DisconnectConsumer{Consumer: e.Consumer})
}
