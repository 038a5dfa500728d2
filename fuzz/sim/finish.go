package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/journal"
)

const (
	healLimit  = 90 * time.Second // until the pair serves, in sync, and every client has its answers
	calmFor    = 6 * time.Second  // how long it must stay so: longer than a primary waits until it asks for its role again
	equalLimit = 20 * time.Second // until both brokers hold the same
	drainLimit = 30 * time.Second
)

// wait runs until something holds; false: it did not within the limit.
func (w *world) wait(limit time.Duration, holds func() bool) bool {
	end := w.loop.now + limit
	for w.loop.now < end && !w.failed() {
		if holds() {
			return true
		}
		w.loop.until(min(end, w.loop.now+100*time.Millisecond), w.failed)
	}
	return holds()
}

// finish brings the run to its end and checks the whole.
func (w *world) finish() {
	since := w.loop.now
	calm := w.wait(healLimit, func() bool {
		if !w.inSync() || !w.answered() {
			since = w.loop.now
		}
		return w.loop.now-since >= calmFor
	})
	switch {
	case w.failed():
		return
	case !calm:
		w.fail("%v after everything healed the pair does not serve in sync, or clients wait: %s", healLimit, w.status())
		return
	}
	for _, p := range w.producers {
		p.leave()
	}
	for _, c := range w.consumers {
		c.leave()
	}
	if !w.wait(equalLimit, w.equal) {
		if !w.failed() {
			w.fail("the brokers do not come to hold the same: %s", w.status())
		}
		return
	}
	w.count("pairs equal by digest")
	w.rebuild()
	w.takeAll()
}

// answered says that no client waits for anything.
func (w *world) answered() bool {
	for _, p := range w.producers {
		if !p.done() || p.conn == nil {
			return false
		}
	}
	for _, c := range w.consumers {
		if !c.done() || c.conn == nil {
			return false
		}
	}
	return true
}

// equal says that both brokers are quiet and hold the same.
func (w *world) equal() bool {
	a, b := w.hosts[0], w.hosts[1]
	return w.inSync() && a.node.Look().Quiet && b.node.Look().Quiet && !a.connected() && !b.connected() &&
		a.node.Digest() == b.node.Digest()
}

// connected says that the broker still has a client.
func (h *host) connected() bool {
	return slices.ContainsFunc(h.conns, func(c *conn) bool { return c.sc != nil })
}

// rebuild loads what a power cut would leave of each disk and compares it with the memory of the brokers.
func (w *world) rebuild() {
	want := w.hosts[0].node.Digest()
	for _, h := range w.hosts {
		disk := h.disk.CrashWith(aiotest.CrashOptions{})
		o := w.shape.journal
		o.ReadOnly = true
		sh := shard.New(shard.NewMailbox(1, func() {}), w.shardOptions())
		image, err := journal.Load(disk.Process("rebuild"), journalDir, o, sh)
		if err != nil {
			w.fail("the journal of %s cannot be loaded after a power cut: %v", h.name, err)
			return
		}
		if got := sh.Digest(); got != want {
			w.fail("the journal of %s holds %x, the memory of the brokers %x; the log ends at %v", h.name, got, want, image.Tip())
		}
		if err := image.Close(); err != nil {
			w.fail("close the image of %s: %v", h.name, err)
		}
	}
}

// takeAll drains the queues and lets the history judge.
func (w *world) takeAll() {
	for _, q := range allQueues {
		w.drain(q)
	}
	if !w.wait(drainLimit, func() bool { return w.drained == len(allQueues) }) {
		if !w.failed() {
			w.fail("draining does not end: %d of %d queues; %s", w.drained, len(allQueues), w.status())
		}
		return
	}
	for _, c := range w.consumers {
		if c.moveTo == "" {
			continue
		}
		for _, p := range w.history.Of(c.queue) {
			w.history.Moved(p, c.movedTo(p))
		}
	}
	w.history.Finish()
}

// status says how everybody is, for a failure.
func (w *world) status() string {
	var b strings.Builder
	for _, h := range w.hosts {
		if !h.up() {
			fmt.Fprintf(&b, "\n%s: no process, power %t", h.name, h.power)
			continue
		}
		st, l := h.node.Status(), h.node.Look()
		fmt.Fprintf(&b, "\n%s: %s e%d serving %t, paused %t, end %v, applied %v, quiet %t, digest %x, clients %d, blocked %q, fenced %q, question %q, journal %+v",
			h.name, st.Role, st.Epoch, st.Serving, h.paused, l.End, l.Applied, l.Quiet, h.node.Digest(), len(h.conns), st.Blocked, st.Fenced, st.Question, st.Journal)
	}
	for _, p := range w.producers {
		if !p.done() || p.conn == nil && !p.left {
			fmt.Fprintf(&b, "\n%s: connected %t, %d without answer, %d open", p.name, p.conn != nil, len(p.waiting), len(p.open))
		}
	}
	for _, c := range w.consumers {
		if !c.done() || c.conn == nil && !c.left {
			fmt.Fprintf(&b, "\n%s: connected %t, waits for %d answers, %d in its transaction", c.name, c.conn != nil, c.waits, len(c.acked))
		}
	}
	return b.String()
}
