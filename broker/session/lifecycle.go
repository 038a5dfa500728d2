package session

import (
	"github.com/hindmq/hind/broker/fault"
	"github.com/hindmq/hind/broker/shard"
)

// runOpen opens the session; an open one of the same name is closed first.
func (s *Session) runOpen(cmd *command) error {
	h, c := s.conn.host, s.conn
	switch {
	case cmd.refusal != nil:
		return cmd.refusal
	case s.options.XA:
		return fault.New(CodeNotImplemented, "XA sessions are not supported yet; use local transactions")
	case len(c.owner.sessions) >= h.options.SessionsMax:
		return fault.New(CodeSessionRejected, "this connection has its %d sessions; close some or open another connection",
			h.options.SessionsMax)
	}
	if old := h.owner.sessions[s.options.Name]; old != nil {
		old.close(true)
	}
	h.owner.sessions[s.options.Name] = s
	c.owner.sessions = append(c.owner.sessions, s)
	s.owner.open = true
	if s.options.ClientID != "" {
		s.setMetadata("jms-client-id", s.options.ClientID)
	}
	return nil
}

// closeNamed closes a session by its name.
func (c *Conn) closeNamed(cmd *command) bool {
	a := Answer{Op: cmd.op, Tag: cmd.tag}
	if old := c.host.owner.sessions[cmd.text]; old != nil {
		old.close(true)
		a.Found = true
	}
	if !cmd.tag.Silent {
		c.outlet.Answer(&a)
		c.touch()
	}
	return true
}

// close undoes what the session has open: nothing of it needs the log. failed: the client did not ask for it, so it may
// have seen what was delivered; that counts.
func (s *Session) close(failed bool) {
	st, h := &s.owner, s.conn.host
	if !st.open {
		return
	}
	st.open, st.started = false, false
	h.owner.shard.Rollback(&st.tx)
	for len(st.consumers) > 0 {
		st.consumers[0].close(failed)
	}
	h.owner.shard.Office().Forget(s)
	for key, value := range st.metadata {
		h.forgetMetadata(metadata{key, value})
	}
	st.metadata = nil
	delete(h.owner.sessions, s.options.Name)
	list := s.conn.owner.sessions
	for i, other := range list {
		if other == s {
			s.conn.owner.sessions = append(list[:i], list[i+1:]...)
			break
		}
	}
}

func (s *Session) runStart(sh *shard.Shard, on bool) error {
	s.owner.started = on
	if on {
		for _, c := range s.owner.consumers {
			sh.MarkQueue(c.queue.Queue())
		}
	}
	return nil
}

// metadataMax limits the entries of one session.
const metadataMax = 256

func (s *Session) runAddMetadata(cmd *command) error {
	m := metadata{cmd.text, cmd.text2}
	own := 0
	if old, ok := s.owner.metadata[m.key]; ok && old == m.value {
		own = 1
	}
	if cmd.flag && s.conn.host.owner.metadata[m] > own {
		return fault.New(CodeDuplicateMetadata, "another session has %s %q; choose another", m.key, m.value)
	}
	if own == 0 && len(s.owner.metadata) >= metadataMax {
		return fault.New(CodeIllegalState, "the session has its %d metadata entries", metadataMax)
	}
	s.setMetadata(m.key, m.value)
	return nil
}

func (s *Session) setMetadata(key, value string) {
	if s.owner.metadata == nil {
		s.owner.metadata = map[string]string{}
	}
	if old, ok := s.owner.metadata[key]; ok {
		s.conn.host.forgetMetadata(metadata{key, old})
	}
	s.owner.metadata[key] = value
	s.conn.host.owner.metadata[metadata{key, value}]++
}

func (h *Host) forgetMetadata(m metadata) {
	if h.owner.metadata[m]--; h.owner.metadata[m] == 0 {
		delete(h.owner.metadata, m)
	}
}
