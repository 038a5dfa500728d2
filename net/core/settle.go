package core

import (
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core/wire"
)

func (ch *channel) acknowledge(p *wire.Acknowledge) {
	ch.session.Acknowledge(p.Consumer, p.Message, ch.tag(answeredIf(p.RequiresResponse)))
}

func (ch *channel) acknowledgeOne(p *wire.IndividualAcknowledge) {
	ch.session.AcknowledgeOne(p.Consumer, p.Message, ch.tag(answeredIf(p.RequiresResponse)))
}

// commit is always answered, with the correlation of the request or with none if it had none.
func (ch *channel) commit(p *wire.Commit) {
	ch.session.Commit(ch.correlated(answered, p.Correlation.Or(wire.NoCorrelation)))
}

// Error codes of XA, as transaction managers know them.
const (
	xaResourceError = -3 // XAER_RMERR
)

// refuseXA refuses each request of a distributed transaction by name. Most are answered in XA's own words; a
// failure there is no EXCEPTION. SESS_XA_FAILED is not answered at all.
func (ch *channel) refuseXA(p wire.Packet) {
	name := p.Type(ch.conn.effectiveVersion())
	want := answered
	if name == wire.TypeXAFailed {
		want = silent
	}
	ch.session.Refuse(refusal(session.CodeNotImplemented, "%v: distributed (XA) transactions are not supported by this broker yet; use a transacted session", name),
		markXA(ch.tag(want), name))
}

// noteXA marks the answer to a request that wants SESS_XA_RESP.
const noteXA = 1 << 61

func markXA(tag session.Tag, t wire.Type) session.Tag {
	switch t {
	case wire.TypeXAInDoubt, wire.TypeXASetTimeout, wire.TypeXAGetTimeout: // their answers have no place for a failure
	default:
		tag.Note |= noteXA
	}
	return tag
}

func (o *outlet) answerRefused(a *session.Answer) {
	if a.Tag.Note&noteXA != 0 {
		o.append(a.Tag.Channel, &wire.XAResponse{Error: true, Code: xaResourceError, Message: wire.Some(a.Err.Message)})
		return
	}
	o.append(a.Tag.Channel, exception(a))
}
