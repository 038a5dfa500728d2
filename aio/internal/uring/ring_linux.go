package uring

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
var ErrStopped = errors.New("ring is stopped")

// userStop marks the request that ends Wait. Callers' numbers are smaller.
const userStop = ^uint64(0)

// Ring is one io_uring. Write, Read, Datasync and Flush may be called from several goroutines, Wait from one.
type Ring struct {
	fd    int
	rings []byte // submission and completion ring
	sqes  []byte

	kernelSQHead, kernelSQTail, kernelCQHead, kernelCQTail *uint32
	sqMask, cqMask                                         uint32
	array                                                  unsafe.Pointer // [entries]uint32
	cqes                                                   unsafe.Pointer // [cqEntries]cqe

	mu struct {
		sync.Mutex
		flushing bool // one goroutine submits for all
	}
	// enter is the system call; tests replace it to see what interruptions do.
	enter func(fd int, submit, wait, flags uint32) (int, unix.Errno)
}

// New sets up a ring for so many requests at once. Errors are wrapped errnos of the system calls, or errors.ErrUnsupported
// for a kernel that lacks what is needed.
func New(entries int) (*Ring, error) {
	r := &Ring{enter: enter}
	p := params{flags: setupSubmitAll}
	fd, errno := setup(uint32(entries)+1, &p) // one more for Stop
	if errno == unix.EINVAL {                 // before 5.18: the loop in Flush makes up for it
		p = params{}
		fd, errno = setup(uint32(entries)+1, &p)
	}
	if errno != 0 {
		return nil, fmt.Errorf("io_uring_setup: %w", errno)
	}
	r.fd = fd
	if err := r.mapRings(&p); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	if err := r.probe(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func setup(entries uint32, p *params) (int, unix.Errno) {
	fd, _, errno := unix.Syscall(sysSetup, uintptr(entries), uintptr(unsafe.Pointer(p)), 0)
	return int(fd), errno
}

// enter uses the blocking form of the system call: even a submission may wait in the kernel, and the runtime must be
// able to give the processor away.
func enter(fd int, submit, wait, flags uint32) (int, unix.Errno) {
	n, _, errno := unix.Syscall6(sysEnter, uintptr(fd), uintptr(submit), uintptr(wait), uintptr(flags), 0, 0)
	return int(n), errno
}

func (r *Ring) mapRings(p *params) error {
	if p.features&featSingleMmap == 0 || p.features&featNoDrop == 0 {
		return fmt.Errorf("io_uring of this kernel is too old (features %#x, Linux 5.5 is needed): %w", p.features,
			errors.ErrUnsupported)
	}
	size := max(p.sq.array+p.sqEntries*4, p.cq.cqes+p.cqEntries*uint32(unsafe.Sizeof(cqe{})))
	var err error
	const prot, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_POPULATE
	if r.rings, err = unix.Mmap(r.fd, offsetRings, int(size), prot, flags); err != nil {
		return fmt.Errorf("map the rings: %w", err)
	}
	if r.sqes, err = unix.Mmap(r.fd, offsetSQEs, int(p.sqEntries)*int(unsafe.Sizeof(sqe{})), prot, flags); err != nil {
		return fmt.Errorf("map the submissions: %w", err)
	}
	r.kernelSQHead, r.kernelSQTail = r.word(p.sq.head), r.word(p.sq.tail)
	r.kernelCQHead, r.kernelCQTail = r.word(p.cq.head), r.word(p.cq.tail)
	r.sqMask, r.cqMask = *r.word(p.sq.mask), *r.word(p.cq.mask)
	r.array, r.cqes = unsafe.Pointer(&r.rings[p.sq.array]), unsafe.Pointer(&r.rings[p.cq.cqes])
	return nil
}

func (r *Ring) word(off uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.rings[off])) }

// probe asks whether the kernel has the operations. A seccomp filter may refuse this call alone.
func (r *Ring) probe() error {
	p := new(probe)
	if _, _, errno := unix.Syscall6(sysRegister, uintptr(r.fd), registerProbe, uintptr(unsafe.Pointer(p)),
		uintptr(len(p.ops)), 0, 0); errno != 0 {
		return fmt.Errorf("io_uring_register(PROBE): %w", errno)
	}
	for _, op := range []int{opNop, opFsync, opRead, opWrite} {
		if p.ops[op].flags&probeSupported == 0 {
			return fmt.Errorf("io_uring of this kernel lacks operation %d: %w", op, errors.ErrUnsupported)
		}
	}
	return nil
}

// Write prepares a write of p at off. user comes back from Wait.
func (r *Ring) Write(fd int, p []byte, off int64, user uint64) {
	r.prepare(sqe{opcode: opWrite, fd: int32(fd), off: uint64(off), addr: address(p), length: uint32(len(p)), user: user})
}

// Read prepares a read into p at off.
func (r *Ring) Read(fd int, p []byte, off int64, user uint64) {
	r.prepare(sqe{opcode: opRead, fd: int32(fd), off: uint64(off), addr: address(p), length: uint32(len(p)), user: user})
}

// Datasync prepares a data sync of the file.
func (r *Ring) Datasync(fd int, user uint64) {
	r.prepare(sqe{opcode: opFsync, fd: int32(fd), opFlags: fsyncDatasync, user: user})
}

func address(p []byte) uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(p)))) }

func (r *Ring) prepare(s sqe) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tail := *r.kernelSQTail // written under mu only
	if tail-atomic.LoadUint32(r.kernelSQHead) > r.sqMask {
		panic("uring: more requests than the ring was made for")
	}
	i := tail & r.sqMask
	*(*sqe)(unsafe.Pointer(&r.sqes[uintptr(i)*unsafe.Sizeof(s)])) = s
	*(*uint32)(unsafe.Add(r.array, uintptr(i)*4)) = i
	atomic.StoreUint32(r.kernelSQTail, tail+1)
}

// Flush hands what is prepared to the kernel, unless another goroutine is at it and will take it along. Requests that
// the kernel does not take, for good, are given to failed, outside all locks.
func (r *Ring) Flush(failed func(user uint64, err error)) {
	r.mu.Lock()
	if r.mu.flushing {
		r.mu.Unlock()
		return
	}
	r.mu.flushing = true
	var refused []uint64
	var errno unix.Errno
	for tries := 0; ; {
		left := *r.kernelSQTail - atomic.LoadUint32(r.kernelSQHead)
		if left == 0 {
			break
		}
		r.mu.Unlock()
		n, e := r.enter(r.fd, left, 0, 0)
		again := e == unix.EINTR || e == unix.EAGAIN || e == unix.EBUSY || (e == 0 && n == 0)
		if e == unix.EINTR || (e == 0 && n > 0) {
			tries = 0
		} else if again {
			tries++
			time.Sleep(backoff(tries))
		}
		r.mu.Lock()
		if !again && e != 0 || tries > triesMax {
			errno = e
			refused = r.takeBack(refused)
		}
	}
	r.mu.flushing = false
	r.mu.Unlock()
	if errno == 0 {
		errno = unix.EAGAIN
	}
	for _, user := range refused {
		failed(user, fmt.Errorf("io_uring_enter: %w", errno))
	}
}

// triesMax with backoff is about a second of a kernel without memory for requests.
const triesMax = 100

func backoff(tries int) time.Duration {
	return min(time.Duration(tries)*100*time.Microsecond, 10*time.Millisecond)
}

// takeBack removes what the kernel has not consumed; mu is held and nobody is in enter to submit.
func (r *Ring) takeBack(users []uint64) []uint64 {
	head, tail := atomic.LoadUint32(r.kernelSQHead), *r.kernelSQTail
	for i := head; i != tail; i++ {
		users = append(users, (*sqe)(unsafe.Pointer(&r.sqes[uintptr(i&r.sqMask)*unsafe.Sizeof(sqe{})])).user)
	}
	atomic.StoreUint32(r.kernelSQTail, head)
	return users
}

// Wait blocks until there are results and gives each to done: the kernel's number, bytes or a negative errno. It returns
// ErrStopped after Stop; any other error means that results can no longer be received.
func (r *Ring) Wait(done func(user uint64, res int)) error {
	for {
		head, tail := *r.kernelCQHead, atomic.LoadUint32(r.kernelCQTail)
		if head != tail {
			return r.reap(head, tail, done)
		}
		_, errno := r.enter(r.fd, 0, 1, enterGetEvents)
		switch errno {
		case 0, unix.EINTR, unix.EAGAIN, unix.EBUSY:
		default:
			return fmt.Errorf("io_uring_enter(GETEVENTS): %w", errno)
		}
	}
}

func (r *Ring) reap(head, tail uint32, done func(user uint64, res int)) (err error) {
	for ; head != tail; head++ {
		c := *(*cqe)(unsafe.Add(r.cqes, uintptr(head&r.cqMask)*unsafe.Sizeof(cqe{})))
		atomic.StoreUint32(r.kernelCQHead, head+1) // at once: done may lead to a new request that needs the place
		if c.user == userStop {
			err = ErrStopped
			continue
		}
		done(c.user, int(c.res))
	}
	return err
}

// Stop makes Wait return ErrStopped. Call it when nothing is in flight.
func (r *Ring) Stop() {
	r.prepare(sqe{opcode: opNop, user: userStop})
	r.Flush(func(uint64, error) {})
}

// Close gives the ring back. Call it after Wait returned ErrStopped.
func (r *Ring) Close() error {
	var errs []error
	for _, m := range [][]byte{r.sqes, r.rings} {
		if m != nil {
			errs = append(errs, unix.Munmap(m))
		}
	}
	return errors.Join(append(errs, unix.Close(r.fd))...)
}
