package fault

import "fmt"

// Code is the number that clients of the CORE protocol map to their exceptions.
type Code int32

// The codes that this broker answers with. The numbers are Artemis'.
const (
	CodeInternal              Code = 0
	CodeUnsupported           Code = 1
	CodeDisconnected          Code = 4
	CodeIO                    Code = 6
	CodeQueueMissing          Code = 100
	CodeQueueExists           Code = 101
	CodeInvalidFilter         Code = 103
	CodeIllegalState          Code = 104
	CodeSecurity              Code = 105
	CodeAddressMissing        Code = 106
	CodeAddressExists         Code = 107
	CodeIncompatibleVersion   Code = 108
	CodeRolledBack            Code = 111
	CodeSessionRejected       Code = 112
	CodeDuplicateID           Code = 113
	CodeDuplicateMetadata     Code = 114
	CodeInvalidTransientQueue Code = 118
	CodeAddressFull           Code = 210
	CodeNotImplemented        Code = 213
	CodeConsumerLimit         Code = 214
	CodeRoutingType           Code = 215
	CodeQueueConfiguration    Code = 216
	CodeDeleteAddress         Code = 217
	CodeShutdown              Code = 219
)

// Error is a refusal with its code. It is immutable.
type Error struct {
	Code    Code
	Message string
}

// New makes an Error; the format names the thing, the place and the next step.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string { return fmt.Sprintf("%s (code %d)", e.Message, e.Code) }
