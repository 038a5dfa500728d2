package replication

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
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

// testKey derives once: it is slow on purpose.
var testKey = sync.OnceValue(func() Key {
	k, err := DeriveKey("cluster", "secret")
	if err != nil {
		panic(err)
	}
	return k
})

var otherKey = sync.OnceValue(func() Key {
	k, err := DeriveKey("cluster", "Secret")
	if err != nil {
		panic(err)
	}
	return k
})

// end is a LinkHandler made of channels.
type end struct {
	opened  chan *Link
	frames  chan Received // heads are copies
	drained chan struct{}
	closed  chan error
	failed  chan error
	onFrame func(l *Link, f Received) // instead of frames, if set
}

func newEnd() *end {
	return &end{opened: make(chan *Link, 1), frames: make(chan Received, 1<<16), drained: make(chan struct{}, 1<<10),
		closed: make(chan error, 1), failed: make(chan error, 1)}
}

func (e *end) LinkOpened(l *Link) { e.opened <- l }

func (e *end) FrameReceived(l *Link, f Received) {
	if e.onFrame != nil {
		e.onFrame(l, f)
		return
	}
	f.Head = bytes.Clone(f.Head)
	e.frames <- f
}
func (e *end) LinkDrained(*Link)             { e.drained <- struct{}{} }
func (e *end) LinkClosed(_ *Link, err error) { e.closed <- err }

// lines is a log that tests can wait for.
type lines struct{ ch chan string }

func newLines() *lines { return &lines{ch: make(chan string, 1000)} }

func (l *lines) Write(p []byte) (int, error) {
	l.ch <- string(p)
	return len(p), nil
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// matrix runs a test on both transports.
func matrix(t *testing.T, test func(t *testing.T, tr transport.Transport)) {
	for _, kind := range []string{"plain", "gnet"} {
		t.Run(kind, func(t *testing.T) {
			tr, err := transport.Open(kind, transport.Options{Loops: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			test(t, tr)
		})
	}
}

type pair struct {
	caller, answerer *end
	call, answer     *Link
	acceptor         transport.Acceptor
}

func options(tr transport.Transport, name string) Options {
	o := Options{Transport: tr, Key: testKey(), Name: name}
	copy(o.Process[:], name)
	return o
}

// connect makes a proven link between two pair ports.
func connect(t *testing.T, caller, answerer Options) *pair {
	t.Helper()
	return connectTo(t, caller, answerer, newEnd())
}

// connectTo is connect with a given handler on the answering side.
func connectTo(t *testing.T, caller, answerer Options, e *end) *pair {
	t.Helper()
	p := &pair{caller: newEnd(), answerer: e}
	a, err := New(answerer)
	if err != nil {
		t.Fatal(err)
	}
	if p.acceptor, err = a.Listen("127.0.0.1:0", func() LinkHandler { return p.answerer }); err != nil {
		t.Fatal(err)
	}
	c, err := New(caller)
	if err != nil {
		t.Fatal(err)
	}
	c.Dial(p.acceptor.Addr(), patience, p.caller, func(err error) { p.caller.failed <- err })
	select {
	case p.call = <-p.caller.opened:
	case err := <-p.caller.failed:
		t.Fatal(err)
	case <-time.After(patience):
		t.Fatal("the link did not open")
	}
	p.answer = await(t, p.answerer.opened, "the answerer's link")
	return p
}

func TestLinkCarriesFramesBothWays(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		p := connect(t, options(tr, "left"), options(tr, "right"))
		if p.call.Peer().Name != "right" || p.answer.Peer().Name != "left" || !p.call.Dialed() || p.answer.Dialed() {
			t.Errorf("peers %+v and %+v", p.call.Peer(), p.answer.Peer())
		}
		for _, l := range []*Link{p.call, p.answer} {
			to := p.answerer
			if l == p.answer {
				to = p.caller
			}
			if err := l.Send(Frame{Type: TypeWord, Head: []byte("how are you")}); err != nil {
				t.Fatal(err)
			}
			f := await(t, to.frames, "the word")
			if f.Type != TypeWord || string(f.Head) != "how are you" || f.Body != nil {
				t.Errorf("got %s %q", f.Type, f.Head)
			}
			f.Release()
			pages := make([]byte, BodyMax)
			for i := range pages {
				pages[i] = byte(i * 31)
			}
			released := make(chan struct{})
			err := l.Send(Frame{Type: TypePages, Head: []byte("at 5"), Body: [][]byte{pages[:4096], pages[4096:]},
				Release: func() { close(released) }})
			if err != nil {
				t.Fatal(err)
			}
			f = await(t, to.frames, "the pages")
			if f.Type != TypePages || string(f.Head) != "at 5" || !bytes.Equal(f.Body, pages) {
				t.Errorf("got %s %q and %d bytes", f.Type, f.Head, len(f.Body))
			}
			f.Release()
			await(t, released, "the release")
		}
		reason := errors.New("enough")
		p.call.Close(reason)
		if err := await(t, p.caller.closed, "the caller's end"); !errors.Is(err, reason) {
			t.Errorf("closed with %v", err)
		}
		if err := await(t, p.answerer.closed, "the answerer's end"); !errors.Is(err, transport.ErrPeerClosed) {
			t.Errorf("closed with %v", err)
		}
		if err := p.call.Send(Frame{Type: TypeWord}); !errors.Is(err, transport.ErrClosed) {
			t.Errorf("a late word: %v", err)
		}
		released := false
		err := p.call.Send(Frame{Type: TypePages, Body: [][]byte{{1}}, Release: func() { released = true }})
		if !errors.Is(err, transport.ErrClosed) || !released {
			t.Errorf("late pages: %v, released %v", err, released)
		}
	})
}

func TestWrongPasswordIsClearOnBothSides(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		log := newLines()
		right := options(tr, "right")
		right.Log = log.logger()
		answerer, err := New(right)
		if err != nil {
			t.Fatal(err)
		}
		accepted := newEnd()
		a, err := answerer.Listen("127.0.0.1:0", func() LinkHandler { return accepted })
		if err != nil {
			t.Fatal(err)
		}
		left := options(tr, "left")
		left.Key = otherKey()
		caller, err := New(left)
		if err != nil {
			t.Fatal(err)
		}
		e := newEnd()
		caller.Dial(a.Addr(), patience, e, func(err error) { e.failed <- err })
		err = await(t, e.failed, "the failure")
		if !errors.Is(err, ErrPeerRefuses) || !errors.Is(err, ErrWrongProof) || Refused(err) ||
			!strings.Contains(err.Error(), a.Addr()) {
			t.Errorf("the caller got: %v", err)
		}
		line := await(t, log.ch, "the answerer's log line")
		for _, want := range []string{"left", "remote=127.0.0.1:", "cluster-password", "differs"} {
			if !strings.Contains(line, want) {
				t.Errorf("%q is missing in: %s", want, line)
			}
		}
	})
}

func TestStrangerIsNamedAndCountsAsSilence(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		log := newLines()
		o := options(tr, "right")
		o.Log = log.logger()
		port, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		a, err := port.Listen("127.0.0.1:0", func() LinkHandler { return newEnd() })
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", a.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "GET / HTTP/1.1\r\n\r\n")
		line := await(t, log.ch, "the log line")
		for _, want := range []string{c.LocalAddr().String(), "stranger", "GET / HTTP/1.1", "acceptors"} {
			if !strings.Contains(line, want) {
				t.Errorf("%q is missing in: %s", want, line)
			}
		}
		c.SetReadDeadline(time.Now().Add(patience))
		if b, err := io.ReadAll(c); len(b) != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the stranger was told %q (%v)", b, err)
		}

		// The other way round: what answers is no pair port.
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		go func() {
			s, err := ln.Accept()
			if err == nil {
				fmt.Fprintf(s, "SSH-2.0-OpenSSH\r\n")
				io.Copy(io.Discard, s)
				s.Close()
			}
		}()
		e := newEnd()
		port.Dial(ln.Addr().String(), patience, e, func(err error) { e.failed <- err })
		if err := await(t, e.failed, "the failure"); !errors.Is(err, ErrStranger) || Refused(err) {
			t.Errorf("dialing a stranger: %v", err)
		}
	})
}

func TestRefusalIsToldFromSilence(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port, err := New(options(tr, "left"))
		if err != nil {
			t.Fatal(err)
		}
		dial := func(timeout time.Duration) error {
			e := newEnd()
			port.Dial(ln.Addr().String(), timeout, e, func(err error) { e.failed <- err })
			return await(t, e.failed, "the failure")
		}
		// The kernel accepts, nobody speaks: a stopped process.
		p2 := options(tr, "left")
		p2.Limits.Handshake = 50 * time.Millisecond
		if port, err = New(p2); err != nil {
			t.Fatal(err)
		}
		if err := dial(patience); !errors.Is(err, transport.ErrHandshakeTimeout) && !errors.Is(err, transport.ErrIdle) || Refused(err) {
			t.Errorf("silence: %v", err)
		}
		ln.Close()
		if err := dial(patience); !Refused(err) {
			t.Errorf("refusal: %v", err)
		}
	})
}

func TestOwnPairPort(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		port, err := New(options(tr, "left"))
		if err != nil {
			t.Fatal(err)
		}
		a, err := port.Listen("127.0.0.1:0", func() LinkHandler { return newEnd() })
		if err != nil {
			t.Fatal(err)
		}
		e := newEnd()
		port.Dial(a.Addr(), patience, e, func(err error) { e.failed <- err })
		if err := await(t, e.failed, "the failure"); !errors.Is(err, ErrSelf) {
			t.Errorf("dialing oneself: %v", err)
		}
	})
}

// TestWordsOvertakeBulk fills the bulk lane of a link whose peer does not read, and shows that the words that follow
// arrive before most of it.
func TestWordsOvertakeBulk(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		p := connect(t, options(tr, "left"), options(tr, "right"))
		p.answer.PauseReceive()
		page := make([]byte, BodyMax)
		var lent sync.WaitGroup
		sent := 0
		var err error
		for err == nil && sent < 1000 {
			lent.Add(1)
			err = p.call.Send(Frame{Type: TypePages, Head: []byte{byte(sent)}, Body: [][]byte{page}, Release: lent.Done})
			if err == nil {
				sent++
			}
		}
		if !errors.Is(err, ErrBulkFull) {
			t.Fatalf("after %d frames: %v", sent, err)
		}
		if q := p.call.Queued(); q > 16<<20+2<<20 {
			t.Errorf("%d bytes are queued", q)
		}
		for i := range 100 {
			if err := p.call.Send(Frame{Type: TypeWord, Head: []byte{byte(i)}}); err != nil {
				t.Fatal(err)
			}
		}
		p.answer.ResumeReceive()
		pages, words, before := 0, 0, 0
		for pages < sent || words < 100 {
			f := await(t, p.answerer.frames, "a frame")
			if f.Type == TypeWord {
				if f.Head[0] != byte(words) {
					t.Fatalf("word %d came as number %d", f.Head[0], words)
				}
				words++
				before = pages
				continue
			}
			if f.Head[0] != byte(pages) {
				t.Fatalf("pages %d came as number %d", f.Head[0], pages)
			}
			pages++
		}
		// What the kernels held already (buffers of both ends) went first; the lane did not.
		if before > sent-12 {
			t.Errorf("%d of %d bulk frames came before the last word", before, sent)
		}
		await(t, p.caller.drained, "LinkDrained")
		lent.Done() // the refused frame stayed the caller's: one Done too many would panic
		back := make(chan struct{})
		go func() { lent.Wait(); close(back) }()
		await(t, back, "everything that was lent")
	})
}

func TestWordsThatDoNotFitCloseTheLink(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		p := connect(t, options(tr, "left"), options(tr, "right"))
		p.answer.PauseReceive()
		word := make([]byte, WordMax)
		var err error
		sent := 0
		for err == nil && sent < 10_000 {
			err = p.call.Send(Frame{Type: TypeWord, Head: word})
			sent++
		}
		if !errors.Is(err, ErrWordsFull) {
			t.Fatalf("after %d words: %v", sent, err)
		}
		if err := await(t, p.caller.closed, "the end"); !errors.Is(err, ErrWordsFull) {
			t.Errorf("closed with %v", err)
		}
	})
}

// TestBodiesWaitForMemory shows that a receiver without buffers pushes back, and goes on when it has some.
func TestBodiesWaitForMemory(t *testing.T) {
	matrix(t, func(t *testing.T, tr transport.Transport) {
		free := make(chan []byte, 2)
		free <- make([]byte, BodyMax)
		free <- make([]byte, BodyMax)
		starved := make(chan struct{}, 1000)
		right := options(tr, "right")
		right.Allocate = func(_ FrameType, size int) ([]byte, func(), bool) {
			select {
			case b := <-free:
				return b[:size], func() { free <- b }, true
			default:
				starved <- struct{}{}
				return nil, nil, false
			}
		}
		p := connect(t, options(tr, "left"), right)
		const n = 20
		for i := range n {
			body := bytes.Repeat([]byte{byte(i)}, 100_000+i)
			for {
				err := p.call.Send(Frame{Type: TypeFilePages, Body: [][]byte{body}})
				if err == nil {
					break
				}
				if !errors.Is(err, ErrBulkFull) {
					t.Fatal(err)
				}
				await(t, p.caller.drained, "room")
			}
		}
		for i := range n {
			if i == 2 {
				await(t, starved, "the receiver to run out of buffers")
			}
			if i >= 2 {
				p.answer.ResumeReceive()
			}
			f := await(t, p.answerer.frames, "a frame")
			if len(f.Body) != 100_000+i || bytes.Count(f.Body, []byte{byte(i)}) != len(f.Body) {
				t.Fatalf("frame %d has %d bytes", i, len(f.Body))
			}
			f.Release()
		}
	})
}
