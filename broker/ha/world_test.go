package ha

import (
	"fmt"
	"strings"
	"time"

	"github.com/hindmq/hind/journal"
)

// A small world for tests: brokers with toy logs, connections that are first in first out and may be lost, disks whose
// writes become durable later or never, clocks that go as they like. One goroutine steps everything.

// entry is one record of a toy log. Equal entries are the same write: uid is never used twice.
type entry struct {
	uid   uint64
	epoch uint64
	msg   uint64     // a client's message, counted from 1; 0: a role record
	role  RoleRecord // if msg is 0
}

// toyDisk is what survives a process.
type toyDisk struct {
	instance Instance
	log      []entry
	durable  int // entries that are durable
	local    LocalState
	poisoned bool // the last process saw a write fail
}

// frameKind is what travels on a connection beside words.
type frameKind uint8

const (
	frameWord frameKind = iota
	frameManifest
	frameStart
	framePage
	frameAck
	frameEnd // the other side closed
)

type frame struct {
	kind  frameKind
	word  Word
	log   []entry // manifest
	at    int     // start: common entries; page: index
	page  entry
	epoch uint64
	pos   journal.Position
}

// conn is a connection between two ends; q[k] travels to end k.
type conn struct {
	host [2]int
	proc [2]uint64 // host.life of the process at each end
	link [2]Link
	open [2]bool // the end's machine has not been told LinkDown
	gone [2]bool // the end closed or died: nothing more is sent by it
	held bool    // a script holds its frames back: they arrive late
	q    [2][]frame
}

// recordWrite waits for its entry to be durable.
type recordWrite struct {
	seq uint64
	at  int // index of the entry
}

// follower is the node's part of following.
type follower struct {
	link    Link
	epoch   uint64
	owner   Instance
	common  int
	copying bool
	buffer  []frame
}

// sender is the node's part of sending pages on one link.
type sender struct {
	link    Link
	epoch   uint64
	next    int
	started bool
	caught  bool
}

// host is one broker: a disk and perhaps a process.
type host struct {
	index   int
	name    string
	cfg     Config
	disk    toyDisk
	now     time.Duration
	life    uint64 // counts processes, durable or not
	m       *Machine
	links   Link // last given out
	clients bool
	deliver bool

	persists   []Persist
	records    []recordWrite
	settling   bool
	loading    bool
	follow     *follower
	senders    []sender
	followed   []int // indexes of role entries that were taken from an owner and are not durable yet
	dials      []Peer
	hung       bool
	frozen     bool
	slow       bool // a script says when it syncs
	asked      *Question
	fenced     bool
	exited     string
	pausedAt   uint64 // message whose confirm was decided and not sent yet; 0: none
	discarding bool   // an operator gave up the tail
}

// world is everything.
type world struct {
	hosts []*host
	conns []*conn
	uids  uint64
	msgs  uint64
	cut   bool
	ghost ghost
	trace *strings.Builder // nil: none
	quiet bool             // leave heartbeats out of the trace
	cover func(*world)
}

// newWorld makes n brokers that know each other; the first is the primary.
func newWorld(n int) *world {
	w := &world{quiet: true}
	for k := range n {
		cfg := DefaultConfig()
		cfg.Primary = k == 0
		cfg.NewNodeID = NodeID{0x90 + byte(k)}
		for j := range n {
			if j != k {
				cfg.Peers = append(cfg.Peers, string(rune('A'+j)))
			}
		}
		h := &host{index: k, name: string(rune('A' + k)), cfg: cfg}
		h.now = time.Second * time.Duration(k+1)
		h.disk.instance = Instance{0xa0 + byte(k)<<4}
		w.hosts = append(w.hosts, h)
	}
	return w
}

// peerHost is the host that h's peer k stands for.
func (w *world) peerHost(h *host, k Peer) *host {
	j := int(k)
	if j >= h.index {
		j++
	}
	return w.hosts[j]
}

func (h *host) up() bool { return h.m != nil }

// pos is the position of the end of entry index.
func (h *host) pos(index int) journal.Position {
	if index < 0 {
		return journal.Position{}
	}
	return journal.Position{File: h.disk.log[index].epoch, Block: uint32(index + 1)}
}

// facts is what loading the log finds.
func (h *host) facts() Facts {
	f := Facts{End: h.pos(len(h.disk.log) - 1)}
	for k := len(h.disk.log) - 1; k >= 0; k-- {
		if e := h.disk.log[k]; e.msg == 0 {
			f.Record, f.RecordAt = e.role, h.pos(k)
			break
		}
	}
	return f
}

// say adds a line to the trace.
func (w *world) say(format string, args ...any) {
	if w.trace != nil {
		fmt.Fprintf(w.trace, format+"\n", args...)
	}
}

// hidden says whether a line is left out of a quiet trace.
func hidden(v any) bool {
	switch x := v.(type) {
	case SendWord:
		return x.Word.Kind == WordHeartbeat || x.Word.Kind == WordEcho
	case Received:
		return x.Word.Kind == WordHeartbeat || x.Word.Kind == WordEcho
	case Tick, Acked:
		return true
	}
	return false
}

// start begins a process.
func (w *world) start(h *host) {
	h.life++
	h.m = New(h.now, h.cfg, Identity{Name: h.name, Instance: h.disk.instance}, h.disk.local)
	h.loading = true
	h.fenced = false
	h.exited = ""
	h.asked = nil
	w.say("%s starts process %d", h.name, h.m.Identity().Process)
	w.act(h)
}

// load finishes reading the log.
func (w *world) load(h *host) {
	h.loading = false
	if h.disk.poisoned {
		w.step(h, LoadFailed{"an earlier write failed"})
		return
	}
	w.step(h, Loaded{h.facts()})
}

// end forgets a process; what it sent stays on the way, what is on the way to it is lost.
func (w *world) end(h *host) {
	for _, c := range w.conns {
		for k := range 2 {
			if c.host[k] == h.index && c.proc[k] == h.life && !c.gone[k] {
				c.gone[k], c.open[k] = true, false
				c.q[k] = nil
				c.q[1-k] = append(c.q[1-k], frame{kind: frameEnd})
			}
		}
	}
	*h = host{index: h.index, name: h.name, cfg: h.cfg, disk: h.disk, now: h.now, life: h.life, links: h.links, exited: h.exited}
	h.cfg.Init = false
}

// crash ends a process: keep entries above the durable ones happen to have reached the disk.
func (w *world) crash(h *host, keep int) {
	w.say("%s dies", h.name)
	n := min(h.disk.durable+keep, len(h.disk.log))
	h.disk.log = h.disk.log[:n]
	h.disk.durable = n
	w.end(h)
}

// wipe gives a stopped broker an empty disk.
func (w *world) wipe(h *host) {
	w.say("%s loses its disk", h.name)
	i := h.disk.instance
	i[0]++
	h.disk = toyDisk{instance: i}
}

// step hands an event to the machine and carries out what it wants.
func (w *world) step(h *host, ev Event) {
	if h.m == nil {
		return
	}
	if w.trace != nil && !(w.quiet && hidden(ev)) {
		w.say("  %s %v <- %v", h.name, h.now, ev)
	}
	h.m.Step(h.now, ev)
	w.act(h)
	if w.cover != nil {
		w.cover(w)
	}
}

// act carries out the machine's actions.
func (w *world) act(h *host) {
	for h.m != nil {
		actions := h.m.Actions()
		if len(actions) == 0 {
			return
		}
		for _, a := range actions {
			if w.trace != nil && !(w.quiet && hidden(a)) {
				w.say("  %s %v -> %v", h.name, h.now, a)
			}
			w.do(h, a)
		}
	}
}

func (w *world) do(h *host, a Action) {
	switch a := a.(type) {
	case Dial:
		h.dials = append(h.dials, a.Peer)
	case CloseLink:
		if c, k := w.find(h, a.Link); c != nil && !c.gone[k] {
			c.gone[k] = true
			c.q[1-k] = append(c.q[1-k], frame{kind: frameEnd})
		}
		h.dropLink(a.Link)
	case SendWord:
		w.push(h, a.Link, frame{kind: frameWord, word: a.Word})
	case Persist:
		h.persists = append(h.persists, a)
	case WriteRecord:
		if a.NewEpoch {
			h.follow, h.settling, h.followed = nil, false, nil
		}
		w.uids++
		h.disk.log = append(h.disk.log, entry{uid: w.uids, epoch: a.Record.Epoch, role: a.Record})
		h.records = append(h.records, recordWrite{a.Seq, len(h.disk.log) - 1})
	case Settle:
		h.settling = true
		h.follow, h.senders, h.records, h.followed = nil, nil, nil, nil
	case Follow:
		h.follow = &follower{link: a.Link, epoch: a.Epoch, owner: a.Owner}
		w.push(h, a.Link, frame{kind: frameManifest, log: append([]entry(nil), h.disk.log...)})
	case Copy:
		w.copy(h, a.Link)
	case Send:
		h.senders = append(h.senders, sender{link: a.Link, epoch: a.Epoch})
	case StopSending:
		h.dropLink(a.Link)
	case OpenClients:
		h.clients, h.deliver = true, true
		w.ghost.opened(w, h)
	case CloseClients:
		h.clients = false
	case Deliver:
		h.deliver = a.On
	case Ask:
		h.asked = &a.Question
	case Answered:
		h.asked = nil
	case Fence:
		h.fenced = true
		h.follow, h.senders, h.records = nil, nil, nil
	case Exit:
		h.exited = a.Reason
		if !h.hung && !h.disk.poisoned {
			h.disk.durable = len(h.disk.log)
		}
		h.disk.log = h.disk.log[:h.disk.durable]
		w.end(h)
	case Log:
	default:
		panic(fmt.Sprintf("unknown action %T", a))
	}
}

// dropLink ends sending on a link.
func (h *host) dropLink(id Link) {
	for k := range h.senders {
		if h.senders[k].link == id {
			h.senders = append(h.senders[:k], h.senders[k+1:]...)
			return
		}
	}
}

// find returns the connection that the process of h knows as id, and which end it is.
func (w *world) find(h *host, id Link) (*conn, int) {
	for _, c := range w.conns {
		for k := range 2 {
			if c.host[k] == h.index && c.link[k] == id && c.proc[k] == h.life && c.open[k] {
				return c, k
			}
		}
	}
	return nil, 0
}

// push puts a frame on the way.
func (w *world) push(h *host, id Link, f frame) {
	if c, k := w.find(h, id); c != nil && !c.gone[k] && !c.gone[1-k] {
		c.q[1-k] = append(c.q[1-k], f)
	}
}

// dial resolves h's oldest attempt to connect: as the world is, or falsely refused.
func (w *world) dial(h *host, falsely bool) {
	k := h.dials[0]
	h.dials = h.dials[1:]
	o := w.peerHost(h, k)
	switch {
	case falsely:
		w.step(h, Refused{k})
	case w.cut || o.frozen:
		w.step(h, Unreachable{k})
	case !o.up():
		w.step(h, Refused{k})
	default:
		h.links++
		o.links++
		c := &conn{host: [2]int{h.index, o.index}, proc: [2]uint64{h.life, o.life}, link: [2]Link{h.links, o.links}, open: [2]bool{true, true}}
		w.conns = append(w.conns, c)
		w.step(o, LinkUp{c.link[1], Accepted})
		w.step(h, LinkUp{c.link[0], k})
	}
}

// lose breaks a connection; what is on it is gone.
func (w *world) lose(c *conn) {
	for k := range 2 {
		if c.open[k] {
			c.gone[k] = true
			c.q[k] = []frame{{kind: frameEnd}}
		}
	}
}

// deliver hands the first frame that travels to end k to its host.
func (w *world) deliver(c *conn, k int) {
	f := c.q[k][0]
	c.q[k] = c.q[k][1:]
	h := w.hosts[c.host[k]]
	if !c.open[k] || !h.up() || h.life != c.proc[k] {
		return
	}
	id := c.link[k]
	switch f.kind {
	case frameWord:
		w.step(h, Received{id, recode(f.word)})
	case frameManifest:
		w.manifest(h, id, f.log)
	case frameStart:
		w.startCopy(h, id, f.at)
	case framePage:
		if h.follow != nil && h.follow.link == id {
			h.follow.buffer = append(h.follow.buffer, f)
			w.take(h)
		}
	case frameAck:
		w.step(h, Acked{id, f.epoch, f.pos})
	case frameEnd:
		w.linkDown(c, k)
	}
}

// recode sends each word through its codec.
func recode(x Word) Word {
	y, err := DecodeWord(x.Encode())
	if err != nil || x != y {
		panic(fmt.Sprintf("word %v decodes to %v, %v", x, y, err))
	}
	return y
}

// linkDown tells end k that the connection is gone.
func (w *world) linkDown(c *conn, k int) {
	h := w.hosts[c.host[k]]
	c.open[k] = false
	if !c.gone[k] {
		c.gone[k] = true
		c.q[1-k] = append(c.q[1-k], frame{kind: frameEnd})
	}
	c.q[k] = nil
	if h.life == c.proc[k] && h.up() {
		h.dropLink(c.link[k])
		w.step(h, LinkDown{c.link[k]})
	}
}

// tidy forgets connections that are gone at both ends.
func (w *world) tidy() {
	n := 0
	for _, c := range w.conns {
		if c.open[0] || c.open[1] {
			w.conns[n] = c
			n++
		}
	}
	w.conns = w.conns[:n]
}
