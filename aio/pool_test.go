package aio

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
)

func newTestPool(t *testing.T, count int) *Pool {
	t.Helper()
	p, err := NewPool(PoolOptions{Size: 2 * BufferAlign, Count: count, Poison: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPoolLimitAndOrder(t *testing.T) {
	p := newTestPool(t, 2)
	a, b := p.TryGet(), p.TryGet()
	if a == nil || b == nil || p.TryGet() != nil {
		t.Fatal("want two buffers and no third")
	}
	for _, x := range []*Buffer{a, b} {
		if address(x.Bytes())%BufferAlign != 0 || len(x.Bytes()) != 2*BufferAlign || cap(x.Bytes()) != len(x.Bytes()) {
			t.Error("a buffer is not aligned, or not of its size")
		}
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("no more patience")
	cancel(cause)
	if _, err := p.Get(ctx); !errors.Is(err, ErrNoBuffer) || !errors.Is(err, cause) {
		t.Errorf("Get at the limit: %v", err)
	}
	if err := p.Close(); err == nil {
		t.Error("a pool with buffers in use was closed")
	}
	b.Release()
	if c := p.TryGet(); c != b {
		t.Error("the buffer released last is not handed out first")
	} else {
		c.Release()
	}
	a.Release()
	if s := p.Stats(); s != (PoolStats{InUse: 0, Peak: 2, Count: 2}) {
		t.Errorf("stats %+v", s)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := p.Get(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("Get after Close: %v", err)
	}
}

func TestPoolServesInOrderOfArrival(t *testing.T) {
	p := newTestPool(t, 1)
	held := p.TryGet()
	got := make(chan int, 3)
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			b, err := p.Get(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			got <- i
			b.Release()
		})
		for p.Stats().Waiting != i+1 {
			runtime.Gosched()
		}
	}
	held.Release()
	wg.Wait()
	for i := range 3 {
		if k := <-got; k != i {
			t.Errorf("place %d went to waiter %d", i, k)
		}
	}
}

// TestPoolCancelledWaiterPassesOn covers the race of a hand-over with a cancelled wait: no buffer may be lost.
func TestPoolCancelledWaiterPassesOn(t *testing.T) {
	p := newTestPool(t, 1)
	for range 2000 {
		held := p.TryGet()
		if held == nil {
			t.Fatal("the buffer was lost")
		}
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() {
			if b, err := p.Get(ctx); err == nil {
				b.Release()
			}
		})
		wg.Go(cancel)
		held.Release()
		wg.Wait()
	}
	if s := p.Stats(); s.InUse != 0 || s.Waiting != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestBufferCountsUsers(t *testing.T) {
	p := newTestPool(t, 1)
	b := p.TryGet()
	b.Retain()
	b.Release()
	if p.TryGet() != nil {
		t.Fatal("a buffer with a user was handed out")
	}
	b.Release()
	mustPanic(t, "second release", b.Release)
	b = newTestPool(t, 1).TryGet()
	b.Release()
	mustPanic(t, "retain after release", b.Retain)
}

func TestPoisonFindsUseAfterRelease(t *testing.T) {
	p := newTestPool(t, 1)
	b := p.TryGet()
	data := b.Bytes()
	data[7] = 1
	b.Release()
	if data[7] != PoisonByte {
		t.Error("a released buffer was not poisoned")
	}
	data[100] = 1
	mustPanic(t, "write after release", func() { p.TryGet() })
}

func TestPoolRefusesBadOptions(t *testing.T) {
	for _, o := range []PoolOptions{{Size: 100, Count: 1}, {Size: 0, Count: 1}, {Size: BufferAlign}, {Size: -BufferAlign, Count: 1}} {
		if _, err := NewPool(o); err == nil {
			t.Errorf("pool with %+v was made", o)
		}
	}
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s did not panic", what)
		}
	}()
	f()
}

func BenchmarkPool(b *testing.B) {
	p, err := NewPool(PoolOptions{Size: 1 << 16, Count: 8})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.TryGet().Release()
	}
}
