package session

import (
	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/fault"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/broker/storage"
	"github.com/hindmq/hind/journal"
)

// later keeps the later of two positions to wait for.
func (o *outcome) later(pos journal.Position) {
	if o.pos.Less(pos) {
		o.pos = pos
	}
}

func (s *Session) runCreateAddress(sh *shard.Shard, cmd *command, o *outcome) error {
	name, _ := address.Split(cmd.text)
	if err := checkName("address", name); err != nil {
		return err
	}
	if err := s.may(CreateAddress, name); err != nil {
		return err
	}
	routings := address.RoutingSet(cmd.number)
	o.answer.Name = name
	if a := sh.Office().Address(name); a != nil {
		o.pos = sh.Appended() // its record may not be safe yet
		pos, err := sh.AddRoutings(a, routings)
		o.later(pos)
		return err
	}
	if routings == 0 {
		routings = address.SetOf(sh.Office().Settings(name).DefaultAddressRouting)
	}
	_, pos, err := sh.CreateAddress(storage.AddressSpec{Name: name, Routings: routings, AutoCreated: cmd.flag}, false)
	o.pos = pos
	return err
}

func (s *Session) runCreateQueue(sh *shard.Shard, cmd *command, o *outcome) error {
	return s.makeQueue(sh, cmd.queue, o)
}

// makeQueue checks a queue's options and makes it, and its address if that may be made.
func (s *Session) makeQueue(sh *shard.Shard, opt *QueueOptions, o *outcome) error {
	spec, err := s.queueSpec(sh, opt)
	if err != nil {
		return err
	}
	right := CreateNonDurableQueue
	if opt.Kind.Durable {
		right = CreateDurableQueue
	}
	if err := s.may(right, spec.Address); err != nil {
		return err
	}
	o.answer.Name = spec.Name
	if q := sh.Office().Queue(spec.Name); q != nil {
		o.pos = sh.Appended() // its record may not be safe yet
		return existing(q, spec, opt.Kind.Shared)
	}
	if sh.Office().Crowded() {
		return fault.New(CodeQueueConfiguration, "the broker has as many queues as it may have; delete some")
	}
	f, err := parseFilter(spec.Attributes.Filter)
	if err != nil {
		return err
	}
	if err := s.queueAddress(sh, spec, opt, o); err != nil {
		return err
	}
	q, pos, err := sh.CreateQueue(*spec, f)
	if err != nil {
		return err
	}
	o.later(pos)
	if opt.Kind.Temporary {
		s.conn.owner.temps = append(s.conn.owner.temps, q)
	}
	return nil
}

// existing says whether a queue that is there already will do.
func existing(q *queue.Queue, spec *storage.QueueSpec, shared bool) error {
	switch {
	case !shared:
		return fault.New(CodeQueueExists, "queue %q exists already", q.Name)
	case q.Address != spec.Address:
		return fault.New(CodeInvalidTransientQueue, "queue %q exists at address %q, not %q", q.Name, q.Address, spec.Address)
	case q.Attributes.Filter != spec.Attributes.Filter:
		return fault.New(CodeInvalidTransientQueue, "queue %q exists with another filter", q.Name)
	case q.Attributes.Durable != spec.Attributes.Durable:
		return fault.New(CodeInvalidTransientQueue, "queue %q exists with durable=%t", q.Name, q.Attributes.Durable)
	}
	return nil
}

// queueAddress makes sure that the queue's address exists, supports its routing type, and lasts as long as the queue.
func (s *Session) queueAddress(sh *shard.Shard, spec *storage.QueueSpec, opt *QueueOptions, o *outcome) error {
	routing := spec.Attributes.Routing
	a := sh.Office().Address(spec.Address)
	if a == nil && (opt.Kind.Temporary || opt.Kind.Shared) {
		made, pos, err := sh.CreateAddress(storage.AddressSpec{Name: spec.Address, Routings: address.SetOf(routing),
			AutoCreated: true}, opt.Kind.Temporary)
		if err != nil {
			return err
		}
		o.later(pos)
		a = made
	}
	if a == nil || !a.Routings.Has(routing) && !opt.Kind.Temporary {
		if a != nil && !a.Settings.AutoCreateAddresses {
			return fault.New(CodeRoutingType, "address %q does not support %s", a.Name, routing)
		}
		made, err := s.ensureAddress(sh, spec.Address, routing, o)
		if err != nil {
			return err
		}
		a = made
	}
	if spec.Attributes.Durable && a.Temporary {
		pos, err := sh.Keep(a)
		o.later(pos)
		return err
	}
	return nil
}

// queueSpec makes the attributes of the options and the address settings.
func (s *Session) queueSpec(sh *shard.Shard, opt *QueueOptions) (*storage.QueueSpec, error) {
	if err := opt.Unbuilt.refuse(); err != nil {
		return nil, err
	}
	addr, _ := address.Split(opt.Address)
	name := address.QueueName(opt.Name)
	if a, q := address.Split(opt.Name); q != "" && addr == "" {
		addr = a
	}
	if addr == "" {
		addr = name
	}
	if err := checkName("queue", name); err != nil {
		return nil, err
	}
	if err := checkName("address", addr); err != nil {
		return nil, err
	}
	if opt.Kind.Durable && opt.Kind.Temporary {
		return nil, fault.New(CodeQueueConfiguration, "queue %q cannot be durable and temporary", name)
	}
	d := sh.Office().Settings(addr)
	a := queue.Attributes{
		Routing: opt.Routing, Durable: opt.Kind.Durable, Temporary: opt.Kind.Temporary,
		Transient: opt.Kind.Shared && !opt.Kind.Durable, AutoCreated: opt.Kind.AutoCreated, Filter: opt.Filter,
		PurgeOnNoConsumers: or(opt.PurgeOnNoConsumers, d.DefaultPurge),
		Exclusive:          or(opt.Exclusive, d.DefaultExclusive),
		AutoDelete:         or(opt.AutoDelete, opt.Kind.AutoCreated && d.AutoDeleteQueues),
		AutoDeleteDelay:    or(opt.AutoDeleteDelay, d.AutoDeleteQueuesDelay.Milliseconds()),
		AutoDeleteMessages: or(opt.AutoDeleteMessages, 0),
		MaxConsumers:       or(opt.MaxConsumers, d.DefaultMaxConsumers),
	}
	if a.Routing != address.Multicast && a.Routing != address.Anycast {
		a.Routing = d.DefaultQueueRouting
	}
	return &storage.QueueSpec{Name: name, Address: addr, Attributes: a}, nil
}

func or[T any](given *T, otherwise T) T {
	if given != nil {
		return *given
	}
	return otherwise
}

// refuse names the first attribute that is not built and has no default value.
func (u *Unbuilt) refuse() error {
	name := ""
	switch {
	case or(u.LastValue, false):
		name = "last-value"
	case or(u.LastValueKey, "") != "":
		name = "last-value-key"
	case or(u.NonDestructive, false):
		name = "non-destructive"
	case or(u.ConsumersBefore, 0) != 0:
		name = "consumers-before-dispatch"
	case or(u.DelayBefore, -1) != -1:
		name = "delay-before-dispatch"
	case or(u.GroupRebalance, false):
		name = "group-rebalance"
	case or(u.GroupRebalancePause, false):
		name = "group-rebalance-pause-dispatch"
	case or(u.GroupBuckets, -1) != -1:
		name = "group-buckets"
	case or(u.GroupFirstKey, "") != "":
		name = "group-first-key"
	case or(u.RingSize, -1) != -1:
		name = "ring-size"
	case !or(u.Enabled, true):
		name = "enabled=false"
	default:
		return nil
	}
	return fault.New(CodeNotImplemented, "queue attribute %s is not supported yet; leave it out", name)
}

func (s *Session) runDeleteQueue(sh *shard.Shard, cmd *command, o *outcome) error {
	q, err := s.findQueue(sh, cmd.text)
	if err != nil {
		return err
	}
	right := DeleteNonDurableQueue
	if q.Durable() {
		right = DeleteDurableQueue
	}
	if err := s.may(right, q.Address); err != nil {
		return err
	}
	if n := q.Consumers(); n > 0 {
		return fault.New(CodeIllegalState, "queue %q has %d consumers; close them first", q.Name, n)
	}
	o.pos, err = sh.DeleteQueue(q)
	return err
}
