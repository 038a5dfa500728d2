package aio

import (
	"errors"
	"fmt"
	"sync"
	"syscall"

	"github.com/hindmq/hind/aio/internal/libaio"
	"github.com/hindmq/hind/aio/internal/uring"
)

// kernelQueue is what io_uring and libaio have in common.
type kernelQueue interface {
	Write(fd int, p []byte, off int64, user uint64)
	Read(fd int, p []byte, off int64, user uint64)
	Datasync(fd int, user uint64)
	Flush(failed func(user uint64, err error))
	Wait(done func(user uint64, res int)) error
	Stop()
	Close() error
}

// ringEngine submits to a queue of the kernel; one goroutine waits for the results and delivers them. Where the
// descriptor does not sync by itself, the data sync is submitted when the write's result has arrived.
type ringEngine struct {
	*inflight
	queue  kernelQueue
	stages []stage // by slot; only who handles the slot's operation touches an entry
	ended  sync.WaitGroup
	// The methods failed and arrived as values, made once: each use would allocate otherwise.
	onFailed  func(user uint64, err error)
	onArrived func(user uint64, res int)
}

// stage is how far an operation of several requests is.
type stage struct {
	syncing bool // the write is done, the sync is in flight
	read    int  // bytes that earlier requests of a read brought
}

func newRingEngine(name string, o EngineOptions, q kernelQueue) *ringEngine {
	e := &ringEngine{inflight: newInflight(name, o.Depth), queue: q, stages: make([]stage, o.Depth)}
	e.onFailed, e.onArrived = e.failed, e.arrived
	return e
}

func openUring(o EngineOptions) (Engine, error) {
	q, err := uring.New(o.Depth)
	if err != nil {
		return nil, err
	}
	return newRingEngine("io_uring", o, q), nil
}

func openLibaio(o EngineOptions) (Engine, error) {
	q, err := libaio.New(o.Depth)
	if err != nil {
		return nil, err
	}
	return newRingEngine("libaio", o, q), nil
}

// Start implements Engine.
func (e *ringEngine) Start(sink func([]Completion)) {
	e.sink = sink
	e.ended.Go(e.reap)
}

// Submit implements Engine. Several callers at once become one system call.
func (e *ringEngine) Submit(ops ...Op) error {
	k, err := e.admit(ops)
	if err != nil {
		return err
	}
	refused := false
	for k != none {
		s := e.at(k)
		switch {
		case e.refuse(k, &s):
			refused = true
		case s.op.Kind == OpWrite:
			e.queue.Write(s.file.fd, s.op.Data, s.op.Off, uint64(k))
		default:
			e.queue.Read(s.file.fd, s.op.Data, s.op.Off, uint64(k))
		}
		k = s.next
	}
	e.queue.Flush(e.onFailed)
	if refused {
		go e.deliver() // the sink is never called from inside Submit
	}
	return nil
}

// failed is told about a request that the kernel did not take.
func (e *ringEngine) failed(user uint64, err error) {
	e.end(uint32(user), 0, err)
	go e.deliver()
}

func (e *ringEngine) end(k uint32, n int, err error) {
	e.stages[k] = stage{}
	e.finish(k, n, err)
}

// reap waits for results until Close.
func (e *ringEngine) reap() {
	for {
		err := e.queue.Wait(e.onArrived)
		e.queue.Flush(e.onFailed) // syncs that arrived prepared
		e.deliver()
		switch {
		case errors.Is(err, uring.ErrStopped) || errors.Is(err, libaio.ErrStopped):
			return
		case err != nil:
			// Which writes are done can no longer be known, and the kernel still owns the buffers: the only safe
			// state is that of a crash.
			panic(fmt.Sprintf("aio: engine %s cannot receive results: %v", e.Name(), err))
		}
	}
}

// arrived takes one result of the kernel.
func (e *ringEngine) arrived(user uint64, res int) {
	k := uint32(user)
	s, st := e.at(k), &e.stages[k]
	if res < 0 {
		e.end(k, 0, syscall.Errno(-res))
		return
	}
	switch want := len(s.op.Data); {
	case st.syncing:
		e.end(k, want, nil)
	case s.op.Kind == OpWrite && res == want && s.file.desc.Sync == SyncFdatasync:
		st.syncing = true
		e.queue.Datasync(s.file.fd, user)
	case s.op.Kind == OpWrite:
		e.end(k, res, nil)
	default:
		e.readArrived(k, s, res)
	}
}

// readArrived asks for the rest of a read that stopped before the end of the file, as buffered ones may.
func (e *ringEngine) readArrived(k uint32, s slot, res int) {
	st := &e.stages[k]
	st.read += res
	off := s.op.Off + int64(st.read)
	if res == 0 || st.read == len(s.op.Data) || off >= s.file.size || st.read%s.file.desc.Align != 0 {
		e.end(k, st.read, nil)
		return
	}
	e.queue.Read(s.file.fd, s.op.Data[st.read:], off, uint64(k))
}

// Close implements Engine.
func (e *ringEngine) Close() error {
	if err := e.drain(); err != nil {
		return err
	}
	e.queue.Stop()
	e.ended.Wait()
	return e.queue.Close()
}
