package broker

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// The first failed conversation is tried again at once, the next ones later and later, and a quiet time forgives.
func TestFailuresWaitLonger(t *testing.T) {
	var f failures
	now := time.Hour
	for i, want := range []time.Duration{0, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond,
		800 * time.Millisecond, 1600 * time.Millisecond, 3200 * time.Millisecond, waitMax, waitMax} {
		if got := f.wait(now); got != want {
			t.Errorf("failure %d waits %v, want %v", i+1, got, want)
		}
		now += time.Second
	}
	for range 1000 {
		if got := f.wait(now); got != waitMax {
			t.Fatalf("waits %v", got)
		}
	}
	if got := f.wait(now + failureForgotten); got != waitMax {
		t.Errorf("just remembered: %v", got)
	}
	if got := f.wait(now + 2*failureForgotten + 1); got != 0 {
		t.Errorf("just forgotten: %v", got)
	}
}

// A link whose conversation failed a second time is closed when its time has come, and the node asks to be stepped then.
func TestDoomedLink(t *testing.T) {
	r := start(t)
	closed := func(line string) bool { return slices.Contains(r.trace, line) }
	r.node.endLink(8, errors.New("a page of nobody"))
	if !closed("close link 8") {
		t.Fatalf("the first failure waits: %v", r.trace)
	}
	r.node.endLink(9, errors.New("a page of nobody"))
	r.node.endLink(10, errors.New("a page of nobody"))
	r.node.pair.forget(10) // it went by itself
	if closed("close link 9") {
		t.Fatal("the second failure does not wait")
	}
	at := r.now.Boot + waitMin
	if next := r.node.Next(); next > at {
		t.Fatalf("wants to be stepped at %v, the link is to be closed at %v", next, at)
	}
	r.now.Boot = at - 1
	r.node.Step(r.now)
	if closed("close link 9") {
		t.Fatal("closed too early")
	}
	r.now.Boot = at + time.Second
	r.node.Step(r.now)
	if !closed("close link 9") || closed("close link 10") {
		t.Fatalf("trace: %v", r.trace)
	}
}

// A journal that goes on failing is reported once: a failed follower fails in every step.
func TestPoisonedIsToldOnce(t *testing.T) {
	r := start(t)
	for range 3 {
		r.node.poisoned(errors.New("the disk is gone"))
	}
	n := 0
	items, _ := r.node.inbox.take(nil, nil)
	for _, it := range items {
		if it.event != nil && it.event.String() == "poisoned: the disk is gone" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("told %d times", n)
	}
}
