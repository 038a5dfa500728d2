package wire

// CreateAddress makes an address without a queue.
type CreateAddress struct {
	Address          string // may be address::queue; only the address counts
	RoutingTypes     []RoutingType
	RequiresResponse bool
	AutoCreated      bool
}

// Type is CREATE_ADDRESS.
func (*CreateAddress) Type(int32) Type { return TypeCreateAddress }

func (p *CreateAddress) layout(c *cursor) {
	c.sstr(&p.Address)
	n := c.count(len(p.RoutingTypes), 1)
	for i := 0; i < n && c.err == nil; i++ {
		if !c.writing {
			p.RoutingTypes = append(p.RoutingTypes, 0)
		}
		c.i8((*int8)(&p.RoutingTypes[i]))
	}
	c.bool(&p.RequiresResponse)
	c.bool(&p.AutoCreated)
}

// QueueAttributes are what a queue may be asked to be beyond its name; null means that the server's address settings
// decide.
type QueueAttributes struct {
	Exclusive              Optional[bool]
	LastValue              Optional[bool]
	LastValueKey           Optional[string]
	NonDestructive         Optional[bool]
	ConsumersBeforeDeliver Optional[int32]
	DelayBeforeDeliver     Optional[int64]
	GroupRebalance         Optional[bool]
	GroupBuckets           Optional[int32]
	AutoDelete             Optional[bool]
	AutoDeleteDelay        Optional[int64]
	AutoDeleteMessageCount Optional[int64]
	GroupFirstKey          Optional[string]
	RingSize               Optional[int64]
	Enabled                Optional[bool]
	GroupRebalancePause    Optional[bool]
}

// fromLastValueKey to autoDeleteMessageCount is the run that all three packets have in common.
func (a *QueueAttributes) layoutCommon(c *cursor) {
	c.nsstr(&a.LastValueKey)
	c.nbool(&a.NonDestructive)
	c.ni32(&a.ConsumersBeforeDeliver)
	c.ni64(&a.DelayBeforeDeliver)
	c.nbool(&a.GroupRebalance)
	c.ni32(&a.GroupBuckets)
	c.nbool(&a.AutoDelete)
	c.ni64(&a.AutoDeleteDelay)
	c.ni64(&a.AutoDeleteMessageCount)
}

// layoutLate is what later releases appended one by one.
func (a *QueueAttributes) layoutLate(c *cursor) {
	if c.more() {
		c.nsstr(&a.GroupFirstKey)
	}
	if c.more() {
		c.ni64(&a.RingSize)
	}
	if c.more() {
		c.nbool(&a.Enabled)
	}
	if c.more() {
		c.nbool(&a.GroupRebalancePause)
	}
}

// CreateQueue makes a queue and, where that is allowed, its address.
type CreateQueue struct {
	Address            string
	Name               string // may be address::queue
	Filter             Optional[string]
	Durable            bool
	Temporary          bool
	RequiresResponse   bool
	AutoCreated        bool
	RoutingType        RoutingType
	MaxConsumers       int32 // -1 is no limit
	PurgeOnNoConsumers bool
	Attributes         QueueAttributes
	V1                 bool // the old CREATE_QUEUE, which ends after RequiresResponse
}

// Type is CREATE_QUEUE_V2, or CREATE_QUEUE where V1 is set.
func (p *CreateQueue) Type(int32) Type {
	if p.V1 {
		return TypeCreateQueue
	}
	return TypeCreateQueueV2
}

func (p *CreateQueue) setType(t Type) { p.V1 = t == TypeCreateQueue }

func (p *CreateQueue) layout(c *cursor) {
	c.sstr(&p.Address)
	c.sstr(&p.Name)
	c.nsstr(&p.Filter)
	c.bool(&p.Durable)
	c.bool(&p.Temporary)
	c.bool(&p.RequiresResponse)
	if p.V1 {
		p.RoutingType, p.MaxConsumers = RoutingDefault, -1
		return
	}
	c.bool(&p.AutoCreated)
	c.i8((*int8)(&p.RoutingType))
	c.i32(&p.MaxConsumers)
	c.bool(&p.PurgeOnNoConsumers)
	if c.more() {
		c.nbool(&p.Attributes.Exclusive)
		c.nbool(&p.Attributes.LastValue)
	}
	if c.more() {
		p.Attributes.layoutCommon(c)
	}
	p.Attributes.layoutLate(c)
}

// CreateSharedQueue makes the queue of a shared subscription if it is not there yet.
type CreateSharedQueue struct {
	Address            string
	Name               string
	Filter             Optional[string]
	Durable            bool
	RoutingType        RoutingType
	RequiresResponse   bool
	MaxConsumers       Optional[int32]
	PurgeOnNoConsumers Optional[bool]
	Attributes         QueueAttributes
	V1                 bool // the old CREATE_SHARED_QUEUE: no routing type and nothing after RequiresResponse
}

// Type is CREATE_SHARED_QUEUE_V2, or CREATE_SHARED_QUEUE where V1 is set.
func (p *CreateSharedQueue) Type(int32) Type {
	if p.V1 {
		return TypeCreateSharedQueue
	}
	return TypeCreateSharedQueueV2
}

func (p *CreateSharedQueue) setType(t Type) { p.V1 = t == TypeCreateSharedQueue }

func (p *CreateSharedQueue) layout(c *cursor) {
	c.sstr(&p.Address)
	c.sstr(&p.Name)
	c.nsstr(&p.Filter)
	c.bool(&p.Durable)
	if p.V1 {
		c.bool(&p.RequiresResponse)
		p.RoutingType = RoutingMulticast
		return
	}
	c.i8((*int8)(&p.RoutingType))
	c.bool(&p.RequiresResponse)
	if c.more() {
		c.ni32(&p.MaxConsumers)
		c.nbool(&p.PurgeOnNoConsumers)
	}
	if c.more() { // release 2.6 ends before this group, or after it
		c.nbool(&p.Attributes.Exclusive)
		c.nbool(&p.Attributes.LastValue)
	}
	if c.more() {
		p.Attributes.layoutCommon(c)
	}
	p.Attributes.layoutLate(c)
}

// DeleteQueue removes a queue that has no consumers.
type DeleteQueue struct {
	Name string
}

// Type is DELETE_QUEUE.
func (*DeleteQueue) Type(int32) Type { return TypeDeleteQueue }

func (p *DeleteQueue) layout(c *cursor) { c.sstr(&p.Name) }
