package shard

import (
	"errors"
	"sync"
	"testing"

	"github.com/hindmq/hind/broker/clock"
)

type workFunc func(*Shard) bool

func (f workFunc) Run(s *Shard) bool { return f(s) }

type room struct{ told int }

func (r *room) Room() { r.told++ }

func done(*Shard) bool { return true }

// At the limit, one below and one above.
func TestMailboxLimit(t *testing.T) {
	for size, fits := range map[int]bool{49: true, 50: true, 51: false} {
		m := NewMailbox(100, func() {})
		if err := m.Post(workFunc(done), 50, nil); err != nil {
			t.Fatal(err)
		}
		if err := m.Post(workFunc(done), size, nil); (err == nil) != fits {
			t.Errorf("%d more bytes: %v", size, err)
		}
		if err := m.PostAlways(workFunc(done)); err != nil {
			t.Errorf("a close is refused: %v", err)
		}
	}
	m := NewMailbox(100, func() {})
	if err := m.Post(workFunc(done), 1000, nil); err != nil {
		t.Errorf("an empty mailbox refuses a large batch: %v", err)
	}
}

func TestMailboxRoomAndOrder(t *testing.T) {
	wakes := 0
	m := NewMailbox(100, func() { wakes++ })
	s := New(m, DefaultOptions())
	var order []int
	note := func(n int) Work { return workFunc(func(*Shard) bool { order = append(order, n); return true }) }
	r := &room{}
	_ = m.Post(note(2), 60, nil)
	_ = m.Post(note(3), 40, nil)
	if err := m.Post(note(9), 1, r); !errors.Is(err, ErrFull) {
		t.Fatalf("a full mailbox: %v", err)
	}
	_ = m.PostAlways(note(4))
	_ = m.PostOwn(note(1))
	if wakes != 2 {
		t.Errorf("woken %d times for two lanes", wakes)
	}
	s.Step(clock.Instant{})
	if len(order) != 4 || order[0] != 1 || order[1] != 2 || order[2] != 3 || order[3] != 4 || r.told != 1 {
		t.Errorf("order %v, told %d", order, r.told)
	}
	m.Close()
	if err := m.Post(note(5), 1, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed mailbox: %v", err)
	}
}

// Work that is not done is run again before what came after it.
func TestWorkIsRunAgain(t *testing.T) {
	m := NewMailbox(100, func() {})
	s := New(m, DefaultOptions())
	tries, after := 0, 0
	_ = m.Post(workFunc(func(*Shard) bool { tries++; return tries == 3 }), 10, nil)
	_ = m.Post(workFunc(func(*Shard) bool { after = tries; return true }), 10, nil)
	for range 5 {
		s.Step(clock.Instant{})
	}
	if tries != 3 || after != 3 {
		t.Errorf("%d tries, the next ran after %d", tries, after)
	}
	if m.mu.bytes != 0 {
		t.Errorf("%d bytes are still counted", m.mu.bytes)
	}
}

func TestMailboxFromManyGoroutines(t *testing.T) {
	woken := make(chan struct{}, 1)
	m := NewMailbox(1<<20, func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	s := New(m, DefaultOptions())
	const goroutines, each = 8, 500
	count := 0
	var wait sync.WaitGroup
	for range goroutines {
		wait.Go(func() {
			for range each {
				for m.Post(workFunc(func(*Shard) bool { count++; return true }), 100, nil) != nil {
				}
			}
		})
	}
	for count < goroutines*each {
		<-woken
		for s.Step(clock.Instant{}) {
		}
	}
	wait.Wait()
}

func TestReleasesRing(t *testing.T) {
	var r releases
	next, want := 0, 0
	for round := range 200 {
		for range round % 7 {
			r.push(entry{size: next})
			next++
		}
		for range round % 5 {
			if r.count == 0 {
				break
			}
			if e := r.pop(); e.size != want+entrySize {
				t.Fatalf("popped %d, want %d", e.size-entrySize, want)
			}
			want++
		}
	}
	for r.count > 0 {
		r.pop()
		want++
	}
	if r.size != 0 || want != next || r.last() != nil {
		t.Errorf("size %d, %d of %d", r.size, want, next)
	}
}
