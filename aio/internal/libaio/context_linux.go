package libaio

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrStopped is what Wait returns after Stop.
var ErrStopped = errors.New("context is stopped")

// Numbers of include/uapi/linux/aio_abi.h.
const (
	cmdPread  = 0
	cmdPwrite = 1
	cmdFdsync = 3
)

// iocb is a request, 64 bytes. The fields without a name belong to the kernel or stay zero.
type iocb struct {
	data   uint64
	_, _   uint32 // key and rw_flags, in the order of the machine's bytes
	opcode uint16
	_      int16 // priority
	fd     uint32
	buf    uint64
	n      uint64
	off    int64
	_      uint64
	_      uint32 // flags
	_      uint32 // descriptor of an eventfd
}

// event is a result, 32 bytes.
type event struct {
	data, obj uint64
	res, res2 int64
}

// Context is one queue. Write, Read, Datasync and Flush may be called from several goroutines, Wait from one. The
// number of a request, user, is below the entries that New was given and in use once at a time.
type Context struct {
	id      uintptr
	stopped atomic.Bool
	events  []event
	mu      struct {
		sync.Mutex
		table    []iocb
		pending  []*iocb
		spare    []*iocb
		flushing bool
	}
	submit func(id uintptr, list []*iocb) (int, unix.Errno) // the system call; tests replace it
}

// New makes a context for so many requests at once.
func New(entries int) (*Context, error) {
	c := &Context{submit: submit}
	if _, _, errno := unix.Syscall(unix.SYS_IO_SETUP, uintptr(entries), uintptr(unsafe.Pointer(&c.id)), 0); errno != 0 {
		return nil, fmt.Errorf("io_setup: %w", errno)
	}
	c.events = make([]event, min(entries, 64))
	c.mu.table = make([]iocb, entries)
	return c, nil
}

func submit(id uintptr, list []*iocb) (int, unix.Errno) {
	n, _, errno := unix.Syscall(unix.SYS_IO_SUBMIT, id, uintptr(len(list)), uintptr(unsafe.Pointer(&list[0])))
	return int(n), errno
}

// Write prepares a write of p at off. user comes back from Wait.
func (c *Context) Write(fd int, p []byte, off int64, user uint64) {
	c.prepare(cmdPwrite, fd, p, off, user)
}

// Read prepares a read into p at off.
func (c *Context) Read(fd int, p []byte, off int64, user uint64) {
	c.prepare(cmdPread, fd, p, off, user)
}

// Datasync prepares a data sync of the file.
func (c *Context) Datasync(fd int, user uint64) { c.prepare(cmdFdsync, fd, nil, 0, user) }

func (c *Context) prepare(opcode uint16, fd int, p []byte, off int64, user uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cb := &c.mu.table[user]
	*cb = iocb{data: user, opcode: opcode, fd: uint32(fd), off: off, n: uint64(len(p)),
		buf: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(p))))}
	c.mu.pending = append(c.mu.pending, cb)
}

// Flush hands what is prepared to the kernel, unless another goroutine is at it and will take it along. Requests that
// the kernel does not take, for good, are given to failed, outside all locks.
func (c *Context) Flush(failed func(user uint64, err error)) {
	c.mu.Lock()
	if c.mu.flushing {
		c.mu.Unlock()
		return
	}
	c.mu.flushing = true
	for len(c.mu.pending) > 0 {
		list := c.mu.pending
		c.mu.pending = c.mu.spare[:0]
		c.mu.Unlock()
		c.send(list, failed)
		c.mu.Lock()
		c.mu.spare = list
	}
	c.mu.flushing = false
	c.mu.Unlock()
}

// triesMax with backoff is about a second of a kernel without memory for requests.
const triesMax = 100

func backoff(tries int) time.Duration {
	return min(time.Duration(tries)*100*time.Microsecond, 10*time.Millisecond)
}

// send submits list. What the kernel took is what the call returned: an error means that the first one was not taken.
func (c *Context) send(list []*iocb, failed func(user uint64, err error)) {
	for tries := 0; len(list) > 0; {
		n, errno := c.submit(c.id, list)
		switch {
		case errno == unix.EINTR:
		case errno == 0 && n > 0:
			list, tries = list[n:], 0
		case (errno == unix.EAGAIN || errno == 0) && tries < triesMax:
			tries++
			time.Sleep(backoff(tries))
		default:
			failed(list[0].data, fmt.Errorf("io_submit: %w", errno))
			list, tries = list[1:], 0
		}
	}
}

// Wait blocks until there are results and gives each to done: the kernel's number, bytes or a negative errno. It returns
// ErrStopped after Stop; any other error means that results can no longer be received.
func (c *Context) Wait(done func(user uint64, res int)) error {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_IO_GETEVENTS, c.id, 1, uintptr(len(c.events)),
			uintptr(unsafe.Pointer(&c.events[0])), 0, 0)
		switch {
		case c.stopped.Load():
			return ErrStopped
		case errno == unix.EINTR || (errno == 0 && n == 0):
			continue
		case errno != 0:
			return fmt.Errorf("io_getevents: %w", errno)
		}
		for _, e := range c.events[:n] {
			done(e.data, int(e.res))
		}
		return nil
	}
}

// Stop destroys the context, which makes Wait return ErrStopped. Call it when nothing is in flight.
func (c *Context) Stop() {
	c.stopped.Store(true)
	// It fails for an id that is not a context only.
	_, _, _ = unix.Syscall(unix.SYS_IO_DESTROY, c.id, 0, 0)
}

// Close completes Stop: there is nothing left to give back.
func (c *Context) Close() error {
	if !c.stopped.Load() {
		c.Stop()
	}
	return nil
}
