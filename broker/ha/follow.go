package ha

import "time"

// Following: Joining, Spare and Standby (rules H3, H4, H5, H8).

// phase is how far a follower has come with its owner.
type phase uint8

const (
	phaseNone      phase = iota // no connection, or not asked yet
	phaseJoin                   // sent a join
	phaseFollowing              // accepted; the node compares the logs
	phaseMarking                // the mark "copying" is being made durable
	phaseCopying                // pages are taken and acknowledged
)

// following is the state of a follower. Its epoch is Machine.epoch.
type following struct {
	peer    Peer
	who     Identity // the owner's process
	phase   phase
	number  uint64 // of the join; in Standby the one that was told
	link    Link   // the connection that was accepted last
	forces  uint32 // forced records in the owner's log
	markSeq uint64 // of the Persist of the mark
	heardAt time.Duration
	// again is when a Spare tries to join again, or a Standby primary repeats that it wants its role back.
	again time.Duration
}

// join asks peer k, which owns epoch e, to be taken as follower.
func (m *Machine) join(k Peer, e uint64) {
	p := &m.peers[k]
	m.epoch = max(m.epoch, e)
	m.fence.owed = Instance{}
	was := m.role
	m.enter(RoleJoining)
	m.up = following{peer: k, who: p.who, phase: phaseJoin, number: m.next(), heardAt: m.now}
	if was != RoleSpare {
		m.log("%v -> Joining e%d of %s", was, e, p.who.Name)
	}
	m.send(k, Word{Kind: WordJoin, Number: m.up.number, Epoch: m.epoch})
}

// resume goes on following on a new connection: the same two processes, the same epoch.
func (m *Machine) resume(k Peer) {
	m.up.phase = phaseJoin
	m.send(k, Word{Kind: WordJoin, Resume: true, Number: m.up.number, Epoch: m.epoch})
}

// onAccept: the owner takes us.
func (m *Machine) onAccept(k Peer, w Word) {
	if m.role != RoleJoining && m.role != RoleStandby || m.up.peer != k || m.up.phase != phaseJoin || w.Number != m.up.number || w.Epoch != m.epoch {
		return
	}
	m.up.phase, m.up.link, m.up.forces, m.up.heardAt = phaseFollowing, m.peers[k].link, uint32(w.Grant), m.now
	m.do(Follow{Link: m.up.link, Epoch: m.epoch, Owner: m.up.who.Instance})
}

// onReject: it does not.
func (m *Machine) onReject(k Peer, w Word) {
	if m.up.peer != k || m.up.phase != phaseJoin || w.Number != m.up.number {
		return
	}
	switch {
	case m.role == RoleStandby && w.Refusal == RefusalNotActive:
		m.up.phase = phaseNone // it will say what it is now
	case m.role == RoleStandby:
		m.toAsking("the owner says: " + w.Refusal.String())
	case m.role == RoleJoining && w.Refusal == RefusalTaken:
		m.enter(RoleSpare)
		m.log("the place beside %s belongs to another journal; waiting as a spare", m.up.who.Name)
		m.up.again = m.now + m.cfg.AskEvery
	case m.role == RoleJoining:
		m.toAsking("the owner says: " + w.Refusal.String())
	}
}

// tailChecked: the logs were compared. Nothing is cut that may hold what only this broker has confirmed (rule H8).
func (m *Machine) tailChecked(e TailChecked) {
	if m.role != RoleJoining && m.role != RoleStandby || e.Link != m.up.link || m.up.phase != phaseFollowing {
		return
	}
	t := e.Tail
	switch {
	case !t.Cut:
	case m.role == RoleStandby:
		m.toAsking("the owner's log lacks what this in-sync log has")
		return
	case t.Known, m.fence.discard:
	case t.Alone || t.Below.OwnAlone(m.self.Instance):
		m.fail(fencedTail, "the log has a tail that only this broker has, and that it may have confirmed alone")
		return
	case m.up.forces > t.Below.Forces:
		m.fail(fencedTail, "an operator forced the other broker active; the tail of this log may hold what was confirmed before")
		return
	}
	local := m.disk.local
	if local.Copying < m.epoch {
		local.Copying = m.epoch
		m.persist(local)
	}
	m.up.phase, m.up.markSeq = phaseMarking, m.disk.seq
	m.copyMarked()
}

// copyMarked lets the copy begin once the mark is durable.
func (m *Machine) copyMarked() {
	if m.up.phase == phaseMarking && m.disk.saved >= m.up.markSeq {
		m.up.phase = phaseCopying
		m.fence = fence{}
		m.do(Copy{m.up.link})
	}
}

// followed: a role record of the owner is durable in the own log.
func (m *Machine) followed(e Followed) {
	if m.role != RoleJoining && m.role != RoleStandby || e.Link != m.up.link {
		return
	}
	m.disk.facts = Facts{Record: e.Record, RecordAt: e.At, End: e.At}
	if m.role == RoleStandby && !e.Record.Has(m.self.Instance) {
		m.toAsking("the owner recorded a set without this broker")
	}
}

// onTold: the owner recorded this broker, this process, for this join.
func (m *Machine) onTold(k Peer, w Word) {
	if m.role != RoleJoining || m.up.peer != k || m.up.phase != phaseCopying || m.up.link != m.peers[k].link {
		return
	}
	if w.Number != m.up.number || w.Epoch != m.epoch || w.Process != m.self.Process || m.disk.local.PromiseEpoch > w.Epoch {
		return
	}
	m.enter(RoleStandby)
	m.up.heardAt, m.up.again = m.now, m.now
	m.log("Joining -> Standby e%d of %s: in sync", m.epoch, m.up.who.Name)
}

// onDropped: the owner recorded itself alone.
func (m *Machine) onDropped(k Peer, w Word) {
	if m.role == RoleStandby && m.up.peer == k && w.Epoch >= m.epoch {
		m.toAsking("dropped by the owner")
	}
}

// onResigned: the owner's process gives its role to this standby.
func (m *Machine) onResigned(k Peer, w Word) {
	if m.role == RoleStandby && m.up.peer == k && w.Epoch == m.epoch && m.peers[k].who.sameProcess(m.up.who) {
		m.claimAsked()
	}
}

// claimAsked claims on the owner's own word, or gives the right up if it may not claim now.
func (m *Machine) claimAsked() bool {
	why, e := bySync, uint64(0)
	if r := m.disk.facts.Record; m.handedOver() {
		why, e = byHandover, r.Epoch+1
		if r.Kind == RecordToStop {
			why = byStop
		}
	}
	if m.doClaim(why, e) {
		return true
	}
	m.toAsking("a write is overdue")
	return false
}

// handedOver says whether the log of this standby ends with the owner's "to this broker".
func (m *Machine) handedOver() bool {
	r := m.disk.facts.Record
	return m.role == RoleStandby && r.Epoch == m.epoch && r.HandsTo(m.self.Instance)
}

// reactStandby takes the role that was handed over.
func (m *Machine) reactStandby() {
	if m.handedOver() && !m.disk.overdue {
		m.claimAsked()
	}
}

// standbyAsked: the owner's new process, or somebody else, speaks to a broker that is in sync.
func (m *Machine) standbyAsked(k Peer, w Word) {
	r, p := w.Report, &m.peers[k]
	same := p.who.sameProcess(m.up.who)
	switch {
	case r.State == StateActive && r.Epoch > m.epoch:
		m.toAsking("a higher epoch is active")
		return
	case m.up.peer != k || r.State == StateActive || p.who.Instance != m.up.who.Instance:
		m.reply(k, w, 0)
		return
	case r.State == StateGivenUp:
		if same && r.Epoch == m.epoch {
			m.claimAsked()
		}
		return
	case same && !r.Record.IsTo():
		m.toAsking("the owner's process gave its role up: it has seen a higher epoch")
		return
	case r.State == StateEmpty:
		m.reply(k, w, 0) // no report of a log: this mode's own rule decides
		return
	case r.Record.Kind == RecordAlone && r.Record.OwnerInstance() == p.who.Instance && r.Record.Epoch >= m.epoch:
		m.toAsking("the owner's log says that this broker was dropped")
		return
	case !r.Record.Has(m.self.Instance):
		m.toAsking("the owner's log does not name this broker")
		return
	}
	if m.claimAsked() {
		m.reply(k, w, 0)
	}
}

// joiningAsked: somebody speaks to a follower that is not in sync.
func (m *Machine) joiningAsked(k Peer, w Word) {
	r := w.Report
	owner := m.up.peer == k
	switch {
	case r.State == StateActive:
		if r.Epoch > m.epoch || r.Epoch == m.epoch && (!owner || m.role == RoleSpare) {
			m.toAsking("an active broker calls")
			m.askingAsked(k, w)
		}
	case owner:
		m.toAsking("the owner is not active any more")
	case r.State != StateGivenUp:
		m.reply(k, w, 0)
	}
}

// lostOwner: the connection with peer k is gone. A standby keeps its right and waits; a joiner begins anew.
func (m *Machine) lostOwner(k Peer) {
	if m.up.peer != k {
		return
	}
	switch m.role {
	case RoleJoining, RoleSpare:
		m.toAsking("the connection to the owner was lost")
	case RoleStandby:
		m.up.phase = phaseNone
	}
}

// refused: the kernel at peer k's pair port says no. A standby told "in sync" takes over at once (rule H5, wait).
func (m *Machine) refused(k Peer) {
	m.dialEnded(k)
	if m.role == RoleStandby && m.up.peer == k && m.peers[k].link == noLink && !m.handedOver() {
		m.log("%s refuses at its pair port", m.up.who.Name)
		m.doClaim(bySync, 0)
	}
}

// heardOwner: a heartbeat or an echo of the owner's process, in the epoch that is followed.
func (m *Machine) heardOwner(k Peer, w Word) {
	if (m.role == RoleJoining || m.role == RoleStandby) && m.up.peer == k && w.Epoch == m.epoch && m.peers[k].who.sameProcess(m.up.who) {
		m.up.heardAt = m.now
	}
}

// followedEpoch is the epoch that this broker follows, 0 if none.
func (m *Machine) followedEpoch() uint64 {
	if m.role == RoleJoining || m.role == RoleStandby {
		return m.epoch
	}
	return 0
}
