package transport

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// fill writes until the queue is full and returns what was taken.
func fill(t *testing.T, c Conn, piece int) (total int) {
	t.Helper()
	p := make([]byte, piece)
	for range 1 << 20 {
		err := c.Write(p)
		if errors.Is(err, ErrOutboundFull) {
			return total
		}
		if err != nil {
			t.Fatal(err)
		}
		total += piece
	}
	t.Fatal("the queue never fills")
	return 0
}

func TestPeerThatDoesNotReadIsBounded(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		limits := Limits{Outbound: 1 << 20, WriteStall: 150 * time.Millisecond, Idle: NoIdle}
		a, scripts := serve(t, tr, limits, nil)
		c := dialRaw(t, a)
		s := await(t, scripts, "the connection")
		conn := await(t, s.opened, "Opened")
		// The kernel takes some megabytes, then nothing. Write until the queue stays full.
		total, p := 0, make([]byte, 64<<10)
		for {
			if err := conn.Write(p); errors.Is(err, ErrClosed) {
				break
			} else if err == nil {
				total += len(p)
			}
			if n := conn.Outbound(); n > 1<<20 {
				t.Fatalf("%d bytes are queued", n)
			}
			if total > 64<<20 {
				t.Fatal("nothing stops the writer")
			}
			runtime.Gosched()
		}
		if err := await(t, s.closed, "Closed"); !errors.Is(err, ErrWriteStalled) {
			t.Errorf("closed with %v", err)
		}
		if n := conn.Outbound(); n != 0 {
			t.Errorf("%d bytes are still held", n)
		}
		c.Close()
	})
}

// TestStalledLendingIsReleased shows that lent bytes come back when the connection ends without having sent them.
func TestStalledLendingIsReleased(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		a, scripts := serve(t, tr, Limits{Outbound: 32 << 20}, nil)
		dialRaw(t, a)
		s := await(t, scripts, "the connection")
		conn := await(t, s.opened, "Opened")
		var released sync.WaitGroup
		page := make([]byte, 1<<20)
		lent := 0
		for {
			released.Add(1)
			err := conn.Writev(released.Done, page)
			lent++
			if err != nil {
				break
			}
		}
		if lent < 32 {
			t.Errorf("only %d MiB fitted", lent)
		}
		reason := errors.New("enough")
		conn.Abort(reason)
		released.Wait()
		if err := await(t, s.closed, "Closed"); err != reason {
			t.Errorf("closed with %v", err)
		}
	})
}

// TestManySmallPartsAreBounded shows that the limit also holds for the bookkeeping.
func TestManySmallPartsAreBounded(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		a, scripts := serve(t, tr, Limits{Outbound: 4 << 20}, nil)
		dialRaw(t, a)
		s := await(t, scripts, "the connection")
		conn := await(t, s.opened, "Opened")
		fill(t, conn, 1<<16)
		one := []byte{1}
		parts := make([][]byte, 4<<20/partCost+17)
		for i := range parts {
			parts[i] = one
		}
		if err := conn.Writev(nil, parts...); !errors.Is(err, ErrOutboundFull) {
			t.Errorf("%d parts: %v", len(parts), err)
		}
		conn.Abort(nil)
		await(t, s.closed, "Closed")
	})
}

func TestDrained(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		drained := make(chan int, 100)
		scripts := make(chan *script, 1)
		limits := Limits{Outbound: 1 << 20, OutboundHigh: 512 << 10, OutboundLow: 100 << 10}
		a, err := tr.Listen("127.0.0.1:0", AcceptOptions{Limits: limits, Accept: func(Conn) Handler {
			s := newScript(t, nil)
			s.drained = func(c Conn) { drained <- c.Outbound() }
			scripts <- s
			return s
		}})
		if err != nil {
			t.Fatal(err)
		}
		c := dialRaw(t, a)
		conn := await(t, await(t, scripts, "the connection").opened, "Opened")
		total := fill(t, conn, 32<<10)
		io.CopyN(io.Discard, c, int64(total))
		// The queue may have drained to the mark and been filled again while the kernel's buffers still grew.
		for conn.Outbound() > 0 || len(drained) == 0 {
			if n := await(t, drained, "Drained"); n > 100<<10 {
				t.Errorf("Drained with %d bytes queued", n)
			}
			if conn.Outbound() == 0 {
				break
			}
		}
		if err := conn.Write(make([]byte, 100)); err != nil {
			t.Errorf("after Drained: %v", err)
		}
	})
}

func TestReadPausePushesBack(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		var mu sync.Mutex
		got := 0
		progress := make(chan int, 1<<16)
		a, scripts := serve(t, tr, Limits{Inbound: 1 << 20, Idle: 100 * time.Millisecond}, func(_ Conn, data []byte) int {
			mu.Lock()
			defer mu.Unlock()
			got += len(data)
			progress <- got
			return len(data)
		})
		c := dialRaw(t, a)
		s := await(t, scripts, "the connection")
		conn := await(t, s.opened, "Opened")
		conn.PauseRead()
		// Everything that the kernels buffer fits, then the peer blocks: its deadline passes.
		const total = 64 << 20
		sent := 0
		piece := make([]byte, 256<<10)
		for sent < total {
			c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
			n, err := c.Write(piece[:min(len(piece), total-sent)])
			sent += n
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if sent == total {
			t.Fatal("a paused connection swallowed 64 MiB")
		}
		mu.Lock()
		early := got
		mu.Unlock()
		if early > readBufferSize {
			t.Errorf("%d bytes were delivered while paused", early)
		}
		// It outlived its idle time-out by far, since that does not run in a pause. Now everything comes.
		conn.SetIdle(NoIdle)
		conn.ResumeRead()
		c.SetWriteDeadline(time.Now().Add(patience))
		go c.Write(make([]byte, total-sent))
		for n := range progress {
			if n == total {
				break
			}
		}
		select {
		case err := <-s.closed:
			t.Errorf("closed: %v", err)
		default:
		}
	})
}

// TestPauseWithinReceived stops after one frame of many that came in one read, and goes on from another goroutine.
func TestPauseWithinReceived(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		got := make(chan byte, 100)
		a, scripts := serve(t, tr, Limits{}, func(c Conn, data []byte) int {
			c.PauseRead()
			got <- data[0]
			return 1
		})
		c := dialRaw(t, a)
		conn := await(t, await(t, scripts, "the connection").opened, "Opened")
		c.Write([]byte("abcdefgh"))
		for i := range 8 {
			if b := await(t, got, "a byte"); b != "abcdefgh"[i] {
				t.Fatalf("byte %d is %q", i, b)
			}
			select {
			case b := <-got:
				t.Fatalf("%q came in a pause", b)
			default:
			}
			conn.ResumeRead()
		}
	})
}

func TestIdleAndHandshakeTimeouts(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		a, scripts := serve(t, tr, Limits{Idle: 60 * time.Millisecond, Handshake: time.Hour}, nil)
		b, proving := serve(t, tr, Limits{Idle: time.Hour, Handshake: 60 * time.Millisecond}, nil)
		idle := dialRaw(t, a)
		s := await(t, scripts, "the connection")
		start := time.Now()
		if err := await(t, s.closed, "the idle time-out"); !errors.Is(err, ErrIdle) {
			t.Errorf("closed with %v", err)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("it took %s", d)
		}
		if _, err := idle.Read(make([]byte, 1)); err == nil {
			t.Error("the peer does not see the end")
		}
		// Bytes do not help who does not finish the handshake.
		c := dialRaw(t, b)
		s = await(t, proving, "the connection")
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					return
				default:
					c.Write([]byte("."))
				}
			}
		}()
		if err := await(t, s.closed, "the handshake time-out"); !errors.Is(err, ErrHandshakeTimeout) {
			t.Errorf("closed with %v", err)
		}
		close(stop)
		// Who finished it stays.
		dialRaw(t, b)
		s = await(t, proving, "the connection")
		conn := await(t, s.opened, "Opened")
		conn.Established()
		select {
		case err := <-s.closed:
			t.Errorf("closed with %v", err)
		case <-time.After(200 * time.Millisecond): // three times the limit that no longer counts
		}
		conn.SetIdle(20 * time.Millisecond)
		if err := await(t, s.closed, "the new idle time-out"); !errors.Is(err, ErrIdle) {
			t.Errorf("closed with %v", err)
		}
	})
}

func TestTrafficKeepsIdleConnectionsOpen(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		a, scripts := serve(t, tr, Limits{Idle: 500 * time.Millisecond}, echo)
		c := dialRaw(t, a)
		s := await(t, scripts, "the connection")
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		buf := make([]byte, 1)
		for range 20 { // one second, twice the limit
			<-tick.C
			if _, err := c.Write(buf); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(c, buf); err != nil {
				t.Fatal(err)
			}
		}
		if err := await(t, s.closed, "the end"); !errors.Is(err, ErrIdle) {
			t.Errorf("closed with %v", err)
		}
	})
}

func TestConnectionLimits(t *testing.T) {
	matrix(t, func(t *testing.T, tr *Sockets) {
		for _, test := range []struct {
			name    string
			limits  Limits
			release func(first *script, c Conn, peer net.Conn) // makes room for one more
		}{
			{"connections", Limits{Connections: 3}, func(s *script, c Conn, _ net.Conn) { c.Abort(nil) }},
			{"per host", Limits{ConnectionsPerHost: 3}, func(s *script, c Conn, p net.Conn) { p.Close() }},
			{"unproven", Limits{Unproven: 3}, func(s *script, c Conn, _ net.Conn) { c.Established(); c.Established() }},
		} {
			a, scripts := serve(t, tr, test.limits, nil)
			var first *script
			var firstConn Conn
			var firstPeer net.Conn
			for i := range 3 {
				p := dialRaw(t, a)
				s := await(t, scripts, "a connection")
				c := await(t, s.opened, "Opened")
				if i == 0 {
					first, firstConn, firstPeer = s, c, p
				}
			}
			over := dialRaw(t, a)
			if n, err := over.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: the connection above the limit got %v", test.name, err)
			}
			await(t, scripts, "its unused handler")
			if n := a.Connections(); n != 3 {
				t.Errorf("%s: %d connections", test.name, n)
			}
			test.release(first, firstConn, firstPeer)
			if test.name != "unproven" {
				await(t, first.closed, "the first one's end")
			}
			dialRaw(t, a)
			await(t, await(t, scripts, "one more").opened, "Opened")
			a.Close()
		}
	})
}

func TestPanicClosesOneConnection(t *testing.T) {
	for _, kind := range []string{"plain", "gnet"} {
		t.Run(kind, func(t *testing.T) {
			var mu sync.Mutex
			var log bytes.Buffer
			tr, err := Open(kind, Options{Loops: 1, Log: slog.New(slog.NewTextHandler(&lockedWriter{&mu, &log}, nil))})
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			a, scripts := serve(t, tr, Limits{}, func(c Conn, data []byte) int {
				switch data[0] {
				case 'p':
					panic("boom")
				case 'n':
					return len(data) + 1
				}
				return echo(c, data)
			})
			good := dialRaw(t, a)
			await(t, scripts, "the good connection")
			for _, poison := range []string{"p", "n"} {
				bad := dialRaw(t, a)
				s := await(t, scripts, "the bad connection")
				bad.Write([]byte(poison))
				if err := await(t, s.closed, "its end"); !errors.Is(err, ErrPanic) {
					t.Errorf("closed with %v", err)
				}
				good.Write([]byte("x"))
				if _, err := io.ReadFull(good, make([]byte, 1)); err != nil {
					t.Fatalf("the other connection suffered: %v", err)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for _, want := range []string{"boom", "consumed 2 of 1", "limits_test.go"} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("%q is missing in the log", want)
				}
			}
		})
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
