package remoting

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

	"github.com/hindmq/hind/net/transport"
)

const patience = 20 * time.Second

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

func matrix(t *testing.T, test func(t *testing.T, tr transport.Transport)) {
	for _, kind := range []string{"plain", "gnet"} {
		t.Run(kind, func(t *testing.T) {
			tr, err := transport.Open(kind, transport.Options{Loops: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			test(t, tr)
		})
	}
}

// shouter is a protocol for tests: it begins with its name and echoes everything with a mark.
type shouter struct {
	name   string
	mark   string
	closed chan error

	mu    sync.Mutex
	conns []transport.Conn
}

func newShouter(name, mark string) *shouter {
	return &shouter{name: name, mark: mark, closed: make(chan error, 100)}
}

func (s *shouter) protocol() Protocol {
	return Protocol{Name: s.name, Match: Prefix(s.name), Accept: func(transport.Conn) transport.Handler { return s },
		Farewell: func(error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, c := range s.conns {
				c.Write([]byte("bye"))
			}
		}}
}

func (s *shouter) Opened(c transport.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, c)
	c.Established()
}

func (s *shouter) Received(c transport.Conn, data []byte) int {
	c.Write([]byte(s.mark + string(data)))
	return len(data)
}

func (s *shouter) Closed(_ transport.Conn, err error) { s.closed <- err }

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

func expect(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("got %q (%v) instead of %q", got, err, want)
	}
}

func open(t *testing.T, tr transport.Transport, log io.Writer, limits transport.Limits, protocols ...Protocol) *Door {
	t.Helper()
	d, err := Open(Options{Transport: tr, Log: slog.New(slog.NewTextHandler(log, nil)),
		Acceptors: []AcceptorOptions{{Name: "clients", Address: "127.0.0.1:0", Protocols: protocols, Limits: limits}}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDetection(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		core, other := newShouter("ARTEMIS", "a:"), newShouter("ARTful", "b:")
		var log lockedBuffer
		d := open(t, tr, &log, transport.Limits{}, core.protocol(), other.protocol())
		a := dial(t, d.Addr("clients"))
		for _, b := range "ARTEMI" { // byte by byte: undecided
			fmt.Fprintf(a, "%c", b)
		}
		b := dial(t, d.Addr("clients"))
		fmt.Fprint(b, "ARTful!")
		expect(t, b, "b:ARTful!")
		fmt.Fprint(a, "S")
		expect(t, a, "a:ARTEMIS")
		list := d.Connections()
		if len(list) != 2 || list[0].Protocol != "ARTEMIS" || list[1].Protocol != "ARTful" ||
			list[0].Remote != a.LocalAddr().String() || list[0].Acceptor != "clients" || list[0].ID >= list[1].ID {
			t.Errorf("connections: %+v", list)
		}
		stranger := dial(t, d.Addr("clients"))
		fmt.Fprint(stranger, "GET / HTTP/1.1\r\n\r\n")
		if got, err := io.ReadAll(stranger); len(got) != 0 || err != nil {
			t.Errorf("the stranger got %q and %v", got, err)
		}
		stranger.Close()
		a.Close()
		await(t, core.closed, "the end of the first")
		b.Close()
		await(t, other.closed, "the end of the second")
		<-d.CutOff(nil)
		for _, want := range []string{stranger.LocalAddr().String(), "GET / HTTP/1.1", "ARTEMIS, ARTful", "acceptor=clients"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%q is missing in the log: %s", want, log.String())
			}
		}
	})
}

func TestSilenceBeforeTheProtocol(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		core := newShouter("ARTEMIS", "")
		var log lockedBuffer
		d := open(t, tr, &log, transport.Limits{Handshake: 50 * time.Millisecond}, core.protocol())
		c := dial(t, d.Addr("clients"))
		fmt.Fprint(c, "ART")
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the silent one got %v", err)
		}
		<-d.CutOff(nil)
		if !strings.Contains(log.String(), "handshake") {
			t.Errorf("the log says: %s", log.String())
		}
	})
}

func TestUndecidedForTooLong(t *testing.T) {
	never := Protocol{Name: "never", Match: func([]byte) Verdict { return More }}
	late := Protocol{Name: "late", Match: func(b []byte) Verdict {
		if len(b) < PrefixMax {
			return More
		}
		return Yes
	}}
	if p, v := detect([]Protocol{never, late}, make([]byte, PrefixMax-1)); v != More || p != nil {
		t.Errorf("one byte below: %v %v", p, v)
	}
	if p, v := detect([]Protocol{never, late}, make([]byte, PrefixMax)); v != Yes || p.Name != "late" {
		t.Errorf("at the limit: %v %v", p, v)
	}
	if p, v := detect([]Protocol{never}, make([]byte, PrefixMax+1)); v != No || p != nil {
		t.Errorf("above: %v %v", p, v)
	}
	longer := Protocol{Name: "longer", Match: Prefix("ARTEMIS2")}
	short := Protocol{Name: "short", Match: Prefix("ARTEMIS")}
	if _, v := detect([]Protocol{longer, short}, []byte("ARTEMIS")); v != More {
		t.Errorf("the one ahead may still match: %v", v)
	}
	if p, v := detect([]Protocol{longer, short}, []byte("ARTEMIS1")); v != Yes || p.Name != "short" {
		t.Errorf("it does not: %v %v", p, v)
	}
}

func TestCloseInOrder(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		core := newShouter("ARTEMIS", "")
		var log lockedBuffer
		d := open(t, tr, &log, transport.Limits{}, core.protocol())
		address := d.Addr("clients")
		c := dial(t, address)
		fmt.Fprint(c, "ARTEMIS")
		expect(t, c, "ARTEMIS")
		reason := errors.New("handed over")
		done := d.Close(reason, patience)
		if d.Close(errors.New("again"), 0) != done {
			t.Error("a second Close has another end")
		}
		if _, err := net.Dial("tcp", address); err == nil {
			t.Error("the acceptor is still open")
		}
		expect(t, c, "bye")
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after the farewell: %v", err)
		}
		c.Close()
		if err := await(t, core.closed, "the protocol's end"); !errors.Is(err, reason) {
			t.Errorf("closed with %v", err)
		}
		await(t, done, "the end of the door")
		// The next activation opens the same address at once.
		again, err := Open(Options{Transport: tr, Acceptors: []AcceptorOptions{{Name: "clients", Address: address,
			Protocols: []Protocol{core.protocol()}}}})
		if err != nil {
			t.Fatal(err)
		}
		await(t, again.CutOff(nil), "the end of an empty door")
	})
}

func TestGraceEnds(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		core := newShouter("ARTEMIS", "")
		d := open(t, tr, io.Discard, transport.Limits{Outbound: 32 << 20, Linger: time.Hour}, core.protocol())
		c := dial(t, d.Addr("clients"))
		fmt.Fprint(c, "ARTEMIS")
		expect(t, c, "ARTEMIS")
		core.mu.Lock()
		conn := core.conns[0]
		core.mu.Unlock()
		conn.Write(make([]byte, 31<<20)) // the peer reads none of it
		done := d.Close(nil, 50*time.Millisecond)
		await(t, done, "the end")
		if err := await(t, core.closed, "the protocol's end"); !errors.Is(err, ErrClosing) {
			t.Errorf("closed with %v", err)
		}
		c.Close()
	})
}

func TestCutOffSaysNothing(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		core := newShouter("ARTEMIS", "")
		d := open(t, tr, io.Discard, transport.Limits{}, core.protocol())
		var peers []net.Conn
		for range 10 {
			c := dial(t, d.Addr("clients"))
			fmt.Fprint(c, "ARTEMIS")
			expect(t, c, "ARTEMIS")
			peers = append(peers, c)
		}
		undecided := dial(t, d.Addr("clients"))
		fmt.Fprint(undecided, "A")
		reason := errors.New("deposed")
		await(t, d.CutOff(reason), "the end")
		for range peers {
			if err := await(t, core.closed, "an end"); !errors.Is(err, reason) {
				t.Errorf("closed with %v", err)
			}
		}
		for _, c := range peers {
			if b, _ := io.ReadAll(c); len(b) != 0 {
				t.Errorf("a peer was told %q", b)
			}
		}
		if n := len(d.Connections()); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

func TestAllAcceptorsOrNone(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		busy, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer busy.Close()
		free, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := free.Addr().String()
		free.Close()
		p := []Protocol{newShouter("ARTEMIS", "").protocol()}
		_, err = Open(Options{Transport: tr, Acceptors: []AcceptorOptions{
			{Name: "first", Address: address, Protocols: p},
			{Name: "second", Address: busy.Addr().String(), Protocols: p},
		}})
		if !errors.Is(err, transport.ErrAddressInUse) || !strings.Contains(err.Error(), `"second"`) {
			t.Errorf("got %v", err)
		}
		if _, err := net.Dial("tcp", address); err == nil {
			t.Error("the first acceptor stayed open")
		}
		if _, err := Open(Options{Transport: tr, Acceptors: []AcceptorOptions{{Name: "dumb", Address: address}}}); err == nil ||
			!strings.Contains(err.Error(), `"dumb"`) {
			t.Errorf("an acceptor without a protocol: %v", err)
		}
	})
}

func TestProtocolThatTakesNobody(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		d := open(t, tr, io.Discard, transport.Limits{}, Protocol{Name: "shy", Match: Prefix("A"),
			Accept: func(transport.Conn) transport.Handler { return nil }})
		c := dial(t, d.Addr("clients"))
		fmt.Fprint(c, "A")
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("got %v", err)
		}
		c.Close()
		await(t, d.CutOff(nil), "the end")
	})
}
