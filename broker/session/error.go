package session

import "github.com/hindmq/hind/broker/fault"

// Error is a refusal that the client is told; Code is the number that CORE clients map to their exceptions.
type (
	Error = fault.Error
	Code  = fault.Code
)

// The codes, for protocols.
const (
	CodeInternal              = fault.CodeInternal
	CodeUnsupported           = fault.CodeUnsupported
	CodeIO                    = fault.CodeIO
	CodeQueueMissing          = fault.CodeQueueMissing
	CodeQueueExists           = fault.CodeQueueExists
	CodeInvalidFilter         = fault.CodeInvalidFilter
	CodeIllegalState          = fault.CodeIllegalState
	CodeSecurity              = fault.CodeSecurity
	CodeAddressMissing        = fault.CodeAddressMissing
	CodeAddressExists         = fault.CodeAddressExists
	CodeIncompatibleVersion   = fault.CodeIncompatibleVersion
	CodeRolledBack            = fault.CodeRolledBack
	CodeSessionRejected       = fault.CodeSessionRejected
	CodeDuplicateID           = fault.CodeDuplicateID
	CodeDuplicateMetadata     = fault.CodeDuplicateMetadata
	CodeInvalidTransientQueue = fault.CodeInvalidTransientQueue
	CodeAddressFull           = fault.CodeAddressFull
	CodeNotImplemented        = fault.CodeNotImplemented
	CodeConsumerLimit         = fault.CodeConsumerLimit
	CodeRoutingType           = fault.CodeRoutingType
	CodeQueueConfiguration    = fault.CodeQueueConfiguration
	CodeShutdown              = fault.CodeShutdown
)
