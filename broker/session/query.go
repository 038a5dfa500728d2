package session

import (
	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/fault"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/broker/shard"
)

// findQueue finds a queue by its name, perhaps "address::queue"; then the address must be right too.
func (s *Session) findQueue(sh *shard.Shard, name string) (*queue.Queue, error) {
	addr, own := address.Split(name)
	if own == "" {
		own, addr = name, ""
	}
	q := sh.Office().Queue(own)
	if q == nil || addr != "" && q.Address != addr {
		return nil, fault.New(CodeQueueMissing, "queue %q does not exist", shorten(name))
	}
	return q, nil
}

func (s *Session) runQueryQueue(sh *shard.Shard, cmd *command, o *outcome) error {
	o.volatile = true
	q, err := s.findQueue(sh, cmd.text)
	if err == nil {
		o.answer.Queue = queueInfo(sh, q)
		return nil
	}
	addr, _ := address.Split(cmd.text)
	d := sh.Office().Settings(addr)
	o.answer.Queue = &QueueInfo{
		Name: address.QueueName(cmd.text), Address: addr, Routing: d.DefaultQueueRouting,
		Kind: QueueKind{Durable: true}, MaxConsumers: d.DefaultMaxConsumers, PurgeOnNoConsumers: d.DefaultPurge,
		Exclusive: d.DefaultExclusive, AutoCreateQueues: d.AutoCreateQueues, DefaultWindow: d.DefaultConsumerWindow,
	}
	return nil
}

func queueInfo(sh *shard.Shard, q *queue.Queue) *QueueInfo {
	a, d := &q.Attributes, sh.Office().Settings(q.Address)
	return &QueueInfo{
		Exists: true, Name: q.Name, Address: q.Address, Filter: a.Filter,
		Kind:    QueueKind{Durable: a.Durable, Temporary: a.Temporary, AutoCreated: a.AutoCreated, Shared: a.Transient},
		Routing: a.Routing, Consumers: q.Consumers(), Messages: q.Messages(),
		MaxConsumers: a.MaxConsumers, PurgeOnNoConsumers: a.PurgeOnNoConsumers, Exclusive: a.Exclusive,
		AutoDelete: a.AutoDelete, AutoDeleteDelay: a.AutoDeleteDelay, AutoDeleteMessages: a.AutoDeleteMessages,
		AutoCreateQueues: d.AutoCreateQueues, DefaultWindow: d.DefaultConsumerWindow,
	}
}

func (s *Session) runQueryBinding(sh *shard.Shard, cmd *command, o *outcome) error {
	o.volatile = true
	name, _ := address.Split(cmd.text)
	d := sh.Office().Settings(name)
	info := &BindingInfo{AutoCreateQueues: d.AutoCreateQueues, AutoCreateAddresses: d.AutoCreateAddresses,
		DefaultPurge: d.DefaultPurge, DefaultMaxConsumers: d.DefaultMaxConsumers, DefaultExclusive: d.DefaultExclusive}
	if a := sh.Office().Address(name); a != nil {
		info.Exists = true
		info.Multicast, info.Anycast = a.Routings.Has(address.Multicast), a.Routings.Has(address.Anycast)
		for _, q := range a.Queues() {
			info.Queues = append(info.Queues, q.Name)
		}
	}
	o.answer.Binding = info
	return nil
}
