package session

// OpRefuse is a request that the protocol refused by itself.
const OpRefuse = OpXA + 1

// Refuse puts a refusal of the protocol's own among the session's requests (a large message, an XA request), so that it
// is answered in their order. In a session without AutoCommitSends it makes the transaction rollback-only with err as
// the cause, also when the tag is silent.
func (s *Session) Refuse(err *Error, tag Tag) {
	s.add(command{op: OpRefuse, tag: tag, refusal: err})
}
