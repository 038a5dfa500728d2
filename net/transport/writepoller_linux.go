package transport

import (
	"fmt"
	"os"
	"sync"
	"syscall"
)

// writePoller tells connections of Gnet when their full socket takes more. gnet watches for that only on behalf of its
// own buffers. One goroutine, one epoll set; each wish is good for one event.
type writePoller struct {
	epoll int
	stopR int // the read end of a pipe: readable means stop
	stopW int
	done  chan struct{}
	mu    struct {
		sync.Mutex
		conns map[ConnID]*gnetConn
	}
}

func newWritePoller() (*writePoller, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	var pipe [2]int
	if err := syscall.Pipe2(pipe[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		syscall.Close(epoll)
		return nil, os.NewSyscallError("pipe2", err)
	}
	w := &writePoller{epoll: epoll, stopR: pipe[0], stopW: pipe[1], done: make(chan struct{})}
	w.mu.conns = make(map[ConnID]*gnetConn)
	ev := syscall.EpollEvent{Events: syscall.EPOLLIN} // id 0, which no connection has
	if err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, pipe[0], &ev); err != nil {
		w.free()
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	go w.run() // owner: the engine; ends by close, which waits for it
	return w, nil
}

// await wakes g's loop once its socket takes bytes, or is broken. Of g's loop.
func (w *writePoller) await(g *gnetConn) error {
	ev := syscall.EpollEvent{
		Events: syscall.EPOLLOUT | oneShot,
		Fd:     int32(uint32(g.id)), Pad: int32(uint32(g.id >> 32)),
	}
	w.mu.Lock()
	_, known := w.mu.conns[g.id]
	w.mu.conns[g.id] = g
	w.mu.Unlock()
	op := syscall.EPOLL_CTL_ADD
	if known {
		op = syscall.EPOLL_CTL_MOD
	}
	if err := syscall.EpollCtl(w.epoll, op, g.fd, &ev); err != nil {
		return fmt.Errorf("%s: %w", g.remote, os.NewSyscallError("epoll_ctl", err))
	}
	return nil
}

// oneShot is EPOLLONESHOT, which package syscall spells as a negative number on some architectures.
const oneShot = 1 << 30

// forget removes g; its descriptor is still open. Of g's loop.
func (w *writePoller) forget(g *gnetConn) {
	syscall.EpollCtl(w.epoll, syscall.EPOLL_CTL_DEL, g.fd, nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.mu.conns, g.id)
}

func (w *writePoller) run() {
	defer close(w.done)
	events := make([]syscall.EpollEvent, 128)
	for {
		n, err := syscall.EpollWait(w.epoll, events, -1)
		if err != nil && err != syscall.EINTR {
			return // the set itself is gone: close was called
		}
		for _, ev := range events[:max(n, 0)] {
			id := ConnID(uint32(ev.Fd)) | ConnID(uint32(ev.Pad))<<32
			if id == 0 {
				return
			}
			w.mu.Lock()
			g := w.mu.conns[id]
			w.mu.Unlock()
			if g != nil {
				g.again()
			}
		}
	}
}

func (w *writePoller) close() {
	syscall.Write(w.stopW, []byte{1})
	<-w.done
	w.free()
}

func (w *writePoller) free() {
	syscall.Close(w.epoll)
	syscall.Close(w.stopR)
	syscall.Close(w.stopW)
}
