package core

import (
	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core/wire"
)

// createAddress makes an address. Clients that were given "address::queue" send it whole; only the address counts.
func (ch *channel) createAddress(p *wire.CreateAddress) {
	name, _ := address.Split(p.Address)
	var routings address.RoutingSet
	for _, r := range p.RoutingTypes {
		routings = routings.With(address.Routing(r))
	}
	ch.session.CreateAddress(name, routings, p.AutoCreated, ch.tag(answeredIf(p.RequiresResponse)))
}

func (ch *channel) createQueue(p *wire.CreateQueue) {
	o := queueOptions(&p.Attributes)
	o.Address, o.Name, o.Filter = p.Address, p.Name, p.Filter.Value
	o.Routing = address.Routing(p.RoutingType)
	o.Kind = session.QueueKind{Durable: p.Durable, Temporary: p.Temporary, AutoCreated: p.AutoCreated}
	o.MaxConsumers = &p.MaxConsumers
	o.PurgeOnNoConsumers = &p.PurgeOnNoConsumers
	ch.session.CreateQueue(o, ch.tag(answeredIf(p.RequiresResponse)))
}

func (ch *channel) createSharedQueue(p *wire.CreateSharedQueue) {
	o := queueOptions(&p.Attributes)
	o.Address, o.Name, o.Filter = p.Address, p.Name, p.Filter.Value
	o.Routing = address.Routing(p.RoutingType)
	o.Kind = session.QueueKind{Durable: p.Durable, Shared: true}
	o.MaxConsumers = pointer(p.MaxConsumers)
	o.PurgeOnNoConsumers = pointer(p.PurgeOnNoConsumers)
	ch.session.CreateQueue(o, ch.tag(answeredIf(p.RequiresResponse)))
}

// queueOptions passes on what was asked for; what is not built the session refuses by name.
func queueOptions(a *wire.QueueAttributes) *session.QueueOptions {
	return &session.QueueOptions{
		Exclusive:          pointer(a.Exclusive),
		AutoDelete:         pointer(a.AutoDelete),
		AutoDeleteDelay:    pointer(a.AutoDeleteDelay),
		AutoDeleteMessages: pointer(a.AutoDeleteMessageCount),
		Unbuilt: session.Unbuilt{
			LastValue:           pointer(a.LastValue),
			LastValueKey:        pointer(a.LastValueKey),
			NonDestructive:      pointer(a.NonDestructive),
			ConsumersBefore:     pointer(a.ConsumersBeforeDeliver),
			DelayBefore:         pointer(a.DelayBeforeDeliver),
			GroupRebalance:      pointer(a.GroupRebalance),
			GroupRebalancePause: pointer(a.GroupRebalancePause),
			GroupBuckets:        pointer(a.GroupBuckets),
			GroupFirstKey:       pointer(a.GroupFirstKey),
			RingSize:            pointer(a.RingSize),
			Enabled:             pointer(a.Enabled),
		},
	}
}

func pointer[T any](o wire.Optional[T]) *T {
	if !o.Set {
		return nil
	}
	return &o.Value
}
