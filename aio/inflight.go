package aio

import (
	"fmt"
	"sync"
)

// EngineOptions of OpenEngine.
type EngineOptions struct {
	// Depth limits the operations in flight; beyond it Submit returns ErrBusy. 0: DepthDefault.
	Depth int
	// Workers limits the threads of the engines that block in the kernel. 0: WorkersDefault. Never above Depth.
	Workers int
	// AllowVolatile is needed for engines that cannot promise durability ("mapped").
	AllowVolatile bool
}

const (
	// DepthDefault is far above what a journal has in flight.
	DepthDefault = 256
	// WorkersDefault is where more blocking writers stopped helping on the disks measured.
	WorkersDefault = 32
	depthMax       = 4096 // the kernel's limit is 32768 entries; two per operation are needed at most
)

func (o *EngineOptions) setDefaults() error {
	if o.Depth == 0 {
		o.Depth = DepthDefault
	}
	if o.Workers == 0 {
		o.Workers = WorkersDefault
	}
	if o.Depth < 1 || o.Depth > depthMax || o.Workers < 1 {
		return fmt.Errorf("engine with depth %d and %d workers: depth must be 1 to %d, workers positive", o.Depth,
			o.Workers, depthMax)
	}
	o.Workers = min(o.Workers, o.Depth)
	return nil
}

// inflight is the part that all engines share: the table of operations in flight, which also keeps their buffers
// reachable, and the delivery of completions, which calls the sink from one goroutine at a time.
type inflight struct {
	name string
	sink func([]Completion)
	mu   struct {
		sync.Mutex
		slots  []slot
		free   []uint32
		done   []Completion // to be delivered
		closed bool
		busy   bool // somebody is delivering
	}
	idle  sync.Cond // on mu: nothing is in flight or undelivered
	spare []Completion
}

type slot struct {
	op   Op
	file *osFile
	used bool
	next uint32 // slot of the next operation of the same Submit, or none
}

const none = ^uint32(0)

func newInflight(name string, depth int) *inflight {
	t := &inflight{name: name}
	t.idle.L = &t.mu
	t.mu.slots = make([]slot, depth)
	t.mu.free = make([]uint32, 0, depth)
	for i := depth - 1; i >= 0; i-- {
		t.mu.free = append(t.mu.free, uint32(i))
	}
	return t
}

// admit takes all operations or none. Their slots are a list from first on, in the order of ops: a list in the slots
// costs no memory. It keeps the files' descriptors open.
func (t *inflight) admit(ops []Op) (first uint32, err error) {
	for i := range ops {
		if err := CheckOp(ops[i]); err != nil {
			return none, err
		}
		if _, ok := ops[i].File.(*osFile); !ok {
			return none, fmt.Errorf("engine %s: %s is not a file of an OS: %w", t.name, ops[i].File.Name(), ErrOutside)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.closed {
		return none, fmt.Errorf("engine %s: %w", t.name, ErrClosed)
	}
	if len(ops) > len(t.mu.free) {
		depth := len(t.mu.slots)
		return none, fmt.Errorf("engine %s: %d more than %d of %d in flight: %w", t.name, len(ops),
			depth-len(t.mu.free), depth, ErrBusy)
	}
	for i := range ops {
		f := ops[i].File.(*osFile)
		if err := f.acquire(); err != nil {
			for _, earlier := range ops[:i] {
				earlier.File.(*osFile).release()
			}
			return none, err
		}
	}
	first = none
	for i := len(ops) - 1; i >= 0; i-- {
		k := t.mu.free[len(t.mu.free)-1]
		t.mu.free = t.mu.free[:len(t.mu.free)-1]
		t.mu.slots[k] = slot{op: ops[i], file: ops[i].File.(*osFile), used: true, next: first}
		first = k
	}
	return first, nil
}

// at is a copy of a slot that is in flight. The lock orders what its operation's goroutines do, since the way through
// the kernel is not one that the memory model knows.
func (t *inflight) at(k uint32) slot {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mu.slots[k]
}

// finish settles one operation with the kernel's answer: n bytes, or an error. The caller then calls deliver. Settling
// and queueing are one step, so that no write is confirmed after the failure of another one was reported.
func (t *inflight) finish(k uint32, n int, err error) {
	s := t.at(k)
	s.file.release()
	t.mu.Lock()
	defer t.mu.Unlock()
	c := Completion{Tag: s.op.Tag, N: max(n, 0)}
	if s.op.Kind == OpWrite {
		c.Err = s.file.settle(n, len(s.op.Data), s.op.Off, err)
	} else {
		c.Err = s.file.settleRead(n, len(s.op.Data), s.op.Off, err)
	}
	t.retire(k, c)
}

// refuse completes a write that is not to be started because its file is poisoned; false if it is not.
func (t *inflight) refuse(k uint32, s *slot) bool {
	if s.op.Kind != OpWrite {
		return false
	}
	err := s.file.poisoned()
	if err == nil {
		return false
	}
	s.file.release()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.retire(k, Completion{Tag: s.op.Tag, Err: err})
	return true
}

// retire frees the slot; mu is held.
func (t *inflight) retire(k uint32, c Completion) {
	t.mu.slots[k] = slot{}
	t.mu.free = append(t.mu.free, k)
	t.mu.done = append(t.mu.done, c)
}

// deliver hands what is finished to the sink, unless another goroutine is at it and will see it. Whoever delivers goes
// on until nothing is left: under load completions gather into batches by themselves.
func (t *inflight) deliver() {
	t.mu.Lock()
	for !t.mu.busy && len(t.mu.done) > 0 {
		t.mu.busy = true
		batch := t.mu.done
		t.mu.done = t.spare[:0]
		t.mu.Unlock()
		t.sink(batch)
		clear(batch) // errors must not be kept alive
		t.mu.Lock()
		t.spare = batch
		t.mu.busy = false
	}
	if t.quiet() {
		t.idle.Broadcast()
	}
	t.mu.Unlock()
}

func (t *inflight) quiet() bool {
	return len(t.mu.free) == len(t.mu.slots) && len(t.mu.done) == 0 && !t.mu.busy
}

// drain refuses new operations and waits until all are delivered.
func (t *inflight) drain() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.closed {
		return fmt.Errorf("engine %s: %w", t.name, ErrClosed)
	}
	t.mu.closed = true
	for !t.quiet() {
		t.idle.Wait()
	}
	return nil
}

// Name implements Engine.
func (t *inflight) Name() string { return t.name }

// InFlight implements Watched.
func (t *inflight) InFlight() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.mu.slots) - len(t.mu.free)
}

// Oldest implements Watched. It looks at every slot: for a timer, not for each write.
func (t *inflight) Oldest() (op Op, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.mu.slots {
		if s := &t.mu.slots[i]; s.used && (!ok || s.op.At < op.At) {
			op, ok = s.op, true
		}
	}
	return op, ok
}
