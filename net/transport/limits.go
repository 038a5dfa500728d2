package transport

import "time"

// NoIdle switches the idle time-out off.
const NoIdle = time.Duration(-1)

// Limits bound what one connection, or one acceptor, may use. The zero value of a field is its default; nothing but
// Idle can be switched off.
type Limits struct {
	Inbound      int // bytes received, kept and not consumed; reaching it without progress: ErrInboundFull. 1 MiB
	Outbound     int // bytes queued by Write and Writev together; beyond: ErrOutboundFull from the call. 4 MiB
	OutboundHigh int // Drained is due after Outbound was above this. Half of Outbound
	OutboundLow  int // and comes when it fell to this. A quarter of OutboundHigh
	// Unsent bounds what the kernel takes and has not put on the wire yet, so that what is urgent does not wait behind
	// megabytes of send buffer. 0: the kernel's own limit.
	Unsent int

	Connections        int // of an acceptor: more are closed at once. 10,000
	ConnectionsPerHost int // of an acceptor, from one address: more are closed at once. Connections
	Unproven           int // of an acceptor, before Established: more are closed at once. Connections

	Handshake  time.Duration // from Opened to Established; then ErrHandshakeTimeout. 10 s
	Idle       time.Duration // without a byte received; then ErrIdle. 60 s; NoIdle: never
	WriteStall time.Duration // output queued and not one byte taken by the kernel; then ErrWriteStalled. 30 s
	Linger     time.Duration // from Close to the end. 1 s
}

// Defaults of Limits.
const (
	InboundDefault     = 1 << 20
	OutboundDefault    = 4 << 20
	ConnectionsDefault = 10_000
	HandshakeDefault   = 10 * time.Second
	IdleDefault        = 60 * time.Second
	WriteStallDefault  = 30 * time.Second
	LingerDefault      = time.Second
)

// WithDefaults fills the fields that are zero (or, but for Idle, negative).
func (l Limits) WithDefaults() Limits {
	l.Inbound = positiveOr(l.Inbound, InboundDefault)
	l.Outbound = positiveOr(l.Outbound, OutboundDefault)
	l.OutboundHigh = min(positiveOr(l.OutboundHigh, l.Outbound/2), l.Outbound)
	l.OutboundLow = min(positiveOr(l.OutboundLow, l.OutboundHigh/4), l.OutboundHigh)
	l.Connections = positiveOr(l.Connections, ConnectionsDefault)
	l.ConnectionsPerHost = positiveOr(l.ConnectionsPerHost, l.Connections)
	l.Unproven = positiveOr(l.Unproven, l.Connections)
	l.Handshake = positiveOr(l.Handshake, HandshakeDefault)
	l.WriteStall = positiveOr(l.WriteStall, WriteStallDefault)
	l.Linger = positiveOr(l.Linger, LingerDefault)
	if l.Idle == 0 {
		l.Idle = IdleDefault
	}
	if l.Idle < 0 {
		l.Idle = NoIdle
	}
	return l
}

func positiveOr[T int | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}
