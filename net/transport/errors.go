package transport

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// Reasons for the end of a connection and results of calls. Test with errors.Is; the errors that carry them name the
// address too.
var (
	ErrClosed           = errors.New("connection is closed")
	ErrPeerClosed       = errors.New("the peer closed the connection")
	ErrReset            = errors.New("the peer reset the connection")
	ErrShutdown         = errors.New("transport is shut down")
	ErrIdle             = errors.New("nothing was received within the idle time-out")
	ErrHandshakeTimeout = errors.New("the handshake took too long")
	ErrWriteStalled     = errors.New("the peer does not read")
	ErrInboundFull      = errors.New("a frame is larger than the inbound limit")
	ErrOutboundFull     = errors.New("the outbound queue is full")
	ErrTooMany          = errors.New("too many connections")
	ErrPanic            = errors.New("the connection's handler panicked")

	ErrAddressInUse = errors.New("address is in use")

	// ErrRefused: every address that the name stands for answered that nobody listens there, by a TCP reset. An ICMP
	// message is no refusal: a firewall or a router sent it, and the peer may be alive.
	ErrRefused     = errors.New("connection refused")
	ErrTimeout     = errors.New("no answer in time")
	ErrUnreachable = errors.New("cannot be reached") // anything else: no route, unknown host, no descriptor left
)

// listenError names the address and what to do about it.
func listenError(address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listen on %s: %w: another process (perhaps another broker) listens there; find it with "+
			"\"ss -ltnp\" and stop it, or configure another port: %w", address, ErrAddressInUse, err)
	}
	return fmt.Errorf("listen on %s: %w; check that the host part is an address of this machine and that the port "+
		"may be bound", address, err)
}

// readError sorts what a socket said into the reasons of this package.
func readError(remote string, err error) error {
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return fmt.Errorf("%s: %w", remote, ErrPeerClosed)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("%s: %w: %w", remote, ErrReset, err)
	}
	return fmt.Errorf("%s: %w", remote, err)
}
