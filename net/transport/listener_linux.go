package transport

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
)

// listenFromMax bounds the lowest descriptor that a listening socket gets: the kernel's table grows up to it, by 8 bytes each.
const listenFromMax = 32 << 10

// listenFrom is the lowest descriptor that a listening socket gets: three quarters of what the process may have, above the
// descriptors of connections, which are given out from below.
//
// When a process dies the kernel ends its sockets from the highest descriptor down. A listener below its connections
// outlives them by some hundred microseconds: a peer whose connection was reset and who dials again at once is accepted by
// the dying process, hung up on, and takes that for silence, or, as Java clients do, waits for an answer until its call
// time-out. Above them the listener ends first, and whoever dials again is refused, which is the truth.
func listenFrom() uintptr {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return uintptr(min(limit.Cur/4*3, listenFromMax))
}

// highListener is a listening socket with a high descriptor. The standard library has no way to choose the number, so
// accepting is done here, on the runtime's poller.
type highListener struct {
	file   *os.File
	raw    syscall.RawConn
	addr   net.Addr
	closed atomic.Bool
}

// raise moves a listening socket to a high descriptor. Where that fails it stays as it is: all that is lost is the
// head start of the refusal.
func raise(ln *net.TCPListener) (listener, error) {
	raw, err := ln.SyscallConn()
	if err != nil {
		return ln, nil
	}
	var high uintptr
	var errno syscall.Errno
	err = raw.Control(func(fd uintptr) {
		high, _, errno = syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, listenFrom())
	})
	if err != nil || errno != 0 {
		return ln, nil
	}
	l := &highListener{file: os.NewFile(high, "listener "+ln.Addr().String()), addr: ln.Addr()}
	if l.raw, err = l.file.SyscallConn(); err != nil {
		return nil, errors.Join(err, l.file.Close(), ln.Close())
	}
	if err := ln.Close(); err != nil { // the socket lives on in the copy
		return nil, errors.Join(err, l.file.Close())
	}
	return l, nil
}

// AcceptTCP waits for the next connection.
func (l *highListener) AcceptTCP() (*net.TCPConn, error) {
	fd, failed := -1, error(nil)
	err := l.raw.Read(func(s uintptr) bool {
		for {
			fd, _, failed = syscall.Accept4(int(s), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
			switch {
			case errors.Is(failed, syscall.EAGAIN):
				return false // wait for the poller
			case errors.Is(failed, syscall.EINTR), errors.Is(failed, syscall.ECONNABORTED):
				continue
			}
			return true
		}
	})
	switch {
	case err != nil && l.closed.Load():
		return nil, net.ErrClosed
	case err != nil:
		return nil, err
	case failed != nil:
		return nil, os.NewSyscallError("accept", failed)
	}
	file := os.NewFile(uintptr(fd), "connection")
	conn, err := net.FileConn(file) // copies the descriptor
	if err = errors.Join(err, file.Close()); err != nil {
		if conn != nil {
			err = errors.Join(err, conn.Close())
		}
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

func (l *highListener) Addr() net.Addr { return l.addr }

// Close wakes whoever accepts.
func (l *highListener) Close() error {
	l.closed.Store(true)
	return l.file.Close()
}
