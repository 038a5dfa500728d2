package core

import (
	"fmt"
	"testing"

	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/net/core/wire"
)

// FuzzConnection plays a client that sends whatever it likes: first as it is, then as the fields of frames on a connection
// with open sessions, consumers and messages. Nothing may panic, what the server says must decode, and another client
// must be served as before.
//
// Of the input the first byte says how (bit 0: frames) and in how large pieces it is read. As frames it is a list of type, channel, size and
// fields; the last frame takes what is left.
func FuzzConnection(f *testing.F) {
	f.Add([]byte("\x10ARTEMIS"))
	f.Add(append([]byte("\x02ARTEMIS"), frame(1, &wire.CreateSession{Name: "s", Channel: 10, Version: 136, ConfirmationWindow: 10})...))
	for _, p := range hostilePackets() {
		for _, channel := range []byte{10, 11, 1} {
			fields := frame(0, p)[wire.HeaderSize:]
			if len(fields) < 256 {
				f.Add(append([]byte{0xFF, byte(p.Type(136)), channel, byte(len(fields))}, fields...))
			}
		}
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) == 0 {
			return
		}
		b := newBackend(t)
		good := b.opened()
		bad := b.connect()
		how, input := input[0], input[1:]
		if how&1 != 0 {
			b.prepare(bad)
			input = asFrames(input)
		}
		chunk := 1 + int(how>>1)*8
		for len(input) > 0 && bad.reason() == nil {
			n := min(chunk, len(input))
			bad.feed(input[:n])
			input = input[n:]
			b.run()
			bad.settle()
			packets(t, bad.take(), bad.handler.(*conn).effectiveVersion())
		}
		bad.drop()
		b.run()
		good.feed(frame(10, &wire.BindingQuery{Address: "other"}))
		if ps := b.answersTo(good, 1); len(ps) != 1 || good.reason() != nil {
			t.Fatalf("another client got %+v, %v", ps, good.reason())
		}
		if n := b.server.Connections(); n != 1 {
			t.Fatalf("%d connections are left", n)
		}
	})
}

// opened is a client with a session on channel 10.
func (b *backend) opened() *fakeConn {
	f := b.connect()
	f.feed([]byte(wire.Handshake))
	f.feed(frame(1, &wire.CreateSession{Name: fmt.Sprint("good", f.id), Channel: 10, Version: 136, AutoCommitSends: true, AutoCommitAcks: true, ConfirmationWindow: -1}))
	b.answersTo(f, 1)
	return f
}

// prepare opens a transacted session on 10 and another with confirmations on 11, both with a consumer and something to get.
func (b *backend) prepare(f *fakeConn) {
	f.feed([]byte(wire.Handshake))
	f.feed(frame(1, &wire.CreateSession{Name: "tx", Channel: 10, Version: 136, ConfirmationWindow: -1}))
	f.feed(frame(1, &wire.CreateSession{Name: "auto", Channel: 11, Version: 136, AutoCommitSends: true, AutoCommitAcks: true, ConfirmationWindow: 100}))
	b.answersTo(f, 2)
	f.feed(frame(11, &wire.CreateQueue{Address: "q", Name: "q", Durable: true, RoutingType: wire.RoutingAnycast, MaxConsumers: -1}))
	for range 4 {
		f.feed(frame(11, &wire.Send{Message: textMessage("q", "text", durable)}))
	}
	for channel := int64(10); channel <= 11; channel++ {
		f.feed(frame(channel, &wire.CreateConsumer{ID: 0, Queue: "q"}))
		f.feed(frame(channel, &wire.Start{}))
		f.feed(frame(channel, &wire.ConsumerCredits{Consumer: 0, Credits: 300}))
	}
	b.run()
}

// asFrames makes frames of type, channel, size and fields.
func asFrames(input []byte) (stream []byte) {
	for len(input) >= 3 {
		n := min(int(input[2]), len(input)-3)
		fields := input[3 : 3+n]
		stream = append(stream, 0, 0, byte((9+n)>>8), byte(9+n), input[0], 0, 0, 0, 0, 0, 0, 0, input[1])
		stream = append(stream, fields...)
		input = input[3+n:]
	}
	return stream
}

// hostilePackets are starting points: one of each that a client sends.
func hostilePackets() []wire.Packet {
	xid := wire.Xid{FormatID: 1, Branch: []byte{1}, Transaction: []byte{2}}
	return []wire.Packet{
		&wire.Ping{TTL: 1}, &wire.SubscribeTopologyV2{ClientVersion: 129}, &wire.CheckForFailover{NodeID: wire.Some("n")},
		&wire.CreateSession{Name: "auto", Channel: 12, Version: 129, ConfirmationWindow: 0}, &wire.ReattachSession{Name: "auto"},
		&wire.Start{}, &wire.Stop{}, &wire.Close{}, &wire.AddMetadataV2{Key: "k", Value: "v"}, &wire.AddUniqueMetadata{Key: "k", Value: "v"},
		&wire.CreateAddress{Address: "a::b", RoutingTypes: []wire.RoutingType{0, 1}}, &wire.CreateQueue{Address: "t", Name: "t", Temporary: true, RoutingType: 0},
		&wire.CreateSharedQueue{Address: "t", Name: "t2"}, &wire.DeleteQueue{Name: "q"}, &wire.QueueQuery{Name: "a::q"}, &wire.BindingQuery{Address: "q"},
		&wire.Send{Message: textMessage("q", "x", durable), RequiresResponse: true, Correlation: 1},
		&wire.Send{Message: textMessage("q::q", "x", nonDurable, message.Property{Name: message.PropDuplicateID, Value: message.String("1")})},
		&wire.SendLarge{Header: []byte{1}}, &wire.SendContinuation{Chunk: []byte{1}, RequiresResponse: true},
		&wire.RequestProducerCredits{Credits: -1, Address: "q"}, &wire.CreateProducer{ID: 1}, &wire.RemoveProducer{ID: 1},
		&wire.CreateConsumer{ID: 1, Queue: "q", Filter: wire.Some("a = 1"), BrowseOnly: true, RequiresResponse: true},
		&wire.CreateConsumer{ID: 0, Queue: "q"}, &wire.ConsumerClose{}, &wire.ConsumerCredits{Credits: -1}, &wire.ForceDelivery{Sequence: 1},
		&wire.Acknowledge{Message: 1<<40 | 3, RequiresResponse: true}, &wire.IndividualAcknowledge{Message: 1<<40 | 4}, &wire.Expired{Message: 1<<40 | 3},
		&wire.Commit{Correlation: wire.Some(int64(1))}, &wire.Rollback{LastMessageDelivered: true},
		&wire.XA{Operation: wire.TypeXACommit, Xid: xid}, &wire.XAQuery{Operation: wire.TypeXASuspend}, &wire.PacketsConfirmed{CommandID: 5},
		&wire.NullResponse{}, &wire.Disconnect{NodeID: "n"},
	}
}
