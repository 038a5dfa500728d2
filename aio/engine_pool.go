package aio

import "sync"

// poolEngine runs each operation as a blocking call on one of a few goroutines: the engine of every platform, and the
// fastest one at depth 1 on some disks. Workers start when they are first needed.
type poolEngine struct {
	*inflight
	do      func(f *osFile, op Op) (int, error)
	queue   chan uint32 // as long as the table, so that a send never blocks
	limit   int
	workers sync.WaitGroup
	mu      struct {
		sync.Mutex
		started int
	}
}

func newPoolEngine(name string, o EngineOptions, do func(f *osFile, op Op) (int, error)) *poolEngine {
	return &poolEngine{inflight: newInflight(name, o.Depth), do: do, queue: make(chan uint32, o.Depth), limit: o.Workers}
}

// pwriteOp is a blocking positioned read or write.
func pwriteOp(f *osFile, op Op) (int, error) {
	if op.Kind == OpWrite {
		return f.writeDurable(op.Data, op.Off)
	}
	return f.read(op.Data, op.Off)
}

// Start implements Engine.
func (e *poolEngine) Start(sink func([]Completion)) { e.sink = sink }

// Submit implements Engine. It never blocks.
func (e *poolEngine) Submit(ops ...Op) error {
	k, err := e.admit(ops)
	if err != nil {
		return err
	}
	e.ensure()
	for k != none {
		next := e.at(k).next
		e.queue <- k
		k = next
	}
	return nil
}

// ensure starts workers while there are fewer than operations in flight.
func (e *poolEngine) ensure() {
	want := min(e.InFlight(), e.limit)
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.mu.started < want {
		e.mu.started++
		e.workers.Go(e.work)
	}
}

// work is one worker; it ends when Close closes the queue.
func (e *poolEngine) work() {
	for k := range e.queue {
		if s := e.at(k); !e.refuse(k, &s) {
			n, err := e.do(s.file, s.op)
			e.finish(k, n, err)
		}
		e.deliver()
	}
}

// Close implements Engine.
func (e *poolEngine) Close() error {
	if err := e.drain(); err != nil {
		return err
	}
	close(e.queue)
	e.workers.Wait()
	return nil
}
