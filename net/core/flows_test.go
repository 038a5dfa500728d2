package core

import (
	"testing"

	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/net/core/wire"
)

// The flows of the JMS client, packet by packet, against the whole broker with its log in memory. Each has a transcript
// under testdata that says what came back; run the tests with -update to write them anew, and read the difference.

const durable, nonDurable = true, false

// textMessage is a message as a JMS producer makes it.
func textMessage(to, body string, durable bool, props ...message.Property) []byte {
	routing := message.Property{Name: message.PropRoutingType, Value: message.Byte(1)}
	return message.Encode(nil, &message.Header{Address: to, HasAddress: true, Type: message.TypeText, Durable: durable, Timestamp: 1,
		Priority: 4}, message.AppendSimple([]byte{1}, body), append([]message.Property{routing}, props...))
}

func (s *script) createConnection() {
	s.raw([]byte(wire.Handshake))
	s.client(0, &wire.Ping{TTL: 60000})
	s.client(0, &wire.SubscribeTopologyV2{ClientVersion: s.version})
	s.client(1, &wire.CreateSession{Name: "initial" + s.name, Channel: 10, Version: s.version, LargeMessageSizeMin: 102400,
		ConfirmationWindow: -1, V2: s.version >= 131})
	s.client(10, &wire.AddMetadataV2{Key: "jms-session", RequiresResponse: true})
}

// createSession opens a session as JMS does for the mode, on a started connection.
func (s *script) createSession(channel int64, autoCommitSends, autoCommitAcks bool) {
	s.client(1, &wire.CreateSession{Name: "session" + s.name, Channel: channel, Version: s.version, LargeMessageSizeMin: 102400,
		AutoCommitSends: autoCommitSends, AutoCommitAcks: autoCommitAcks, ConfirmationWindow: -1})
	s.client(channel, &wire.Start{})
}

// createQueue is what a producer does for a queue that is not there.
func (s *script) createQueue(channel int64, name string) {
	s.client(channel, &wire.CreateAddress{Address: name, RoutingTypes: []wire.RoutingType{wire.RoutingAnycast}, RequiresResponse: true, AutoCreated: true})
	s.client(channel, &wire.CreateQueue{Address: name, Name: name, Durable: true, RequiresResponse: true, AutoCreated: true,
		RoutingType: wire.RoutingAnycast, MaxConsumers: -1})
}

func (s *script) send(channel int64, to, body string, durable bool, correlation int64) {
	s.client(channel, &wire.Send{Message: textMessage(to, body, durable), RequiresResponse: correlation != 0, Correlation: correlation, Sender: 1})
}

func TestFlows(t *testing.T) {
	for name, flow := range map[string]func(*script){
		"create-connection":    flowConnection,
		"create-session":       flowSession,
		"producer-and-send":    flowSend,
		"consumer":             flowConsume,
		"rollback-and-recover": flowRollback,
		"transaction":          flowTransaction,
		"browser":              flowBrowser,
		"topic":                flowTopic,
		"temporary-queue":      flowTemporary,
		"closing":              flowClosing,
		"failover":             flowFailover,
		"refusals":             flowRefusals,
		"confirmations":        flowConfirmations,
		"version-129":          flowOldest,
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			if name == "version-129" {
				s.version = 129
			}
			s.createConnection()
			flow(s)
			s.check(name)
		})
	}
}

func flowConnection(s *script) {
	s.client(10, &wire.AddUniqueMetadata{Key: "jms-client-id", Value: "me", RequiresResponse: true})
	s.client(10, &wire.AddMetadataV2{Key: "jms-client-id", Value: "me", RequiresResponse: true})
	s.note("the same client id on another connection is refused")
	other := s.other()
	other.createConnection()
	other.client(10, &wire.AddUniqueMetadata{Key: "jms-client-id", Value: "me", RequiresResponse: true})
}

func flowSession(s *script) {
	s.note("AUTO_ACKNOWLEDGE, SESSION_TRANSACTED, CLIENT_ACKNOWLEDGE")
	s.createSession(11, true, true)
	s.client(11, &wire.Stop{})
	s.client(11, &wire.Close{})
	s.client(1, &wire.CreateSession{Name: "tx", Channel: 12, Version: s.version, ConfirmationWindow: -1})
	s.client(1, &wire.CreateSession{Name: "client", Channel: 13, Version: s.version, AutoCommitSends: true, ConfirmationWindow: -1})
	s.note("a packet for the closed session is dropped, the next one on another channel is not")
	s.client(11, &wire.Acknowledge{RequiresResponse: true})
	s.client(13, &wire.QueueQuery{Name: "nothing"})
}

func flowSend(s *script) {
	s.createSession(11, true, true)
	s.client(11, &wire.BindingQuery{Address: "q"})
	s.createQueue(11, "q")
	s.client(11, &wire.BindingQuery{Address: "q"})
	s.client(11, &wire.QueueQuery{Name: "q"})
	s.client(11, &wire.RequestProducerCredits{Credits: 32768, Address: "q"})
	s.client(11, &wire.CreateProducer{ID: 1, Address: wire.Some("q")})
	s.send(11, "q", "durable", durable, -2)
	s.send(11, "q", "not durable", nonDurable, 0)
	s.client(11, &wire.QueueQuery{Name: "q"})
	s.note("asynchronous with a confirmation window: the ids count up")
	s.send(11, "q", "async", durable, 1)
	s.client(11, &wire.RemoveProducer{ID: 1})
}

func flowConsume(s *script) {
	s.createSession(11, true, true)
	s.createQueue(11, "q")
	s.send(11, "q", "one", durable, -2)
	s.send(11, "q", "two", durable, -3)
	s.client(11, &wire.CreateConsumer{ID: 0, Queue: "q", RequiresResponse: true})
	s.note("no credits, no messages; the marker comes all the same")
	s.client(11, &wire.ForceDelivery{Consumer: 0, Sequence: 1})
	s.client(11, &wire.ConsumerCredits{Consumer: 0, Credits: 1})
	s.note("one credit lets one message out; the balance is negative now")
	s.client(11, &wire.ConsumerCredits{Consumer: 0, Credits: 1})
	s.client(11, &wire.ConsumerCredits{Consumer: 0, Credits: 1 << 20})
	s.client(11, &wire.ForceDelivery{Consumer: 0, Sequence: 2})
	s.acknowledgeLast(11)
	s.client(11, &wire.QueueQuery{Name: "q"})
	s.client(11, &wire.ConsumerClose{Consumer: 0})
	s.client(11, &wire.ConsumerClose{Consumer: 7})
}

func flowRollback(s *script) {
	s.createSession(11, false, false)
	s.createQueue(11, "q")
	s.send(11, "q", "one", durable, 0)
	s.send(11, "q", "two", durable, 0)
	s.client(11, &wire.Commit{Correlation: wire.Some(int64(-2))})
	s.client(11, &wire.CreateConsumer{ID: 0, Queue: "q", RequiresResponse: true})
	s.client(11, &wire.ConsumerCredits{Consumer: 0, Credits: 1 << 20})
	s.note("rollback: the acknowledged message counts, the prefetched one does not")
	s.client(11, &wire.Stop{})
	s.acknowledgeFirst(11)
	s.client(11, &wire.Rollback{})
	s.client(11, &wire.Start{})
	s.note("recover: the first unacknowledged one counts too")
	s.client(11, &wire.Stop{})
	s.client(11, &wire.Rollback{LastMessageDelivered: true})
	s.client(11, &wire.Start{})
	s.acknowledgeLast(11)
	s.client(11, &wire.Commit{Correlation: wire.Some(int64(-3))})
	s.client(11, &wire.QueueQuery{Name: "q"})
}

func flowTransaction(s *script) {
	s.createSession(11, false, false)
	s.createQueue(11, "q")
	s.send(11, "q", "rolled back", durable, 0)
	s.client(11, &wire.Rollback{})
	s.send(11, "q", "committed", durable, 0)
	s.client(11, &wire.QueueQuery{Name: "q"})
	s.client(11, &wire.Commit{Correlation: wire.Some(int64(-2))})
	s.client(11, &wire.QueueQuery{Name: "q"})
	s.note("CLIENT_ACKNOWLEDGE commits without a correlation id")
	s.client(11, &wire.Commit{})
	s.note("a large message dooms the transaction; the next one is clean")
	s.client(11, &wire.SendLarge{Header: []byte("whatever")})
	s.client(11, &wire.SendContinuation{Chunk: []byte("chunk"), BodySize: 5})
	s.client(11, &wire.Commit{Correlation: wire.Some(int64(-3))})
	s.client(11, &wire.Commit{Correlation: wire.Some(int64(-4))})
}

func flowBrowser(s *script) {
	s.client(1, &wire.CreateSession{Name: "b", Channel: 11, Version: s.version, AutoCommitSends: true, AutoCommitAcks: true, ConfirmationWindow: -1})
	s.createQueue(11, "q")
	s.send(11, "q", "one", durable, -2)
	s.send(11, "q", "two", durable, -3)
	s.note("the session is not started; a browser gets messages all the same")
	s.client(11, &wire.CreateConsumer{ID: 0, Queue: "q", BrowseOnly: true, RequiresResponse: true})
	s.client(11, &wire.ConsumerCredits{Consumer: 0, Credits: 1 << 20})
	s.client(11, &wire.ForceDelivery{Consumer: 0, Sequence: 0})
	s.client(11, &wire.ForceDelivery{Consumer: 0, Sequence: 1})
	s.client(11, &wire.ConsumerClose{Consumer: 0})
	s.client(11, &wire.QueueQuery{Name: "q"})
}

func flowTopic(s *script) {
	s.createSession(11, true, true)
	s.client(11, &wire.BindingQuery{Address: "t"})
	s.client(11, &wire.CreateAddress{Address: "t", RoutingTypes: []wire.RoutingType{wire.RoutingMulticast}, RequiresResponse: true, AutoCreated: true})
	for id, name := range []string{"sub-0", "sub-1"} {
		filter := wire.Optional[string]{}
		if id == 1 {
			filter = wire.Some("color = 'red'")
		}
		s.client(11, &wire.CreateQueue{Address: "t", Name: name, Filter: filter, Temporary: true, RequiresResponse: true,
			RoutingType: wire.RoutingMulticast, MaxConsumers: -1})
		s.client(11, &wire.CreateConsumer{ID: int64(id), Queue: name, Filter: filter, RequiresResponse: true})
		s.client(11, &wire.ConsumerCredits{Consumer: int64(id), Credits: 1 << 20})
	}
	for _, color := range []string{"red", "blue"} {
		s.client(11, &wire.Send{Message: message.Encode(nil, &message.Header{Address: "t", HasAddress: true, Type: message.TypeText,
			Timestamp: 1, Priority: 4}, message.AppendSimple([]byte{1}, color), []message.Property{
			{Name: message.PropRoutingType, Value: message.Byte(0)}, {Name: "color", Value: message.String(color)}})})
	}
	s.client(11, &wire.BindingQuery{Address: "t"})
	s.client(11, &wire.ConsumerClose{Consumer: 0})
	s.client(11, &wire.DeleteQueue{Name: "sub-0"})
	s.client(11, &wire.BindingQuery{Address: "t"})
}

func flowTemporary(s *script) {
	s.createSession(11, true, true)
	s.client(11, &wire.CreateQueue{Address: "uuid", Name: "uuid", Temporary: true, RequiresResponse: true, RoutingType: wire.RoutingAnycast, MaxConsumers: -1})
	s.client(11, &wire.CreateQueue{Address: "topic", Name: "topic", Filter: wire.Some("_AMQX=-1"), Temporary: true, RequiresResponse: true,
		RoutingType: wire.RoutingDefault, MaxConsumers: -1})
	s.client(11, &wire.BindingQuery{Address: "topic"})
	s.client(11, &wire.CreateConsumer{ID: 0, Queue: "uuid", RequiresResponse: true})
	s.client(11, &wire.DeleteQueue{Name: "uuid"})
	s.client(11, &wire.ConsumerClose{Consumer: 0})
	s.client(11, &wire.DeleteQueue{Name: "uuid"})
	s.client(11, &wire.QueueQuery{Name: "uuid"})
	s.note("the end of the connection deletes the rest")
	s.client(11, &wire.DeleteQueue{Name: "topic"})
	s.client(11, &wire.CreateQueue{Address: "left", Name: "left", Temporary: true, RequiresResponse: true, RoutingType: wire.RoutingAnycast, MaxConsumers: -1})
	s.drop()
	other := s.other()
	other.createConnection()
	other.client(10, &wire.QueueQuery{Name: "left"})
}

func flowClosing(s *script) {
	s.createSession(11, true, true)
	s.createQueue(11, "q")
	s.send(11, "q", "one", durable, -2)
	s.client(11, &wire.CreateConsumer{ID: 0, Queue: "q", RequiresResponse: true})
	s.client(11, &wire.ConsumerCredits{Consumer: 0, Credits: 1 << 20})
	s.note("connection.close: consumers, then sessions, the initial one too")
	s.client(11, &wire.ConsumerClose{Consumer: 0})
	s.client(11, &wire.RemoveProducer{ID: 1})
	s.client(11, &wire.Close{})
	s.client(10, &wire.Close{})
	s.note("the message that was delivered and not acknowledged is back")
	other := s.other()
	other.createConnection()
	other.client(10, &wire.QueueQuery{Name: "q"})
}

func flowFailover(s *script) {
	s.createSession(11, true, true)
	s.createQueue(11, "q")
	s.send(11, "q", "one", durable, -2)
	s.client(11, &wire.CreateConsumer{ID: 0, Queue: "q", RequiresResponse: true})
	s.client(11, &wire.ConsumerCredits{Consumer: 0, Credits: 1 << 20})
	s.note("the client comes back while the old connection is still open")
	other := s.other()
	other.raw([]byte(wire.Handshake))
	other.client(0, &wire.Ping{TTL: 60000})
	other.client(1, &wire.CheckForFailover{NodeID: wire.Some("node-1")})
	other.client(0, &wire.SubscribeTopologyV2{ClientVersion: s.version})
	other.client(1, &wire.ReattachSession{Name: "session", LastConfirmedCommandID: -1})
	other.client(1, &wire.CreateSession{Name: "session-2", Channel: 11, Version: 136, AutoCommitSends: true, AutoCommitAcks: true, ConfirmationWindow: -1})
	other.client(11, &wire.CreateQueue{Address: "q", Name: "q", Durable: true, AutoCreated: true, RoutingType: wire.RoutingAnycast, MaxConsumers: -1})
	other.client(11, &wire.CreateConsumer{ID: 0, Queue: "q"})
	other.client(11, &wire.ConsumerCredits{Consumer: 0, Credits: 1 << 19})
	other.client(11, &wire.ForceDelivery{Consumer: 0, Sequence: 5})
	other.client(11, &wire.Start{})
	other.client(11, &wire.RequestProducerCredits{Credits: 65536, Address: "q"})
	other.client(11, &wire.AddMetadataV2{Key: "jms-session"})
	other.note("a consumer that cannot be made again closes the connection")
	other.client(11, &wire.CreateConsumer{ID: 1, Queue: "missing"})
}

func flowRefusals(s *script) {
	s.client(1, &wire.CreateSession{Name: "xa", Channel: 11, Version: s.version, XA: true, ConfirmationWindow: -1})
	s.createSession(12, true, true)
	xid := wire.Xid{FormatID: 1, Branch: []byte("b"), Transaction: []byte("t")}
	s.client(12, &wire.XA{Operation: wire.TypeXAStart, Xid: xid})
	s.client(12, &wire.XAQuery{Operation: wire.TypeXAInDoubt})
	s.client(12, &wire.XA{Operation: wire.TypeXAFailed, Xid: xid})
	s.client(12, &wire.SendLarge{Header: []byte("whatever")})
	s.client(12, &wire.SendContinuation{Chunk: []byte("chunk"), Continues: true})
	s.client(12, &wire.SendContinuation{Chunk: []byte("chunk"), BodySize: 10, RequiresResponse: true, Correlation: -2})
	s.client(12, &wire.SendContinuation{Chunk: []byte("chunk"), BodySize: 10, RequiresResponse: true, Correlation: -3})
	s.client(12, &wire.CreateQueue{Address: "lv", Name: "lv", Durable: true, RequiresResponse: true, RoutingType: wire.RoutingAnycast, MaxConsumers: -1,
		Attributes: wire.QueueAttributes{LastValue: wire.Some(true)}})
	s.client(12, &wire.CreateConsumer{ID: 0, Queue: "missing", RequiresResponse: true})
	s.client(12, &wire.DeleteQueue{Name: "missing"})
	s.createQueue(12, "q")
	s.createQueue(12, "q")
	s.client(12, &wire.CreateConsumer{ID: 0, Queue: "q", Filter: wire.Some("color = "), RequiresResponse: true})
	s.client(12, &wire.Acknowledge{Consumer: 9, Message: 9, RequiresResponse: true})
	s.note("none of these is waited for")
	s.client(12, &wire.Acknowledge{Consumer: 9, Message: 9})
	s.client(12, &wire.Expired{Consumer: 9, Message: 9})
	s.client(12, &wire.ConsumerCredits{Consumer: 9, Credits: 9})
	s.client(12, &wire.ForceDelivery{Consumer: 9, Sequence: 9})
	s.client(12, &wire.CreateQueue{Address: "q", Name: "q", Durable: true, RoutingType: wire.RoutingAnycast, MaxConsumers: -1})
}

func flowConfirmations(s *script) {
	s.client(1, &wire.CreateSession{Name: "window", Channel: 11, Version: s.version, AutoCommitSends: true, AutoCommitAcks: true, ConfirmationWindow: 300})
	s.note("ids 0 and 1")
	s.createQueue(11, "q")
	s.note("id 2; metadata without a response is not counted")
	s.send(11, "q", "one", durable, 1)
	s.client(11, &wire.AddMetadataV2{Key: "k", Value: "v"})
	s.note("id 3 has no answer of its own, id 4 is an exception")
	s.client(11, &wire.CreateProducer{ID: 1})
	s.client(11, &wire.DeleteQueue{Name: "missing"})
	s.send(11, "q", "two", durable, 2)
	s.note("the rest is confirmed before the end")
	s.client(11, &wire.Start{})
	s.client(11, &wire.QueueQuery{Name: "q"})
	s.client(11, &wire.Close{})
}

func flowOldest(s *script) {
	s.createSession(11, false, false)
	s.createQueue(11, "q")
	s.client(11, &wire.BindingQuery{Address: "q"})
	s.send(11, "q", "one", durable, 0)
	s.client(11, &wire.Commit{})
	s.client(11, &wire.CreateConsumer{ID: 0, Queue: "q", RequiresResponse: true})
	s.client(11, &wire.ConsumerCredits{Consumer: 0, Credits: 1 << 20})
	s.client(11, &wire.DeleteQueue{Name: "missing"})
}
