package ha

// Failing disks, forks that only a human can decide, and the human's word (rules H8, H12).

// fencedKind is why a broker is Fenced.
type fencedKind uint8

const (
	fencedNone   fencedKind = iota
	fencedPoison            // the own journal failed
	fencedTail              // its tail may hold what only this broker confirmed
	fencedClash             // two owners of one epoch
)

// fence is what a broker that gave up keeps about it.
type fence struct {
	kind   fencedKind
	reason string
	// owed is the journal of the broker that must hear that this one gave up its role or right in Machine.epoch. It is
	// said again on every connection.
	owed Instance
	// discard is the operator's word that the own tail may be cut.
	discard bool
}

// fail stops serving and following for good, until the journal was verified or an operator spoke.
func (m *Machine) fail(kind fencedKind, reason string) {
	m.closeClients()
	for k := range m.peers {
		m.endSession(Peer(k))
		m.peers[k].grant = grant{}
	}
	m.own, m.up, m.claim = active{}, following{}, claim{}
	m.fence = fence{kind: kind, reason: reason}
	m.disk.settled = false
	m.enter(RoleFenced)
	m.do(Fence{reason})
	if kind != fencedPoison {
		m.do(Settle{})
	}
}

// rightHolder is who must hear that this broker gives up, and how it is said: an owner tells its recorded member that
// it resigned, a standby tells its owner goodbye.
func (m *Machine) rightHolder() (Instance, WordKind) {
	switch {
	case m.role.active() && !m.own.gone:
		if other, ok := m.own.set.Other(m.self.Instance); ok {
			return other.Instance, WordResigned
		}
	case m.role == RoleStandby:
		return m.up.who.Instance, WordGoodbye
	}
	return Instance{}, 0
}

// sayGivenUp tells whoever must hear it, and remembers to go on saying so.
func (m *Machine) sayGivenUp(owed Instance, kind WordKind) {
	m.fence.owed = owed
	if k := m.byInstance(owed); k != Accepted {
		m.send(k, Word{Kind: kind, Epoch: m.epoch})
	}
}

// poisoned: the own journal failed for good.
func (m *Machine) poisoned(reason string) {
	if m.role == RoleFenced && m.fence.kind == fencedPoison {
		return
	}
	owed, kind := m.rightHolder()
	m.log("%v -> Fenced: %s", m.role, reason)
	m.fail(fencedPoison, reason)
	m.sayGivenUp(owed, kind)
}

// verified: every page was verified again.
func (m *Machine) verified(f Facts) {
	if m.role != RoleFenced || m.fence.kind != fencedPoison {
		return
	}
	m.fence = fence{}
	m.disk.facts, m.disk.settled = f, true
	m.epoch = max(m.epoch, f.Record.Epoch)
	m.enter(RoleAsking)
	m.ask.since, m.ask.alone = m.now, true
	m.log("Fenced -> Asking: the journal was verified")
}

// writeOverdue: a write hangs. An owner resigns and falls silent, a standby says goodbye, a joiner stops joining.
func (m *Machine) writeOverdue() {
	m.disk.overdue = true
	owed, kind := m.rightHolder()
	switch {
	case m.role == RolePaired && !owed.IsZero(), m.role == RoleStandby:
		m.toAsking("a journal write is overdue")
		m.sayGivenUp(owed, kind)
	case m.role == RoleJoining, m.role == RoleSpare:
		m.toAsking("a journal write is overdue")
	}
}

// writeCleared: no write hangs any more.
func (m *Machine) writeCleared() {
	m.disk.overdue = false
	if m.role == RoleAsking {
		m.fence.owed = Instance{}
	}
}

// clash: peer k owns the same epoch. Only an operator can have made that; both stop and ask.
func (m *Machine) clash(k Peer) {
	m.log("%s owns epoch %d too", m.peers[k].who.Name, m.epoch)
	m.fail(fencedClash, "two brokers own the same epoch")
}

// decided: an operator spoke.
func (m *Machine) decided(d Decision) {
	asks := m.disk.settled && (m.role == RoleAsking || m.role == RoleFenced && m.fence.kind != fencedPoison)
	switch {
	case d == DecideActivate && asks && !m.disk.overdue:
		if m.disk.facts.Record.IsZero() && m.cfg.Primary && m.empty() {
			m.doClaim(byFounding, 0)
			return
		}
		if !m.disk.facts.Record.IsZero() {
			m.doClaim(byForce, 0)
			return
		}
	case d == DecideMemberDead && m.role == RolePaired && !m.own.gone:
		m.own.gone, m.own.forced = true, true
		m.log("an operator says that the other member is dead: confirming alone from now on")
		return
	case d == DecideDiscardTail && m.role == RoleFenced && m.fence.kind != fencedPoison && asks:
		m.fence = fence{discard: true}
		m.enter(RoleAsking)
		m.ask.since, m.ask.alone = m.now, false
		m.log("an operator discards the tail of this log")
		return
	}
	m.log("the operator's word %v does not fit: role %v", d, m.role)
}
