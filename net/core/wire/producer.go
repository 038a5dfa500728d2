package wire

// CreateProducer tells the server of a producer, for its statistics only; it is not repeated after a failover.
type CreateProducer struct {
	ID      int32
	Address Optional[string] // null: an anonymous producer
}

// Type is CREATE_PRODUCER.
func (*CreateProducer) Type(int32) Type { return TypeCreateProducer }

func (p *CreateProducer) layout(c *cursor) {
	c.i32(&p.ID)
	c.nsstr(&p.Address)
}

// RemoveProducer takes CreateProducer back.
type RemoveProducer struct {
	ID int32
}

// Type is REMOVE_PRODUCER.
func (*RemoveProducer) Type(int32) Type { return TypeRemoveProducer }

func (p *RemoveProducer) layout(c *cursor) { c.i32(&p.ID) }

// Send carries a message to the server.
type Send struct {
	Message          []byte // aliases the frame; the layout of broker/message
	RequiresResponse bool
	Correlation      int64 // 130 and later
	Sender           int32 // id of the producer, 134 and later
}

// Type is SESS_SEND.
func (*Send) Type(int32) Type { return TypeSend }

func (p *Send) layout(c *cursor) {
	trailing := 1
	if c.version >= versionCorrelation {
		trailing += 8
	}
	if c.version >= versionSenderID {
		trailing += 4
	}
	c.allBut(trailing, &p.Message)
	c.bool(&p.RequiresResponse)
	c.layoutSender(&p.Correlation, &p.Sender)
}

// layoutSender is the end of both kinds of sends.
func (c *cursor) layoutSender(correlation *int64, sender *int32) {
	if c.version >= versionCorrelation {
		c.i64(correlation)
	} else if !c.writing {
		*correlation = NoCorrelation
	}
	if c.version >= versionSenderID {
		c.i32(sender)
	}
}

// SendLarge begins a large message: its headers and properties. The body follows in SendContinuation packets.
type SendLarge struct {
	Header []byte // aliases the frame
}

// Type is SESS_SEND_LARGE.
func (*SendLarge) Type(int32) Type { return TypeSendLarge }

func (p *SendLarge) layout(c *cursor) { c.allBut(0, &p.Header) }

// SendContinuation is one chunk of the body of the large message begun last.
type SendContinuation struct {
	Chunk            []byte // aliases the frame
	Continues        bool   // false: the last chunk
	BodySize         int64  // on the last chunk only
	RequiresResponse bool
	Correlation      int64 // 130 and later
	Sender           int32 // 134 and later
}

// Type is SESS_SEND_CONTINUATION.
func (*SendContinuation) Type(int32) Type { return TypeSendContinuation }

func (p *SendContinuation) layout(c *cursor) {
	c.blob(&p.Chunk)
	c.bool(&p.Continues)
	if !p.Continues {
		c.i64(&p.BodySize)
	}
	c.bool(&p.RequiresResponse)
	c.layoutSender(&p.Correlation, &p.Sender)
}

// RequestProducerCredits asks for room for that many bytes of messages to an address. The answer may come much later;
// it is not a response.
type RequestProducerCredits struct {
	Credits int32
	Address string
}

// Type is SESS_PRODUCER_REQUEST_CREDITS.
func (*RequestProducerCredits) Type(int32) Type { return TypeRequestProducerCredits }

func (p *RequestProducerCredits) layout(c *cursor) {
	c.i32(&p.Credits)
	c.sstr(&p.Address)
}

// ProducerCredits grants what was requested: the same amount and the same address.
type ProducerCredits struct {
	Credits int32
	Address string
}

// Type is SESS_PRODUCER_CREDITS.
func (*ProducerCredits) Type(int32) Type { return TypeProducerCredits }

func (p *ProducerCredits) layout(c *cursor) {
	c.i32(&p.Credits)
	c.sstr(&p.Address)
}

// ProducerFailCredits refuses what was requested; the client's next send fails locally.
type ProducerFailCredits struct {
	Credits int32
	Address string
}

// Type is SESS_PRODUCER_FAIL_CREDITS.
func (*ProducerFailCredits) Type(int32) Type { return TypeProducerFailCredits }

func (p *ProducerFailCredits) layout(c *cursor) {
	c.i32(&p.Credits)
	c.sstr(&p.Address)
}
