package ha

import "time"

// Asking: no right to serve. The broker asks every peer; it ends as a follower of an active one, or claims by its own
// alone record, by the other member's promise, by founding, or on an operator's word (rule H7).

// asking is what a broker in Asking keeps about itself.
type asking struct {
	since    time.Duration
	question *Question
	// alone says that an own alone record still gives its right: nothing was heard since the log was loaded that takes
	// it back. A process that steps down before a higher epoch never uses its record again; a new process may.
	alone bool
}

// answer is what a peer answered to this process on its present connection.
type answer struct {
	state State
	grant uint64 // promised epoch
}

// grant is a promise that waits for its durability before it is sent.
type grant struct {
	seq    uint64 // of the Persist
	number uint64 // of the ask, 0: none waits
	epoch  uint64
}

// report is what this broker says of itself. Only roles that may speak about the log call it.
func (m *Machine) report() Report {
	f := m.disk.facts
	r := Report{State: StatePassive, Overdue: m.disk.overdue, Epoch: f.Record.Epoch, End: f.End, Record: f.Record, RecordAt: f.RecordAt, Promised: m.disk.local.PromiseEpoch}
	switch {
	case m.role.active():
		r.State, r.Epoch = StateActive, m.epoch
	case m.role == RoleClaiming:
		r.State, r.Epoch = StateClaiming, m.claim.record.Epoch
	case !m.fence.owed.IsZero():
		r.State, r.Epoch = StateGivenUp, m.epoch
	case m.role == RoleAsking && m.empty():
		r.State = StateEmpty
	}
	return r
}

// empty says whether the log is empty and never was to be a copy.
func (m *Machine) empty() bool {
	return m.disk.facts.Record.IsZero() && m.disk.local.Copying == 0
}

// mayAsk says whether peer k is to be asked now.
func (m *Machine) mayAsk(k Peer) bool {
	p := &m.peers[k]
	if p.link == noLink {
		return false
	}
	if m.fence.owed == p.who.Instance && !m.fence.owed.IsZero() {
		return m.role == RoleAsking || m.role == RoleFenced
	}
	switch m.role {
	case RoleAsking:
		return m.disk.settled && m.fence.owed.IsZero()
	case RoleAlone, RolePaired:
		return p.session.link != p.link
	}
	return false
}

// askPeer sends an ask.
func (m *Machine) askPeer(k Peer) {
	p := &m.peers[k]
	p.asked = m.next()
	p.askAt = m.now + m.cfg.AskEvery
	m.send(k, Word{Kind: WordAsk, Number: p.asked, Report: m.report()})
}

// onAsk: peer k says who it is and wants to know who we are.
func (m *Machine) onAsk(k Peer, w Word) {
	p, r := &m.peers[k], w.Report
	p.answer, p.grant = answer{}, grant{} // what it said, and was about to be promised, is out of date
	p.last = r.State
	m.heard = max(m.heard, r.Promised)
	if m.stranger(k, r) {
		return
	}
	switch m.role {
	case RoleAlone, RolePaired:
		m.activeAsked(k, w)
	case RoleHandingOver:
		m.handingAsked(k, w)
	case RoleStandby:
		m.standbyAsked(k, w)
	case RoleClaiming:
		m.reply(k, w, 0)
	case RoleJoining, RoleSpare:
		m.joiningAsked(k, w)
	case RoleAsking:
		m.askingAsked(k, w)
	}
}

// stranger closes the connection of a broker whose log belongs to another node.
func (m *Machine) stranger(k Peer, r Report) bool {
	own := m.disk.facts.Record.NodeID
	if own.IsZero() || r.Record.IsZero() || own == r.Record.NodeID {
		return false
	}
	m.log("%s belongs to node %v, this broker to node %v; they are no pair", m.peers[k].who.Name, r.Record.NodeID, own)
	m.closePeer(k, "another node id")
	return true
}

// reply answers an ask.
func (m *Machine) reply(k Peer, w Word, promised uint64) {
	m.send(k, Word{Kind: WordAnswer, Number: w.Number, Report: m.report(), Grant: promised})
}

// askingAsked: both sides may be looking for an owner.
func (m *Machine) askingAsked(k Peer, w Word) {
	r := w.Report
	switch {
	case !m.disk.settled, r.State == StateGivenUp, !m.fence.owed.IsZero():
	case r.State == StateActive:
		m.joinIfNewest(k, r)
	case r.State == StatePassive && m.mayPromise(k, r):
		m.promise(k, w)
	default:
		m.reply(k, w, 0)
	}
}

// joinIfNewest follows an active peer whose epoch is not below anything this broker has or promised.
func (m *Machine) joinIfNewest(k Peer, r Report) {
	if r.Epoch >= max(m.epoch, m.disk.facts.Record.Epoch, m.disk.local.PromiseEpoch) && !m.disk.overdue && !m.stopping() {
		m.join(k, r.Epoch)
	}
}

// mayPromise says whether candidate k may be promised an epoch: its newest record names both of us, and the newest
// record of the two entitles it. Among the entitled the highest (epoch, position) wins; ties go by the record's order.
func (m *Machine) mayPromise(k Peer, r Report) bool {
	mine, cand, self := m.disk.facts, m.peers[k].who.Instance, m.self.Instance
	if m.disk.overdue || m.ownAlone() || !r.Record.Has(cand) || !r.Record.Has(self) {
		return false
	}
	if newerRecord(mine, Facts{Record: r.Record, RecordAt: r.RecordAt}) {
		if !mine.Record.Has(cand) {
			return false
		}
		if !mine.Record.Has(self) {
			return true
		}
	}
	if r.Record.Epoch != mine.Record.Epoch {
		return r.Record.Epoch > mine.Record.Epoch
	}
	if c := r.End.Compare(mine.End); c != 0 {
		return c > 0
	}
	return r.Record.place(cand) < r.Record.place(self)
}

// newerRecord compares role records by epoch, then by place.
func newerRecord(a, b Facts) bool {
	if a.Record.Epoch != b.Record.Epoch {
		return a.Record.Epoch > b.Record.Epoch
	}
	return b.RecordAt.Less(a.RecordAt)
}

// promise gives candidate k an epoch above both logs and above any promise to another; it is sent once it is durable.
func (m *Machine) promise(k Peer, w Word) {
	local, cand := m.disk.local, m.peers[k].who.Instance
	e := max(m.epoch, m.disk.facts.Record.Epoch, w.Report.Record.Epoch) + 1
	if local.PromiseTo == cand {
		e = max(e, local.PromiseEpoch)
	} else {
		e = max(e, local.PromiseEpoch+1)
	}
	if local.PromiseEpoch != e || local.PromiseTo != cand {
		local.PromiseEpoch, local.PromiseTo = e, cand
		m.persist(local)
	}
	m.peers[k].grant = grant{seq: m.disk.seq, number: w.Number, epoch: e}
	m.sendGrants()
}

// sendGrants sends the promises that have become durable, if this broker is still asking.
func (m *Machine) sendGrants() {
	if m.role != RoleAsking {
		return
	}
	for k := range m.peers {
		g := m.peers[k].grant
		if g.number == 0 || m.disk.saved < g.seq || m.disk.overdue || !m.disk.settled {
			continue
		}
		m.peers[k].grant = grant{}
		m.reply(Peer(k), Word{Number: g.number}, g.epoch)
	}
}

// onAnswer: peer k answers our newest ask.
func (m *Machine) onAnswer(k Peer, w Word) {
	p, r := &m.peers[k], w.Report
	if p.asked == 0 || w.Number != p.asked {
		return
	}
	p.asked, p.last = 0, r.State
	m.heard = max(m.heard, r.Promised)
	if m.stranger(k, r) {
		return
	}
	if r.State == StateActive {
		switch {
		case m.role.active() && r.Epoch > m.epoch:
			m.toAsking("a higher epoch is active")
		case m.role.active() && r.Epoch == m.epoch:
			m.clash(k)
		case m.role == RoleAsking && m.disk.settled:
			m.joinIfNewest(k, r)
		}
		return
	}
	if m.role == RoleAsking && m.disk.settled && (r.State == StateEmpty || r.State == StatePassive) {
		p.answer = answer{state: r.State, grant: w.Grant}
	}
}

// ownAlone says whether the own newest record gives this broker the right to serve without asking.
func (m *Machine) ownAlone() bool {
	r := m.disk.facts.Record
	return m.ask.alone && r.OwnAlone(m.self.Instance) && m.disk.local.Copying < r.Epoch
}

// reactAsking claims by whatever right there is.
func (m *Machine) reactAsking() {
	if !m.disk.settled || m.disk.overdue || m.stopping() || !m.fence.owed.IsZero() {
		return
	}
	r := m.disk.facts.Record
	switch {
	case m.ownAlone():
		m.doClaim(byAlone, 0)
	case r.IsZero():
		if m.mayFound() {
			m.doClaim(byFounding, 0)
		}
	default:
		if e := m.promised(r); e > 0 {
			m.doClaim(byPromise, e)
		}
	}
}

// promised is the epoch that the other member of the own record has promised; 0 if it has not, or if this broker is
// no member itself.
func (m *Machine) promised(r RoleRecord) uint64 {
	other, ok := r.Other(m.self.Instance)
	if !ok || !r.Has(m.self.Instance) {
		return 0
	}
	k := m.byInstance(other.Instance)
	if k == Accepted || m.peers[k].link == noLink {
		return 0
	}
	return m.peers[k].answer.grant
}

// mayFound says whether an empty journal may found a node id: by a primary, when every peer answered "empty" to this
// process, or an operator said so, or no peer is configured.
func (m *Machine) mayFound() bool {
	if !m.empty() || len(m.peers) > 0 && !m.cfg.Primary {
		return false
	}
	if m.cfg.Init {
		return true
	}
	for k := range m.peers {
		if p := &m.peers[k]; p.link == noLink || p.answer.state != StateEmpty || p.who.Primary {
			return false
		}
	}
	return true
}
