package ha

import (
	"time"

	"github.com/hindmq/hind/journal"
)

// Active: what an owner does with its member and with whoever wants to become one (rule H3).

// pending is the role record that is under way in the running epoch, and what it is for.
type pending uint8

const (
	pendingNone pending = iota
	pendingAdd          // {owner, cand}
	pendingDrop         // {owner}
	pendingSwap         // "to B"
	pendingStop         // "to B", and this process ends
)

// active is the state of an owner.
type active struct {
	set     RoleRecord // in force
	clients bool       // acceptors are open
	// delivering is what the node was told last about deliveries.
	delivering bool
	// told says that the recorded member was told "in sync" in this epoch: from then on the lease binds.
	told   bool
	leased time.Duration // when the newest heartbeat was sent that the member echoed

	pending pending
	seq     uint64     // of its WriteRecord
	next    RoleRecord // what it says
	at      journal.Position
	durable bool // at is known
	since   time.Duration
	cand    Peer // whom it adds, or hands over to
	// require is a journal that is not recorded yet, or was to be recorded, and whose acknowledgements are needed from
	// the moment {owner, it} may be in some log until {owner} is durable again.
	require Instance

	gone   bool // the member, or whom it adds, has no right to take over any more: drop it
	forced bool // an operator said so
	// granted is the member's process that was told, or that handed over, and the join number that it was told.
	granted       Identity
	grantedNumber uint64
	blockedAt     time.Duration // since when the member is not connected; 0: it is
}

// session is what an owner knows about one follower.
type session struct {
	link   Link // noLink: lost, the process may resume
	who    Identity
	number uint64 // of its join
	acked  journal.Position
	to     journal.Position
	sent   bool // everything up to to was sent: when it is acknowledged the follower has caught up
	told   bool
}

// caught says whether the follower has everything.
func (s *session) caught() bool { return s.link != noLink && s.sent && !s.acked.Less(s.to) }

// adding says whether a new member is on its way into the record.
func (o *active) adding() bool { return o.pending == pendingAdd }

// required is the journal whose acknowledgements a confirm needs: the recorded member's, or the one being added.
func (m *Machine) required() (Instance, bool) {
	if other, ok := m.own.set.Other(m.self.Instance); ok {
		return other.Instance, true
	}
	return m.own.require, !m.own.require.IsZero()
}

// memberAcked is what the required member has acknowledged, and whether there is one.
func (m *Machine) memberAcked() (journal.Position, bool) {
	need, ok := m.required()
	if !ok {
		return journal.Position{}, false
	}
	for k := range m.peers {
		if s := &m.peers[k].session; s.who.Instance == need {
			return s.acked, true
		}
	}
	return journal.Position{}, true
}

// isMember says whether peer k holds the journal of the recorded member.
func (m *Machine) isMember(k Peer) bool {
	other, ok := m.own.set.Other(m.self.Instance)
	return ok && other.Instance == m.peers[k].who.Instance
}

// activeAsked: somebody speaks to an active broker.
func (m *Machine) activeAsked(k Peer, w Word) {
	r, p := w.Report, &m.peers[k]
	switch {
	case r.State == StateActive && r.Epoch > m.epoch:
		m.toAsking("a higher epoch is active")
		return
	case r.State == StateActive && r.Epoch == m.epoch:
		m.reply(k, w, 0)
		m.clash(k)
		return
	case r.State == StateGivenUp:
		if m.isMember(k) {
			m.gone(k, "it gave up its right")
		}
		return
	case r.State != StateActive && r.Epoch > m.epoch:
		m.toAsking("the other broker's log has a higher epoch")
		return
	case m.role == RoleAlone && r.Promised > m.epoch:
		m.toAsking("the other broker promised a higher epoch; opening one above it")
		m.ask.alone = true
		return
	}
	m.endSession(k) // it asks, so it follows nobody
	switch {
	case m.isMember(k):
		if !p.who.sameProcess(m.own.granted) {
			m.gone(k, "its new process is not in sync")
		} else if r.Overdue {
			m.gone(k, "its disk hangs")
		}
	case m.own.adding() && m.own.cand == k:
		m.gone(k, "it asks again before it was told")
	}
	m.reply(k, w, 0)
}

// gone notes that peer k has no right to take over.
func (m *Machine) gone(k Peer, why string) {
	if m.own.gone {
		return
	}
	m.own.gone = true
	m.log("%s is dropped: %s", m.peers[k].who.Name, why)
}

// endSession forgets a follower.
func (m *Machine) endSession(k Peer) {
	if s := &m.peers[k].session; s.link != noLink && s.link == m.peers[k].link {
		m.do(StopSending{s.link})
	}
	m.peers[k].session = session{}
}

// lostFollower: the connection of peer k is gone. Its process may resume in this epoch; an addition is taken back, and
// a handover ends in asking the successor.
func (m *Machine) lostFollower(k Peer) {
	m.peers[k].session.link = noLink
	if !m.role.active() || m.own.cand != k {
		return
	}
	switch m.own.pending {
	case pendingAdd:
		m.gone(k, "its connection was lost before it was told")
	case pendingSwap, pendingStop:
		m.toAsking("the connection to the successor was lost")
	}
}

// onJoin: peer k wants to follow, or to go on following.
func (m *Machine) onJoin(k Peer, w Word) {
	p, s := &m.peers[k], &m.peers[k].session
	refuse := func(r Refusal) {
		m.send(k, Word{Kind: WordReject, Number: w.Number, Epoch: m.owned(), Refusal: r})
	}
	switch {
	case m.role != RoleAlone && m.role != RolePaired || w.Epoch != m.epoch:
		refuse(RefusalNotActive)
		return
	case m.taken(k):
		refuse(RefusalTaken)
		return
	case w.Resume:
		if !m.isMember(k) || !p.who.sameProcess(m.own.granted) || m.own.grantedNumber != w.Number || m.own.gone || !s.who.sameProcess(p.who) || s.number != w.Number {
			refuse(RefusalNotInSync)
			return
		}
		s.link = p.link
	default:
		if m.isMember(k) && !p.who.sameProcess(m.own.granted) {
			m.gone(k, "its new process is not in sync")
		}
		if m.own.adding() && m.own.cand == k {
			m.gone(k, "it joins again before it was told")
		}
		m.endSession(k)
		*s = session{link: p.link, who: p.who, number: w.Number}
	}
	m.send(k, Word{Kind: WordAccept, Number: w.Number, Epoch: m.epoch, Grant: uint64(m.own.set.Forces)})
	m.do(Send{Link: p.link, Epoch: m.epoch, Member: p.who.Instance})
}

// taken says whether the place beside this owner belongs to another journal than peer k's.
func (m *Machine) taken(k Peer) bool {
	need, ok := m.required()
	return ok && need != m.peers[k].who.Instance
}

// caughtUp: everything up to To was sent to the follower on the connection.
func (m *Machine) caughtUp(e CaughtUp) {
	if s := m.sessionOf(e.Link, e.Epoch); s != nil {
		s.to, s.sent = e.To, true
	}
}

// acked: the follower acknowledged. Only in this epoch, on its connection, and for a required member only by the
// journal that is recorded (rule H3).
func (m *Machine) acked(e Acked) {
	s := m.sessionOf(e.Link, e.Epoch)
	if s == nil {
		return
	}
	if need, ok := m.required(); ok && need != s.who.Instance {
		return
	}
	if s.acked.Less(e.Position) {
		s.acked = e.Position
	}
}

// sessionOf finds the follower on a connection, nil if it is none of this epoch.
func (m *Machine) sessionOf(id Link, epoch uint64) *session {
	if !m.role.active() || epoch != m.epoch {
		return nil
	}
	for k := range m.peers {
		if s := &m.peers[k].session; s.link == id && id != noLink && m.peers[k].link == id {
			return s
		}
	}
	return nil
}

// onGoodbye: the told process of the member gives up its right.
func (m *Machine) onGoodbye(k Peer, w Word) {
	if m.role.active() && w.Epoch == m.epoch && m.isMember(k) && m.peers[k].who.sameProcess(m.own.granted) {
		m.endSession(k)
		m.gone(k, "it said goodbye")
	}
}

// reactActive goes on with whatever has become durable, acknowledged or known to be gone.
func (m *Machine) reactActive() {
	if m.role == RoleHandingOver && m.own.gone {
		m.handBack()
	}
	if m.own.gone && (m.own.adding() || m.own.pending == pendingNone) {
		m.beginDrop()
	}
	if m.own.durable {
		m.pendingDurable()
	}
	if !m.role.active() || m.own.pending != pendingNone || m.own.gone {
		return
	}
	switch {
	case m.role == RoleAlone:
		m.beginAdd()
	case m.role == RolePaired:
		m.tellMember()
	}
}

// pendingDurable: the pending record is durable here; the member may have to have it too.
func (m *Machine) pendingDurable() {
	acked, _ := m.memberAcked()
	switch m.own.pending {
	case pendingDrop:
		m.dropped()
	case pendingAdd:
		if !acked.Less(m.own.at) {
			m.added()
		}
	case pendingSwap, pendingStop:
		if !acked.Less(m.own.at) {
			m.handed()
		}
	}
}

// write appends the role record r in the running epoch.
func (m *Machine) write(p pending, r RoleRecord) {
	m.own.pending, m.own.seq, m.own.next, m.own.since = p, m.next(), r, m.now
	m.own.at, m.own.durable = journal.Position{}, false
	m.do(WriteRecord{Seq: m.own.seq, Record: r})
}

// aloneRecord is {self} in the running epoch.
func (m *Machine) aloneRecord() RoleRecord {
	r := m.own.set
	r.Kind, r.Forced, r.Owner, r.Count = RecordAlone, m.own.forced, 0, 1
	r.Members = [membersMax]Member{{m.self.Name, m.self.Instance}}
	if r.Forced {
		r.Forces++
	}
	return r
}

// beginDrop writes {self}. Until it is durable the member's acknowledgements are still needed.
func (m *Machine) beginDrop() { m.write(pendingDrop, m.aloneRecord()) }

// dropped: {self} is durable. The first lone confirm may follow.
func (m *Machine) dropped() {
	o := &m.own
	for k := range m.peers {
		s := &m.peers[k].session
		switch {
		case s.link == noLink:
			*s = session{}
		case s.who.sameProcess(o.granted):
			m.send(Peer(k), Word{Kind: WordDropped, Epoch: m.epoch})
			m.endSession(Peer(k))
		}
	}
	o.set, o.pending, o.durable, o.told = o.next, pendingNone, false, false
	o.require = Instance{}
	o.gone, o.forced, o.granted, o.grantedNumber, o.blockedAt = false, false, Identity{}, 0, 0
	m.enter(RoleAlone)
	m.log("recorded %v: confirming alone", o.set)
}

// beginAdd requires the acknowledgements of a follower that caught up and records {self, follower}.
func (m *Machine) beginAdd() {
	if m.disk.overdue || m.stopping() {
		return
	}
	for k := range m.peers {
		p := &m.peers[k]
		if !p.session.caught() || p.session.link != p.link {
			continue
		}
		r := m.own.set
		r.Kind, r.Forced, r.Count = RecordPaired, false, 2
		self, other := Member{m.self.Name, m.self.Instance}, Member{p.who.Name, p.who.Instance}
		r.Members, r.Owner = [membersMax]Member{self, other}, 0
		if p.who.Primary && !m.self.Primary {
			r.Members, r.Owner = [membersMax]Member{other, self}, 1
		}
		m.own.cand, m.own.require = Peer(k), other.Instance
		m.write(pendingAdd, r)
		return
	}
}

// added: {self, follower} is durable on both. Now it may be told.
func (m *Machine) added() {
	m.own.set, m.own.pending, m.own.durable, m.own.require = m.own.next, pendingNone, false, Instance{}
	m.enter(RolePaired)
	m.log("recorded %v", m.own.set)
}

// tellMember tells the recorded member that it is in sync, once it acknowledged everything.
func (m *Machine) tellMember() {
	for k := range m.peers {
		s := &m.peers[k].session
		if !m.isMember(Peer(k)) || s.told || !s.caught() || s.link != m.peers[k].link {
			continue
		}
		s.told, m.own.told = true, true
		m.own.granted, m.own.grantedNumber = s.who, s.number
		if l := m.findLink(s.link); l != nil {
			l.beatAt = m.now // the lease binds from now on, and needs an echo
		}
		m.send(Peer(k), Word{Kind: WordTold, Number: s.number, Epoch: m.epoch, Process: s.who.Process})
		m.log("%s is in sync", s.who.Name)
	}
}

// echoed: peer k returned a heartbeat. It renews the lease of deliveries from the moment the heartbeat was sent, if the
// other side still follows this epoch.
func (m *Machine) echoed(k Peer, w Word) {
	if m.role.active() && w.Follows == m.epoch && !m.disk.overdue && time.Duration(w.Number) <= m.now {
		m.own.leased = max(m.own.leased, time.Duration(w.Number))
	}
}

// MayDeliver says whether deliveries, reads and non-durable work may go on at this moment (rule H6): an owner whose
// member may take over does so only for half a lease after the last heartbeat that this member echoed was sent.
func (m *Machine) MayDeliver(now time.Duration) bool {
	if !m.own.clients || m.role != RoleAlone && m.role != RolePaired {
		return false
	}
	return m.role == RoleAlone || !m.own.told || now < m.own.leased+m.cfg.Lease/2
}

// lease tells the node when deliveries begin or end to be allowed.
func (m *Machine) lease() {
	if on := m.MayDeliver(m.now); m.own.clients && on != m.own.delivering {
		m.own.delivering = on
		m.do(Deliver{on})
	}
}

// owned is the epoch that this broker owns, 0 if none.
func (m *Machine) owned() uint64 {
	if m.role.active() {
		return m.epoch
	}
	return 0
}
