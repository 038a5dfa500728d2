package sim

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/broker"
	"github.com/hindmq/hind/broker/clock"
	"github.com/hindmq/hind/broker/ha"
	"github.com/hindmq/hind/broker/session"
)

// host is one machine with its disk, and the broker process that runs on it, if one does. It is the node's Env.
type host struct {
	w     *world
	index int
	name  string
	disk  *aiotest.Disk
	clk   hostClock
	power bool // the machine runs

	// Of the process.
	life    int // counts processes
	proc    *aiotest.Process
	engine  *aiotest.Engine
	pool    *aio.Pool
	node    *broker.Node // nil: no process
	paused  bool
	stepDue time.Duration // of the event that steps next; -1: none
	diskDue time.Duration // of the event that lets the disk work next; -1: none
	nextID  ha.Link
	ends    map[ha.Link]*end
	deathAt int           // calls of the disk until the process dies in the middle of a step; 0: it does not
	doors   *session.Host // clients are let in
	conns   []*conn       // of clients, in the order they came
}

var _ broker.Env = (*host)(nil)

// hostClock is what a machine's clocks make of simulated time.
type hostClock struct {
	base time.Duration // boot clock at since
	at   time.Duration
	rate float64
	wall time.Duration // offset
}

func (c *hostClock) boot(now time.Duration) time.Duration {
	return c.base + time.Duration(float64(now-c.at)*c.rate)
}

// until is how much simulated time passes until the boot clock shows t.
func (c *hostClock) until(now, t time.Duration) time.Duration {
	return time.Duration(float64(t-c.boot(now))/c.rate) + 1
}

const startWall = 1_800_000_000 * time.Second

func (h *host) instant() clock.Instant {
	now := h.w.loop.now
	return clock.Instant{Boot: h.clk.boot(now), Wall: (startWall + now + h.clk.wall).Milliseconds()}
}

// up says that the process runs, perhaps paused.
func (h *host) up() bool { return h.node != nil }

// procName is what the disk's calls say of the process.
func (h *host) procName() string { return fmt.Sprintf("%s#%d", h.name, h.life) }

// reboot gives the machine power; its boot clock begins anew.
func (h *host) reboot() {
	h.power = true
	h.clk.base, h.clk.at = time.Second, h.w.loop.now
}

// start starts a process.
func (h *host) start() {
	if h.up() {
		return
	}
	if !h.power {
		h.reboot()
	}
	h.life++
	h.w.say(h, "process %d starts", h.life)
	h.proc = h.disk.Process(h.procName())
	h.engine = h.proc.Engine(aiotest.EngineOptions{})
	h.paused, h.stepDue, h.doors, h.conns, h.deathAt = false, -1, nil, nil, 0
	h.ends = map[ha.Link]*end{}
	var err error
	if h.pool, err = aio.NewPool(aio.PoolOptions{Size: poolBuffer, Count: poolBuffers}); err != nil {
		panic(err)
	}
	o := h.w.nodeOptions(h)
	o.FS, o.Engine, o.Pool, o.Env = h.proc, h.engine, h.pool, h
	node, err := broker.New(o)
	if err != nil {
		panic(err)
	}
	h.node = node
	var failed error
	h.guard(func() { failed = node.Start(h.instant(), nil) })
	if failed != nil {
		h.w.say(h, "start failed: %v", failed)
		h.w.count("start failed")
		h.die(aiotest.LateLand)
		h.w.restart(h)
		return
	}
	h.wake()
	h.watchDisk()
}

const (
	poolBuffer  = 64 << 10
	poolBuffers = 256
)

// died is thrown by the disk's hook when the process dies in the middle of a step.
type died struct{}

// guard runs a part of the node and catches what it throws: its own death, or a mistake.
func (h *host) guard(run func()) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case died:
			h.w.diedInside(h)
		default:
			h.w.fail("panic of %s: %v\n%s", h.name, r, debug.Stack())
		}
	}()
	run()
}

// wake has the node stepped soon, if it is not already to be.
func (h *host) wake() { h.stepIn(time.Duration(5+h.w.rng.net.IntN(100)) * time.Microsecond) }

func (h *host) stepIn(d time.Duration) {
	at := h.w.loop.now + d
	if !h.up() || h.paused || h.stepDue >= 0 && h.stepDue <= at {
		return
	}
	h.stepDue = at
	life := h.life
	h.w.loop.at(at, func() {
		if h.life == life && h.up() && !h.paused && h.stepDue == at {
			h.step()
		}
	})
}

func (h *host) step() {
	h.stepDue = -1
	again := false
	h.guard(func() { again = h.node.Step(h.instant()) })
	if !h.up() {
		return
	}
	h.watchDisk()
	if why, done := h.node.Done(); done {
		h.w.say(h, "process ends: %s", why)
		h.w.count("orderly ends")
		h.die(aiotest.LateLand)
		h.w.restart(h)
		return
	}
	if again {
		h.wake()
		return
	}
	h.stepIn(max(0, h.clk.until(h.w.loop.now, h.node.Next())))
}

// watchDisk lets the disk complete what is due, when it is.
func (h *host) watchDisk() {
	at, any := h.disk.NextDue()
	if !any || h.diskDue >= 0 && h.diskDue <= at {
		return
	}
	h.diskDue = at
	disk := h.disk
	h.w.loop.at(at, func() {
		if h.disk != disk || h.diskDue != at {
			return
		}
		h.diskDue = -1
		if disk.Advance(h.w.loop.now) > 0 {
			h.wake()
		}
		h.watchDisk()
	})
}

// die ends the process, at once. What it had sent may still arrive.
func (h *host) die(late aiotest.LateMode) {
	h.proc.Kill(late)
	h.node, h.stepDue = nil, -1
	h.disk.OnCall(nil)
	for id := ha.Link(1); id <= h.nextID; id++ { // in order
		if e := h.ends[id]; e != nil {
			e.processGone()
		}
	}
	for _, c := range h.conns {
		c.serverGone()
	}
	h.ends, h.doors, h.conns = nil, nil, nil
	if err := h.pool.Abandon(); err != nil {
		panic(err)
	}
	h.watchDisk()
}

// Dial implements broker.Env.
func (h *host) Dial(peer ha.Peer) { h.w.dial(h, peer) }

// Send implements broker.Env.
func (h *host) Send(link ha.Link, f broker.Frame) error {
	e := h.ends[link]
	if e == nil {
		if f.Release != nil {
			f.Release()
		}
		return errGone
	}
	return e.send(f)
}

// CloseLink implements broker.Env.
func (h *host) CloseLink(link ha.Link, why string) {
	if e := h.ends[link]; e != nil {
		e.close(why)
	}
}

// OpenClients implements broker.Env.
func (h *host) OpenClients(doors *session.Host) {
	h.doors = doors
	h.w.opened(h)
}

// CloseClients implements broker.Env.
func (h *host) CloseClients() {
	h.doors = nil
	for _, c := range h.conns {
		c.serverGone()
	}
	h.conns = nil
}

// Topology implements broker.Env.
func (h *host) Topology(t broker.Topology) {
	h.w.say(h, "topology: active %t, peer %t", t.Active, t.Peer)
}

// Random implements broker.Env.
func (h *host) Random() uint64 { return h.w.rng.env.Uint64() }

// Log implements broker.Env.
func (h *host) Log() *slog.Logger { return slog.New(lines{h}) }
