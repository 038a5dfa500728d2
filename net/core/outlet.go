package core

import (
	"fmt"

	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core/wire"
)

// outlet is the connection as the shard sees it: session.Outlet. Everything in it belongs to the shard's owner. It
// gathers frames for one step and writes them at its end.
type outlet struct {
	conn          *conn
	out           []byte
	confirmations map[int64]*confirmation // of channels whose client wants them
}

// outKeptMax is the largest buffer that an outlet keeps between steps.
const outKeptMax = 256 << 10

func newOutlet(c *conn) *outlet {
	return &outlet{conn: c, confirmations: map[int64]*confirmation{}}
}

// append encodes one packet.
func (o *outlet) append(channel int64, p wire.Packet) {
	o.out = wire.Append(o.out, channel, p, o.conn.effectiveVersion())
}

// Answer implements session.Outlet.
func (o *outlet) Answer(a *session.Answer) {
	if a.Op == session.OpCloseSession {
		o.confirmRest(a.Tag.Channel)
	}
	if !a.Tag.Silent {
		o.respond(a)
	}
	o.confirm(a)
}

// respond sends what the client waits for. The forms of success and failure depend on the request.
func (o *outlet) respond(a *session.Answer) {
	switch a.Op {
	case session.OpOpenSession:
		o.answerOpenSession(a)
		return
	case session.OpCloseNamed:
		o.answerReattach(a)
		return
	case session.OpCreateConsumer:
		o.answerCreateConsumer(a)
		return
	case session.OpForceDelivery:
		o.answerForceDelivery(a)
		return
	case session.OpRefuse:
		o.answerRefused(a)
		return
	}
	switch {
	case a.Err != nil:
		o.append(a.Tag.Channel, exception(a))
	case a.Op == session.OpQueryQueue:
		o.answerQueryQueue(a)
	case a.Op == session.OpQueryBinding:
		o.answerQueryBinding(a)
	default:
		o.append(a.Tag.Channel, &wire.NullResponse{Correlation: a.Tag.Correlation})
	}
}

// exception is a refusal as the client gets it. Only requests that have a correlation id on the wire get it back.
func exception(a *session.Answer) *wire.Exception {
	p := &wire.Exception{Code: wire.Code(a.Err.Code), Message: wire.Some(a.Err.Message)}
	if a.Tag.Correlation != wire.NoCorrelation {
		switch a.Op {
		case session.OpSend, session.OpCommit, session.OpRefuse:
			p.Correlation = wire.Some(a.Tag.Correlation)
		}
	}
	return p
}

// Notify implements session.Outlet.
func (o *outlet) Notify(e *session.Event) {
	switch e.Kind {
	case session.EventRoom:
		o.conn.tc.ResumeRead()
	case session.EventCredits:
		o.notifyCredits(e)
	case session.EventConsumerClosed:
		o.notifyConsumerClosed(e)
	case session.EventDisconnect:
		o.Flush()
		o.conn.tc.Close(fmt.Errorf("the broker ends the connection: %w", e.Err))
	}
}

// Queued implements session.Outlet.
func (o *outlet) Queued() int { return o.conn.tc.Outbound() + len(o.out) }

// Flush implements session.Outlet.
func (o *outlet) Flush() {
	if len(o.out) == 0 {
		return
	}
	if err := o.conn.tc.Write(o.out); err != nil {
		// Answers that are lost cannot be made up for: the client has to start anew.
		o.conn.tc.Abort(fmt.Errorf("answers could not be queued: %w", err))
	}
	if cap(o.out) > outKeptMax {
		o.out = nil
	}
	o.out = o.out[:0]
}
