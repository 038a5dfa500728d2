package session

import "github.com/hindmq/hind/broker/message"

// Outlet is the protocol's side of one connection. All methods are called on the owner's goroutine, never at the same
// time, and must not block and not call back into Conn or Session; they encode into the connection's outbound buffer.
type Outlet interface {
	// Answer ends one request. The Answer is valid during the call only.
	Answer(a *Answer)

	// Deliver hands a message to a consumer and returns what it costs in the consumer's credits (CORE: the size of the
	// whole frame). The Delivery is valid during the call only; its Message is immutable and may be kept.
	Deliver(d *Delivery) (cost int)

	// Notify tells what nobody asked for. The Event is valid during the call only.
	Notify(e *Event)

	// Queued is how many bytes wait to be sent to the peer. At Options.OutboundHighWater deliveries to this connection
	// stop; after Queued has returned as much, the protocol calls Conn.Writable once the buffer is low again.
	Queued() int

	// Flush ends the step: at most one call for each step and connection, after the other calls.
	Flush()
}

// Op names a request.
type Op uint8

const (
	OpOpenSession Op = 1 + iota
	OpCloseSession
	OpCloseNamed
	OpStart
	OpStop
	OpAddMetadata
	OpCreateAddress
	OpCreateQueue
	OpDeleteQueue
	OpQueryQueue
	OpQueryBinding
	OpCreateConsumer
	OpCloseConsumer
	OpCredits
	OpForceDelivery
	OpProducerCredits
	OpSend
	OpAcknowledge
	OpExpire
	OpCommit
	OpRollback
	OpXA
)

// Tag comes back with the answer; the session does not look into Channel, Correlation and Note.
type Tag struct {
	Channel     int64
	Correlation int64
	Note        int64
	Silent      bool // no answer is wanted, not even for a failure (unless SessionOptions.ConfirmAll)
}

// Answer is the end of one request.
type Answer struct {
	Op  Op
	Tag Tag
	Err *Error // nil: done, and safe

	Queue    *QueueInfo   // OpQueryQueue, OpCreateConsumer
	Binding  *BindingInfo // OpQueryBinding
	Consumer int64        // OpForceDelivery: the consumer that gets the marker message
	Sequence int64        // OpForceDelivery: as requested
	ID       int64        // OpForceDelivery: a fresh message id for the marker
	Name     string       // OpForceDelivery: the queue's name; OpCreateAddress, OpCreateQueue: what was made
	Found    bool         // OpCloseNamed: there was such a session and it is fully closed now
}

// Delivery is one message on its way to one consumer.
type Delivery struct {
	Channel       int64 // SessionOptions.Channel
	Consumer      int64
	ID            int64 // the broker's message id; what the consumer acknowledges
	DeliveryCount int   // 1 at the first delivery
	Message       *message.Message
	Queue         string // name
}

// EventKind says what happened.
type EventKind uint8

const (
	EventRoom           EventKind = 1 + iota // the mailbox has room again: call Conn.Post and go on reading
	EventCredits                             // producer credits are granted: Channel, Address, Credits
	EventConsumerClosed                      // the queue was deleted under a consumer: Channel, Consumer
	EventDisconnect                          // the connection is over: close it; Err says why
)

// Event is what nobody asked for, or asked for long ago.
type Event struct {
	Kind     EventKind
	Channel  int64
	Consumer int64
	Address  string // exactly as requested
	Credits  int32
	Err      *Error
}
