package wire

import (
	"encoding/binary"
	"fmt"
)

// Packet is one packet of the protocol; every exported struct of this package that has a Type is one.
type Packet interface {
	// Type is the packet type under which the value travels. Where the protocol has several generations of a packet
	// it depends on the version.
	Type(version int32) Type
	// layout walks the fields in wire order.
	layout(c *cursor)
}

// Append appends the frame of p on the given channel to dst, in the layout of the effective version.
func Append(dst []byte, channel int64, p Packet, version int32) []byte {
	start := len(dst)
	t := p.Type(version)
	dst = append(dst, 0, 0, 0, 0, byte(t))
	dst = binary.BigEndian.AppendUint64(dst, uint64(channel))
	c := cursor{version: version, packet: t, writing: true, out: dst}
	p.layout(&c)
	binary.BigEndian.PutUint32(c.out[start:], uint32(len(c.out)-start-LengthSize))
	return c.out
}

// Decode reads the packet of a frame in the layout of the effective version. A type that this codec does not know is
// *UnknownTypeError; everything else that is wrong wraps ErrMalformed.
func Decode(f Frame, version int32) (Packet, error) {
	p := newPacket(f.Type)
	if p == nil {
		return nil, &UnknownTypeError{Type: f.Type}
	}
	if err := DecodeInto(p, f, version); err != nil {
		return nil, err
	}
	return p, nil
}

// DecodeInto reads the fields of f into p, which must be a zero value of the packet of f's type. It is Decode for a
// caller that knows the type and saves the allocation.
func DecodeInto(p Packet, f Frame, version int32) error {
	c := cursor{version: version, packet: f.Type, in: f.Fields}
	if g, ok := p.(generations); ok {
		g.setType(f.Type)
	}
	p.layout(&c)
	return c.err
}

// generations is a packet whose layout on reading follows the type it came under.
type generations interface{ setType(t Type) }

// UnknownTypeError is a frame whose type this codec does not know.
type UnknownTypeError struct{ Type Type }

func (e *UnknownTypeError) Error() string {
	return fmt.Sprintf("%v is not known here; versions %d to %d of the protocol are spoken", e.Type, VersionMin, VersionMax)
}

// newPacket is a zero packet of type t, nil if t is not known.
func newPacket(t Type) Packet {
	switch t {
	case TypeSend:
		return new(Send)
	case TypeAcknowledge:
		return new(Acknowledge)
	case TypeIndividualAcknowledge:
		return new(IndividualAcknowledge)
	case TypeConsumerCredits:
		return new(ConsumerCredits)
	case TypeReceive:
		return new(Receive)
	case TypeNullResponse:
		return new(NullResponse)
	case TypeException:
		return new(Exception)
	case TypePacketsConfirmed:
		return new(PacketsConfirmed)
	case TypeRequestProducerCredits:
		return new(RequestProducerCredits)
	case TypeProducerCredits:
		return new(ProducerCredits)
	case TypeProducerFailCredits:
		return new(ProducerFailCredits)
	case TypeForceDelivery:
		return new(ForceDelivery)
	case TypeCommit:
		return new(Commit)
	case TypeRollback:
		return new(Rollback)
	case TypeExpired:
		return new(Expired)
	case TypeSendLarge:
		return new(SendLarge)
	case TypeSendContinuation:
		return new(SendContinuation)
	case TypeReceiveLarge:
		return new(ReceiveLarge)
	case TypeReceiveContinuation:
		return new(ReceiveContinuation)
	case TypeCreateProducer:
		return new(CreateProducer)
	case TypeRemoveProducer:
		return new(RemoveProducer)
	case TypeCreateConsumer:
		return new(CreateConsumer)
	case TypeConsumerClose:
		return new(ConsumerClose)
	case TypeDisconnectConsumer:
		return new(DisconnectConsumer)
	case TypeDisconnectConsumerKill:
		return new(DisconnectConsumerKill)
	}
	if p := newConnectionPacket(t); p != nil {
		return p
	}
	return newSessionPacket(t)
}

func newConnectionPacket(t Type) Packet {
	switch t {
	case TypePing:
		return new(Ping)
	case TypeDisconnect, TypeDisconnectV2, TypeDisconnectV3:
		return new(Disconnect)
	case TypeCheckForFailover:
		return new(CheckForFailover)
	case TypeCheckForFailoverResponse:
		return new(CheckForFailoverResponse)
	case TypeSubscribeTopology:
		return new(SubscribeTopology)
	case TypeSubscribeTopologyV2:
		return new(SubscribeTopologyV2)
	case TypeClusterTopologyV2, TypeClusterTopologyV3, TypeClusterTopologyV4:
		return new(ClusterTopology)
	case TypeCreateSession, TypeCreateSessionV2:
		return new(CreateSession)
	case TypeCreateSessionResponse:
		return new(CreateSessionResponse)
	case TypeReattachSession:
		return new(ReattachSession)
	case TypeReattachSessionResponse:
		return new(ReattachSessionResponse)
	}
	return nil
}

func newSessionPacket(t Type) Packet {
	switch t {
	case TypeStart:
		return new(Start)
	case TypeStop:
		return new(Stop)
	case TypeClose:
		return new(Close)
	case TypeAddMetadata:
		return new(AddMetadata)
	case TypeAddMetadataV2:
		return new(AddMetadataV2)
	case TypeAddUniqueMetadata:
		return new(AddUniqueMetadata)
	case TypeCreateAddress:
		return new(CreateAddress)
	case TypeCreateQueue, TypeCreateQueueV2:
		return new(CreateQueue)
	case TypeCreateSharedQueue, TypeCreateSharedQueueV2:
		return new(CreateSharedQueue)
	case TypeDeleteQueue:
		return new(DeleteQueue)
	case TypeQueueQuery:
		return new(QueueQuery)
	case TypeQueueQueryResponseV3:
		return new(QueueQueryResponse)
	case TypeBindingQuery:
		return new(BindingQuery)
	case TypeBindingQueryResponseV4, TypeBindingQueryResponseV5:
		return new(BindingQueryResponse)
	case TypeXAStart, TypeXAJoin, TypeXAResume, TypeXAPrepare, TypeXARollback, TypeXAForget, TypeXAFailed,
		TypeXAEnd, TypeXACommit:
		return &XA{Operation: t}
	case TypeXASuspend, TypeXAInDoubt, TypeXAGetTimeout:
		return &XAQuery{Operation: t}
	case TypeXASetTimeout:
		return new(XASetTimeout)
	case TypeXAResponse:
		return new(XAResponse)
	}
	return nil
}
