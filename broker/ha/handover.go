package ha

import "time"

// Handover: failback, an operator's wish, an orderly stop (rule H12).

// stopping is an orderly end that was asked for.
type stopping struct {
	wanted   bool
	handOver bool
	until    time.Duration
}

func (m *Machine) stopping() bool { return m.stop.wanted }

// successor is the member that may take over now; false: there is none.
func (m *Machine) successor() (Peer, bool) {
	if m.role != RolePaired || m.own.pending != pendingNone || m.own.gone {
		return 0, false
	}
	for k := range m.peers {
		p := &m.peers[k]
		if m.isMember(Peer(k)) && p.session.told && p.session.link != noLink && p.session.link == p.link {
			return Peer(k), true
		}
	}
	return 0, false
}

// handOver closes the clients and writes the last record of the epoch.
func (m *Machine) handOver(kind RecordKind, k Peer) {
	m.closeClients()
	p := pendingSwap
	if kind == RecordToStop {
		p = pendingStop
	}
	r := m.own.set
	r.Kind, r.Forced = kind, false
	m.own.cand = k
	m.enter(RoleHandingOver)
	m.write(p, r)
}

// wantHandOver hands the role to the member, if that is possible now.
func (m *Machine) wantHandOver(why string) {
	k, ok := m.successor()
	if !ok || m.disk.overdue {
		m.log("no handover (%s): no backup is in sync and connected", why)
		return
	}
	m.log("Paired -> HandingOver to %s: %s", m.peers[k].who.Name, why)
	m.handOver(RecordToSwap, k)
}

// onFailback: a primary that is in sync wants its role back.
func (m *Machine) onFailback(k Peer, w Word) {
	if m.role != RolePaired || w.Epoch != m.epoch || !m.isMember(k) || w.Number != m.own.grantedNumber {
		return
	}
	if !m.cfg.AllowFailback {
		m.log("%s asks for its role back; allow-failback is false here, so it stays the backup", m.peers[k].who.Name)
		return
	}
	m.wantHandOver("the primary asks for its role back")
}

// handed: "to B" is durable on B. This broker has no role any more.
func (m *Machine) handed() {
	name := m.peers[m.own.cand].who.Name
	if m.own.pending == pendingStop {
		m.exit("handed over to " + name)
		return
	}
	m.toAsking("handed over to " + name)
}

// handBack: the successor said goodbye, or its new process is not in sync and never opened. The role is here again.
func (m *Machine) handBack() {
	m.own.pending, m.own.durable = pendingNone, false
	m.own.clients, m.own.delivering = true, true
	m.enter(RolePaired)
	m.log("HandingOver -> Paired: the successor will not open")
	m.do(OpenClients{m.epoch})
}

// handingAsked: somebody speaks to a broker that is handing over.
func (m *Machine) handingAsked(k Peer, w Word) {
	r := w.Report
	switch {
	case r.State == StateActive && r.Epoch > m.epoch:
		m.toAsking("the successor has opened")
	case r.State == StateActive, m.own.cand != k, !m.isMember(k):
	case r.State != StateGivenUp && r.Epoch > m.epoch:
		m.toAsking("the successor had opened")
	case !m.peers[k].who.sameProcess(m.own.granted) || r.State == StateGivenUp:
		m.gone(k, "it is not in sync and never opened")
		m.handBack()
		m.activeAsked(k, w)
	}
}

// wantStop begins an orderly end.
func (m *Machine) wantStop(handOver bool) {
	if !m.stop.wanted {
		m.stop = stopping{wanted: true, handOver: handOver, until: m.now + m.cfg.HandoverLimit}
	}
}

// reactStop ends the process as soon as its role allows it.
func (m *Machine) reactStop() {
	if !m.stop.wanted || m.role == RoleStopped {
		return
	}
	late := m.now >= m.stop.until
	switch {
	case m.role == RoleStandby:
		m.send(m.up.peer, Word{Kind: WordGoodbye, Epoch: m.epoch})
		m.exit("stopped; the owner was told goodbye")
	case late:
		m.exit("stopped; no handover within the limit")
	case m.role == RoleHandingOver, m.role == RoleClaiming, m.role.active() && m.own.pending != pendingNone:
	case m.role == RolePaired && m.stop.handOver && !m.own.gone:
		if k, ok := m.successor(); ok && !m.disk.overdue {
			m.log("Paired -> HandingOver to %s: this broker stops", m.peers[k].who.Name)
			m.handOver(RecordToStop, k)
			return
		}
		if m.own.blockedAt != 0 {
			m.exit("stopped; the backup is not connected")
		}
	default:
		m.exit("stopped")
	}
}

// exit ends this process.
func (m *Machine) exit(why string) {
	m.closeClients()
	m.closeQuestion()
	m.role = RoleStopped
	m.do(Exit{why})
}
