package replication

import (
	"bytes"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/net/transport"
	"github.com/hindmq/hind/net/transport/transporttest"
)

// TestDamagedFramesEndTheLink sends what no broker sends over a link that is proven: both sides' links end, and the
// pair port serves the next one.
func TestDamagedFramesEndTheLink(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		sum := appendFrame(nil, TypeWord, []byte("word"), 0)
		sum[len(sum)-1]++
		flags := appendFrame(nil, TypeWord, nil, 0)
		flags[1] = 1
		for _, test := range []struct {
			name string
			wire []byte
			want error
		}{
			{"type", appendFrame(nil, 99, nil, 0), ErrFrameType},
			{"flags", flags, ErrFrameFlags},
			{"head", appendFrame(nil, TypeWord, make([]byte, WordMax+1), 0), ErrFrameSize},
			{"body", appendFrame(nil, TypePages, nil, BodyMax+1), ErrFrameSize},
			{"sum", sum, ErrFrameSum},
		} {
			p := connect(t, options(tr, "left"), options(tr, "right"))
			if err := p.call.conn.Write(test.wire); err != nil {
				t.Fatal(err)
			}
			if err := await(t, p.answerer.closed, "the answerer's end"); !errors.Is(err, test.want) {
				t.Errorf("%s: closed with %v", test.name, err)
			}
			if err := await(t, p.caller.closed, "the caller's end"); !errors.Is(err, transport.ErrPeerClosed) && !errors.Is(err, transport.ErrReset) {
				t.Errorf("%s: the caller's link closed with %v", test.name, err)
			}
			if len(p.answerer.frames) != 0 {
				t.Errorf("%s: a frame came through", test.name)
			}
		}
	})
}

// TestUnprovenConnectionsAreBounded fills the places of callers without proof; who is too late is told by the log, and
// when the handshake time-out has cleared them the peer gets through.
func TestUnprovenConnectionsAreBounded(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		log := newLines()
		o := options(tr, "right")
		o.Log = log.logger()
		o.Limits = Limits{Unproven: 3, Handshake: 300 * time.Millisecond}
		right, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		a, err := right.Listen("127.0.0.1:0", func() LinkHandler { return newEnd() })
		if err != nil {
			t.Fatal(err)
		}
		silent := make(chan error, 10)
		for range 10 {
			c, err := net.Dial("tcp", a.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			go func() {
				c.SetReadDeadline(time.Now().Add(patience))
				_, err := c.Read(make([]byte, 1))
				silent <- err
			}()
		}
		for range 10 { // all of them end: seven at once, three by the time-out
			if err := await(t, silent, "the end of a caller that does not speak"); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("a caller without proof is kept")
			}
		}
		line := await(t, log.ch, "the log line")
		for _, want := range []string{"stranger", "handshake", "did not speak"} {
			if !strings.Contains(line, want) {
				t.Errorf("%q is missing in: %s", want, line)
			}
		}
		left, err := New(options(tr, "left"))
		if err != nil {
			t.Fatal(err)
		}
		e := newEnd()
		left.Dial(a.Addr(), patience, e, func(err error) { e.failed <- err })
		select {
		case <-e.opened:
		case err := <-e.failed:
			t.Fatal(err)
		case <-time.After(patience):
			t.Fatal("the peer does not get through")
		}
	})
}

// TestPairPortIsExclusive: one process per port, and a restart gets it at once.
func TestPairPortIsExclusive(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		p := connect(t, options(tr, "left"), options(tr, "right"))
		other, err := New(options(tr, "other"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = other.Listen(p.acceptor.Addr(), func() LinkHandler { return newEnd() })
		if !errors.Is(err, transport.ErrAddressInUse) || !strings.Contains(err.Error(), p.acceptor.Addr()) || !strings.Contains(err.Error(), "pair port") {
			t.Errorf("a second owner of the port: %v", err)
		}
		p.answer.Close(nil) // this side closes first: its end stays in TIME_WAIT
		await(t, p.caller.closed, "the end")
		p.acceptor.Close()
		again, err := other.Listen(p.acceptor.Addr(), func() LinkHandler { return newEnd() })
		if err != nil {
			t.Fatalf("a restart: %v", err)
		}
		again.Close()
	})
}

func TestNameIsBounded(t *testing.T) {
	if _, err := New(Options{Name: strings.Repeat("n", NameMax)}); err != nil {
		t.Error(err)
	}
	if _, err := New(Options{Name: strings.Repeat("n", NameMax+1)}); err == nil || !strings.Contains(err.Error(), "shorten") {
		t.Errorf("a name above the limit: %v", err)
	}
}

// TestHowPeersEnd tells the ends of a peer apart on a simulated network.
func TestHowPeersEnd(t *testing.T) {
	for _, test := range []struct {
		name   string
		end    func(n *transporttest.Network)
		closed bool // the link ends at once
		dial   error
	}{
		{"killed", func(n *transporttest.Network) { n.Kill("right") }, true, transport.ErrRefused},
		{"power lost", func(n *transporttest.Network) { n.PowerOff("right") }, false, transport.ErrTimeout},
		{"cut", func(n *transporttest.Network) { n.Partition([]string{"left"}, []string{"right"}) }, false, transport.ErrTimeout},
		{"stopped", func(n *transporttest.Network) { n.Stop("right") }, false, transport.ErrHandshakeTimeout},
	} {
		n := transporttest.New(1, transporttest.Options{Chunk: 10})
		o := options(n.Boot("left"), "left")
		o.Limits.Handshake = 2 * time.Second
		left, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		right, err := New(options(n.Boot("right"), "right"))
		if err != nil {
			t.Fatal(err)
		}
		call := &simEnd{}
		if _, err := right.Listen("right:1", func() LinkHandler { return &simEnd{} }); err != nil {
			t.Fatal(err)
		}
		left.Dial("right:1", time.Second, call, func(err error) { call.failed = err })
		n.Run(time.Second)
		if call.link == nil {
			t.Fatal(call.failed)
		}
		test.end(n)
		n.Run(2 * time.Second)
		if (call.closed != nil) != test.closed {
			t.Errorf("%s: the link closed with %v", test.name, call.closed)
		}
		again := &simEnd{}
		left.Dial("right:1", time.Second, again, func(err error) { again.failed = err })
		n.Run(10 * time.Second)
		if !errors.Is(again.failed, test.dial) || Refused(again.failed) != (test.dial == transport.ErrRefused) {
			t.Errorf("%s: the next dial: %v", test.name, again.failed)
		}
	}
}

// TestHeldLinkLosesNothing pauses within a frame's callback, many times.
func TestHeldLinkLosesNothing(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		got := make(chan []byte, 1)
		e := newEnd()
		e.onFrame = func(l *Link, f Received) {
			l.PauseReceive()
			got <- append(bytes.Clone(f.Head), f.Body...)
			f.Release()
		}
		p := connectTo(t, options(tr, "left"), options(tr, "right"), e)
		for i := range 200 {
			if err := p.call.Send(Frame{Type: TypePages, Head: []byte{byte(i)}, Body: [][]byte{make([]byte, i*100)}}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 200 {
			f := await(t, got, "a frame")
			if f[0] != byte(i) || len(f) != 1+i*100 {
				t.Fatalf("frame %d is number %d with %d bytes", i, f[0], len(f))
			}
			select {
			case <-got:
				t.Fatal("a frame came in a pause")
			default:
			}
			p.answer.ResumeReceive()
		}
	})
}
