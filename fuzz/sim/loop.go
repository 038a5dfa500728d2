package sim

import (
	"container/heap"
	"time"
)

// loop is simulated time: events run in the order of their time, those of one time in the order in which they were made.
type loop struct {
	now    time.Duration
	events eventHeap
	made   uint64
	ran    uint64
	hash   uint64 // of everything that happened, and when
}

type event struct {
	at    time.Duration
	order uint64
	run   func()
}

// after runs a function later.
func (l *loop) after(d time.Duration, run func()) { l.at(l.now+max(0, d), run) }

// at runs a function at a time that is not past.
func (l *loop) at(t time.Duration, run func()) {
	l.made++
	heap.Push(&l.events, event{max(t, l.now), l.made, run})
}

// until runs events up to a time, or until stop says so.
func (l *loop) until(end time.Duration, stop func() bool) {
	for len(l.events) > 0 && l.events[0].at <= end && !stop() {
		e := heap.Pop(&l.events).(event)
		l.now = e.at
		l.ran++
		l.mix(uint64(e.at))
		l.mix(e.order)
		e.run()
	}
	if !stop() {
		l.now = max(l.now, end)
	}
}

// mix adds a number to the hash.
func (l *loop) mix(n uint64) {
	l.hash = (l.hash ^ n) * 0x9e3779b97f4a7c15
	l.hash ^= l.hash >> 29
}

// mixText adds text to the hash.
func (l *loop) mixText(s string) {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	l.mix(h)
}

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].order < h[j].order
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(event)) }
func (h *eventHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*h = old[:len(old)-1]
	return e
}
