package broker

import (
	"strings"
	"syscall"
	"testing"

	"github.com/hindmq/hind/aio/aiotest"
)

// A disk without room for the journal refuses the start by name; with room the same directory goes on where it stopped.
func TestFullWhileFilling(t *testing.T) {
	r := newRig(t)
	full := r.disk.Inject(aiotest.Rule{Calls: aiotest.CallFill, Skip: 3, Err: syscall.ENOSPC})
	err := r.node.Start(r.now, nil)
	if err == nil || !strings.Contains(err.Error(), "/journal/.slot-0002.dat.tmp") || !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "make room") {
		t.Fatalf("the start: %v", err)
	}
	full.Remove()
	r.boot()
	r.begin()
}

// Once the journal is filled, a full disk is no trouble: nothing is made any more.
func TestFullWhileRunning(t *testing.T) {
	r := start(t)
	full := r.disk.Inject(aiotest.Rule{Calls: aiotest.CallCreate | aiotest.CallFill, Err: syscall.ENOSPC})
	c := r.connect("one")
	payload := strings.Repeat("x", 60<<10)
	for k := range int64(40) { // more than two files
		c.send(payload, k+1)
		r.settle()
	}
	if len(c.answers) != 40 || !c.has("ok 40") {
		t.Fatalf("answers: %v; log:\n%s", c.answers, r.log.String())
	}
	if full.Fired() != 0 {
		t.Errorf("the running journal asked for room %d times", full.Fired())
	}
}
