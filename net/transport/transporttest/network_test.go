package transporttest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/net/transport"
)

// party is a handler that writes down what happens to it.
type party struct {
	net      *Network
	name     string
	trace    *strings.Builder // shared by the parties of a test
	conn     transport.Conn
	received []byte
	drained  int
	closed   error
	failed   error
	take     func(c transport.Conn, data []byte) int
}

func (p *party) note(format string, args ...any) {
	if p.trace != nil {
		fmt.Fprintf(p.trace, "%s %s %s\n", p.net.Now(), p.name, fmt.Sprintf(format, args...))
	}
}

func (p *party) Opened(c transport.Conn) { p.conn = c; p.note("opened %s", c.RemoteAddr()) }
func (p *party) Drained(transport.Conn)  { p.drained++; p.note("drained") }

func (p *party) Received(c transport.Conn, data []byte) int {
	p.note("received %d", len(data))
	if p.take != nil {
		return p.take(c, data)
	}
	p.received = append(p.received, data...)
	return len(data)
}

func (p *party) Closed(_ transport.Conn, err error) {
	if p.closed != nil {
		p.note("closed twice")
	}
	p.closed = err
	p.note("closed: %v", err)
}

// world is two machines, a server on b and a client on a.
type world struct {
	net            *Network
	a, b           *Host
	client, server *party
	servers        []*party
	trace          strings.Builder
}

func newWorld(t *testing.T, seed uint64, o Options, limits transport.Limits) *world {
	t.Helper()
	w := &world{net: New(seed, o)}
	w.a, w.b = w.net.Boot("a"), w.net.Boot("b")
	w.listen(t, limits)
	w.client = w.dial(limits)
	return w
}

func (w *world) listen(t *testing.T, limits transport.Limits) transport.Acceptor {
	t.Helper()
	l, err := w.b.Listen("b:1", transport.AcceptOptions{Limits: limits, Accept: func(transport.Conn) transport.Handler {
		w.server = &party{net: w.net, name: fmt.Sprintf("server%d", len(w.servers)), trace: &w.trace}
		w.servers = append(w.servers, w.server)
		return w.server
	}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (w *world) dial(limits transport.Limits) *party {
	p := &party{net: w.net, name: "client", trace: &w.trace}
	w.a.Dial("b:1", transport.DialOptions{Handler: p, Limits: limits, Timeout: time.Second, Failed: func(err error) { p.failed = err }})
	return p
}

func (w *world) run(d time.Duration) { w.net.Run(w.net.Now() + d) }

func TestOpenTalkClose(t *testing.T) {
	w := newWorld(t, 1, Options{}, transport.Limits{})
	if w.client.conn != nil {
		t.Fatal("something happened before a step")
	}
	w.run(time.Second)
	if w.client.conn == nil || w.server == nil || w.server.conn == nil {
		t.Fatal("no connection")
	}
	if w.client.conn.RemoteAddr() != "b:1" || w.server.conn.RemoteAddr() != w.client.conn.LocalAddr() {
		t.Errorf("addresses %s %s", w.client.conn.RemoteAddr(), w.server.conn.RemoteAddr())
	}
	released := false
	w.client.conn.Write([]byte("hello "))
	w.client.conn.Writev(func() { released = true }, []byte("wor"), []byte("ld"))
	if released {
		t.Error("released from within Writev")
	}
	w.run(time.Second)
	if string(w.server.received) != "hello world" || !released || w.client.conn.Outbound() != 0 {
		t.Errorf("received %q, released %v", w.server.received, released)
	}
	w.server.conn.Write([]byte("bye"))
	w.server.conn.Close(nil)
	w.run(time.Second)
	if string(w.client.received) != "bye" || !errors.Is(w.client.closed, transport.ErrPeerClosed) || !errors.Is(w.server.closed, transport.ErrClosed) {
		t.Errorf("client got %q, closed with %v; server with %v", w.client.received, w.client.closed, w.server.closed)
	}
	if err := w.client.conn.Write([]byte("x")); !errors.Is(err, transport.ErrClosed) {
		t.Errorf("a late write: %v", err)
	}
}

// TestSeedDecides runs a busy story twice from each seed.
func TestSeedDecides(t *testing.T) {
	story := func(seed uint64) string {
		w := newWorld(t, seed, Options{DelayMin: time.Microsecond, DelayMax: time.Millisecond, Window: 1000, Chunk: 50}, transport.Limits{})
		w.dial(transport.Limits{})
		for i := range 50 {
			w.run(100 * time.Microsecond)
			if w.client.conn != nil {
				w.client.conn.Write(make([]byte, 1+i*7))
			}
			switch i {
			case 20:
				w.net.Cut("a", "b")
			case 30:
				w.net.HealAll()
			case 40:
				w.net.Reset("a", "b")
			}
		}
		w.run(time.Minute)
		return w.trace.String()
	}
	first, again, other := story(7), story(7), story(8)
	if first != again {
		t.Error("one seed, two stories")
	}
	if first == other {
		t.Error("two seeds, one story")
	}
}

// TestStreamsStayInOrder checks bytes through random delays, chunks, cuts and pauses, both ways, over many seeds.
func TestStreamsStayInOrder(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t, seed, Options{DelayMin: 0, DelayMax: 5 * time.Millisecond, Window: 1 + r.IntN(5000), Chunk: 1 + r.IntN(300)},
			transport.Limits{Outbound: 1 << 20})
		w.run(time.Second)
		sides := []*party{w.client, w.server}
		sent := make([][]byte, 2)
		for range 100 {
			side := r.IntN(2)
			p := make([]byte, 1+r.IntN(400))
			for i := range p {
				p[i] = byte(r.Uint32())
			}
			if r.IntN(2) == 0 {
				sides[side].conn.Write(p)
			} else {
				sides[side].conn.Writev(nil, p[:len(p)/2], p[len(p)/2:])
			}
			sent[side] = append(sent[side], p...)
			switch r.IntN(12) {
			case 0:
				w.net.Cut("a", "b")
			case 1:
				w.net.Cut("b", "a")
			case 2, 3:
				w.net.HealAll()
			case 4:
				sides[side].conn.PauseRead()
			case 5, 6:
				sides[side].conn.ResumeRead()
			}
			w.run(time.Duration(r.IntN(3000)) * time.Microsecond)
		}
		w.net.HealAll()
		w.client.conn.ResumeRead()
		w.server.conn.ResumeRead()
		w.run(10 * time.Second)
		if !bytes.Equal(w.server.received, sent[0]) || !bytes.Equal(w.client.received, sent[1]) {
			t.Fatalf("seed %d: %d of %d and %d of %d bytes, or their order", seed, len(w.server.received), len(sent[0]), len(w.client.received), len(sent[1]))
		}
	}
}

func TestPartialFramesAreOfferedAgain(t *testing.T) {
	w := newWorld(t, 3, Options{Chunk: 5}, transport.Limits{Inbound: 100})
	w.run(time.Second)
	var frames []string
	w.server.take = func(_ transport.Conn, data []byte) int {
		n := 0
		for len(data) > n && len(data) > n+int(data[n]) {
			frames = append(frames, string(data[n+1:n+1+int(data[n])]))
			n += 1 + int(data[n])
		}
		return n
	}
	w.client.conn.Write([]byte("\x05hello\x00\x0bhello world"))
	w.run(time.Second)
	if fmt.Sprint(frames) != "[hello  hello world]" {
		t.Errorf("frames %q", frames)
	}
	w.client.conn.Write(append([]byte{255}, make([]byte, 200)...))
	w.run(time.Second)
	if !errors.Is(w.server.closed, transport.ErrInboundFull) {
		t.Errorf("a frame above the limit: %v", w.server.closed)
	}
	if w.client.closed == nil {
		t.Error("the client did not notice")
	}
}

func TestPeerThatDoesNotRead(t *testing.T) {
	limits := transport.Limits{Outbound: 10_000, OutboundHigh: 5000, OutboundLow: 1000, Idle: transport.NoIdle, Handshake: time.Hour}
	w := newWorld(t, 4, Options{Window: 2000}, limits)
	w.run(time.Second)
	w.server.conn.PauseRead()
	total := 0
	for range 100 {
		if err := w.client.conn.Write(make([]byte, 1000)); err == nil {
			total += 1000
		} else if !errors.Is(err, transport.ErrOutboundFull) {
			t.Fatal(err)
		}
		w.run(time.Millisecond)
	}
	if total != 12_000 || w.client.conn.Outbound() != 10_000 || len(w.server.received) != 0 || w.client.drained != 0 {
		t.Errorf("%d bytes taken, %d queued, %d read", total, w.client.conn.Outbound(), len(w.server.received))
	}
	w.server.conn.ResumeRead()
	w.run(time.Second)
	if len(w.server.received) != total || w.client.drained != 1 {
		t.Errorf("%d bytes came, drained %d times", len(w.server.received), w.client.drained)
	}
	// Again, and never resumed: the time-out ends it, and lent bytes come back.
	w.server.conn.PauseRead()
	released := 0
	for w.client.conn.Writev(func() { released++ }, make([]byte, 1000)) == nil {
	}
	w.run(transport.WriteStallDefault + time.Second)
	if !errors.Is(w.client.closed, transport.ErrWriteStalled) || released != 11 {
		t.Errorf("closed with %v, %d releases", w.client.closed, released)
	}
}

func TestTimeouts(t *testing.T) {
	w := newWorld(t, 5, Options{}, transport.Limits{Handshake: time.Second, Idle: 3 * time.Second})
	w.run(500 * time.Millisecond)
	w.server.conn.Established()
	w.run(time.Second)
	if !errors.Is(w.client.closed, transport.ErrHandshakeTimeout) || !errors.Is(w.server.closed, transport.ErrPeerClosed) {
		t.Errorf("client %v, server %v", w.client.closed, w.server.closed)
	}
	c := w.dial(transport.Limits{Idle: 3 * time.Second})
	w.run(100 * time.Millisecond)
	c.conn.Established()
	w.server.conn.Established()
	w.net.Cut("a", "b")
	w.run(2800 * time.Millisecond)
	if c.closed != nil || w.server.closed != nil {
		t.Fatal("closed too early")
	}
	w.run(200 * time.Millisecond)
	if !errors.Is(w.server.closed, transport.ErrIdle) {
		t.Errorf("server %v", w.server.closed)
	}
}

func TestDialing(t *testing.T) {
	w := newWorld(t, 6, Options{}, transport.Limits{})
	w.run(time.Second)
	dial := func(address string) *party {
		p := &party{net: w.net}
		cancel := w.a.Dial(address, transport.DialOptions{Handler: p, Timeout: time.Second, Failed: func(err error) { p.failed = err }})
		if address == "b:7" {
			cancel()
			cancel()
		}
		w.run(2 * time.Second)
		return p
	}
	for _, test := range []struct {
		address string
		before  func()
		want    error
	}{
		{"b:2", func() {}, transport.ErrRefused},
		{"nobody:1", func() {}, transport.ErrUnreachable},
		{"b:7", func() {}, transport.ErrClosed},
		{"b:1", func() { w.net.Cut("a", "b") }, transport.ErrTimeout},
		{"b:1", func() { w.net.HealAll(); w.net.Cut("b", "a") }, transport.ErrTimeout},
		{"b:1", func() { w.net.HealAll(); w.net.Kill("b") }, transport.ErrRefused},
		{"b:1", func() { w.net.PowerOff("b") }, transport.ErrTimeout},
		{"b:1", func() { w.net.PowerOn("b") }, transport.ErrRefused},
	} {
		test.before()
		if p := dial(test.address); !errors.Is(p.failed, test.want) || p.conn != nil {
			t.Errorf("dial %s: %v instead of %v", test.address, p.failed, test.want)
		}
	}
	w.b = w.net.Boot("b")
	w.listen(t, transport.Limits{})
	if p := dial("b:1"); p.conn == nil || p.failed != nil {
		t.Errorf("after the restart: %v", p.failed)
	}
	if _, err := w.b.Listen("b:1", transport.AcceptOptions{}); !errors.Is(err, transport.ErrAddressInUse) {
		t.Errorf("a second listener: %v", err)
	}
	if _, err := w.b.Listen("a:1", transport.AcceptOptions{}); err == nil {
		t.Error("b listens on a's address")
	}
}

func TestHowProcessesEnd(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(w *world)
		want error // what the client sees, nil: nothing
	}{
		{"kill", func(w *world) { w.net.Kill("b") }, transport.ErrPeerClosed},
		{"power off", func(w *world) { w.net.PowerOff("b") }, nil},
		{"stop", func(w *world) { w.net.Stop("b") }, nil},
		{"cut", func(w *world) { w.net.Partition([]string{"a"}, []string{"b"}) }, nil},
		{"reset", func(w *world) { w.net.Reset("a", "b") }, transport.ErrReset},
		{"close", func(w *world) { w.b.Close() }, transport.ErrPeerClosed},
	} {
		w := newWorld(t, 9, Options{}, transport.Limits{})
		w.run(time.Second)
		test.end(w)
		w.client.conn.Write([]byte("are you there?"))
		w.run(time.Second)
		if (test.want == nil) != (w.client.closed == nil) || !errors.Is(w.client.closed, test.want) {
			t.Errorf("%s: the client sees %v", test.name, w.client.closed)
		}
		switch test.name {
		case "power off": // the machine is back, and knows nothing of the connection
			w.net.PowerOn("b")
			w.client.conn.Write([]byte("hello?"))
			w.run(time.Second)
			if !errors.Is(w.client.closed, transport.ErrReset) {
				t.Errorf("after the power came back: %v", w.client.closed)
			}
		case "stop":
			if len(w.server.received) != 0 {
				t.Error("a stopped process reads")
			}
			late := w.dial(transport.Limits{})
			w.run(time.Second)
			if late.conn == nil || len(w.servers) != 1 {
				t.Error("the kernel of a stopped process accepts, the process does not")
			}
			w.net.Continue("b")
			w.run(time.Second)
			if string(w.servers[0].received) != "are you there?" || len(w.servers) != 2 {
				t.Errorf("after the stop: %q, %d connections", w.servers[0].received, len(w.servers))
			}
		case "close":
			if !errors.Is(w.server.closed, transport.ErrShutdown) {
				t.Errorf("the server's own end: %v", w.server.closed)
			}
		}
	}
}

func TestLimitsOfAcceptors(t *testing.T) {
	w := newWorld(t, 10, Options{}, transport.Limits{Unproven: 1})
	w.run(time.Second)
	second := w.dial(transport.Limits{})
	w.run(time.Second)
	if !errors.Is(second.closed, transport.ErrPeerClosed) || len(w.servers) != 1 {
		t.Errorf("the second: %v", second.closed)
	}
	w.server.conn.Established()
	third := w.dial(transport.Limits{})
	w.run(time.Second)
	if third.closed != nil || len(w.servers) != 2 {
		t.Errorf("the third: %v", third.closed)
	}
}

func TestPanicEndsOneConnection(t *testing.T) {
	w := newWorld(t, 11, Options{}, transport.Limits{})
	w.run(time.Second)
	w.server.take = func(transport.Conn, []byte) int { panic("boom") }
	w.client.conn.Write([]byte("x"))
	w.run(time.Second)
	if !errors.Is(w.server.closed, transport.ErrPanic) || w.client.closed == nil {
		t.Errorf("server %v, client %v", w.server.closed, w.client.closed)
	}
}
