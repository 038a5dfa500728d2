package replication

import (
	"fmt"
	"maps"
	"testing"

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
}
