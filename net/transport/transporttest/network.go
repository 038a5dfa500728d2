package transporttest

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"
)

// Options of a Network. Zero fields have defaults.
type Options struct {
	DelayMin, DelayMax time.Duration // of one direction between two machines. 50 to 150 us
	Window             int           // bytes that the kernels hold for one direction of a connection. 64 KiB
	// Chunk limits how many bytes one Received may bring: a size is drawn from 1 to Chunk, small ones often. 0: no limit.
	Chunk int
}

// Network is the world that its hosts share.
type Network struct {
	options Options
	random  *rand.Rand
	now     time.Duration
	events  events
	seq     uint64
	lastID  uint64

	machines map[string]*machine
	names    []string // of machines, in the order of their first Boot: no map is ever walked
	links    map[[2]string]*link
}

// link is one direction between two machines.
type link struct {
	delayMin, delayMax time.Duration
	cut                bool
	held               []func() // arrivals that wait for the end of the cut, in order
}

type power uint8

const (
	powerOn power = iota
	powerOff
)

// machine outlives its processes.
type machine struct {
	name     string
	power    power
	process  *Host // nil: none runs
	nextPort int
}

// New returns an empty network at time 0.
func New(seed uint64, o Options) *Network {
	if o.DelayMax <= 0 {
		o.DelayMin, o.DelayMax = 50*time.Microsecond, 150*time.Microsecond
	}
	if o.Window <= 0 {
		o.Window = 64 << 10
	}
	return &Network{options: o, random: rand.New(rand.NewPCG(seed, 0x68696e64)),
		machines: make(map[string]*machine), links: make(map[[2]string]*link)}
}

// event is something that will happen.
type event struct {
	at  time.Duration
	seq uint64 // events of one instant happen in the order in which they were planned
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = event{}
	*e = (*e)[:last]
	return x
}

// at plans do.
func (n *Network) at(t time.Duration, do func()) {
	n.seq++
	heap.Push(&n.events, event{max(t, n.now), n.seq, do})
}

// Now is the virtual time.
func (n *Network) Now() time.Duration { return n.now }

// Next is when the next event happens; false: none is planned.
func (n *Network) Next() (time.Duration, bool) {
	if len(n.events) == 0 {
		return 0, false
	}
	return n.events[0].at, true
}

// Step lets the next event happen and moves the time to it; false: there was none.
func (n *Network) Step() bool {
	if len(n.events) == 0 {
		return false
	}
	e := heap.Pop(&n.events).(event)
	n.now = e.at
	e.do()
	return true
}

// Run lets everything happen up to and including until, and moves the time there.
func (n *Network) Run(until time.Duration) {
	for len(n.events) > 0 && n.events[0].at <= until {
		n.Step()
	}
	n.now = max(n.now, until)
}

func (n *Network) link(from, to string) *link {
	key := [2]string{from, to}
	l := n.links[key]
	if l == nil {
		l = &link{delayMin: n.options.DelayMin, delayMax: n.options.DelayMax}
		n.links[key] = l
	}
	return l
}

// SetDelay changes the delay of one direction. What is on its way already keeps its own.
func (n *Network) SetDelay(from, to string, min, max time.Duration) {
	l := n.link(from, to)
	l.delayMin, l.delayMax = min, max
}

// delay draws the time of one packet.
func (n *Network) delay(from, to string) time.Duration {
	l := n.link(from, to)
	if l.delayMax <= l.delayMin {
		return l.delayMin
	}
	return l.delayMin + time.Duration(n.random.Int64N(int64(l.delayMax-l.delayMin+1)))
}

// send plans the arrival of a packet. If the direction is cut by then, it waits.
func (n *Network) send(from, to string, arrive func()) {
	n.at(n.now+n.delay(from, to), func() { n.arrive(from, to, arrive) })
}

func (n *Network) arrive(from, to string, do func()) {
	if l := n.link(from, to); l.cut {
		l.held = append(l.held, do)
		return
	}
	do()
}

// Cut stops one direction. Bytes on their way wait for Heal, as if TCP repeated them.
func (n *Network) Cut(from, to string) { n.link(from, to).cut = true }

// Heal ends a cut. What waited arrives after one more delay, in its old order.
func (n *Network) Heal(from, to string) {
	l := n.link(from, to)
	if !l.cut {
		return
	}
	l.cut = false
	held := l.held
	l.held = nil
	t := n.now + n.delay(from, to)
	for _, do := range held {
		n.at(t, func() { n.arrive(from, to, do) })
	}
}

// Partition cuts both directions between machines of different groups, and heals those within one group. A machine
// that is in no group is left as it is.
func (n *Network) Partition(groups ...[]string) {
	for i, g := range groups {
		for j, h := range groups {
			for _, a := range g {
				for _, b := range h {
					switch {
					case i != j:
						n.Cut(a, b)
					case a != b:
						n.Heal(a, b)
					}
				}
			}
		}
	}
}

// HealAll ends every cut.
func (n *Network) HealAll() {
	for _, a := range n.names {
		for _, b := range n.names {
			n.Heal(a, b)
		}
	}
}

// Reset breaks every connection between two machines at once; both sides learn it, each when it runs.
func (n *Network) Reset(a, b string) {
	for _, name := range []string{a, b} {
		m := n.machines[name]
		if m == nil || m.process == nil {
			continue
		}
		for _, c := range m.process.list() {
			if other := c.peerMachine; other == a && name == b || other == b && name == a {
				c.broken()
			}
		}
	}
}

func (n *Network) machine(name string) *machine {
	m := n.machines[name]
	if m == nil {
		m = &machine{name: name, nextPort: 40_000}
		n.machines[name] = m
		n.names = append(n.names, name)
	}
	return m
}

// Boot starts a process on the machine, which must have power and run none.
func (n *Network) Boot(name string) *Host {
	m := n.machine(name)
	if m.power == powerOff || m.process != nil {
		panic(fmt.Sprintf("transporttest: machine %s has no power or runs a process already", name))
	}
	m.process = newHost(n, m)
	return m.process
}

// Kill ends the machine's process without a callback, as kill -9 does. Its kernel closes the connections.
func (n *Network) Kill(name string) {
	if m := n.machine(name); m.process != nil {
		m.process.die(true)
		m.process = nil
	}
}

// PowerOff takes the machine away: nobody there answers anything, not even with a refusal.
func (n *Network) PowerOff(name string) {
	m := n.machine(name)
	m.power = powerOff
	if m.process != nil {
		m.process.die(false)
		m.process = nil
	}
}

// PowerOn brings the machine back, with no process.
func (n *Network) PowerOn(name string) { n.machine(name).power = powerOn }

// Stop freezes the machine's process, as SIGSTOP does: no callback runs, its kernel goes on.
func (n *Network) Stop(name string) {
	if p := n.machine(name).process; p != nil {
		p.stopped = true
	}
}

// Continue lets a stopped process go on with everything that waits for it.
func (n *Network) Continue(name string) {
	p := n.machine(name).process
	if p == nil || !p.stopped {
		return
	}
	p.stopped = false
	waiting := p.waiting
	p.waiting = nil
	for _, do := range waiting {
		n.at(n.now, func() { p.run(do) })
	}
}
