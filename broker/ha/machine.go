package ha

import (
	"fmt"
	"time"

	"github.com/hindmq/hind/journal"
)

// Role is the state of the role machine.
type Role uint8

// The roles. RoleLoading is the first, RoleStopped the last.
const (
	RoleLoading     Role = iota // reads its log, says nothing about it
	RoleAsking                  // has no right to serve, looks for an owner or for promises
	RoleJoining                 // copies an owner's log
	RoleSpare                   // the place beside the owner belongs to another journal
	RoleStandby                 // was told "in sync": may take over
	RoleClaiming                // writes the first record of its epoch
	RoleAlone                   // active, the only member
	RolePaired                  // active, another member is recorded
	RoleHandingOver             // wrote "to B": clients are closed
	RoleFenced                  // own journal failed, or a human must decide
	RoleStopped                 // asked to exit
)

var roleNames = [...]string{"Loading", "Asking", "Joining", "Spare", "Standby", "Claiming", "Alone", "Paired", "HandingOver", "Fenced", "Stopped"}

func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return fmt.Sprintf("role %d", uint8(r))
}

// active says whether the role owns an epoch.
func (r Role) active() bool { return r == RoleAlone || r == RolePaired || r == RoleHandingOver }

// Machine is the role machine of one broker. It has one owner; nothing here may be called concurrently.
type Machine struct {
	cfg  Config
	self Identity
	now  time.Duration
	role Role

	// epoch is the one owned or followed last. It never falls.
	epoch uint64
	// heard is the highest epoch that another broker said it had promised: a claim goes above it, so that whoever
	// promised may follow.
	heard uint64
	// number is the last one given to an ask, a join, a persist or a record write; none is used twice in a process.
	number uint64

	disk  disk
	claim claim
	own   active    // while an epoch is owned
	up    following // while one is followed
	peers []peer
	links []link
	fence fence
	ask   asking
	stop  stopping
	out   []Action
}

// disk is what is known about this broker's own disk.
type disk struct {
	local   LocalState // as last handed to Persist
	seq     uint64     // of that Persist
	saved   uint64     // of the newest Persist that is durable
	first   uint64     // of the Persist that makes this process known
	facts   Facts
	settled bool // nothing is being written and facts describe the log
	overdue bool
}

// New begins the machine of a process. identity.Process and identity.Primary are set from local and cfg; local is what
// the journal instance's private file holds. The first actions are there at once: take them, and report Loaded next.
// The configuration must have passed Validate.
func New(now time.Duration, cfg Config, identity Identity, local LocalState) *Machine {
	local.Process++
	identity.Process, identity.Primary = local.Process, cfg.Primary
	identity.Name = identity.Name[:min(len(identity.Name), NameMax)]
	m := &Machine{cfg: cfg, self: identity, now: now}
	for _, target := range cfg.Peers {
		m.peers = append(m.peers, peer{target: target})
	}
	m.disk.first = m.persist(local)
	return m
}

// Step takes one event. now is boot time; it may not fall. Take Actions after it.
func (m *Machine) Step(now time.Duration, ev Event) {
	if m.role == RoleStopped {
		return
	}
	m.advance(now)
	m.handle(ev)
	m.react()
	m.fire()
	m.react()
	m.lease()
}

// Actions returns what is to be done, in order, and forgets it.
func (m *Machine) Actions() []Action {
	out := m.out
	m.out = nil
	return out
}

// advance moves the clock. A process that did not run for half a lease has not listened either: what it takes for
// silence begins anew. The lease of deliveries is not touched by that; it ends by the clock.
func (m *Machine) advance(now time.Duration) {
	gap := now - m.now
	if gap <= 0 {
		return
	}
	m.now = now
	if gap < m.cfg.Lease/2 {
		return
	}
	for k := range m.links {
		m.links[k].heardAt += gap
	}
	m.up.heardAt += gap
}

// handle dispatches one event.
func (m *Machine) handle(ev Event) {
	switch e := ev.(type) {
	case Tick:
	case LinkUp:
		m.linkUp(e)
	case LinkDown:
		m.linkDown(e.Link)
	case Refused:
		m.refused(e.Peer)
	case Unreachable:
		m.dialEnded(e.Peer)
	case Received:
		m.received(e.Link, e.Word)
	case Loaded:
		m.loaded(e.Facts)
	case LoadFailed:
		m.fail(fencedPoison, "the journal cannot be loaded: "+e.Reason)
	case Persisted:
		m.persisted(e.Seq)
	case RecordDurable:
		m.recordDurable(e)
	case Followed:
		m.followed(e)
	case TailChecked:
		m.tailChecked(e)
	case CaughtUp:
		m.caughtUp(e)
	case Acked:
		m.acked(e)
	case Overdue:
		m.writeOverdue()
	case Cleared:
		m.writeCleared()
	case Poisoned:
		m.poisoned(e.Reason)
	case Verified:
		m.verified(e.Facts)
	case Stop:
		m.wantStop(e.HandOver)
	case HandOver:
		m.wantHandOver("an operator asked for it")
	case Decide:
		m.decided(e.Decision)
	default:
		panic(fmt.Sprintf("ha: unknown event %T", ev))
	}
}

// react does what follows from the state, whichever event led to it.
func (m *Machine) react() {
	m.reactStop()
	switch m.role {
	case RoleAsking:
		m.reactAsking()
	case RoleStandby:
		m.reactStandby()
	case RoleAlone, RolePaired, RoleHandingOver:
		m.reactActive()
	}
}

// do adds an action.
func (m *Machine) do(a Action) { m.out = append(m.out, a) }

// log adds a line for the log.
func (m *Machine) log(format string, args ...any) { m.do(Log{fmt.Sprintf(format, args...)}) }

// next gives out a number.
func (m *Machine) next() uint64 {
	m.number++
	return m.number
}

// persist makes the local state s the newest and returns the number of the Persist.
func (m *Machine) persist(s LocalState) uint64 {
	m.disk.local, m.disk.seq = s, m.next()
	m.do(Persist{Seq: m.disk.seq, State: s})
	return m.disk.seq
}

// started says whether this process may speak: its number is durable.
func (m *Machine) started() bool { return m.disk.saved >= m.disk.first }

// persisted: a local state is durable.
func (m *Machine) persisted(seq uint64) {
	was := m.started()
	m.disk.saved = max(m.disk.saved, seq)
	if !was && m.started() {
		m.helloAll()
	}
	m.sendGrants()
	m.copyMarked()
}

// loaded: the log was read and nothing writes.
func (m *Machine) loaded(f Facts) {
	m.disk.facts, m.disk.settled = f, true
	m.epoch = max(m.epoch, f.Record.Epoch)
	switch m.role {
	case RoleLoading:
		m.enter(RoleAsking)
		m.ask.since, m.ask.alone = m.now, true
	case RoleAsking, RoleFenced:
	default:
		panic(fmt.Sprintf("ha: loaded in role %v", m.role))
	}
}

// enter changes the role. What peers answered, and what they were about to be promised, was for the role before: a
// promise counts only in the stay in Asking that asked for it.
func (m *Machine) enter(r Role) {
	m.role = r
	m.closeQuestion()
	for k := range m.peers {
		p := &m.peers[k]
		p.askAt, p.asked, p.answer, p.grant = m.now, 0, answer{}, grant{}
	}
}

// toAsking gives up whatever this process was: clients are closed first, then nothing is written or sent any more.
func (m *Machine) toAsking(why string) {
	if m.role == RoleAsking {
		return
	}
	m.log("%v -> Asking: %s", m.role, why)
	m.giveUp()
	m.enter(RoleAsking)
	m.ask.since, m.ask.alone = m.now, false
}

// giveUp ends serving and following.
func (m *Machine) giveUp() {
	m.closeClients()
	for k := range m.peers {
		m.endSession(Peer(k))
	}
	writes := m.role.active() || m.role == RoleClaiming || m.up.phase >= phaseFollowing || m.role == RoleStandby
	m.own, m.up, m.claim = active{}, following{}, claim{}
	if writes {
		m.disk.settled = false
		m.do(Settle{})
	}
}

// closeClients closes the acceptors if they are open.
func (m *Machine) closeClients() {
	if m.own.clients {
		m.own.clients = false
		m.do(CloseClients{})
	}
	m.own.delivering = false
}

// Role is the present role.
func (m *Machine) Role() Role { return m.role }

// Epoch is the epoch owned or followed now or last.
func (m *Machine) Epoch() uint64 { return m.epoch }

// Identity is who this process says it is.
func (m *Machine) Identity() Identity { return m.self }

// Confirm is what a confirm needs now.
type Confirm struct {
	Epoch uint64           // only work written in this epoch
	Needs bool             // another member must have it too
	Acked journal.Position // with Needs: what that member has acknowledged; nothing above it may be confirmed
}

// Confirm says what may be confirmed at this moment: work of the epoch, durable in the own log and, with Needs, at or
// below Acked (rule H3). False: nothing may be. Ask after the I/O, for each confirm; a copy made before is worthless.
func (m *Machine) Confirm() (Confirm, bool) {
	if !m.role.active() {
		return Confirm{}, false
	}
	c := Confirm{Epoch: m.epoch}
	c.Acked, c.Needs = m.memberAcked()
	return c, true
}

// Follows says which connection's pages, of which epoch, this follower may acknowledge at this moment; false: none.
// Ask when the acknowledgement leaves, after the write.
func (m *Machine) Follows() (Link, uint64, bool) {
	if m.role != RoleJoining && m.role != RoleStandby || m.up.phase != phaseCopying || m.disk.local.PromiseEpoch > m.epoch {
		return noLink, 0, false
	}
	return m.up.link, m.epoch, true
}
