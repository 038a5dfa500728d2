package ha

import (
	"fmt"
	"time"
)

// Choice is one answer that an operator may give.
type Choice struct {
	Decision Decision
	Loses    string // what is lost by it, in the worst case
}

// Question is what a human must decide because no rule does.
type Question struct {
	Text    string
	Choices []Choice
}

func (q Question) String() string {
	s := q.Text
	for _, c := range q.Choices {
		s += fmt.Sprintf("; %v: %s", c.Decision, c.Loses)
	}
	return s
}

// PeerStatus is what is known about one other broker.
type PeerStatus struct {
	Target    string // as configured
	Name      string // empty: never heard of
	Instance  Instance
	Process   Process
	Connected bool
	InSync    bool   // it was told so by this owner, and is connected
	Says      string // what it last said it is
}

// Status is what `hind check node` shows. The node adds the lag.
type Status struct {
	Name        string
	Role        Role
	Epoch       uint64
	NodeID      NodeID
	Mode        Mode
	Record      RoleRecord // newest role record of the own log, as far as it is known to be durable
	Owner       string     // name of the active broker as far as this one knows, empty: unknown
	InSyncSet   []string   // names of the recorded members
	Peers       []PeerStatus
	Delivering  bool
	Overdue     bool
	Blocked     string    // why confirms wait, empty: they do not
	Fenced      string    // why this broker serves nobody, empty: it is not fenced
	Question    *Question // nil: none
	IfThisFails string    // what happens if this broker fails now
	IfOther     string    // what happens if the other one does
}

// Status describes the machine for people.
func (m *Machine) Status() Status {
	s := Status{
		Name: m.self.Name, Role: m.role, Epoch: m.epoch, NodeID: m.disk.facts.Record.NodeID, Mode: m.cfg.Mode,
		Record: m.disk.facts.Record, Owner: m.ownerName(), Delivering: m.MayDeliver(m.now), Overdue: m.disk.overdue,
		Blocked: m.blocked(), Fenced: m.fence.reason, Question: m.ask.question,
	}
	set := s.Record
	if m.role.active() {
		set = m.own.set
	}
	for k := range int(set.Count) {
		s.InSyncSet = append(s.InSyncSet, set.Members[k].Name)
	}
	for k := range m.peers {
		p := &m.peers[k]
		s.Peers = append(s.Peers, PeerStatus{Target: p.target, Name: p.who.Name, Instance: p.who.Instance, Process: p.who.Process,
			Connected: p.link != noLink, InSync: m.role.active() && p.session.told && p.session.link != noLink, Says: p.last.String()})
	}
	s.IfThisFails, s.IfOther = m.forecast()
	return s
}

// ownerName is who is active, as far as this broker knows.
func (m *Machine) ownerName() string {
	switch m.role {
	case RoleAlone, RolePaired, RoleHandingOver:
		return m.self.Name
	case RoleJoining, RoleSpare, RoleStandby:
		return m.up.who.Name
	}
	return ""
}

// blocked says why an owner's confirms wait.
func (m *Machine) blocked() string {
	if m.role == RolePaired && m.own.blockedAt != 0 && !m.own.gone {
		other, _ := m.own.set.Other(m.self.Instance)
		return fmt.Sprintf("%s is recorded as in sync but not connected; it may take over, so nothing is confirmed without it", other.Name)
	}
	return ""
}

// noteBlocked keeps track of how long the member has been away.
func (m *Machine) noteBlocked() {
	if m.role != RolePaired {
		return
	}
	away := true
	for k := range m.peers {
		if s := &m.peers[k].session; m.isMember(Peer(k)) && s.link != noLink {
			away = false
		}
	}
	switch {
	case away && m.own.blockedAt == 0:
		m.own.blockedAt = max(m.now, 1)
	case !away && m.own.blockedAt != 0:
		m.own.blockedAt = 0
		m.closeQuestion()
	}
}

// forecast says what a failure would do: of this broker, and of the other one.
func (m *Machine) forecast() (this, other string) {
	lease := m.cfg.Lease
	switch m.role {
	case RoleAlone:
		return "no backup is in sync: clients wait until this broker is back; nothing confirmed is lost unless its disk is",
			"nothing changes for clients"
	case RolePaired:
		if m.own.blockedAt != 0 {
			return "the other member takes over if it is alive; otherwise clients wait until both are back or an operator speaks",
				"confirms stay blocked until it is back or an operator says that it is dead (hind activation set)"
		}
		return fmt.Sprintf("the backup takes over: at once if its connection is refused, else after %v of silence", lease),
			"its process: confirms pause until it restarts, then go on. Its host or disk: confirms stop until it is back, an operator speaks (hind activation set), or a witness is added"
	case RoleHandingOver:
		return "the successor opens if the handover reached it; otherwise both ask each other", "the same, seen from there: this broker asks until it is back"
	case RoleStandby:
		return "the active pauses confirms until this process is back; if it stays away, until an operator speaks",
			fmt.Sprintf("this broker takes over: at once if the connection is refused, else after %v of silence", lease)
	case RoleJoining, RoleSpare:
		return "nothing changes for clients; the backup is not in sync", "this broker may not take over: it is not in sync; clients wait until the active is back"
	case RoleClaiming:
		return "clients wait until this broker is back", "nothing changes: this broker is opening"
	case RoleFenced:
		return "nothing changes: this broker serves nobody", "clients wait until a human decides"
	}
	return "clients wait: no broker of the pair is known to be active", "clients wait: no broker of the pair is known to be active"
}

// questionAt is when a human must be asked; false: not now.
func (m *Machine) questionAt() (time.Duration, bool) {
	if m.ask.question != nil {
		return 0, false
	}
	switch {
	case m.role == RoleAsking && m.disk.settled:
		return m.ask.since + m.cfg.QuestionAfter, true
	case m.role == RolePaired && m.own.blockedAt != 0 && !m.own.gone:
		return m.own.blockedAt + m.cfg.QuestionAfter, true
	case m.role == RoleFenced && m.fence.kind != fencedPoison && m.disk.settled:
		return m.now, true
	}
	return 0, false
}

// askHuman shows the question of the present role.
func (m *Machine) askHuman() {
	q := m.question()
	m.ask.question = &q
	m.do(Ask{q})
}

// closeQuestion withdraws it.
func (m *Machine) closeQuestion() {
	if m.ask.question != nil {
		m.ask.question = nil
		m.do(Answered{})
	}
}

// question says what is open and what each answer would lose.
func (m *Machine) question() Question {
	r := m.disk.facts.Record
	other, hasOther := r.Other(m.self.Instance)
	away := fmt.Sprintf("%s (journal %v)", other.Name, other.Instance)
	switch {
	case m.role == RolePaired:
		other, _ = m.own.set.Other(m.self.Instance)
		return Question{
			Text:    fmt.Sprintf("confirms are blocked: %s (journal %v) is recorded as in sync and not connected", other.Name, other.Instance),
			Choices: []Choice{{DecideMemberDead, fmt.Sprintf("everything that %s confirmed, if it took over unseen; fence or wipe it first", other.Name)}},
		}
	case m.role == RoleFenced:
		return Question{
			Text: m.fence.reason,
			Choices: []Choice{
				{DecideDiscardTail, "what only this broker's log has (it is kept beside the journal)"},
				{DecideActivate, "what only the other broker's log has since the two parted; fence or wipe that broker first"},
			},
		}
	case r.IsZero() && m.empty() && m.cfg.Primary:
		return Question{
			Text:    "the journal is empty and not every configured peer has said the same; waiting for it, or for --init",
			Choices: []Choice{{DecideActivate, "everything, if a peer holds the messages of this pair"}},
		}
	case r.IsZero():
		return Question{Text: "the journal is empty: a backup waits until its primary is active"}
	case !r.Has(m.self.Instance):
		return Question{
			Text:    fmt.Sprintf("this log is a copy of %s's, which was alone when it was made", away),
			Choices: []Choice{{DecideActivate, fmt.Sprintf("everything that %s confirmed since", away)}},
		}
	case !hasOther && m.disk.local.Copying >= r.Epoch:
		return Question{
			Text:    "this log was being overwritten by a copy that was not finished",
			Choices: []Choice{{DecideActivate, "everything that the broker it was copied from has confirmed"}},
		}
	case !hasOther:
		return Question{
			Text:    fmt.Sprintf("this broker was alone in epoch %d, and has seen a higher one", r.Epoch),
			Choices: []Choice{{DecideActivate, "everything that the owner of the higher epoch has confirmed; fence or wipe it first"}},
		}
	}
	return Question{
		Text:    fmt.Sprintf("the record [%v] names %s too, and it has not promised", r, away),
		Choices: []Choice{{DecideActivate, fmt.Sprintf("everything that %s confirmed after it took over, if it did; fence or wipe it first", away)}},
	}
}
