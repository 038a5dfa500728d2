package aiotest

import (
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hindmq/hind/aio"
)

// DepthDefault is how many operations an engine takes at once if EngineOptions says nothing.
const DepthDefault = 256

// EngineOptions of Process.Engine.
type EngineOptions struct {
	// Auto completes operations from a goroutine of the engine instead of from Step; the seed still chooses which.
	Auto bool
	// Depth limits the operations in flight; beyond it Submit returns aio.ErrBusy. 0: DepthDefault.
	Depth int
}

// Engine is the simulated aio.Engine of one process.
type Engine struct {
	process *Process
	opts    EngineOptions
	sink    func([]aio.Completion)
	closed  bool // guarded by the disk's lock
	ready   *sync.Cond
	stopped chan struct{} // closed when the goroutine of an auto engine has ended
}

var (
	_ aio.Engine  = (*Engine)(nil)
	_ aio.Watched = (*Engine)(nil)
)

// flight is one operation in flight.
type flight struct {
	op     aio.Op
	file   *file // nil: the process died; the write lands late by ino
	ino    int
	engine *Engine // nil: the process died
	due    time.Duration
	number uint64 // order of submission
	sum    uint32 // of the data at submission
	fault  fault
	hungBy *Injection
}

// Engine makes an engine whose files must be this process'.
func (p *Process) Engine(opts EngineOptions) *Engine {
	if opts.Depth == 0 {
		opts.Depth = DepthDefault
	}
	e := &Engine{process: p, opts: opts, ready: sync.NewCond(&p.disk.mu)}
	p.disk.mu.Lock()
	defer p.disk.mu.Unlock()
	p.engines = append(p.engines, e)
	return e
}

// Name implements aio.Engine.
func (e *Engine) Name() string { return "sim" }

// Start implements aio.Engine.
func (e *Engine) Start(sink func([]aio.Completion)) {
	e.sink = sink
	if e.opts.Auto {
		e.stopped = make(chan struct{})
		go e.run()
	}
}

// wake tells an auto engine that something may have become ready; the lock is held.
func (e *Engine) wake() { e.ready.Broadcast() }

// Submit implements aio.Engine.
func (e *Engine) Submit(ops ...aio.Op) error {
	d := e.process.disk
	for _, op := range ops {
		if err := aio.CheckOp(op); err != nil {
			return err
		}
		if f, ok := op.File.(*file); !ok || f.process != e.process {
			return fmt.Errorf("%s: not a file of %s: %w", op.File.Name(), e.process, aio.ErrOutside)
		}
	}
	if err := e.admits(ops); err != nil {
		return err
	}
	for _, op := range ops {
		kind := CallWrite
		if op.Kind == aio.OpRead {
			kind = CallRead
		}
		ft := d.call(Call{Kind: kind, Name: op.File.Name(), Off: op.Off, Process: e.process.name})
		d.mu.Lock()
		d.take(e, op, ft)
		d.mu.Unlock()
	}
	return nil
}

func (e *Engine) admits(ops []aio.Op) error {
	e.process.disk.mu.Lock()
	defer e.process.disk.mu.Unlock()
	n := len(ops)
	switch {
	case e.process.dead:
		return fmt.Errorf("engine sim: process %q is dead: %w", e.process.name, syscall.EIO)
	case e.closed:
		return fmt.Errorf("engine sim: %w", aio.ErrClosed)
	case e.inFlight()+n > e.opts.Depth:
		return fmt.Errorf("engine sim: %d more than %d of %d in flight: %w", n, e.inFlight(), e.opts.Depth, aio.ErrBusy)
	}
	for _, op := range ops {
		if f := op.File.(*file); f.closed {
			return fmt.Errorf("%s: %w", f.name, os.ErrClosed)
		}
	}
	return nil
}

func (d *Disk) take(e *Engine, op aio.Op, ft fault) {
	f := op.File.(*file)
	d.sequence++
	fl := &flight{op: op, file: f, ino: f.ino, engine: e, number: d.sequence, fault: ft}
	fl.due = d.now + d.opts.LatencyMin
	if span := d.opts.LatencyMax - d.opts.LatencyMin; span > 0 {
		fl.due += time.Duration(d.rng.Int64N(int64(span) + 1))
	}
	switch ft.kind {
	case FaultHang:
		fl.hungBy = ft.by
		fl.fault = fault{kind: faultNone}
	case FaultDelay:
		fl.due += ft.delay
		fl.fault = fault{kind: faultNone}
	}
	if op.Kind == aio.OpWrite && !d.opts.NoBufferCheck {
		fl.sum = crc32.Checksum(op.Data, castagnoli)
	}
	d.flights = append(d.flights, fl)
	e.wake()
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// InFlight implements aio.Watched.
func (e *Engine) InFlight() int {
	e.process.disk.mu.Lock()
	defer e.process.disk.mu.Unlock()
	return e.inFlight()
}

func (e *Engine) inFlight() int {
	n := 0
	for _, f := range e.process.disk.flights {
		if f.engine == e {
			n++
		}
	}
	return n
}

// Oldest implements aio.Watched.
func (e *Engine) Oldest() (op aio.Op, ok bool) {
	e.process.disk.mu.Lock()
	defer e.process.disk.mu.Unlock()
	for _, f := range e.process.disk.flights {
		if f.engine == e && (!ok || f.op.At < op.At) {
			op, ok = f.op, true
		}
	}
	return op, ok
}

// Close implements aio.Engine. What is in flight is completed first, in an order chosen by the seed. An engine that
// does not step by itself cannot wait for hung operations: it returns an error and they stay on the disk, to land late.
func (e *Engine) Close() error {
	d := e.process.disk
	d.mu.Lock()
	if e.closed {
		d.mu.Unlock()
		return fmt.Errorf("engine sim: %w", aio.ErrClosed)
	}
	e.closed = true
	e.wake()
	d.mu.Unlock()
	if e.stopped != nil {
		<-e.stopped
		return nil
	}
	for d.step(e) {
	}
	if n := e.InFlight(); n > 0 {
		return fmt.Errorf("engine sim: closed with %d operations hung: %w", n, syscall.EBUSY)
	}
	return nil
}

// run completes what an auto engine has; it ends after Close when nothing is in flight.
func (e *Engine) run() {
	defer close(e.stopped)
	d := e.process.disk
	for {
		d.mu.Lock()
		for !e.process.dead && !e.anyReady() && !(e.closed && e.inFlight() == 0) {
			e.ready.Wait()
		}
		done := e.process.dead || e.inFlight() == 0
		d.mu.Unlock()
		if done {
			return
		}
		d.step(e)
	}
}

func (e *Engine) anyReady() bool {
	return slices.ContainsFunc(e.process.disk.flights, func(f *flight) bool { return f.engine == e && f.hungBy == nil })
}
