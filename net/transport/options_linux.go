package transport

import (
	"encoding/binary"
	"net"
	"sync"
	"syscall"
)

// icmpWatch keeps a second descriptor of a connecting socket and asks the kernel afterwards whether an ICMP message
// made the connection fail. With a TCP reset the socket's error queue stays empty.
type icmpWatch struct {
	mu  sync.Mutex
	fds []int
}

// Numbers of Linux that package syscall does not name.
const (
	ipv6RecvErr     = 25 // IPV6_RECVERR
	errQueueOrigin  = 4  // offset of ee_origin in struct sock_extended_err
	originICMP      = 2
	originICMP6     = 3
	errQueueMessage = 0x2000 // MSG_ERRQUEUE
)

func (w *icmpWatch) control(network, _ string, rc syscall.RawConn) error {
	return rc.Control(func(fd uintptr) {
		level, option := syscall.IPPROTO_IP, syscall.IP_RECVERR
		if network == "tcp6" {
			level, option = syscall.IPPROTO_IPV6, ipv6RecvErr
		}
		if syscall.SetsockoptInt(int(fd), level, option, 1) != nil {
			return
		}
		second, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, 0)
		if errno != 0 {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.fds = append(w.fds, int(second))
	})
}

// seen says whether an error queue holds an ICMP message.
func (w *icmpWatch) seen() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	var data, control [512]byte
	for _, fd := range w.fds {
		_, n, _, _, err := syscall.Recvmsg(fd, data[:], control[:], errQueueMessage|syscall.MSG_DONTWAIT)
		if err != nil {
			continue
		}
		messages, err := syscall.ParseSocketControlMessage(control[:n])
		if err != nil {
			continue
		}
		for _, m := range messages {
			if len(m.Data) > errQueueOrigin && binary.NativeEndian.Uint32(m.Data) != 0 &&
				(m.Data[errQueueOrigin] == originICMP || m.Data[errQueueOrigin] == originICMP6) {
				return true
			}
		}
	}
	return false
}

func (w *icmpWatch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, fd := range w.fds {
		syscall.Close(fd)
	}
	w.fds = nil
}

// tcpNotSentLowAt is TCP_NOTSENT_LOWAT of Linux, which package syscall does not name.
const tcpNotSentLowAt = 25

// setUnsent is a wish: a kernel that does not know the option buffers more, and nothing else changes.
func setUnsent(nc *net.TCPConn, bytes int) {
	if rc, err := nc.SyscallConn(); err == nil {
		rc.Control(func(fd uintptr) {
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowAt, bytes)
		})
	}
}
