package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// gnetLoop is one event loop and the descriptor of its epoll set.
type gnetLoop struct {
	gnet.BuiltinEventEngine
	client *gnet.Client
	epoll  int
	conns  atomic.Int64
}

// trialTimeout bounds the self-test of a loop; it takes about a millisecond.
const trialTimeout = 5 * time.Second

func startLoop(e *gnetEngine, log *slog.Logger) (*gnetLoop, error) {
	l := &gnetLoop{}
	client, err := gnet.NewClient(l, gnet.WithNumEventLoop(1), gnet.WithReadBufferCap(readBufferSize),
		gnet.WithTCPNoDelay(gnet.TCPDelay), // leaves the option alone; the standard library set it
		gnet.WithLogger(slogAdapter{log}))
	if err != nil {
		return nil, err
	}
	if err := client.Start(); err != nil {
		return nil, err
	}
	l.client = client
	if err := l.tryPause(e); err != nil {
		l.stop()
		return nil, err
	}
	return l, nil
}

func (l *gnetLoop) stop() { l.client.Stop() } // its error is that of loops which ended early; gnet logged it

// OnOpen and the other callbacks of gnet lead to the connection. No panic may leave them: gnet has no recover.
func (l *gnetLoop) OnOpen(gc gnet.Conn) ([]byte, gnet.Action) {
	switch c := gc.Context().(type) {
	case *gnetConn:
		return nil, c.start(gc)
	case *trial:
		c.opened <- gc.Fd()
	}
	return nil, gnet.None
}

// OnTraffic is called for bytes and for wakes.
func (l *gnetLoop) OnTraffic(gc gnet.Conn) gnet.Action {
	data, _ := gc.Next(-1) // all of it, always: gnet's own buffer stays empty and nothing is copied
	switch c := gc.Context().(type) {
	case *gnetConn:
		return c.turn(data)
	case *trial:
		c.received.Add(int64(len(data)))
		c.traffic <- struct{}{}
	}
	return gnet.None
}

// OnClose is the last call for a connection.
func (l *gnetLoop) OnClose(gc gnet.Conn, err error) gnet.Action {
	if c, ok := gc.Context().(*gnetConn); ok {
		c.finish(err)
	}
	return gnet.None
}

// setReading switches a descriptor's interest in the loop's epoll set. Events carry the descriptor as gnet's own do.
func (l *gnetLoop) setReading(fd int, on bool) error {
	ev := syscall.EpollEvent{Fd: int32(fd)}
	if on {
		ev.Events = syscall.EPOLLIN | syscall.EPOLLPRI
	}
	return os.NewSyscallError("epoll_ctl", syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_MOD, fd, &ev))
}

// trial is the connection on which a loop proves that reads can be paused.
type trial struct {
	opened   chan int
	traffic  chan struct{}
	received atomic.Int64
}

// tryPause finds the loop's epoll set and proves that a paused read stays paused and a resumed one resumes.
func (l *gnetLoop) tryPause(e *gnetEngine) error {
	near, far, err := loopback()
	if err != nil {
		return fmt.Errorf("trial of the read pause: %w", err)
	}
	defer far.Close()
	t := &trial{opened: make(chan int, 1), traffic: make(chan struct{}, 64)}
	gc, err := l.client.EnrollContext(near, t)
	if err != nil {
		return fmt.Errorf("trial of the read pause: %w", err)
	}
	defer gc.Close()
	fd := <-t.opened
	if l.epoll, err = epollOf(fd); err != nil {
		return fmt.Errorf("trial of the read pause: %w", err)
	}
	if err := l.setReading(fd, false); err != nil {
		return fmt.Errorf("trial of the read pause: %w", err)
	}
	if _, err := far.Write([]byte("pause")); err != nil {
		return fmt.Errorf("trial of the read pause: %w", err)
	}
	// On loopback the bytes are in the socket when Write returns. Two rounds through the loop, so that it polled at
	// least once in between: had the descriptor been armed, the bytes would have come with the second at the latest.
	for range 2 {
		if err := t.round(gc); err != nil {
			return err
		}
	}
	if n := t.received.Load(); n != 0 {
		return fmt.Errorf("trial of the read pause: %d bytes came while paused", n)
	}
	if err := l.setReading(fd, true); err != nil {
		return fmt.Errorf("trial of the read pause: %w", err)
	}
	return t.await(func() bool { return t.received.Load() == 5 }, "bytes after the end of the pause")
}

func (t *trial) round(gc gnet.Conn) error {
	woke := make(chan struct{})
	if err := gc.Wake(func(gnet.Conn, error) error { close(woke); return nil }); err != nil {
		return fmt.Errorf("trial of the read pause: %w", err)
	}
	select {
	case <-woke:
		return nil
	case <-time.After(trialTimeout):
		return errors.New("trial of the read pause: the loop does not wake")
	}
}

func (t *trial) await(done func() bool, what string) error {
	limit := time.After(trialTimeout)
	for !done() {
		select {
		case <-t.traffic:
		case <-limit:
			return fmt.Errorf("trial of the read pause: waited %s for %s", trialTimeout, what)
		}
	}
	return nil
}

// loopback returns two ends of a TCP connection within this process.
func loopback() (near, far net.Conn, err error) {
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	ln, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	d := net.Dialer{Timeout: trialTimeout}
	if far, err = d.Dial("tcp", ln.Addr().String()); err != nil {
		return nil, nil, err
	}
	ln.(*net.TCPListener).SetDeadline(time.Now().Add(trialTimeout))
	for {
		if near, err = ln.Accept(); err != nil {
			far.Close()
			return nil, nil, err
		}
		if near.RemoteAddr().String() == far.LocalAddr().String() {
			return near, far, nil
		}
		near.Close() // somebody else found the port
	}
}

// epollOf finds the one epoll set of this process that watches fd. gnet does not tell; the kernel does.
func epollOf(fd int) (int, error) {
	entries, err := os.ReadDir("/proc/self/fdinfo")
	if err != nil {
		return 0, err
	}
	found := -1
	for _, e := range entries {
		var set int
		if _, err := fmt.Sscanf(e.Name(), "%d", &set); err != nil || !watches(set, fd) {
			continue
		}
		if found >= 0 {
			return 0, fmt.Errorf("descriptor %d is in two epoll sets, %d and %d", fd, found, set)
		}
		found = set
	}
	if found < 0 {
		return 0, fmt.Errorf("no epoll set watches descriptor %d", fd)
	}
	return found, nil
}

func watches(set, fd int) bool {
	f, err := os.Open(fmt.Sprintf("/proc/self/fdinfo/%d", set))
	if err != nil {
		return false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 2 && fields[0] == "tfd:" && fields[1] == fmt.Sprint(fd) {
			return true
		}
	}
	return false
}

// slogAdapter takes gnet's log lines. None is fatal to the process, whatever gnet thinks of it.
type slogAdapter struct{ log *slog.Logger }

func (a slogAdapter) Debugf(format string, args ...any) { a.log.Debug(gnetLine(format, args)) }
func (a slogAdapter) Infof(format string, args ...any)  { a.log.Debug(gnetLine(format, args)) }
func (a slogAdapter) Warnf(format string, args ...any)  { a.log.Warn(gnetLine(format, args)) }
func (a slogAdapter) Errorf(format string, args ...any) { a.log.Error(gnetLine(format, args)) }
func (a slogAdapter) Fatalf(format string, args ...any) { a.log.Error(gnetLine(format, args)) }

func gnetLine(format string, args []any) string { return "gnet: " + fmt.Sprintf(format, args...) }
