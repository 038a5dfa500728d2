package ha

import (
	"bytes"
	"time"
)

// Which connection counts (rule H1). Both brokers dial, so two connections may cross. The one who is dialled numbers
// the connection above all that either side knows; of two with the same number the one counts that was accepted by the
// greater journal instance. Both sides see the same, and close the other one.

// link is one connection of the pair port.
type link struct {
	id      Link
	peer    Peer // place in Machine.peers; Accepted until the hello
	dialled bool
	sent    bool // own hello was sent
	known   bool // the other's hello was taken
	closed  bool // CloseLink was asked for: no word counts, LinkDown is to come
	number  uint64
	who     Identity
	upAt    time.Duration
	beatAt  time.Duration // next heartbeat
	heardAt time.Duration // last echo
}

// linksMax limits connections: those beyond are closed. A peer needs one, and two more while it redials.
const linksMax = 4 * (peersMax + 1)

// peer is what is known about one other broker. What it said is void with its connection.
type peer struct {
	target  string
	who     Identity // its newest process
	nodeID  NodeID
	link    Link   // the connection that counts, noLink: none
	top     uint64 // highest connection number known
	dialing bool
	dialAt  time.Duration
	askAt   time.Duration
	asked   uint64 // number of the ask that waits for its answer
	last    State  // what it last said it is, for people
	answer  answer
	grant   grant
	session session
}

// findLink returns the connection with that number, nil if it is gone.
func (m *Machine) findLink(id Link) *link {
	for k := range m.links {
		if m.links[k].id == id {
			return &m.links[k]
		}
	}
	return nil
}

// linkUp: a connection was opened.
func (m *Machine) linkUp(e LinkUp) {
	if e.Peer >= 0 && int(e.Peer) < len(m.peers) {
		m.peers[e.Peer].dialing = false
	}
	m.links = append(m.links, link{id: e.Link, peer: e.Peer, dialled: e.Peer != Accepted, upAt: m.now, heardAt: m.now, beatAt: m.now})
	l := &m.links[len(m.links)-1]
	if len(m.links) > linksMax {
		m.closeLink(l, "too many connections of the pair port")
		return
	}
	m.hello(l)
}

// greeting says whether a connection that was dialled to peer k waits for its hello.
func (m *Machine) greeting(k Peer) bool {
	for i := range m.links {
		if l := &m.links[i]; l.dialled && l.peer == k && !l.known && !l.closed {
			return true
		}
	}
	return false
}

// helloAll introduces this process on every connection that waits for it.
func (m *Machine) helloAll() {
	for k := range m.links {
		m.hello(&m.links[k])
	}
}

// hello sends the first word: the one who dialled at once, the other when it has read the dialler's.
func (m *Machine) hello(l *link) {
	if l.sent || l.closed || !m.started() || !l.dialled && !l.known {
		return
	}
	number := l.number
	if l.dialled {
		number = m.peers[l.peer].top
	}
	l.sent = true
	m.do(SendWord{l.id, Word{Kind: WordHello, Number: number, Hello: Hello{Identity: m.self, NodeID: m.disk.facts.Record.NodeID}}})
	if !l.dialled {
		m.identify(l)
	}
}

// received: a word arrived.
func (m *Machine) received(id Link, w Word) {
	l := m.findLink(id)
	if l == nil {
		return
	}
	if w.Kind == WordHello {
		if !l.closed && !l.known {
			m.onHello(l, w)
		}
		return
	}
	// Only the newest connection of the sender's newest process counts.
	if l.closed || !l.known || l.peer == Accepted || m.peers[l.peer].link != id {
		return
	}
	m.word(l, l.peer, w)
}

// onHello: the other side said who it is.
func (m *Machine) onHello(l *link, w Word) {
	h := w.Hello
	own := m.disk.facts.Record.NodeID
	switch {
	case h.Instance == m.self.Instance:
		m.closeLink(l, "this is the own address, or a copy of this journal runs there")
		return
	case !own.IsZero() && !h.NodeID.IsZero() && own != h.NodeID:
		m.log("%s belongs to node %v, this broker to node %v; they are no pair", h.Name, h.NodeID, own)
		m.closeLink(l, "another node id")
		return
	}
	if !l.dialled {
		if l.peer = m.placeOf(h.Identity); l.peer == Accepted {
			m.log("%s is none of the configured peers", h.Name)
			m.closeLink(l, "not a configured peer")
			return
		}
	}
	p := &m.peers[l.peer]
	l.known, l.who = true, h.Identity
	if l.dialled {
		l.number = w.Number
	} else {
		l.number = max(w.Number, p.top) + 1
	}
	p.top = max(p.top, l.number)
	p.nodeID = h.NodeID
	if l.dialled {
		m.identify(l)
	} else {
		m.hello(l)
	}
}

// placeOf finds the place of whoever dialled in: its own, one that nobody has, or one whose broker is not connected.
func (m *Machine) placeOf(id Identity) Peer {
	for k := range m.peers {
		if m.peers[k].who.Instance == id.Instance {
			return Peer(k)
		}
	}
	for k := range m.peers {
		if p := &m.peers[k]; p.who.Process != 0 && p.who.Name == id.Name {
			return Peer(k)
		}
	}
	for k := range m.peers {
		if m.peers[k].who.Process == 0 {
			return Peer(k)
		}
	}
	for k := range m.peers {
		if m.peers[k].link == noLink {
			return Peer(k)
		}
	}
	return Accepted
}

// identify decides which connection with the peer counts from now on.
func (m *Machine) identify(l *link) {
	p := &m.peers[l.peer]
	if p.who.Instance == l.who.Instance && l.who.Process < p.who.Process {
		m.closeLink(l, "an older process")
		return
	}
	if cur := m.findLink(p.link); cur != nil {
		if cur.who.sameProcess(l.who) && m.newer(cur, l) {
			m.closeLink(l, "a newer connection counts")
			return
		}
		m.closeLink(cur, "a newer connection counts")
	}
	p.who = l.who
	p.link, p.askAt, l.beatAt, l.heardAt = l.id, m.now, m.now, m.now
	m.connected(l.peer)
}

// newer says whether connection a counts rather than b.
func (m *Machine) newer(a, b *link) bool {
	if a.number != b.number {
		return a.number > b.number
	}
	return bytes.Compare(m.acceptor(a), m.acceptor(b)) > 0
}

// acceptor is the journal instance of the side that was dialled.
func (m *Machine) acceptor(l *link) []byte {
	if l.dialled {
		return l.who.Instance[:]
	}
	return m.self.Instance[:]
}

// linkDown: the connection is gone.
func (m *Machine) linkDown(id Link) {
	for k := range m.links {
		if m.links[k].id != id {
			continue
		}
		l := m.links[k]
		m.links = append(m.links[:k], m.links[k+1:]...)
		m.unlink(l.id, l.peer)
		return
	}
}

// closeLink ends a connection. Its words no longer count from here on.
func (m *Machine) closeLink(l *link, why string) {
	if l.closed {
		return
	}
	l.closed = true
	m.do(CloseLink{l.id, why})
	m.unlink(l.id, l.peer)
}

// closePeer ends the connection with the peer, if there is one.
func (m *Machine) closePeer(k Peer, why string) {
	if l := m.findLink(m.peers[k].link); l != nil {
		m.closeLink(l, why)
	}
}

// unlink forgets what was said on a connection that counted.
func (m *Machine) unlink(id Link, k Peer) {
	if k == Accepted || m.peers[k].link != id {
		return
	}
	p := &m.peers[k]
	p.link, p.asked, p.answer, p.grant, p.last = noLink, 0, answer{}, grant{}, StateNone
	p.dialAt = m.now
	m.disconnected(k)
}

// connected: there is a connection that counts with peer k.
func (m *Machine) connected(k Peer) {
	if m.role == RoleStandby && m.up.peer == k && m.peers[k].who.sameProcess(m.up.who) {
		m.resume(k)
	}
}

// disconnected: there is none any more.
func (m *Machine) disconnected(k Peer) {
	m.lostFollower(k)
	m.lostOwner(k)
}

// dialEnded: an attempt to connect failed.
func (m *Machine) dialEnded(k Peer) {
	if k < 0 || int(k) >= len(m.peers) {
		return
	}
	m.peers[k].dialing = false
	m.peers[k].dialAt = m.now + m.cfg.RedialEvery
}

// send says w to peer k, if it is connected.
func (m *Machine) send(k Peer, w Word) bool {
	if m.peers[k].link == noLink {
		return false
	}
	m.do(SendWord{m.peers[k].link, w})
	return true
}

// byInstance finds the connected or last known peer with that journal; Accepted if there is none.
func (m *Machine) byInstance(i Instance) Peer {
	for k := range m.peers {
		if m.peers[k].who.Instance == i && !i.IsZero() {
			return Peer(k)
		}
	}
	return Accepted
}

// word dispatches a word that counts.
func (m *Machine) word(l *link, k Peer, w Word) {
	switch w.Kind {
	case WordAsk:
		m.onAsk(k, w)
	case WordAnswer:
		m.onAnswer(k, w)
	case WordJoin:
		m.onJoin(k, w)
	case WordAccept:
		m.onAccept(k, w)
	case WordReject:
		m.onReject(k, w)
	case WordTold:
		m.onTold(k, w)
	case WordDropped:
		m.onDropped(k, w)
	case WordGoodbye:
		m.onGoodbye(k, w)
	case WordResigned:
		m.onResigned(k, w)
	case WordHeartbeat:
		m.heardOwner(k, w)
		m.send(k, Word{Kind: WordEcho, Number: w.Number, Epoch: m.owned(), Follows: m.followedEpoch()})
	case WordEcho:
		l.heardAt = m.now
		m.heardOwner(k, w)
		m.echoed(k, w)
	case WordFailback:
		m.onFailback(k, w)
	}
}
