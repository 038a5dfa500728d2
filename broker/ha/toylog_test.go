package ha

// The toy node: what the broker's node does with logs and pages, one entry a page.

// manifest: a follower sent what it has; answer where the logs agree, then send.
func (w *world) manifest(h *host, id Link, log []entry) {
	for k := range h.senders {
		s := &h.senders[k]
		if s.link != id || s.started {
			continue
		}
		n := 0
		for n < len(log) && n < len(h.disk.log) && log[n] == h.disk.log[n] {
			n++
		}
		s.started, s.next = true, n
		w.push(h, id, frame{kind: frameStart, at: n})
		w.pump(h)
		return
	}
}

// pump sends what followers do not have yet; a sealed page leaves before it is durable here.
func (w *world) pump(h *host) {
	for k := 0; k < len(h.senders); k++ {
		s := &h.senders[k]
		for s.started && s.next < len(h.disk.log) {
			w.push(h, s.link, frame{kind: framePage, at: s.next, page: h.disk.log[s.next], epoch: s.epoch})
			s.next++
		}
		if s.started && !s.caught {
			s.caught = true
			w.step(h, CaughtUp{s.link, s.epoch, h.pos(len(h.disk.log) - 1)})
			return // the list may have changed; the next pump goes on
		}
	}
}

// startCopy: the owner said where the logs agree.
func (w *world) startCopy(h *host, id Link, at int) {
	if h.follow == nil || h.follow.link != id || h.follow.copying {
		return
	}
	h.follow.common = at
	t := Tail{Cut: len(h.disk.log) > at}
	for k, e := range h.disk.log {
		switch {
		case e.msg != 0:
		case k < at:
			t.Below = e.role
		default:
			t.Observe(e.role, h.disk.instance)
		}
	}
	w.step(h, TailChecked{id, t})
}

// copy cuts the tail and takes pages.
func (w *world) copy(h *host, id Link) {
	if h.follow == nil || h.follow.link != id {
		panic("copy without a follow")
	}
	w.ghost.cutting(w, h, h.follow.common)
	h.disk.log = append([]entry(nil), h.disk.log[:h.follow.common]...)
	h.disk.durable = len(h.disk.log) // what it read it makes durable
	kept := h.followed[:0]
	for _, at := range h.followed {
		if at < len(h.disk.log) {
			kept = append(kept, at)
		}
	}
	h.followed = kept
	h.follow.copying = true
	w.take(h)
	w.ackNow(h)
}

// take writes the pages that arrived.
func (w *world) take(h *host) {
	f := h.follow
	if f == nil || !f.copying {
		return
	}
	for _, p := range f.buffer {
		if p.at != len(h.disk.log) {
			panic("a page that does not follow")
		}
		h.disk.log = append(h.disk.log, p.page)
		if p.page.msg == 0 {
			h.followed = append(h.followed, p.at)
		}
	}
	f.buffer = nil
}

// sync makes the log durable.
func (w *world) sync(h *host) {
	h.disk.durable = len(h.disk.log)
	if h.settling {
		h.settling = false
		w.step(h, Loaded{h.facts()})
		return
	}
	w.ackNow(h)
	roles := h.followed
	h.followed = nil
	for _, at := range roles {
		if h.follow == nil {
			break
		}
		w.step(h, Followed{h.follow.link, h.disk.log[at].role, h.pos(at)})
	}
	records := h.records
	h.records = nil
	for _, r := range records {
		w.step(h, RecordDurable{r.seq, h.pos(r.at)})
	}
	w.pump(h)
}

// ackNow acknowledges what is durable, if the machine still allows it.
func (w *world) ackNow(h *host) {
	if h.follow == nil || !h.up() {
		return
	}
	if id, epoch, ok := h.m.Follows(); ok && id == h.follow.link {
		w.push(h, id, frame{kind: frameAck, epoch: epoch, pos: h.pos(h.disk.durable - 1)})
	}
}

// send appends a client's message.
func (w *world) send(h *host) uint64 {
	w.msgs++
	w.uids++
	h.disk.log = append(h.disk.log, entry{uid: w.uids, epoch: h.m.Epoch(), msg: w.msgs})
	w.pump(h)
	return w.msgs
}

// place is the index of message x, -1 if it is not there.
func (h *host) place(x uint64) int {
	for k := len(h.disk.log) - 1; k >= 0; k-- {
		if h.disk.log[k].msg == x {
			return k
		}
	}
	return -1
}

// mayConfirm is the node's rule: durable here and on whoever the machine says, in the epoch it was written in.
func (w *world) mayConfirm(h *host, x uint64) bool {
	if !h.up() || h.disk.poisoned {
		return false
	}
	p := h.place(x)
	c, ok := h.m.Confirm()
	if !ok || p < 0 || h.disk.durable <= p || h.disk.log[p].epoch != c.Epoch {
		return false
	}
	return !c.Needs || !c.Acked.Less(h.pos(p))
}

// poison makes a write fail; kept says that it reached the disk all the same.
func (w *world) poison(h *host, kept bool) {
	if !kept {
		h.disk.log = h.disk.log[:h.disk.durable]
	}
	h.disk.durable = len(h.disk.log)
	h.disk.poisoned = true
	h.settling, h.records, h.followed = false, nil, nil
	w.step(h, Poisoned{"write failed"})
}

// repair verifies the journal of a fenced broker.
func (w *world) repair(h *host) {
	h.disk.poisoned = false
	if h.up() {
		w.step(h, Verified{h.facts()})
	}
}

// messages is the set of message ids in the log.
func (h *host) messages() uint64 {
	var set uint64
	for _, e := range h.disk.log {
		if e.msg != 0 {
			set |= 1 << e.msg
		}
	}
	return set
}
