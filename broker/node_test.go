package broker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/broker/ha"
)

// A broker without a partner founds its log, serves, and answers a durable send only after the disk has it.
func TestAnswerOnlyAfterTheDisk(t *testing.T) {
	r := start(t)
	if st := r.node.status(); !st.Serving || st.Epoch == 0 || st.Fenced != "" || st.Queues.Queues != 1 {
		t.Fatalf("status: %+v", st)
	}
	if n := len(r.topo); n == 0 || !r.topo[n-1].Active || r.topo[n-1].Peer {
		t.Errorf("published: %+v", r.topo)
	}
	c := r.connect("one")
	r.settle()
	c.send("a", 7)
	for range 5 { // the disk does nothing: whatever the node does, no answer may leave
		r.step()
		r.advance(time.Millisecond)
	}
	if len(c.answers) != 0 {
		t.Fatalf("answered before the disk had it: %v", c.answers)
	}
	r.settle()
	if !slices.Equal(c.answers, []string{"ok 7"}) {
		t.Fatalf("answers: %v", c.answers)
	}
	// A power cut that keeps nothing unsynced loses nothing that was answered.
	r.disk = r.disk.CrashWith(aiotest.CrashOptions{Seed: 3})
	r.boot()
	r.begin()
	c = r.connect("two")
	c.consume()
	r.settle()
	if !slices.Equal(c.texts, []string{"a"}) {
		t.Errorf("after the power cut: %q", c.texts)
	}
}

// A disk that fails once is not written to again: clients are closed, nothing is acknowledged any more, an operator is told.
func TestPoison(t *testing.T) {
	r := start(t)
	c := r.connect("one")
	c.send("kept", 1)
	r.settle()
	fault := r.disk.Inject(aiotest.Rule{Times: 1, Err: syscall.EIO})
	c.send("lost", 2)
	r.settle()
	if fault.Fired() != 1 {
		t.Fatalf("the fault was met %d times", fault.Fired())
	}
	r.until("clients are closed", func() bool { return r.asked("close clients") })
	for range 20 {
		r.advance(time.Second)
		r.settle()
	}
	if c.has("ok 2") || !c.has("ok 1") {
		t.Errorf("answers: %v", c.answers)
	}
	if c.over == "" {
		t.Error("the connection was not ended")
	}
	if st := r.node.status(); st.Serving || !strings.Contains(st.Fenced, "/journal/slot-0000.dat") || st.IfThisFails == "" {
		t.Errorf("status: %+v", st)
	}
	if !r.logged("passive: clients are closed") || !r.logged("input/output error") {
		t.Errorf("the log tells neither that clients are closed nor why:\n%s", r.log.String())
	}
}

// A write that hangs is overdue after a while: the broker says so, acknowledges nothing, and goes on when it comes back.
func TestHungWrite(t *testing.T) {
	r := start(t)
	c := r.connect("one")
	r.settle()
	hang := r.disk.Inject(aiotest.Rule{Kind: aiotest.FaultHang, Times: 1})
	c.send("slow", 1)
	r.settle()
	if hang.Fired() != 1 || len(c.answers) != 0 {
		t.Fatalf("hung %d, answers %v", hang.Fired(), c.answers)
	}
	r.advance(r.node.o.OverdueAfter + time.Second)
	r.settle()
	if st := r.node.status(); !st.Overdue {
		t.Fatalf("not overdue: %+v", st)
	}
	if len(c.answers) != 0 {
		t.Fatalf("answered while the write hangs: %v", c.answers)
	}
	hang.Release()
	r.until("the write is no longer overdue", func() bool { return !r.node.status().Overdue })
	if c.has("ok 1") == (c.over != "") {
		t.Errorf("answers %v, connection over: %q: it is either answered or ended", c.answers, c.over)
	}
}

// An idle journal is marked once, and not again until something is appended.
func TestIdleMark(t *testing.T) {
	r := start(t)
	c := r.connect("one")
	c.send("a", 1)
	r.settle()
	if r.node.store.marked {
		t.Fatal("marked at once")
	}
	r.until("the mark", func() bool { return r.node.store.marked })
	writes := r.node.status().Journal.Writes
	for range 10 {
		r.advance(time.Second)
		r.settle()
	}
	if now := r.node.status().Journal.Writes; now != writes {
		t.Errorf("an idle journal is written: %d writes, then %d", writes, now)
	}
	c.send("b", 2)
	r.settle()
	if r.node.store.marked || !c.has("ok 2") {
		t.Errorf("marked %t, answers %v", r.node.store.marked, c.answers)
	}
}

// An orderly end lets everything become durable, closes clients and journal, and frees the lock.
func TestEnd(t *testing.T) {
	r := start(t)
	c := r.connect("one")
	c.send("last", 1)
	r.step()
	r.node.Post(ha.Stop{})
	r.until("the end", func() bool { _, done := r.node.Done(); return done })
	if !r.asked("close clients") || r.host != nil || c.over == "" {
		t.Errorf("asked: %v; the client's end: %q", r.trace, c.over)
	}
	if why, _ := r.node.Done(); why == "" {
		t.Error("the node does not say why it ended")
	}
	r.boot() // the same directory: refused if it were still locked
	r.begin()
	c = r.connect("two")
	c.consume()
	r.settle()
	if !slices.Equal(c.texts, []string{"last"}) {
		t.Errorf("after the orderly end: %q", c.texts)
	}
}

// The node that has ended takes nothing and releases what it is given.
func TestAfterTheEnd(t *testing.T) {
	r := start(t)
	r.node.inbox.close()
	released := 0
	r.node.Receive(1, Frame{Lane: LaneWord, Release: func() { released++ }})
	if released != 1 {
		t.Errorf("released %d times", released)
	}
	if _, err := r.node.Report(context.Background()); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("report: %v", err)
	}
}

// Whichever call of a fresh start fails, for good: no panic, no clients while the disk is bad, an error or a log line that
// says why, and the next process founds or goes on.
func TestStartFailsAnywhere(t *testing.T) {
	failed := 0
	for k := 0; ; k++ {
		r := newRig(t)
		fault := r.disk.FailCall(k, syscall.EIO, true)
		err := r.node.Start(r.now, nil)
		if err == nil {
			for range 20 {
				r.settle()
				r.advance(max(time.Millisecond, r.node.Next()-r.now.Boot))
			}
		}
		if fault.Fired() == 0 {
			break
		}
		failed++
		switch {
		case err != nil && !strings.Contains(err.Error(), "/journal") && !strings.Contains(err.Error(), "directory /"):
			t.Errorf("call %d: the error does not name the place: %v", k, err)
		case err == nil && !strings.Contains(r.log.String(), "input/output error"):
			t.Errorf("call %d: nothing tells of the failure:\n%s", k, r.log.String())
		}
		fault.Remove()
		r.fs.Kill(aiotest.LateDrop)
		r.boot()
		r.begin()
	}
	if failed < 20 {
		t.Errorf("only %d calls were made to fail", failed)
	}
}

// Hostile words and messages of a link end the link, not the node.
func TestHostileLink(t *testing.T) {
	r := start(t)
	for k, lane := range []Lane{LaneWord, LaneAck, LaneManifest, LaneControl, LanePages, LaneFilePages} {
		link := ha.Link(k + 1)
		released := 0
		r.node.LinkUp(link, ha.Accepted)
		r.node.Receive(link, Frame{Lane: lane, Head: []byte("GET / HTTP/1.1"), Body: []byte{0xff}, Release: func() { released++ }})
		r.settle()
		if want := fmt.Sprintf("close link %d", link); !r.asked(want) || released != 1 {
			t.Errorf("lane %d: released %d times, asked: %v", lane, released, r.trace)
		}
	}
	c := r.connect("one")
	c.send("a", 1)
	r.settle()
	if !c.has("ok 1") {
		t.Errorf("answers: %v", c.answers)
	}
}
