package ha

import "time"

// Timers. Every wish for a wake-up is listed here once; NextTick is the earliest, fire acts on those that are due.

// timerKind says what a timer is for.
type timerKind uint8

const (
	timerLink     timerKind = iota // a connection without a hello or without an echo
	timerBeat                      // the next heartbeat on a connection
	timerDial                      // the next attempt to connect
	timerAsk                       // the next ask
	timerOwner                     // a follower hears nothing of its owner
	timerAgain                     // a spare tries again; a standby primary wants its role back
	timerPending                   // an addition or a handover takes too long
	timerLease                     // deliveries must pause
	timerStop                      // an orderly stop takes too long
	timerQuestion                  // a human must be asked
)

// timer is one wish: index is a place in Machine.links or Machine.peers.
type timer struct {
	at    time.Duration
	kind  timerKind
	index int
}

// timersMax is more than timers can be listed.
const timersMax = 2*linksMax + 2*peersMax + 8

// timers lists the wishes.
func (m *Machine) timers(out []timer) []timer {
	for k := range m.links {
		l := &m.links[k]
		if l.closed {
			continue
		}
		out = append(out, timer{l.heardAt + m.cfg.Lease, timerLink, k})
		if l.known && l.sent {
			out = append(out, timer{l.beatAt, timerBeat, k})
		}
	}
	for k := range m.peers {
		p := &m.peers[k]
		if p.link == noLink && !p.dialing && m.started() && !m.greeting(Peer(k)) {
			out = append(out, timer{p.dialAt, timerDial, k})
		}
		if m.mayAsk(Peer(k)) {
			out = append(out, timer{p.askAt, timerAsk, k})
		}
	}
	if m.role == RoleStandby && !m.handedOver() || m.role == RoleJoining {
		out = append(out, timer{m.up.heardAt + m.cfg.Lease, timerOwner, 0})
	}
	if m.role == RoleSpare || m.role == RoleStandby && m.cfg.Failback && m.self.Primary {
		out = append(out, timer{m.up.again, timerAgain, 0})
	}
	out = m.ownTimers(out)
	if m.stop.wanted {
		out = append(out, timer{m.stop.until, timerStop, 0})
	}
	if at, ok := m.questionAt(); ok {
		out = append(out, timer{at, timerQuestion, 0})
	}
	return out
}

// ownTimers lists those of an owner.
func (m *Machine) ownTimers(out []timer) []timer {
	switch {
	case m.role == RoleHandingOver:
		out = append(out, timer{m.own.since + m.cfg.HandoverLimit, timerPending, 0})
	case m.role == RoleAlone && m.own.adding() && !m.own.gone:
		out = append(out, timer{m.own.since + m.cfg.SyncTimeout, timerPending, 0})
	case m.role == RolePaired && m.own.told && m.own.delivering:
		out = append(out, timer{m.own.leased + m.cfg.Lease/2, timerLease, 0})
	}
	return out
}

// NextTick is when Step wants to be called at the latest, with Tick if nothing else happens; false: never.
func (m *Machine) NextTick() (time.Duration, bool) {
	if m.role == RoleStopped {
		return 0, false
	}
	var buf [timersMax]timer
	first, found := time.Duration(0), false
	for _, t := range m.timers(buf[:0]) {
		if !found || t.at < first {
			first, found = t.at, true
		}
	}
	return max(first, m.now), found
}

// fire acts on the timers that are due. One may make another void: those are listed anew.
func (m *Machine) fire() {
	if m.role == RoleStopped {
		return
	}
	m.noteBlocked()
	var buf [timersMax]timer
	for range timersMax {
		fired := false
		for _, t := range m.timers(buf[:0]) {
			if t.at <= m.now && t.kind != timerLease && t.kind != timerStop {
				m.due(t)
				fired = true
				break
			}
		}
		if !fired || m.role == RoleStopped {
			return
		}
	}
}

// due acts on one timer, and moves or removes it.
func (m *Machine) due(t timer) {
	switch t.kind {
	case timerLink:
		m.closeLink(&m.links[t.index], "silence")
	case timerBeat:
		l := &m.links[t.index]
		l.beatAt = m.now + m.cfg.HeartbeatEvery
		m.do(SendWord{l.id, Word{Kind: WordHeartbeat, Number: uint64(m.now), Epoch: m.owned(), Follows: m.followedEpoch()}})
	case timerDial:
		m.peers[t.index].dialing = true
		m.do(Dial{Peer(t.index)})
	case timerAsk:
		m.askPeer(Peer(t.index))
	case timerOwner:
		m.ownerSilent()
	case timerAgain:
		m.again()
	case timerPending:
		m.pendingLate()
	case timerQuestion:
		m.askHuman()
	}
}

// ownerSilent: nothing was heard of the owner for a lease.
func (m *Machine) ownerSilent() {
	if m.role == RoleJoining {
		m.toAsking("the owner is silent")
		return
	}
	m.log("%s is silent", m.up.who.Name)
	if !m.doClaim(bySync, 0) {
		m.toAsking("a write is overdue")
	}
}

// again repeats a spare's join or a primary's wish.
func (m *Machine) again() {
	if m.role == RoleSpare {
		m.join(m.up.peer, m.epoch)
		return
	}
	m.up.again = m.now + m.cfg.HandoverLimit
	m.send(m.up.peer, Word{Kind: WordFailback, Number: m.up.number, Epoch: m.epoch})
}

// pendingLate: an addition or a handover did not come to its end.
func (m *Machine) pendingLate() {
	if m.role == RoleHandingOver {
		m.toAsking("the handover took too long")
		return
	}
	k := m.own.cand
	m.closePeer(k, "it did not acknowledge everything within initial-replication-sync-timeout")
	m.gone(k, "it did not acknowledge everything within initial-replication-sync-timeout")
}
