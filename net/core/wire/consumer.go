package wire

import "encoding/binary"

// CreateConsumer opens a consumer or a browser on a queue.
type CreateConsumer struct {
	ID               int64  // chosen by the client, per session
	Queue            string // may be address::queue
	Filter           Optional[string]
	BrowseOnly       bool
	RequiresResponse bool  // with a QueueQueryResponse, not a NullResponse
	Priority         int32 // 130 and later, optional
}

// Type is SESS_CREATECONSUMER.
func (*CreateConsumer) Type(int32) Type { return TypeCreateConsumer }

func (p *CreateConsumer) layout(c *cursor) {
	c.i64(&p.ID)
	c.sstr(&p.Queue)
	c.nsstr(&p.Filter)
	c.bool(&p.BrowseOnly)
	c.bool(&p.RequiresResponse)
	if c.version >= versionCorrelation && c.more() {
		c.i32(&p.Priority)
	}
}

// ConsumerCredits lets that many more bytes of frames flow to a consumer: 0 resets the balance, -1 lifts the limit.
type ConsumerCredits struct {
	Consumer int64
	Credits  int32
}

// Type is SESS_FLOWTOKEN.
func (*ConsumerCredits) Type(int32) Type { return TypeConsumerCredits }

func (p *ConsumerCredits) layout(c *cursor) {
	c.i64(&p.Consumer)
	c.i32(&p.Credits)
}

// ForceDelivery asks to deliver what can be delivered now and then to send a marker message with the sequence.
type ForceDelivery struct {
	Consumer int64
	Sequence int64
}

// Type is SESS_FORCE_CONSUMER_DELIVERY.
func (*ForceDelivery) Type(int32) Type { return TypeForceDelivery }

func (p *ForceDelivery) layout(c *cursor) {
	c.i64(&p.Consumer)
	c.i64(&p.Sequence)
}

// ConsumerClose closes a consumer.
type ConsumerClose struct {
	Consumer int64
}

// Type is SESS_CONSUMER_CLOSE.
func (*ConsumerClose) Type(int32) Type { return TypeConsumerClose }

func (p *ConsumerClose) layout(c *cursor) { c.i64(&p.Consumer) }

// DisconnectConsumer tells the client that the server ended a consumer; the client answers with ConsumerClose.
type DisconnectConsumer struct {
	Consumer int64
}

// Type is DISCONNECT_CONSUMER.
func (*DisconnectConsumer) Type(int32) Type { return TypeDisconnectConsumer }

func (p *DisconnectConsumer) layout(c *cursor) { c.i64(&p.Consumer) }

// DisconnectConsumerKill tells the client that it was too slow, before its connection is closed. Channel 1.
type DisconnectConsumerKill struct {
	NodeID Optional[string]
}

// Type is DISCONNECT_CONSUMER_KILL.
func (*DisconnectConsumerKill) Type(int32) Type { return TypeDisconnectConsumerKill }

func (p *DisconnectConsumerKill) layout(c *cursor) { c.nsstr(&p.NodeID) }

// Receive carries a message to a consumer.
type Receive struct {
	Message       []byte // aliases the frame; the layout of broker/message
	Consumer      int64
	DeliveryCount int32 // 1 the first time
}

// receiveTrailing is what follows the message in a Receive.
const receiveTrailing = 12

// ReceiveSize is the whole frame size of a Receive with a message of that size: what it costs in consumer credits.
func ReceiveSize(messageSize int) int { return HeaderSize + messageSize + receiveTrailing }

// Type is SESS_RECEIVE_MSG.
func (*Receive) Type(int32) Type { return TypeReceive }

func (p *Receive) layout(c *cursor) {
	c.allBut(receiveTrailing, &p.Message)
	c.i64(&p.Consumer)
	c.i32(&p.DeliveryCount)
}

// ReceiveLarge begins a large message to a consumer.
type ReceiveLarge struct {
	Consumer      int64
	DeliveryCount int32
	BodySize      int64
	Header        []byte // aliases the frame
}

// Type is SESS_RECEIVE_LARGE_MSG.
func (*ReceiveLarge) Type(int32) Type { return TypeReceiveLarge }

func (p *ReceiveLarge) layout(c *cursor) {
	c.i64(&p.Consumer)
	c.i32(&p.DeliveryCount)
	c.i64(&p.BodySize)
	c.allBut(0, &p.Header)
}

// ReceiveContinuation is one chunk of the large message begun last on that consumer.
type ReceiveContinuation struct {
	Chunk     []byte // aliases the frame
	Continues bool
	Consumer  int64
}

// Type is SESS_RECEIVE_CONTINUATION.
func (*ReceiveContinuation) Type(int32) Type { return TypeReceiveContinuation }

func (p *ReceiveContinuation) layout(c *cursor) {
	c.blob(&p.Chunk)
	c.bool(&p.Continues)
	c.i64(&p.Consumer)
}

// BeginReceive appends the head of a Receive frame. The caller appends the message and then calls EndReceive with the
// length that dst had before: so a delivery is encoded without a copy of the message in between.
func BeginReceive(dst []byte, channel int64) []byte {
	dst = append(dst, 0, 0, 0, 0, byte(TypeReceive))
	return binary.BigEndian.AppendUint64(dst, uint64(channel))
}

// EndReceive appends what follows the message and fills in the length of the frame that begins at start.
func EndReceive(dst []byte, start int, consumer int64, deliveryCount int32) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(consumer))
	dst = binary.BigEndian.AppendUint32(dst, uint32(deliveryCount))
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-LengthSize))
	return dst
}
