package journal

import "sync"

// waiters are callers that wait for a position, each with a channel of its own that is used again. Guarded by the lock of
// the Log, but for the pool.
type waiters struct {
	heap  []*waiter // ordered by position: a binary heap
	spare sync.Pool
}

type waiter struct {
	pos  Position
	done chan error // one value
}

func (q *waiters) add(pos Position) *waiter {
	w, _ := q.spare.Get().(*waiter)
	if w == nil {
		w = &waiter{done: make(chan error, 1)}
	}
	w.pos = pos
	q.heap = append(q.heap, w)
	for i := len(q.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.heap[i].pos.Less(q.heap[up].pos) {
			break
		}
		q.heap[i], q.heap[up] = q.heap[up], q.heap[i]
		i = up
	}
	return w
}

// recycle takes back a waiter whose value was received. One that gave up is left to the collector: its value may come.
func (q *waiters) recycle(w *waiter) { q.spare.Put(w) }

// release wakes all whose position is not beyond durable; with an error, the others too.
func (q *waiters) release(durable Position, err error) {
	for len(q.heap) > 0 {
		w := q.heap[0]
		reached := !durable.Less(w.pos)
		if !reached && err == nil {
			return
		}
		q.pop()
		if reached {
			w.done <- nil
		} else {
			w.done <- err
		}
	}
}

func (q *waiters) pop() {
	n := len(q.heap) - 1
	q.heap[0] = q.heap[n]
	q.heap[n] = nil
	q.heap = q.heap[:n]
	for i := 0; ; {
		least := i
		for _, c := range [2]int{2*i + 1, 2*i + 2} {
			if c < n && q.heap[c].pos.Less(q.heap[least].pos) {
				least = c
			}
		}
		if least == i {
			return
		}
		q.heap[i], q.heap[least] = q.heap[least], q.heap[i]
		i = least
	}
}
