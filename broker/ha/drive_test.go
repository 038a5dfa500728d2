package ha

import "time"

// Driving the world: one natural step at a time, or until nothing is left to do at this moment.

// busy says whether the process can do nothing now.
func (h *host) busy() bool { return !h.up() || h.frozen || h.pausedAt != 0 }

// persistOne makes the oldest local state durable.
func (w *world) persistOne(h *host) {
	p := h.persists[0]
	h.persists = h.persists[1:]
	h.disk.local = p.State
	w.step(h, Persisted{p.Seq})
}

// dirty says whether a sync would change anything.
func (h *host) dirty() bool {
	return h.disk.durable < len(h.disk.log) || h.settling || len(h.records) > 0 || len(h.followed) > 0
}

func (h *host) maySync() bool { return !h.busy() && !h.hung && !h.disk.poisoned && !h.loading }

func (h *host) mayPersist() bool { return !h.busy() && !h.hung && len(h.persists) > 0 }

// mayDeliver says whether the first frame that travels to end k can arrive.
func (w *world) mayDeliver(c *conn, k int) bool {
	h := w.hosts[c.host[k]]
	if len(c.q[k]) == 0 || !c.open[k] || h.life != c.proc[k] {
		return false
	}
	return !h.busy() && !c.held && (!w.cut || c.q[k][0].kind == frameEnd)
}

// natural does whatever can be done without time passing and without a fault. False: nothing was left.
func (w *world) natural() bool {
	did := false
	for _, h := range w.hosts {
		if h.busy() {
			continue
		}
		if h.loading {
			w.load(h)
			did = true
		}
		for h.mayPersist() {
			w.persistOne(h)
			did = true
		}
		if h.maySync() && h.dirty() && !h.slow {
			w.sync(h)
			did = true
		}
		for !h.busy() && len(h.dials) > 0 {
			w.dial(h, false)
			did = true
		}
	}
	for k := 0; k < len(w.conns); k++ {
		for end := range 2 {
			if w.mayDeliver(w.conns[k], end) {
				w.deliver(w.conns[k], end)
				did = true
			}
		}
	}
	w.tidy()
	return did
}

// quiesce does natural steps until none is left.
func (w *world) quiesce() {
	for range 10000 {
		if !w.natural() {
			return
		}
	}
	panic("the world does not come to rest")
}

// run lets d pass for every clock, waking each machine when it wants to be woken.
func (w *world) run(d time.Duration) {
	w.quiesce()
	for d > 0 {
		wait := d
		for _, h := range w.hosts {
			if h.busy() {
				continue
			}
			if at, ok := h.m.NextTick(); ok {
				wait = min(wait, max(at-h.now, time.Millisecond))
			}
		}
		d -= wait
		for _, h := range w.hosts {
			h.now += wait
		}
		for _, h := range w.hosts {
			if !h.busy() {
				w.step(h, Tick{})
			}
		}
		w.quiesce()
	}
}

// pair starts two brokers on empty disks and lets them come together.
func pair(tweak func(*world)) *world {
	w := newWorld(2)
	if tweak != nil {
		tweak(w)
	}
	for _, h := range w.hosts {
		w.start(h)
	}
	w.run(time.Second)
	return w
}

// actives counts the brokers that serve.
func (w *world) actives() (n int, last *host) {
	for _, h := range w.hosts {
		if h.up() && h.clients && (h.m.role == RoleAlone || h.m.role == RolePaired) {
			n++
			last = h
		}
	}
	return n, last
}
