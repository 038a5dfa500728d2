package wire

import "fmt"

// Code is the number of an EXCEPTION; clients map it to a class of exception.
type Code int32

// Codes that a server of this kind sends or a client must know.
const (
	CodeInternal              Code = 0
	CodeUnsupportedPacket     Code = 1
	CodeDisconnected          Code = 4
	CodeQueueDoesNotExist     Code = 100
	CodeQueueExists           Code = 101
	CodeInvalidFilter         Code = 103
	CodeIllegalState          Code = 104
	CodeSecurity              Code = 105
	CodeAddressDoesNotExist   Code = 106
	CodeAddressExists         Code = 107
	CodeIncompatibleVersions  Code = 108
	CodeTransactionRolledBack Code = 111
	CodeSessionRejected       Code = 112
	CodeDuplicateID           Code = 113
	CodeDuplicateMetadata     Code = 114
	CodeInvalidTransientQueue Code = 118
	CodeAddressFull           Code = 210
	CodeNotImplemented        Code = 213
	CodeMaxConsumers          Code = 214
	CodeRoutingType           Code = 215
	CodeQueueConfiguration    Code = 216
	CodeShutdown              Code = 219
)

// Reasons of a DISCONNECT_V3.
const (
	DisconnectNoReason        int8 = -1
	DisconnectShutDown        int8 = 4
	DisconnectShutDownOnError int8 = 5
)

// RoutingType says how an address hands a message to its queues.
type RoutingType int8

// Routing types on the wire.
const (
	RoutingDefault   RoutingType = -1 // the server's setting decides
	RoutingMulticast RoutingType = 0
	RoutingAnycast   RoutingType = 1
)

func (t RoutingType) String() string {
	switch t {
	case RoutingDefault:
		return "default"
	case RoutingMulticast:
		return "multicast"
	case RoutingAnycast:
		return "anycast"
	}
	return fmt.Sprintf("routing type %d", int8(t))
}
