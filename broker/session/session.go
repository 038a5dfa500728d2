package session

import (
	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/message"
)

func (s *Session) add(cmd command) {
	cmd.session = s
	s.conn.add(cmd)
}

// Close ends the session: an open transaction is rolled back, unacknowledged messages are returned.
func (s *Session) Close(tag Tag) { s.add(command{op: OpCloseSession, tag: tag}) }

// Start lets messages be delivered. Browsers get them without.
func (s *Session) Start(tag Tag) { s.add(command{op: OpStart, tag: tag}) }

// Stop ends deliveries: none follows the answer.
func (s *Session) Stop(tag Tag) { s.add(command{op: OpStop, tag: tag}) }

// AddMetadata gives the session a key and value. unique: refused with CodeDuplicateMetadata if another living session
// has the same.
func (s *Session) AddMetadata(key, value string, unique bool, tag Tag) {
	s.add(command{op: OpAddMetadata, tag: tag, text: key, text2: value, flag: unique})
}

// CreateAddress makes an address or adds routing types to it. An existing one is no error.
func (s *Session) CreateAddress(name string, routings address.RoutingSet, autoCreated bool, tag Tag) {
	s.add(command{op: OpCreateAddress, tag: tag, text: name, number: int64(routings), flag: autoCreated})
}

// CreateQueue makes a queue. The options are kept: do not change them afterwards.
func (s *Session) CreateQueue(o *QueueOptions, tag Tag) {
	s.add(command{op: OpCreateQueue, tag: tag, queue: o})
}

// DeleteQueue deletes a queue that has no consumers, with its messages.
func (s *Session) DeleteQueue(name string, tag Tag) {
	s.add(command{op: OpDeleteQueue, tag: tag, text: name})
}

// QueryQueue asks for a queue by name, perhaps "address::queue".
func (s *Session) QueryQueue(name string, tag Tag) {
	s.add(command{op: OpQueryQueue, tag: tag, text: name})
}

// QueryBinding asks for an address and its queues.
func (s *Session) QueryBinding(addr string, tag Tag) {
	s.add(command{op: OpQueryBinding, tag: tag, text: addr})
}

// ConsumerOptions say what a consumer wants.
type ConsumerOptions struct {
	ID       int64  // chosen by the client, unique in its session
	Queue    string // may be "address::queue"
	Filter   string // "": none
	Browse   bool   // copies, from head to tail, without removing
	Priority int32  // higher gets messages first
}

// CreateConsumer makes a consumer without credits.
func (s *Session) CreateConsumer(o ConsumerOptions, tag Tag) {
	s.add(command{op: OpCreateConsumer, tag: tag, id: o.ID, text: o.Queue, text2: o.Filter, flag: o.Browse,
		number: int64(o.Priority)})
}

// CloseConsumer returns its unacknowledged messages. An unknown consumer is no error.
func (s *Session) CloseConsumer(id int64, tag Tag) {
	s.add(command{op: OpCloseConsumer, tag: tag, id: id})
}

// Credits gives a consumer credits in the unit that Outlet.Deliver returns: above 0 adds, 0 sets to none, -1 is
// unlimited from now on. An unknown consumer is ignored. There is no answer.
func (s *Session) Credits(id int64, credits int32) {
	s.add(command{op: OpCredits, tag: Tag{Silent: true}, id: id, number: int64(credits)})
}

// ForceDelivery asks to deliver what can be delivered now and then to answer, with Consumer, Sequence, Name and a fresh
// ID for the marker message. It waits while the outbound buffer is above high water. An unknown consumer is ignored.
func (s *Session) ForceDelivery(id, sequence int64, tag Tag) {
	s.add(command{op: OpForceDelivery, tag: tag, id: id, number: sequence})
}

// ProducerCredits asks for credits for an address. EventCredits grants them, exactly as asked, at once or when the
// address is below its limit again.
func (s *Session) ProducerCredits(addr string, credits int32) {
	s.add(command{op: OpProducerCredits, tag: Tag{Silent: true}, text: addr, number: int64(credits)})
}

// Send sends a message. The message is kept. to is the address, "" for the message's own or the session's default;
// routing overrides what the message says unless it is RoutingNone. Within a transaction it takes effect at the commit,
// and a failure makes the transaction rollback-only.
func (s *Session) Send(m *message.Message, to string, routing address.Routing, tag Tag) {
	s.add(command{op: OpSend, tag: tag, message: m, text: to, number: int64(routing)})
}

// Acknowledge settles all messages delivered to the consumer up to and including the message id.
func (s *Session) Acknowledge(consumer, id int64, tag Tag) {
	s.add(command{op: OpAcknowledge, tag: tag, id: consumer, number: id, flag: true})
}

// AcknowledgeOne settles one message.
func (s *Session) AcknowledgeOne(consumer, id int64, tag Tag) {
	s.add(command{op: OpAcknowledge, tag: tag, id: consumer, number: id})
}

// Expire says that the client found a message expired: it goes to the expiry address or is dropped.
func (s *Session) Expire(consumer, id int64, tag Tag) {
	s.add(command{op: OpExpire, tag: tag, id: consumer, number: id})
}

// Commit makes the session's transaction effective, all or nothing; the next one begins by itself. A rollback-only
// transaction is rolled back and answered with its cause.
func (s *Session) Commit(tag Tag) { s.add(command{op: OpCommit, tag: tag}) }

// Rollback undoes the transaction and returns every unacknowledged message of the session to its queue, in its old
// place. lastDelivered: the first unacknowledged message of each consumer counts as delivered.
func (s *Session) Rollback(lastDelivered bool, tag Tag) {
	s.add(command{op: OpRollback, tag: tag, flag: lastDelivered})
}

// XA refuses a request of an XA transaction, by its name, with CodeNotImplemented.
func (s *Session) XA(request string, tag Tag) {
	s.add(command{op: OpXA, tag: tag, text: request})
}
