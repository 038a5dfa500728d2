package core

import (
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core/wire"
)

func (o *outlet) answerQueryQueue(a *session.Answer) {
	o.append(a.Tag.Channel, queueQueryResponse(a.Queue))
}

// queueQueryResponse tells what a queue is. Clients keep it and make the queue again from it after a failover, so it
// says only what this broker also accepts.
func queueQueryResponse(q *session.QueueInfo) *wire.QueueQueryResponse {
	p := &wire.QueueQueryResponse{
		Exists: q.Exists, Durable: q.Kind.Durable, Temporary: q.Kind.Temporary, ConsumerCount: int32(q.Consumers), MessageCount: q.Messages,
		Filter: text(q.Filter), Address: text(q.Address), Name: text(q.Name), AutoCreateQueues: q.AutoCreateQueues,
		AutoCreated: q.Kind.AutoCreated, PurgeOnNoConsumers: q.PurgeOnNoConsumers, RoutingType: wire.RoutingType(q.Routing),
		MaxConsumers: q.MaxConsumers,
	}
	if p.RoutingType != wire.RoutingAnycast {
		p.RoutingType = wire.RoutingMulticast // clients fail on "default" here
	}
	if q.DefaultWindow >= 0 {
		p.ConsumerWindowSize = wire.Some(q.DefaultWindow)
	}
	p.Attributes.Exclusive = wire.Some(q.Exclusive)
	p.Attributes.LastValue = wire.Some(false)
	p.Attributes.AutoDelete = wire.Some(q.AutoDelete)
	p.Attributes.AutoDeleteDelay = wire.Some(q.AutoDeleteDelay)
	p.Attributes.AutoDeleteMessageCount = wire.Some(q.AutoDeleteMessages)
	return p
}

func (o *outlet) answerQueryBinding(a *session.Answer) {
	b := a.Binding
	o.append(a.Tag.Channel, &wire.BindingQueryResponse{
		Exists: b.Exists, QueueNames: b.Queues, AutoCreateQueues: b.AutoCreateQueues, AutoCreateAddresses: b.AutoCreateAddresses,
		PurgeOnNoConsumers: b.DefaultPurge, MaxConsumers: b.DefaultMaxConsumers, Exclusive: wire.Some(b.DefaultExclusive),
		LastValue: wire.Some(false), SupportsMulticast: b.Multicast, SupportsAnycast: b.Anycast,
	})
}

// text is null for the empty string.
func text(s string) wire.Optional[string] {
	if s == "" {
		return wire.Optional[string]{}
	}
	return wire.Some(s)
}
