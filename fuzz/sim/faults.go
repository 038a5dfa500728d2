package sim

import (
	"syscall"
	"time"

	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/broker/ha"
)

// fault is one kind of trouble. begin does it to a host; what does not end by itself, it ends some time later.
type fault struct {
	name   string
	weight int
	begin  func(w *world, h *host)
}

var faults = []fault{
	{"kill", 10, func(w *world, h *host) { w.kill(h, false) }},
	{"power cut", 8, func(w *world, h *host) { w.kill(h, true) }},
	{"death at a call of the disk", 10, (*world).dieInside},
	{"both die", 3, func(w *world, h *host) {
		w.kill(h, w.rng.fault.IntN(2) == 0)
		w.kill(w.hosts[1-h.index], w.rng.fault.IntN(2) == 0)
	}},
	{"lost disk", 3, (*world).loseDisk},
	{"pause", 10, (*world).pause},
	{"cut in both directions", 6, func(w *world, _ *host) { w.cutFor(true, true) }},
	{"cut in one direction", 8, func(w *world, h *host) { w.cutFor(h.index == 0, h.index == 1) }},
	{"lost connection", 6, (*world).loseLinks},
	{"disk error", 7, (*world).diskError},
	{"hung disk", 6, (*world).hangDisk},
	{"slow disk", 4, (*world).slowDisk},
	{"orderly stop", 6, func(w *world, h *host) { w.tell(h, ha.Stop{HandOver: w.rng.fault.IntN(3) > 0}) }},
	{"handover", 6, func(w *world, h *host) { w.tell(h, ha.HandOver{}) }},
	{"lost clients", 4, (*world).loseClients},
	{"wall clock jumps", 2, func(w *world, h *host) {
		h.clk.wall += time.Duration(w.rng.fault.Int64N(int64(20*time.Minute))) - 10*time.Minute
	}},
}

// some is a time up to most, short ones more often.
func (w *world) some(most time.Duration) time.Duration {
	f := w.rng.fault.Float64()
	return time.Millisecond + time.Duration(float64(most)*f*f)
}

// nextFault does something and comes again. While the pair is not in sync it often waits: faults are to meet a pair that has
// something to lose too.
func (w *world) nextFault() {
	if !w.load {
		return
	}
	gap := w.shape.faultGap
	w.loop.after(gap/4+w.some(2*gap), w.nextFault)
	if !w.inSync() && w.rng.fault.IntN(2) == 0 {
		return
	}
	total := 0
	for _, f := range faults {
		total += f.weight
	}
	k := w.rng.fault.IntN(total)
	for _, f := range faults {
		if k -= f.weight; k < 0 {
			h := w.hosts[w.rng.fault.IntN(2)]
			if w.rng.fault.IntN(3) > 0 && !h.serves() { // rather the active
				h = w.hosts[1-h.index]
			}
			w.counts["fault: "+f.name]++
			w.say(h, "FAULT %s", f.name)
			f.begin(w, h)
			return
		}
	}
}

func (h *host) serves() bool { return h.up() && h.node.Look().Serving }

// inSync says that one broker serves and the other may take over.
func (w *world) inSync() bool {
	active, standby := 0, 0
	for _, h := range w.hosts {
		if !h.up() || h.paused {
			return false
		}
		switch l := h.node.Look(); l.Role {
		case ha.RolePaired:
			active++
		case ha.RoleStandby:
			standby++
		}
	}
	return active == 1 && standby == 1
}

var lateModes = []aiotest.LateMode{aiotest.LateLand, aiotest.LateCached, aiotest.LateDrop}

// kill ends a process, or takes the power of its machine.
func (w *world) kill(h *host, power bool) {
	if !h.up() {
		return
	}
	if power {
		h.power = false
	}
	h.die(lateModes[w.rng.fault.IntN(len(lateModes))])
	if power {
		w.cutPower(h)
	}
	w.restart(h)
}

// cutPower makes of the disk what a restart finds.
func (w *world) cutPower(h *host) {
	h.disk = h.disk.CrashWith(aiotest.CrashOptions{Seed: w.rng.fault.Uint64(), Keep: []int{0, 20, 50, 80, 100}[w.rng.fault.IntN(5)]})
	h.diskDue = -1
}

// restart has somebody start the process again: its supervisor soon, a human later.
func (w *world) restart(h *host) {
	most := 8 * time.Second
	if !w.load {
		most = time.Second
	}
	wait, life := 50*time.Millisecond+w.some(most), h.life
	if !h.power {
		w.loop.after(wait/2, func() {
			if h.life == life && !h.power {
				h.reboot()
			}
		})
	}
	w.loop.after(wait, func() {
		if h.life == life {
			h.start()
		}
	})
}

// dieInside has the process die at one of its next calls of the disk, whatever it is doing.
func (w *world) dieInside(h *host) {
	if !h.up() || h.deathAt != 0 {
		return
	}
	h.deathAt = 1 + w.rng.fault.IntN(40)
	left := h.deathAt
	h.disk.OnCall(func(c aiotest.Call) {
		if c.Process != h.procName() {
			return
		}
		if left--; left == 0 {
			panic(died{})
		}
	})
}

// diedInside: the process is dead in the middle of a step.
func (w *world) diedInside(h *host) {
	w.count("deaths in the middle of a step")
	h.disk.OnCall(nil)
	w.kill(h, w.rng.fault.IntN(2) == 0)
}

// loseDisk replaces the disk of one broker of a pair in sync by an empty one; now and then the other machine loses its power
// at the same moment. The other disk has all that was confirmed, so it is the one that an operator would activate.
func (w *world) loseDisk(h *host) {
	if !w.inSync() {
		return
	}
	other := w.hosts[1-h.index]
	w.count("disks lost")
	w.keeper = other
	if w.rng.fault.IntN(2) == 0 {
		w.kill(other, true)
	}
	h.power = false
	h.die(aiotest.LateDrop)
	h.disk, h.diskDue = w.newDisk(w.rng.fault), -1
	w.restart(h)
}

// operate is the operator: he answers questions where one disk is lost and the other one has everything.
func (w *world) operate() {
	if w.inSync() {
		w.keeper = nil
	}
	for _, h := range w.hosts {
		if w.keeper == nil || !h.up() || h.paused {
			continue
		}
		for _, c := range h.node.Status().Choices {
			if h == w.keeper == (c.Word != ha.DecideDiscardTail) {
				w.count("operator's words: " + c.Word.String())
				w.tell(h, ha.Decide{Decision: c.Word})
				break
			}
		}
	}
	w.loop.after(2*time.Second, w.operate)
}

// pause stops a process as SIGSTOP does; the kernel goes on taking what is sent to it.
func (w *world) pause(h *host) {
	if !h.up() || h.paused {
		return
	}
	h.paused, h.stepDue = true, -1
	life := h.life
	w.loop.after(w.some(12*time.Second), func() {
		if h.life == life {
			h.resume()
		}
	})
}

func (h *host) resume() {
	if !h.up() || !h.paused {
		return
	}
	h.w.say(h, "resumes")
	h.paused = false
	h.wake()
}

// cutFor cuts what the first, the second, or both send.
func (w *world) cutFor(first, second bool) {
	for i, on := range []bool{first, second} {
		if on && !w.net.cut[i] {
			w.setCut(i, true)
			w.loop.after(w.some(15*time.Second), func() { w.setCut(i, false) })
		}
	}
}

// loseLinks loses every connection of the pair port.
func (w *world) loseLinks(h *host) {
	for id := ha.Link(1); id <= h.nextID; id++ {
		if e := h.ends[id]; e != nil {
			e.reset()
		}
	}
}

// diskError fails one call of the disk.
func (w *world) diskError(h *host) {
	r := w.rng.fault
	rule := aiotest.Rule{Calls: aiotest.CallWrite, Skip: r.IntN(30), Times: 1, Err: syscall.EIO,
		Kind: []aiotest.FaultKind{aiotest.FaultFail, aiotest.FaultTorn, aiotest.FaultShort}[r.IntN(3)]}
	if r.IntN(3) == 0 {
		rule.Calls, rule.Kind = aiotest.CallAny, aiotest.FaultFail
	}
	i := h.disk.Inject(rule)
	w.loop.after(w.some(10*time.Second), i.Remove)
}

// hangDisk lets writes hang; those that hang complete later.
func (w *world) hangDisk(h *host) {
	i := h.disk.Inject(aiotest.Rule{Kind: aiotest.FaultHang, Skip: w.rng.fault.IntN(5), Times: 1 + w.rng.fault.IntN(3)})
	w.loop.after(w.some(15*time.Second), func() {
		i.Release()
		h.watchDisk()
	})
}

func (w *world) slowDisk(h *host) {
	i := h.disk.Inject(aiotest.Rule{Kind: aiotest.FaultDelay, Calls: aiotest.CallWrite, Prob: 0.5, Delay: w.some(time.Second)})
	w.loop.after(w.some(10*time.Second), i.Remove)
}

// tell posts an operator's wish.
func (w *world) tell(h *host, e ha.Event) {
	if h.up() {
		h.node.Post(e)
		h.wake()
	}
}

// loseClients loses client connections of a host; both sides find out.
func (w *world) loseClients(h *host) {
	for _, c := range h.conns {
		if w.rng.fault.IntN(2) == 0 && !c.gone {
			c.leave()
		}
	}
}

// supervise restarts what has failed for good: a broker whose journal failed serves nobody until it was loaded anew. One that
// asks a human is left alone.
func (w *world) supervise() {
	for _, h := range w.hosts {
		if !h.up() || h.paused {
			continue
		}
		if h.node.Look().Role == ha.RoleFenced && len(h.node.Status().Choices) == 0 && w.rng.fault.IntN(3) == 0 {
			w.count("restarts of a fenced broker")
			h.die(aiotest.LateLand)
			w.restart(h)
		}
	}
	w.loop.after(time.Second, w.supervise)
}

// heal ends all trouble.
func (w *world) heal() {
	w.load = false
	w.say(nil, "everything heals")
	for i, h := range w.hosts {
		w.setCut(i, false)
		h.disk.OnCall(nil)
		h.resume()
		if !h.up() {
			w.restart(h)
		}
	}
}
