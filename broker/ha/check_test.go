package ha

import "fmt"

// ghost is what only the observer knows. Properties:
//
//	S1  no broker serves without a confirmed message, none is cut without asking;
//	S2  no two epochs confirm: what an older one confirms late is contained in the newer one's log;
//	S3  a record that was cut does not come back;
//	S4  nobody confirms alone before its disk says that it is alone (in mode wait promises would mask the loss).
type ghost struct {
	confirmed uint64 // that some broker has to serve
	ever      uint64 // confirmed at any time
	cut       uint64
	epoch     uint64 // newest that confirmed
	owner     int
	contained uint64 // messages of its log then
	found     []string
}

func (g *ghost) violated(format string, args ...any) {
	g.found = append(g.found, fmt.Sprintf(format, args...))
}

// opened is called when h begins to serve.
func (g *ghost) opened(w *world, h *host) {
	have := h.messages()
	if h.m.own.set.Forced {
		g.confirmed &= have // the operator was told what his choice loses
	}
	if h.m.role == RoleAlone && g.confirmed&^have != 0 {
		g.violated("S1: %s opens e%d alone without %b", h.name, h.m.Epoch(), g.confirmed&^have)
	}
	if g.cut&have != 0 {
		g.violated("S3: %s opens with cut records %b", h.name, g.cut&have)
	}
}

// cutting is called before h cuts its log down to n entries.
func (g *ghost) cutting(w *world, h *host, n int) {
	var tail uint64
	for _, e := range h.disk.log[n:] {
		if e.msg != 0 {
			tail |= 1 << e.msg
		}
	}
	for _, o := range w.hosts {
		if o.m != nil && o.m.role.active() && o.m.Epoch() == h.m.Epoch() {
			tail &^= o.messages()
		}
	}
	if h.discarding {
		h.discarding = false
		g.confirmed &^= tail // the operator was told
		return
	}
	if tail&g.ever != 0 {
		g.violated("S1: %s cuts confirmed %b without asking", h.name, tail&g.ever)
	}
	g.cut |= tail
}

// confirm is called when h, acting in epoch, tells a client that x is safe.
func (g *ghost) confirm(w *world, h *host, epoch, x uint64) {
	bit := uint64(1) << x
	if c, ok := h.m.Confirm(); ok && !c.Needs && !h.durableRecord().OwnAlone(h.disk.instance) {
		g.violated("S4: %s confirms %d alone, its disk says [%v]", h.name, x, h.durableRecord())
	}
	older := epoch < g.epoch || epoch == g.epoch && h.index != g.owner
	if g.epoch != 0 && older && g.contained&bit == 0 {
		g.violated("S2: %s confirms %d in e%d, while e%d has confirmed without it", h.name, x, epoch, g.epoch)
	}
	for _, o := range w.hosts {
		if o != h && o.m != nil && o.m.role == RoleAlone && o.m.Epoch() > epoch && o.messages()&bit == 0 {
			g.violated("S1: %s confirms %d in e%d, and %s is alone in e%d without it", h.name, x, epoch, o.name, o.m.Epoch())
		}
	}
	if have := h.messages(); !older {
		if g.confirmed&^have != 0 {
			g.violated("S1: %s confirms in e%d without %b", h.name, epoch, g.confirmed&^have)
		}
		if g.cut&have != 0 {
			g.violated("S3: %s confirms with cut records %b", h.name, g.cut&have)
		}
		g.epoch, g.owner, g.contained = epoch, h.index, have|bit
	}
	g.confirmed |= bit
	g.ever |= bit
}

// durableRecord is the newest role record that a crash would leave.
func (h *host) durableRecord() (r RoleRecord) {
	for _, e := range h.disk.log[:h.disk.durable] {
		if e.msg == 0 {
			r = e.role
		}
	}
	return r
}

// confirmNow confirms x at h if the rules allow it.
func (w *world) confirmNow(h *host, x uint64) bool {
	if !w.mayConfirm(h, x) {
		return false
	}
	w.ghost.confirm(w, h, h.m.Epoch(), x)
	w.say("%s CONFIRMS %d in e%d", h.name, x, h.m.Epoch())
	return true
}
