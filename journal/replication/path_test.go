package replication

import (
	"fmt"
	"maps"
	"testing"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/journal"
)

// TestWholePath is the life of a pair: an empty follower copies, follows live and takes over; the old owner rejoins with a
// tail that nobody confirmed, which is cut.
func TestWholePath(t *testing.T) {
	pool := newPool(t)
	a, b := newBroker(t, "a", tiny(), pool, 1), newBroker(t, "b", tiny(), pool, 2)
	a.own(1)
	a.settle()
	for i := range 40 {
		a.append(journal.Record{Kind: journal.KindAdd, Body: fmt.Appendf(nil, "before %d", i)})
		a.settle()
	}
	b.follow()
	c := connect(t, a, b, SenderOptions{})
	c.run()
	if !c.inSync() {
		t.Fatal("the copy is not complete")
	}
	c.same()
	a.d.SetMembers([]journal.Member{{'b'}})
	for i := range 60 {
		if !a.append(journal.Record{Kind: journal.KindAdd, Body: fmt.Appendf(nil, "live %d", i)}) {
			t.Fatalf("record %d is not taken: %+v", i, a.d.Stats())
		}
		c.run()
		a.d.MemberDurable(journal.Member{'b'}, c.s.Acked())
	}
	c.run()
	c.same()
	confirmed := maps.Clone(a.host.live)
	c.close()
	a.append(journal.Record{Kind: journal.KindAdd, Body: []byte("nobody confirmed this")})
	a.settle()
	a.crash(aiotest.CrashOptions{Seed: 1, Keep: 100})

	b.settle()
	b.activate(2)
	b.settle()
	if got := b.host.live; !maps.Equal(got, confirmed) {
		t.Fatalf("the successor holds\n%v\nwant\n%v", got, confirmed)
	}
	b.append(journal.Record{Kind: journal.KindAdd, Body: []byte("after")})
	b.settle()
	a.follow()
	c = connect(t, b, a, SenderOptions{})
	c.run()
	if found, _ := c.r.Common(); !found.Cut || found.At != b.d.Epochs()[len(b.d.Epochs())-1].Start {
		t.Fatalf("common: %+v, epochs %+v", found, b.d.Epochs())
	}
	if !c.inSync() {
		t.Fatal("the copy is not complete")
	}
	c.same()
	c.close()
	// The tail never comes back: not by a power cut of the one that was cut, not by its activation.
	for life := range 3 {
		a.crash(aiotest.CrashOptions{Seed: uint64(life), Keep: 50 * life})
		a.follow()
		c = connect(t, b, a, SenderOptions{})
		c.run()
		c.same()
		c.close()
	}
	a.settle()
	a.activate(3)
	a.settle()
	if !maps.Equal(a.host.live, b.host.live) {
		t.Fatalf("after the second failover\n%v\nwant\n%v", a.host.live, b.host.live)
	}
}

// TestTapLost: a follower that does not keep up is sent files again, and then live pages.
func TestTapLost(t *testing.T) {
	pool := newPool(t)
	a, b := newBroker(t, "a", tiny(), pool, 1), newBroker(t, "b", tiny(), pool, 2)
	a.own(1)
	a.settle()
	b.follow()
	c := connect(t, a, b, SenderOptions{TapMax: 2 * aio.BufferAlign})
	c.run()
	live, files := 0, 0
	count := func() {
		for _, m := range c.down {
			switch {
			case m.Kind == KindPages && m.Pages.Live:
				live++
			case m.Kind == KindPages:
				files++
			}
		}
	}
	add := func(n int) {
		for i := range n {
			a.append(journal.Record{Kind: journal.KindEvent, Body: make([]byte, 300+i)})
			a.settle()
		}
	}
	add(1)
	c.send(1)
	if count(); live != 1 || files != 0 {
		t.Fatalf("a follower that keeps up is sent %d live runs and %d from files", live, files)
	}
	c.run()
	add(8) // nobody takes them: the tap gives up
	live = 0
	for c.send(1) || a.step(true) || b.step(true) {
		count()
		c.deliver(1)
	}
	if files == 0 || live > 4 || pool.Stats().InUse > 4 {
		t.Fatalf("after the tap was lost: %d live runs, %d from files, %d buffers in use", live, files, pool.Stats().InUse)
	}
	c.run()
	files, live = 0, 0
	add(1)
	c.send(2)
	if count(); live != 1 || files != 0 {
		t.Fatalf("a follower that caught up is sent %d live runs and %d from files", live, files)
	}
	c.run()
	c.same()
}
