package aio

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// BufferAlign is the alignment of every Buffer's address and size: the page of the machine and the largest direct-I/O
// alignment that files are opened with.
const BufferAlign = 4096

// ErrNoBuffer says that a Pool is at its limit.
var ErrNoBuffer = errors.New("buffer pool is at its limit")

// PoolOptions of NewPool.
type PoolOptions struct {
	// Size of each buffer in bytes, a multiple of BufferAlign.
	Size int
	// Count limits the buffers. Size*Count is the pool's budget: address space at once, memory only once a buffer was used.
	Count int
	// Poison fills a buffer with PoisonByte when it is released and checks on Get that nobody wrote to it since: finds
	// use after release, costs one pass over each buffer. Always on under the build tag hinddebug.
	Poison bool
}

// PoisonByte fills released buffers of a pool with Poison.
const PoisonByte = 0xDB

// Pool hands out aligned buffers of one size, outside the Go heap where the system has anonymous mappings. The buffer
// released last is handed out first, so that a pool touches no more memory than was in use at its peak. Safe for
// concurrent use.
type Pool struct {
	opts   PoolOptions
	memory []byte
	mu     struct {
		sync.Mutex
		free    []*Buffer
		waiting []chan *Buffer // in order of arrival
		peak    int
		closed  bool
	}
}

// Buffer is aligned memory with a count of its users. A page goes to the disk and to the replica at once: whoever keeps
// it longer than the call that gave it retains it, and releases it once.
type Buffer struct {
	pool *Pool
	data []byte
	refs atomic.Int32
}

// NewPool reserves the pool's budget.
func NewPool(o PoolOptions) (*Pool, error) {
	if o.Size <= 0 || o.Size%BufferAlign != 0 || o.Count <= 0 {
		return nil, fmt.Errorf("buffer pool of %d times %d bytes: size must be a positive multiple of %d, count positive",
			o.Count, o.Size, BufferAlign)
	}
	o.Poison = o.Poison || debugChecks
	memory, err := reserve(o.Size * o.Count)
	if err != nil {
		return nil, fmt.Errorf("buffer pool of %d times %d bytes: %w; choose a smaller budget", o.Count, o.Size, err)
	}
	p := &Pool{opts: o, memory: memory}
	p.mu.free = make([]*Buffer, 0, o.Count)
	buffers := make([]Buffer, o.Count)
	for i := o.Count - 1; i >= 0; i-- {
		b := &buffers[i]
		b.pool = p
		b.data = memory[i*o.Size : (i+1)*o.Size : (i+1)*o.Size]
		p.mu.free = append(p.mu.free, b)
	}
	return p, nil
}

// Size is the number of bytes in each buffer.
func (p *Pool) Size() int { return p.opts.Size }

// Budget is the number of bytes that the pool may come to use.
func (p *Pool) Budget() int64 { return int64(p.opts.Size) * int64(p.opts.Count) }

// PoolStats counts buffers.
type PoolStats struct{ InUse, Peak, Count, Waiting int }

// Stats is a snapshot.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return PoolStats{p.opts.Count - len(p.mu.free), p.mu.peak, p.opts.Count, len(p.mu.waiting)}
}

// TryGet hands out a buffer with one reference, or nil if all are in use. Its content is undefined.
func (p *Pool) TryGet() *Buffer {
	p.mu.Lock()
	b := p.take()
	p.mu.Unlock()
	return b.first()
}

// Get is TryGet that waits until a buffer is released, first come first served. The error is ErrNoBuffer with the cause
// of ctx, or ErrClosed.
func (p *Pool) Get(ctx context.Context) (*Buffer, error) {
	p.mu.Lock()
	if p.mu.closed {
		p.mu.Unlock()
		return nil, fmt.Errorf("buffer pool: %w", ErrClosed)
	}
	if b := p.take(); b != nil {
		p.mu.Unlock()
		return b.first(), nil
	}
	turn := make(chan *Buffer, 1)
	p.mu.waiting = append(p.mu.waiting, turn)
	p.mu.Unlock()
	select {
	case b := <-turn:
		return b.first(), nil
	case <-ctx.Done():
	}
	p.leave(turn)
	return nil, fmt.Errorf("%w: all %d buffers of %d bytes are in use: %w", ErrNoBuffer, p.opts.Count, p.opts.Size,
		context.Cause(ctx))
}

// leave ends waiting; a buffer that was handed over meanwhile goes on to the next.
func (p *Pool) leave(turn chan *Buffer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, c := range p.mu.waiting {
		if c == turn {
			p.mu.waiting = append(p.mu.waiting[:i], p.mu.waiting[i+1:]...)
			return
		}
	}
	p.give(<-turn)
}

// take pops a free buffer; mu is held.
func (p *Pool) take() *Buffer {
	n := len(p.mu.free)
	if n == 0 {
		return nil
	}
	b := p.mu.free[n-1]
	p.mu.free = p.mu.free[:n-1]
	p.mu.peak = max(p.mu.peak, p.opts.Count-n+1)
	return b
}

// give hands a buffer to who waits longest, or frees it; mu is held.
func (p *Pool) give(b *Buffer) {
	if len(p.mu.waiting) > 0 {
		turn := p.mu.waiting[0]
		p.mu.waiting = append(p.mu.waiting[:0], p.mu.waiting[1:]...)
		turn <- b
		return
	}
	p.mu.free = append(p.mu.free, b)
}

// Close gives the memory back. It fails, and changes nothing, while a buffer is in use or waited for: a kernel that
// still writes from it must never meet another mapping there.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.closed {
		return fmt.Errorf("buffer pool: %w", ErrClosed)
	}
	if used := p.opts.Count - len(p.mu.free); used > 0 || len(p.mu.waiting) > 0 {
		return fmt.Errorf("buffer pool: %d of %d buffers are still in use, %d are waited for", used, p.opts.Count,
			len(p.mu.waiting))
	}
	p.mu.closed = true
	p.mu.free = nil
	memory := p.memory
	p.memory = nil
	return unreserve(memory)
}

// Abandon gives the memory back although buffers may be in use: for a simulated process that was killed, whose every user of
// a buffer is gone. Whoever touches a buffer afterwards crashes.
func (p *Pool) Abandon() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.closed {
		return fmt.Errorf("buffer pool: %w", ErrClosed)
	}
	p.mu.closed = true
	p.mu.free = nil
	memory := p.memory
	p.memory = nil
	return unreserve(memory)
}

// first starts the count of a buffer that was just taken. nil stays nil.
func (b *Buffer) first() *Buffer {
	if b == nil {
		return nil
	}
	if b.pool.opts.Poison {
		b.checkPoison()
	}
	b.refs.Store(1)
	return b
}

// Bytes is the whole buffer.
func (b *Buffer) Bytes() []byte { return b.data }

// Retain adds a user. Only who has a reference may give another.
func (b *Buffer) Retain() {
	if b.refs.Add(1) < 2 {
		panic("aio: Retain of a buffer that is not in use")
	}
}

// Release takes a user away; after the last one the buffer goes back to its pool.
func (b *Buffer) Release() {
	switch n := b.refs.Add(-1); {
	case n > 0:
		return
	case n < 0:
		panic("aio: Release of a buffer that is not in use")
	}
	p := b.pool
	if p.opts.Poison {
		for i := range b.data {
			b.data[i] = PoisonByte
		}
	}
	p.mu.Lock()
	p.give(b)
	p.mu.Unlock()
}

// checkPoison panics if somebody wrote to the buffer after its release. A buffer that was never used holds zeros.
func (b *Buffer) checkPoison() {
	want := b.data[0]
	for i, c := range b.data {
		if c != want || (c != PoisonByte && c != 0) {
			panic(fmt.Sprintf("aio: byte %d of a released buffer was written to (%#x)", i, c))
		}
	}
}
