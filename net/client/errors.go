package client

import (
	"errors"
	"fmt"

	"github.com/hindmq/hind/net/core/wire"
)

var (
	// ErrClosed: the Client, Session or Consumer was closed by the program.
	ErrClosed = errors.New("closed")
	// ErrLost: the connection was lost and not found again within Options.Reconnect.
	ErrLost = errors.New("the connection to the broker is lost")
	// ErrUnanswered: the connection ended, or the context did, before the broker's answer came. What was asked may be done
	// or not.
	ErrUnanswered = errors.New("no answer came; it may be done or not")
	// ErrStale: the message came on an earlier connection, and the broker will deliver it again.
	ErrStale = errors.New("the message is of an earlier connection and comes again")
	// ErrTooLarge: a body is larger than this client sends in one packet.
	ErrTooLarge = errors.New("the message is too large")

	errProtocol = errors.New("the broker broke the protocol")
	errSilent   = errors.New("the broker sent nothing for too long")
)

// Error is a refusal by the broker.
type Error struct {
	Code    wire.Code
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("the broker refused (%d): %s", e.Code, e.Message) }

// refusedWith says whether err is the broker's refusal with that code.
func refusedWith(err error, code wire.Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
