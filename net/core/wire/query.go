package wire

// QueueQuery asks about a queue.
type QueueQuery struct {
	Name string // may be address::queue
}

// Type is SESS_QUEUEQUERY.
func (*QueueQuery) Type(int32) Type { return TypeQueueQuery }

func (p *QueueQuery) layout(c *cursor) { c.sstr(&p.Name) }

// QueueQueryResponse answers QueueQuery, and CreateConsumer. Clients use it to make the queue again after a failover.
type QueueQueryResponse struct {
	Exists               bool
	Durable              bool
	Temporary            bool
	ConsumerCount        int32
	MessageCount         int64
	Filter               Optional[string]
	Address              Optional[string]
	Name                 Optional[string]
	AutoCreateQueues     bool
	AutoCreated          bool
	PurgeOnNoConsumers   bool
	RoutingType          RoutingType // 0 or 1 only: clients fail on -1 here
	MaxConsumers         int32
	ConsumerWindowSize   Optional[int32]
	Attributes           QueueAttributes
	ConfigurationManaged Optional[bool]
}

// Type is SESS_QUEUEQUERY_RESP_V3.
func (*QueueQueryResponse) Type(int32) Type { return TypeQueueQueryResponseV3 }

func (p *QueueQueryResponse) layout(c *cursor) {
	c.bool(&p.Exists)
	c.bool(&p.Durable)
	c.bool(&p.Temporary)
	c.i32(&p.ConsumerCount)
	c.i64(&p.MessageCount)
	c.nsstr(&p.Filter)
	c.nsstr(&p.Address)
	c.nsstr(&p.Name)
	c.bool(&p.AutoCreateQueues)
	c.bool(&p.AutoCreated)
	c.bool(&p.PurgeOnNoConsumers)
	c.i8((*int8)(&p.RoutingType))
	c.i32(&p.MaxConsumers)
	if c.more() {
		c.nbool(&p.Attributes.Exclusive)
		c.nbool(&p.Attributes.LastValue)
	}
	if c.more() {
		c.ni32(&p.ConsumerWindowSize)
	}
	if c.more() {
		p.Attributes.layoutCommon(c)
	}
	p.Attributes.layoutLate(c)
	if c.more() {
		c.nbool(&p.ConfigurationManaged)
	}
}

// BindingQuery asks about an address.
type BindingQuery struct {
	Address string // may be address::queue; only the address counts
}

// Type is SESS_BINDINGQUERY.
func (*BindingQuery) Type(int32) Type { return TypeBindingQuery }

func (p *BindingQuery) layout(c *cursor) { c.sstr(&p.Address) }

// BindingQueryResponse answers BindingQuery.
type BindingQueryResponse struct {
	Exists                 bool // the address does
	QueueNames             []string
	AutoCreateQueues       bool
	AutoCreateAddresses    bool
	PurgeOnNoConsumers     bool // this and the next are the defaults for new queues
	MaxConsumers           int32
	Exclusive              Optional[bool]
	LastValue              Optional[bool]
	LastValueKey           Optional[string]
	NonDestructive         Optional[bool]
	ConsumersBeforeDeliver Optional[int32]
	DelayBeforeDeliver     Optional[int64]
	SupportsMulticast      bool // 135 and later
	SupportsAnycast        bool
}

// Type is SESS_BINDINGQUERY_RESP_V5, or V4 for clients that do not know it.
func (*BindingQueryResponse) Type(version int32) Type {
	if version >= versionBindingQueryFive {
		return TypeBindingQueryResponseV5
	}
	return TypeBindingQueryResponseV4
}

func (p *BindingQueryResponse) layout(c *cursor) {
	c.bool(&p.Exists)
	n := c.count(len(p.QueueNames), LengthSize)
	for i := 0; i < n && c.err == nil; i++ {
		if !c.writing {
			p.QueueNames = append(p.QueueNames, "")
		}
		c.sstr(&p.QueueNames[i])
	}
	c.bool(&p.AutoCreateQueues)
	c.bool(&p.AutoCreateAddresses)
	c.bool(&p.PurgeOnNoConsumers)
	c.i32(&p.MaxConsumers)
	if c.more() {
		c.nbool(&p.Exclusive)
		c.nbool(&p.LastValue)
		c.nsstr(&p.LastValueKey)
		c.nbool(&p.NonDestructive)
		c.ni32(&p.ConsumersBeforeDeliver)
		c.ni64(&p.DelayBeforeDeliver)
	}
	if c.packet == TypeBindingQueryResponseV5 {
		c.bool(&p.SupportsMulticast)
		c.bool(&p.SupportsAnycast)
	}
}
