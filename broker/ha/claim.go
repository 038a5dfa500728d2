package ha

// right is why a broker may claim.
type right uint8

const (
	byAlone    right = 1 + iota // its own alone record
	bySync                      // told "in sync": silence, refusal, resignation, the owner's new process
	byPromise                   // the other member's promise
	byHandover                  // the owner handed over, roles swapped
	byStop                      // the owner handed over and stops
	byForce                     // an operator's word
	byFounding                  // empty journals everywhere, or --init
)

var rightNames = [...]string{"", "by its own alone record", "by its right as in-sync backup", "by the other member's promise", "by handover", "by handover of an owner that stops", "by an operator's word", "as founder"}

func (r right) String() string { return rightNames[r] }

// claim is an epoch that is being opened.
type claim struct {
	why    right
	seq    uint64 // of the WriteRecord
	record RoleRecord
	// from is the process that handed over; it keeps its place in the set.
	from Identity
}

// doClaim begins epoch e, or with 0 the next one above all that is known. From here on this process acknowledges no
// page of an older one. False: not while a write is overdue.
func (m *Machine) doClaim(why right, e uint64) bool {
	if m.disk.overdue {
		return false
	}
	next := max(m.epoch, m.disk.facts.Record.Epoch, m.disk.local.PromiseEpoch, m.heard) + 1
	switch why {
	case byHandover, byStop:
	case byPromise:
		e = max(e, next)
	default:
		e = next
	}
	was, from := m.role, m.up.who
	record := m.claimRecord(why, e)
	m.up, m.own = following{}, active{}
	m.claim = claim{why: why, seq: m.next(), record: record, from: from}
	m.enter(RoleClaiming)
	m.disk.settled = false
	m.fence = fence{}
	m.log("%v -> Claiming e%d %v", was, e, why)
	m.do(WriteRecord{Seq: m.claim.seq, Record: record, NewEpoch: true})
	return true
}

// claimRecord is the first record of epoch e.
func (m *Machine) claimRecord(why right, e uint64) RoleRecord {
	old := m.disk.facts.Record
	r := RoleRecord{Kind: RecordAlone, Epoch: e, Count: 1, Forces: old.Forces, Version: old.Version, NodeID: old.NodeID}
	r.Members[0] = Member{m.self.Name, m.self.Instance}
	switch why {
	case byFounding:
		r.NodeID = m.cfg.NewNodeID
	case byForce:
		r.Forced = true
		r.Forces++
	case byHandover:
		r.Kind, r.Count, r.Members = RecordPaired, old.Count, old.Members
		r.Owner = uint8(old.place(m.self.Instance))
	}
	return r
}

// opened: the epoch's record is durable. Serve.
func (m *Machine) opened() {
	c := m.claim
	m.claim = claim{}
	m.epoch = c.record.Epoch
	m.own = active{set: c.record, clients: true}
	m.disk.facts.Record = c.record
	role := RoleAlone
	if c.record.Kind == RecordPaired {
		role = RolePaired
		m.own.granted = c.from
	}
	m.enter(role)
	m.log("Claiming -> %v e%d: open for clients", role, m.epoch)
	m.do(OpenClients{m.epoch})
	m.own.delivering = true
}

// recordDurable: a role record is durable in the own log.
func (m *Machine) recordDurable(e RecordDurable) {
	switch {
	case m.role == RoleClaiming && e.Seq == m.claim.seq:
		m.disk.facts.RecordAt, m.disk.facts.End = e.At, e.At
		m.opened()
	case m.role.active() && m.own.pending != pendingNone && e.Seq == m.own.seq:
		m.disk.facts.Record, m.disk.facts.RecordAt = m.own.next, e.At
		m.own.at, m.own.durable = e.At, true
	}
}
