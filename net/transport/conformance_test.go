package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for an event that must come. It is never waited out in a passing run.
const patience = 20 * time.Second

// matrix runs a test on both implementations.
func matrix(t *testing.T, test func(t *testing.T, tr *Sockets)) {
	for _, kind := range []string{"plain", "gnet"} {
		t.Run(kind, func(t *testing.T) {
			tr, err := Open(kind, Options{Log: slog.New(slog.DiscardHandler), Loops: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			test(t, tr)
		})
	}
}

// script is a handler made of functions; it keeps the law of callbacks while it runs.
type script struct {
	t        *testing.T
	received func(c Conn, data []byte) int
	drained  func(c Conn)

	opened chan Conn
	closed chan error
	turn   sync.Mutex
	phase  int // 0 new, 1 opened, 2 closed
}

func newScript(t *testing.T, received func(Conn, []byte) int) *script {
	return &script{t: t, received: received, opened: make(chan Conn, 1), closed: make(chan error, 1)}
}

func (s *script) enter(name string, want int) {
	if !s.turn.TryLock() {
		s.t.Errorf("%s runs beside another callback", name)
		s.turn.Lock()
	}
	if s.phase != want {
		s.t.Errorf("%s in phase %d", name, s.phase)
	}
}

func (s *script) Opened(c Conn) {
	s.enter("Opened", 0)
	defer s.turn.Unlock()
	s.phase = 1
	s.opened <- c
}

func (s *script) Received(c Conn, data []byte) int {
	s.enter("Received", 1)
	defer s.turn.Unlock()
	if s.received == nil {
		return len(data)
	}
	return s.received(c, data)
}

func (s *script) Drained(c Conn) {
	s.enter("Drained", 1)
	defer s.turn.Unlock()
	if s.drained != nil {
		s.drained(c)
	}
}

func (s *script) Closed(c Conn, err error) {
	s.enter("Closed", 1)
	defer s.turn.Unlock()
	s.phase = 2
	if err == nil {
		s.t.Error("Closed without a reason")
	}
	s.closed <- err
}

func await[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("waited %s for %s", patience, what)
		panic("unreachable")
	}
}

// serve listens with one script per connection; the scripts come out of the channel.
func serve(t *testing.T, tr Transport, limits Limits, received func(Conn, []byte) int) (Acceptor, <-chan *script) {
	t.Helper()
	scripts := make(chan *script, 4096)
	a, err := tr.Listen("127.0.0.1:0", AcceptOptions{Limits: limits, Accept: func(Conn) Handler {
		s := newScript(t, received)
		scripts <- s
		return s
	}})
	if err != nil {
		t.Fatal(err)
	}
	return a, scripts
}

func dialRaw(t *testing.T, a Acceptor) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", a.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

func echo(c Conn, data []byte) int {
	if err := c.Write(data); err != nil {
		c.Abort(err)
	}
	return len(data)
}

func TestEcho(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		a, scripts := serve(t, tr, Limits{}, echo)
		c := dialRaw(t, a)
		s := await(t, scripts, "the connection")
		conn := await(t, s.opened, "Opened")
		if conn.RemoteAddr() != c.LocalAddr().String() || conn.LocalAddr() != a.Addr() || conn.ID() == 0 {
			t.Errorf("addresses %s -> %s, id %d", conn.RemoteAddr(), conn.LocalAddr(), conn.ID())
		}
		for _, size := range []int{1, 100, 70_000, 1_000_000} {
			out := pattern(size)
			go c.Write(out)
			in := make([]byte, size)
			if _, err := io.ReadFull(c, in); err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			if !bytes.Equal(in, out) {
				t.Fatalf("%d bytes came back changed", size)
			}
		}
		c.Close()
		if err := await(t, s.closed, "Closed"); !errors.Is(err, ErrPeerClosed) {
			t.Errorf("closed with %v", err)
		}
		if err := conn.Write([]byte("late")); !errors.Is(err, ErrClosed) {
			t.Errorf("a late write: %v", err)
		}
		released := false
		if err := conn.Writev(func() { released = true }, []byte("late")); !errors.Is(err, ErrClosed) || !released {
			t.Errorf("a late Writev: %v, released %v", err, released)
		}
		conn.Close(nil)
		conn.PauseRead()
		conn.ResumeRead()
		conn.SetIdle(time.Second)
		conn.Established()
	})
}

func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i*7 + i>>8 + i>>16)
	}
	return p
}

// frames is a handler that consumes whole frames of one length byte and as many bytes.
func frames(sink func(c Conn, frame []byte)) func(Conn, []byte) int {
	return func(c Conn, data []byte) int {
		n := 0
		for len(data) > n && len(data) >= n+1+int(data[n]) {
			sink(c, data[n+1:n+1+int(data[n])])
			n += 1 + int(data[n])
		}
		return n
	}
}

func TestPartialFrames(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		got := make(chan string, 1000)
		a, _ := serve(t, tr, Limits{}, frames(func(_ Conn, f []byte) { got <- string(f) }))
		c := dialRaw(t, a)
		var wire []byte
		for i := range 300 {
			f := strings.Repeat("x", i%256)
			wire = append(append(wire, byte(len(f))), f...)
		}
		for len(wire) > 0 { // pieces of 1, 2, 3, ... bytes, crossing every border
			n := min(len(wire), 1+len(wire)%37)
			if _, err := c.Write(wire[:n]); err != nil {
				t.Fatal(err)
			}
			wire = wire[n:]
		}
		for i := range 300 {
			if f := await(t, got, "a frame"); len(f) != i%256 {
				t.Fatalf("frame %d has %d bytes", i, len(f))
			}
		}
	})
}

func TestInboundLimit(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		most := 0
		a, scripts := serve(t, tr, Limits{Inbound: 1000}, func(_ Conn, data []byte) int { most = max(most, len(data)); return 0 })
		c := dialRaw(t, a)
		s := await(t, scripts, "the connection")
		c.Write(make([]byte, 999))
		select {
		case err := <-s.closed:
			t.Fatalf("closed one byte below the limit: %v", err)
		case <-time.After(50 * time.Millisecond): // the other half of the proof is the next write
		}
		c.Write(make([]byte, 1))
		if err := await(t, s.closed, "Closed"); !errors.Is(err, ErrInboundFull) {
			t.Errorf("closed with %v", err)
		}
		if most > 1000 {
			t.Errorf("%d bytes were kept", most)
		}
	})
}

// TestConsumePiecewise shows that a body far above the inbound limit passes if it is consumed as it comes.
func TestConsumePiecewise(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		total, done := 0, make(chan struct{})
		a, _ := serve(t, tr, Limits{Inbound: 1000}, func(_ Conn, data []byte) int {
			if total += len(data); total == 1<<20 {
				close(done)
			}
			return len(data)
		})
		c := dialRaw(t, a)
		c.Write(make([]byte, 1<<20))
		await(t, done, "a mebibyte")
	})
}

func TestLargeWritesArriveInOrder(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		a, scripts := serve(t, tr, Limits{Outbound: 64 << 20}, nil)
		c := dialRaw(t, a)
		conn := await(t, await(t, scripts, "the connection").opened, "Opened")
		big := pattern(8 << 20)
		var want []byte
		released := make(chan int, 64)
		for i := range 4 {
			head := fmt.Appendf(nil, "head %d;", i)
			if err := conn.Write(head); err != nil {
				t.Fatal(err)
			}
			part := big[i<<20 : (i+1)<<20]
			if err := conn.Writev(func() { released <- i }, part[:4096], nil, part[4096:]); err != nil {
				t.Fatal(err)
			}
			want = append(append(want, head...), part...)
			clear(head) // it was copied
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Fatal("the bytes came changed or out of order")
		}
		for i := range 4 {
			if n := await(t, released, "a release"); n != i {
				t.Fatalf("release %d came for %d", i, n)
			}
		}
		if n := conn.Outbound(); n != 0 {
			t.Errorf("%d bytes are still queued", n)
		}
	})
}

func TestConcurrentWritersDoNotMix(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		a, scripts := serve(t, tr, Limits{Outbound: 32 << 20}, nil)
		c := dialRaw(t, a)
		conn := await(t, await(t, scripts, "the connection").opened, "Opened")
		const writers, each = 8, 500
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					size := 1 + (i*131)%3000
					p := bytes.Repeat([]byte{byte(w)}, size)
					frame := append([]byte{byte(w), byte(i), byte(i >> 8), byte(size), byte(size >> 8)}, p...)
					var err error
					if i%3 == 0 {
						err = conn.Writev(nil, frame[:5], frame[5:])
					} else {
						err = conn.Write(frame)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		next := make([]int, writers)
		var head [5]byte
		for range writers * each {
			if _, err := io.ReadFull(c, head[:]); err != nil {
				t.Fatal(err)
			}
			w, i, size := head[0], int(head[1])|int(head[2])<<8, int(head[3])|int(head[4])<<8
			body := make([]byte, size)
			if _, err := io.ReadFull(c, body); err != nil {
				t.Fatal(err)
			}
			if next[w] != i || bytes.Count(body, []byte{w}) != size {
				t.Fatalf("writer %d: frame %d of %d bytes after frame %d", w, i, size, next[w]-1)
			}
			next[w]++
		}
		wg.Wait()
	})
}
