package transport

import (
	"time"
)

// ConnID names a connection within its Transport, for logs and tables. Ids are not reused. 0 is none.
type ConnID uint64

// Conn is one connection. All methods may be called from any goroutine, also from within a callback, and none blocks.
// After Closed was called they do nothing (Write and Writev fail with ErrClosed).
type Conn interface {
	ID() ConnID
	// LocalAddr and RemoteAddr are host:port texts, valid for ever.
	LocalAddr() string
	RemoteAddr() string

	// Write copies p into the outbound queue. The bytes leave in the order of the calls, a Write is never interleaved
	// with another. It fails with ErrOutboundFull, having queued nothing and leaving the connection as it is, if the
	// queue would pass Limits.Outbound; the caller then waits for Drained, drops, or closes. ErrClosed once the
	// connection is closing. Written does not mean sent, still less received.
	// Calls made within a callback tend to leave together at its end; calls from elsewhere wake the connection's loop
	// once. So a caller that gathers a batch into one Write is best off.
	Write(p []byte) error
	// Writev queues parts, in order, without copying them: their bytes must not change until release is called.
	// release (may be nil) is called exactly once, from any goroutine, also if Writev fails (then before it returns):
	// when the kernel has the bytes, or when the connection ends without them. It must not block and must not call
	// the connection. The slice of parts itself is not kept. Limits and errors are those of Write.
	Writev(release func(), parts ...[]byte) error
	// Outbound is how many bytes are queued and not yet taken by the kernel.
	Outbound() int

	// PauseRead stops Received until ResumeRead: the peer is pushed back through the kernel's buffers. A chunk that is
	// being delivered on another goroutine may still arrive. Pauses do not nest. While paused the idle time-out does
	// not run, and the peer's close may be noticed late.
	PauseRead()
	ResumeRead()

	// Established ends the handshake: the handshake time-out no longer runs and the connection no longer counts as
	// unproven.
	Established()
	// SetIdle closes the connection with ErrIdle once nothing was received for d. NoIdle: never.
	SetIdle(d time.Duration)

	// Close stops Received, gives what is queued Limits.Linger to leave, says end-of-stream, and ends the connection.
	// Closed gets reason (ErrClosed if nil). The first reason stays.
	Close(reason error)
	// Abort is Close without the farewell: what is queued is dropped.
	Abort(reason error)
}

// Handler is what one connection calls. Calls are serialised, see the package's invariant 1. They run on the
// connection's loop, which others may share: a handler never blocks.
type Handler interface {
	// Opened is called first.
	Opened(c Conn)
	// Received gets bytes: those that earlier calls left, followed by new ones. It returns how many it consumed, 0 to
	// len(data); anything else is a panic of the handler. data is valid during the call only and must not be changed.
	// The transport keeps the rest, at most Limits.Inbound bytes: if that much was offered and nothing consumed, the
	// connection ends with ErrInboundFull.
	// So a protocol may be a pure decoder that consumes whole frames (Limits.Inbound then bounds a frame), or consume
	// long bodies piece by piece as they come. It is not called again before new bytes arrive, except after a
	// ResumeRead if some were left.
	Received(c Conn, data []byte) (consumed int)
	// Closed is called last, with the reason: that of Close or Abort, one of this package's errors, or an error of
	// the kernel. err is never nil; the peer's orderly end is ErrPeerClosed.
	Closed(c Conn, err error)
}

// Drainer is implemented by handlers that want to know when they may write again.
type Drainer interface {
	// Drained is called once when Outbound falls to Limits.OutboundLow or below, after it was above
	// Limits.OutboundHigh or a Write failed with ErrOutboundFull.
	Drained(c Conn)
}

// Transport makes connections. Its methods may be called from any goroutine.
type Transport interface {
	// Name is for people: "gnet", "plain", "sim".
	Name() string
	// Listen binds address (host:port; port 0 picks one) exclusively and accepts until the Acceptor is closed. An
	// address in use is ErrAddressInUse, in words that name the address and the next step.
	Listen(address string, o AcceptOptions) (Acceptor, error)
	// Dial starts connecting and returns at once. Exactly one of o.Handler.Opened and o.Failed follows, from a
	// goroutine of the transport (if the transport is shut down, Failed comes before Dial returns). The returned function
	// gives up: Failed gets ErrClosed, unless the connection is open; calling it later, or twice, does nothing.
	Dial(address string, o DialOptions) (cancel func())
	// Close closes acceptors, aborts dials and connections with ErrShutdown, and waits until every callback has
	// returned. It must not be called from a callback.
	Close() error
}

// Acceptor is a bound address.
type Acceptor interface {
	// Addr is the bound host:port.
	Addr() string
	// Close stops accepting and releases the address before it returns. Connections live on.
	Close() error
	// Connections is how many accepted connections are open.
	Connections() int
}

// AcceptOptions are those of one acceptor.
type AcceptOptions struct {
	// Accept chooses the handler of a new connection; nil refuses it. It is called before Opened, from a goroutine of
	// the transport, possibly several at a time.
	Accept func(c Conn) Handler
	Limits Limits
}

// DialOptions are those of one dial.
type DialOptions struct {
	Handler Handler
	// Timeout bounds the connecting; 0 is DialTimeoutDefault.
	Timeout time.Duration
	// Failed gets an error that wraps one of ErrRefused, ErrTimeout, ErrUnreachable, ErrClosed, ErrShutdown.
	Failed func(err error)
	Limits Limits
}

// DialTimeoutDefault bounds a dial that states no time-out.
const DialTimeoutDefault = 5 * time.Second
