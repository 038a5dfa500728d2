package session

import (
	"errors"

	"github.com/hindmq/hind/broker/fault"
	"github.com/hindmq/hind/broker/shard"
)

// run runs one command; false: the log is busy, nothing was answered, run it again.
func (c *Conn) run(sh *shard.Shard, cmd *command) bool {
	if cmd.op == OpCloseNamed {
		return c.closeNamed(cmd)
	}
	s, o := cmd.session, &c.host.owner.outcome
	*o = outcome{}
	if err := s.dispatch(sh, cmd, o); err != nil {
		switch {
		case errors.Is(err, shard.ErrBusy):
			return false
		case errors.Is(err, shard.ErrEnded):
			return true // the shard has closed the connection
		}
		o.err = asFault(err)
	}
	if cmd.op != OpForceDelivery || o.err != nil { // the marker comes when the dispatch is through
		s.answer(cmd, o)
	}
	return true
}

// asFault is what a client is told of an error.
func asFault(err error) *fault.Error {
	if f, ok := err.(*fault.Error); ok {
		return f
	}
	return fault.New(CodeInternal, "%v", err)
}

// dispatch knows which method runs which command.
func (s *Session) dispatch(sh *shard.Shard, cmd *command, o *outcome) error {
	if cmd.op == OpOpenSession {
		return s.runOpen(cmd)
	}
	if !s.owner.open {
		return fault.New(CodeIllegalState, "session %q is not open", s.options.Name)
	}
	switch cmd.op {
	case OpSend:
		return s.runSend(sh, cmd, o)
	case OpAcknowledge:
		return s.runAcknowledge(sh, cmd, o)
	case OpCredits:
		return s.runCredits(sh, cmd)
	case OpForceDelivery:
		return s.runForceDelivery(sh, cmd)
	case OpProducerCredits:
		return s.runProducerCredits(sh, cmd)
	case OpExpire:
		return s.runExpire(sh, cmd, o)
	case OpCommit:
		return s.runCommit(sh, o)
	case OpRollback:
		s.rollback(cmd.flag)
		return nil
	case OpCreateAddress:
		return s.runCreateAddress(sh, cmd, o)
	case OpCreateQueue:
		return s.runCreateQueue(sh, cmd, o)
	case OpDeleteQueue:
		return s.runDeleteQueue(sh, cmd, o)
	case OpQueryQueue:
		return s.runQueryQueue(sh, cmd, o)
	case OpQueryBinding:
		return s.runQueryBinding(sh, cmd, o)
	case OpCreateConsumer:
		return s.runCreateConsumer(sh, cmd, o)
	case OpCloseConsumer:
		return s.runCloseConsumer(cmd)
	case OpStart, OpStop:
		return s.runStart(sh, cmd.op == OpStart)
	case OpAddMetadata:
		return s.runAddMetadata(cmd)
	case OpCloseSession:
		s.close(false)
		return nil
	case OpRefuse:
		if !s.options.AutoCommitSends {
			s.owner.tx.Doom(cmd.refusal)
		}
		return cmd.refusal
	case OpXA:
		return fault.New(CodeNotImplemented, "XA transactions (%s) are not supported yet; use local transactions", cmd.text)
	}
	return fault.New(CodeUnsupported, "request %d is unknown", cmd.op)
}

// may refuses what the user is not permitted.
func (s *Session) may(p Permission, addr string) error {
	if s.who.May(p, addr) {
		return nil
	}
	return fault.New(CodeSecurity, "user %q has no permission %q at address %q; see security-settings",
		s.who.Name(), p, addr)
}
