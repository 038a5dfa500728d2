package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestDialAndServe(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		a, scripts := serve(t, tr, Limits{}, echo)
		got := make(chan string, 10)
		client := newScript(t, func(_ Conn, data []byte) int { got <- string(data); return len(data) })
		cancel := tr.Dial(a.Addr(), DialOptions{Handler: client, Failed: func(err error) { t.Error(err) }})
		conn := await(t, client.opened, "Opened")
		cancel() // too late to do anything
		conn.Write([]byte("hello"))
		if s := await(t, got, "the echo"); s != "hello" {
			t.Errorf("got %q", s)
		}
		server := await(t, scripts, "the server's side")
		reason := errors.New("done")
		conn.Close(reason)
		conn.Close(errors.New("a second reason"))
		if err := await(t, client.closed, "Closed"); err != reason {
			t.Errorf("closed with %v", err)
		}
		if err := await(t, server.closed, "the server's Closed"); !errors.Is(err, ErrPeerClosed) {
			t.Errorf("closed with %v", err)
		}
	})
}

func TestDialFailuresAreToldApart(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		dial := func(address string, timeout time.Duration) error {
			failed := make(chan error, 1)
			h := newScript(t, nil)
			cancel := tr.Dial(address, DialOptions{Handler: h, Timeout: timeout, Failed: func(err error) { failed <- err }})
			if timeout == time.Hour {
				cancel()
				cancel()
			}
			return await(t, failed, "the failure of "+address)
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		free := ln.Addr().String()
		ln.Close()
		full := fullListener(t)
		for _, test := range []struct {
			address string
			timeout time.Duration
			want    error
		}{
			{free, 0, ErrRefused},
			{full, 100 * time.Millisecond, ErrTimeout},
			{full, time.Hour, ErrClosed}, // given up
			{"no port", 0, ErrUnreachable},
			{"127.0.0.1:99999", 0, ErrUnreachable},
		} {
			err := dial(test.address, test.timeout)
			kinds := 0
			for _, kind := range []error{ErrRefused, ErrTimeout, ErrUnreachable, ErrClosed} {
				if errors.Is(err, kind) {
					kinds++
				}
			}
			if !errors.Is(err, test.want) || kinds != 1 || !strings.Contains(err.Error(), test.address) {
				t.Errorf("dial %s: %v", test.address, err)
			}
		}
	})
}

// fullListener is an address whose accept queue is full, so that a dial gets no answer, as from a host that is gone.
func fullListener(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", sa.(*syscall.SockaddrInet4).Port)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		cancel()
		if err != nil {
			return address
		}
		t.Cleanup(func() { c.Close() })
	}
}

func TestResetIsToldFromAnOrderlyEnd(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		a, scripts := serve(t, tr, Limits{}, nil)
		c := dialRaw(t, a)
		s := await(t, scripts, "the connection")
		await(t, s.opened, "Opened")
		c.SetLinger(0)
		c.Close()
		if err := await(t, s.closed, "Closed"); !errors.Is(err, ErrReset) || !strings.Contains(err.Error(), "127.0.0.1:") {
			t.Errorf("closed with %v", err)
		}
	})
}

// TestFarewell shows that what was written before Close arrives, though the peer goes on sending.
func TestFarewell(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		const size = 3 << 20
		a, scripts := serve(t, tr, Limits{Outbound: 8 << 20}, func(c Conn, data []byte) int {
			if err := c.Write(make([]byte, size)); err != nil {
				t.Error(err)
			}
			c.Close(nil)
			if err := c.Write([]byte("late")); !errors.Is(err, ErrClosed) {
				t.Errorf("a write after Close: %v", err)
			}
			return 0
		})
		c := dialRaw(t, a)
		s := await(t, scripts, "the connection")
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					c.Write(make([]byte, 1000))
				}
			}
		})
		n, err := io.Copy(io.Discard, c)
		if n != size || err != nil {
			t.Errorf("the peer got %d bytes and %v", n, err)
		}
		close(stop)
		wg.Wait()
		c.Close()
		if err := await(t, s.closed, "Closed"); !errors.Is(err, ErrClosed) {
			t.Errorf("closed with %v", err)
		}
	})
}

func TestLingerEnds(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		a, scripts := serve(t, tr, Limits{Outbound: 32 << 20, Linger: 50 * time.Millisecond}, nil)
		dialRaw(t, a) // reads nothing and never closes
		s := await(t, scripts, "the connection")
		conn := await(t, s.opened, "Opened")
		fill(t, conn, 1<<20)
		reason := errors.New("enough")
		conn.Close(reason)
		if err := await(t, s.closed, "Closed"); err != reason {
			t.Errorf("closed with %v", err)
		}
	})
}

func TestFastRestartOnTheSamePort(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		a, scripts := serve(t, tr, Limits{}, nil)
		address := a.Addr()
		for range 5 {
			for range 5 {
				c := dialRaw(t, a)
				s := await(t, scripts, "a connection")
				conn := await(t, s.opened, "Opened")
				conn.Close(nil) // the server closes first: its side waits in TIME_WAIT
				io.Copy(io.Discard, c)
				c.Close()
				await(t, s.closed, "Closed")
			}
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Fatalf("after Close of the acceptor: %v", err)
			}
			var err error
			scripts2 := make(chan *script, 100)
			a, err = tr.Listen(address, AcceptOptions{Accept: func(Conn) Handler {
				s := newScript(t, nil)
				scripts2 <- s
				return s
			}})
			if err != nil {
				t.Fatal(err)
			}
			scripts = scripts2
		}
	})
}

func TestBindConflict(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		a, _ := serve(t, tr, Limits{}, nil)
		for _, kind := range []string{"plain", "gnet"} {
			other, err := Open(kind, Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = other.Listen(a.Addr(), AcceptOptions{Accept: func(Conn) Handler { return nil }})
			if !errors.Is(err, ErrAddressInUse) || !strings.Contains(err.Error(), a.Addr()) || !strings.Contains(err.Error(), "ss -ltnp") {
				t.Errorf("a second listener: %v", err)
			}
			other.Close()
		}
		if _, err := tr.Listen("192.0.2.1:1", AcceptOptions{}); err == nil || !strings.Contains(err.Error(), "192.0.2.1:1") {
			t.Errorf("a foreign address: %v", err)
		}
	})
}

func TestManyConnections(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		const n = 400
		a, scripts := serve(t, tr, Limits{}, echo)
		echoes := make(chan error, n)
		var clients []*script
		for i := range n {
			h := newScript(t, nil)
			want := fmt.Sprintf("message %d", i)
			var got string
			h.received = func(c Conn, data []byte) int {
				if got += string(data); len(got) == len(want) {
					if got != want {
						t.Errorf("got %q instead of %q", got, want)
					}
					echoes <- nil
				}
				return len(data)
			}
			tr.Dial(a.Addr(), DialOptions{Handler: &greeter{h, want}, Timeout: patience, Failed: func(err error) { echoes <- err }})
			clients = append(clients, h)
		}
		for range n {
			if err := await(t, echoes, "an echo"); err != nil {
				t.Fatal(err)
			}
		}
		if c := a.Connections(); c != n {
			t.Errorf("%d connections are counted", c)
		}
		for _, h := range clients {
			c := await(t, h.opened, "Opened")
			c.Close(nil)
		}
		for range n {
			await(t, await(t, scripts, "a server side").closed, "its end")
		}
		if c := a.Connections(); c != 0 {
			t.Errorf("%d connections are counted", c)
		}
	})
}

// greeter writes when it opens.
type greeter struct {
	*script
	text string
}

func (g *greeter) Opened(c Conn) {
	g.script.Opened(c)
	c.Write([]byte(g.text))
}

func TestCloseEndsEverything(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, kind := range []string{"plain", "gnet"} {
		tr, err := Open(kind, Options{Loops: 2})
		if err != nil {
			t.Fatal(err)
		}
		a, scripts := serve(t, tr, Limits{Outbound: 32 << 20}, echo)
		failed := make(chan error, 1)
		tr.Dial(fullListener(t), DialOptions{Handler: newScript(t, nil), Timeout: time.Hour, Failed: func(err error) { failed <- err }})
		var all []*script
		for i := range 20 {
			dialRaw(t, a)
			s := await(t, scripts, "a connection")
			c := await(t, s.opened, "Opened")
			switch i % 4 {
			case 1:
				c.PauseRead()
			case 2:
				fill(t, c, 1<<20)
			case 3:
				c.Close(nil)
			}
			all = append(all, s)
		}
		if err := tr.Close(); err != nil {
			t.Fatal(err)
		}
		for i, s := range all {
			select {
			case err := <-s.closed:
				if want := map[bool]error{true: ErrClosed, false: ErrShutdown}[i%4 == 3]; !errors.Is(err, want) {
					t.Errorf("connection %d closed with %v", i, err)
				}
			default:
				t.Errorf("connection %d was not closed when Close returned", i)
			}
		}
		if err := await(t, failed, "the dial"); !errors.Is(err, ErrShutdown) {
			t.Errorf("the dial failed with %v", err)
		}
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
		if _, err := tr.Listen("127.0.0.1:0", AcceptOptions{}); !errors.Is(err, ErrShutdown) {
			t.Errorf("a late Listen: %v", err)
		}
		tr.Dial("127.0.0.1:1", DialOptions{Failed: func(err error) { failed <- err }})
		if err := await(t, failed, "the late dial"); !errors.Is(err, ErrShutdown) {
			t.Errorf("a late Dial: %v", err)
		}
	}
	// gnet's worker pool has a few goroutines for the whole process, made when it is linked; ours must be gone.
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines instead of %d:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
	}
}

func TestOpenUnknown(t *testing.T) {
	if _, err := Open("carrier pigeon", Options{}); err == nil || !strings.Contains(err.Error(), `"plain"`) {
		t.Errorf("got %v", err)
	}
	tr, err := Open("auto", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if tr.Name() != "gnet" {
		t.Errorf("this machine gets %q", tr.Name())
	}
}
