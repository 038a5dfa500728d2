package ha

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Random walks of two brokers: everything that the world can do, in any order, from a seed. Each walk draws its own
// appetite for each kind of step. A failure prints the seed; HA_WALK=seed runs that walk alone with its full trace.

// op is one kind of step of a walk.
type op int

const (
	opDeliver op = iota
	opSync
	opPersist
	opLoad
	opDial
	opTick
	opJump
	opQuiesce
	opRun
	opSend
	opConfirm
	opStart
	opEmit
	opPause
	opCrash
	opLose
	opRefuse
	opStop
	opHand
	opPoison
	opRepair
	opHang
	opUnhang
	opFreeze
	opThaw
	opCut
	opHeal
	opWipe
	opDecide
	opEnd
)

// appetite is the usual weight of each kind of step.
var appetite = [opEnd]float64{
	opDeliver: 30, opSync: 10, opPersist: 8, opLoad: 6, opDial: 6, opTick: 6, opJump: 1, opQuiesce: 1.5, opRun: 1.5,
	opSend: 6, opConfirm: 10, opStart: 5, opEmit: 4, opPause: 0.3,
	opCrash: 0.8, opLose: 0.8, opRefuse: 0.6, opStop: 0.3, opHand: 0.4, opPoison: 0.15, opRepair: 1, opHang: 0.15, opUnhang: 1,
	opFreeze: 0.2, opThaw: 2, opCut: 0.15, opHeal: 2, opWipe: 0.1, opDecide: 0.3,
}

// walker is one walk.
type walker struct {
	w      *world
	rng    *rand.Rand
	weight [opEnd]float64
	sum    float64
	human  bool // a disk was lost or an operator spoke: a human may be needed afterwards
}

func newWalker(seed uint64, w *world) *walker {
	k := &walker{w: w, rng: rand.New(rand.NewPCG(seed, 7))}
	for i := range k.weight {
		k.weight[i] = appetite[i] * []float64{0.05, 0.4, 1, 1, 3}[k.rng.IntN(5)]
		if i >= int(opPoison) && appetite[i] < 1 && k.rng.IntN(2) == 0 {
			k.weight[i] = 0
		}
		k.sum += k.weight[i]
	}
	return k
}

// step does one random step that is possible.
func (k *walker) step() {
	for range 40 {
		x := k.rng.Float64() * k.sum
		i := 0
		for ; i < len(k.weight)-1; i++ {
			if x -= k.weight[i]; x < 0 {
				break
			}
		}
		if k.try(op(i), k.w.hosts[k.rng.IntN(len(k.w.hosts))]) {
			return
		}
	}
}

// try does one kind of step at h; false: not possible now.
func (k *walker) try(o op, h *host) bool {
	switch {
	case o <= opRun:
		return k.natural(o, h)
	case o <= opPause:
		return k.client(o, h)
	}
	return k.fault(o, h)
}

// natural steps are those of a healthy world.
func (k *walker) natural(o op, h *host) bool {
	w := k.w
	switch o {
	case opDeliver:
		return k.deliver()
	case opSync:
		if !h.maySync() || !h.dirty() {
			return false
		}
		w.sync(h)
	case opPersist:
		if !h.mayPersist() {
			return false
		}
		w.persistOne(h)
	case opLoad:
		if h.busy() || !h.loading {
			return false
		}
		w.load(h)
	case opDial:
		if h.busy() || len(h.dials) == 0 {
			return false
		}
		w.dial(h, false)
	case opTick, opJump:
		if h.busy() {
			return false
		}
		span := h.cfg.Lease / 3
		if o == opJump {
			span = 40 * h.cfg.Lease
		}
		h.now += time.Duration(k.rng.Int64N(int64(span)))
		w.step(h, Tick{})
	case opQuiesce:
		w.quiesce()
	case opRun:
		w.run(h.cfg.Lease / 8)
	}
	return true
}

// deliver hands over the first frame of some connection.
func (k *walker) deliver() bool {
	w := k.w
	if len(w.conns) == 0 {
		return false
	}
	c, end := w.conns[k.rng.IntN(len(w.conns))], k.rng.IntN(2)
	if !w.mayDeliver(c, end) {
		return false
	}
	w.deliver(c, end)
	w.tidy()
	return true
}

// client steps are those of clients, and of processes that begin.
func (k *walker) client(o op, h *host) bool {
	w := k.w
	switch o {
	case opSend:
		if h.busy() || !h.clients || h.disk.poisoned || w.msgs >= 60 || len(h.disk.log) > 60 {
			return false
		}
		w.send(h)
	case opConfirm, opPause:
		if h.busy() || w.msgs == 0 {
			return false
		}
		x := w.msgs - uint64(k.rng.Int64N(int64(min(w.msgs, 6))))
		if w.ghost.confirmed>>x&1 != 0 || !w.mayConfirm(h, x) {
			return false
		}
		if o == opPause {
			h.pausedAt = x
			w.say("%s decided to confirm %d and is paused", h.name, x)
			return true
		}
		w.confirmNow(h, x)
	case opEmit:
		if !h.up() || h.pausedAt == 0 {
			return false
		}
		x := h.pausedAt
		h.pausedAt = 0
		w.ghost.confirm(w, h, h.m.Epoch(), x)
		w.say("%s sends the confirm of %d", h.name, x)
	case opStart:
		if h.up() {
			return false
		}
		w.start(h)
	}
	return true
}

// fault steps are what goes wrong, and what people do.
func (k *walker) fault(o op, h *host) bool {
	w := k.w
	if o != opLose && o != opWipe && o != opCut && o != opHeal && !h.up() {
		return false
	}
	switch o {
	case opCrash:
		keep := 0
		if n := len(h.disk.log) - h.disk.durable; n > 0 {
			keep = k.rng.IntN(n + 1)
		}
		w.crash(h, keep)
	case opLose:
		if len(w.conns) == 0 {
			return false
		}
		w.lose(w.conns[k.rng.IntN(len(w.conns))])
	case opRefuse:
		if h.busy() || len(h.dials) == 0 {
			return false
		}
		w.dial(h, true)
	case opStop:
		if h.busy() {
			return false
		}
		w.step(h, Stop{HandOver: k.rng.IntN(4) > 0})
	case opHand:
		if h.busy() {
			return false
		}
		w.step(h, HandOver{})
	case opPoison:
		if h.busy() || h.disk.poisoned || h.loading || h.disk.durable == len(h.disk.log) {
			return false
		}
		w.poison(h, k.rng.IntN(2) == 0)
	case opRepair:
		if h.busy() || !h.disk.poisoned || h.loading {
			return false
		}
		w.repair(h)
	case opHang, opUnhang, opFreeze, opThaw:
		return k.stall(o, h)
	case opCut, opHeal:
		if w.cut == (o == opCut) {
			return false
		}
		w.cut = !w.cut
		w.say("the wire is cut: %v", w.cut)
	case opWipe:
		if h.up() {
			return false
		}
		k.human = true
		w.wipe(h)
		k.copiesGone()
	case opDecide:
		return k.decide(h)
	}
	return true
}

// stall steps are about disks and processes that stand still.
func (k *walker) stall(o op, h *host) bool {
	switch {
	case o == opHang && !h.busy() && !h.hung && !h.loading && !h.disk.poisoned:
		h.hung = true
		k.w.step(h, Overdue{})
	case o == opUnhang && !h.busy() && h.hung:
		h.hung = false
		k.w.step(h, Cleared{})
	case o == opFreeze && !h.frozen:
		h.frozen = true
		k.w.say("%s is stopped", h.name)
	case o == opThaw && h.frozen:
		h.frozen = false
		k.w.say("%s goes on", h.name)
	default:
		return false
	}
	return true
}

// copiesGone: the only journal that had records was destroyed. Nothing can notice that; the observer starts anew.
func (k *walker) copiesGone() {
	for _, h := range k.w.hosts {
		if len(h.disk.log) > 0 {
			return
		}
	}
	found := k.w.ghost.found
	k.w.ghost = ghost{found: found}
}

// decide: an operator answers a question, and tells the truth: the other broker is down and its disk will be wiped
// before it comes back, as the question asks.
func (k *walker) decide(h *host) bool {
	if h.busy() || h.asked == nil || len(h.asked.Choices) == 0 {
		return false
	}
	c := h.asked.Choices[k.rng.IntN(len(h.asked.Choices))]
	w := k.w
	if c.Decision == DecideDiscardTail {
		h.discarding = true
	} else {
		for _, o := range w.hosts {
			if o == h {
				continue
			}
			if o.up() {
				return false
			}
			w.wipe(o)
		}
		// Whatever only the wiped disks had is lost with the operator's knowledge, epochs included.
		w.ghost.confirmed &= h.messages()
		w.ghost.epoch, w.ghost.contained = 0, 0
	}
	k.human = true
	w.say("an operator answers %s: %v", h.name, c.Decision)
	w.step(h, Decide{c.Decision})
	return true
}

// heal ends every fault and asks whether the pair serves again by itself.
func (k *walker) heal() (resumes bool) {
	w := k.w
	w.say("everything is healed")
	w.cut = false
	for _, h := range w.hosts {
		h.frozen = false
		h.pausedAt = 0
		if !h.up() {
			h.disk.poisoned = false
			w.start(h)
		}
		if h.hung {
			h.hung = false
			w.step(h, Cleared{})
		}
		if h.loading {
			w.load(h)
		}
		if h.disk.poisoned {
			w.repair(h)
		}
	}
	for tries := 0; tries < 3; {
		for _, h := range w.hosts {
			if !h.up() {
				w.start(h) // it had been told to stop
			}
		}
		w.run(8 * time.Second)
		n, h := w.actives()
		if tries++; n != 1 || h.m.role != RolePaired || !h.deliver {
			continue
		}
		x := w.send(h)
		w.quiesce()
		if h.up() && w.confirmNow(h, x) {
			return true
		}
	}
	return false
}

// asks says whether some broker has a question open.
func (w *world) asks() bool {
	for _, h := range w.hosts {
		if h.up() && (h.asked != nil || h.m.role == RoleFenced || h.m.role == RoleSpare) {
			return true
		}
	}
	return false
}

var walkCount = flag.Int("walks", 20000, "random walks of TestWalks")

const walkSteps = 150

// walk runs one walk and returns what it found wrong, empty if nothing.
func walk(seed uint64, w *world) string {
	k := newWalker(seed, w)
	for range walkSteps {
		k.step()
		if len(w.ghost.found) > 0 {
			return strings.Join(w.ghost.found, "; ")
		}
	}
	if seed%8 == 0 {
		if ok := k.heal(); len(w.ghost.found) > 0 {
			return strings.Join(w.ghost.found, "; ")
		} else if !ok && !k.human {
			return "healed, but the pair does not serve again"
		} else if !ok && !w.asks() {
			return "healed, but the pair neither serves nor asks"
		}
	}
	return ""
}

// TestWalks is the model's random exploration, with the real machine.
func TestWalks(t *testing.T) {
	if s := os.Getenv("HA_WALK"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		w := walkStart(seed)
		w.trace = &strings.Builder{}
		found := walk(seed, w)
		t.Logf("%s\n%s", w.trace, found)
		if found != "" {
			t.Fail()
		}
		return
	}
	const shards = 4
	seen := make([]coverage, shards)
	t.Run("shards", func(t *testing.T) {
		for k := range uint64(shards) {
			t.Run(fmt.Sprint(k), func(t *testing.T) {
				t.Parallel()
				for seed := k; seed < uint64(*walkCount); seed += shards {
					w := walkStart(seed)
					w.cover = seen[k].note
					if found := walk(seed, w); found != "" {
						t.Fatalf("seed %d: %s (HA_WALK=%d go test -run TestWalks prints the walk)", seed, found, seed)
					}
				}
			})
		}
	})
	var all coverage
	for k := range seen {
		all.add(&seen[k])
	}
	all.add(scriptCoverage(t))
	if !t.Failed() {
		all.compare(t, *walkCount >= 20000)
	}
}

// walkStart is a pair at work; every fourth walk begins with empty disks.
func walkStart(seed uint64) *world {
	tweak := func(w *world) {
		w.hosts[0].cfg.Failback = seed%3 == 0
		w.hosts[1].cfg.AllowFailback = seed%5 != 0
	}
	if seed%4 == 3 {
		w := newWorld(2)
		tweak(w)
		return w
	}
	return pair(tweak)
}
