package replication

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hindmq/hind/net/transport"
	"github.com/hindmq/hind/net/transport/transporttest"
)

// simEnd is a LinkHandler for the simulated network: everything runs on the test's goroutine.
type simEnd struct {
	link    *Link
	words   []byte // first byte of each word
	bulk    []int  // number of each bulk frame
	bad     error
	drained int
	closed  error
	failed  error
	full    bool
}

func (e *simEnd) LinkOpened(l *Link) { e.link = l }

func (e *simEnd) FrameReceived(_ *Link, f Received) {
	defer f.Release()
	switch {
	case f.Type == TypeWord:
		e.words = append(e.words, f.Head[0])
	case len(f.Head) != 2 || bytes.Count(f.Body, f.Head[:1]) != len(f.Body):
		e.bad = fmt.Errorf("bulk frame %d is damaged", len(e.bulk))
	default:
		e.bulk = append(e.bulk, int(f.Head[0])|int(f.Head[1])<<8)
	}
}
func (e *simEnd) LinkDrained(*Link)             { e.drained++; e.full = false }
func (e *simEnd) LinkClosed(_ *Link, err error) { e.closed = err }

// seeded reads from a generator: a simulation's nonces come from its seed.
type seeded struct{ r *rand.Rand }

func (s seeded) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s.r.Uint32())
	}
	return len(p), nil
}

var _ io.Reader = seeded{}

// TestSimulatedLinks runs links over a network with tiny chunks, small windows, cuts and resets, from many seeds: frames
// of a lane come in order, once, undamaged, and what was lent comes back.
func TestSimulatedLinks(t *testing.T) {
	for seed := range uint64(15) {
		r := rand.New(rand.NewPCG(seed, 2))
		n := transporttest.New(seed, transporttest.Options{DelayMax: 3 * time.Millisecond, Window: 500 + r.IntN(20_000), Chunk: 1 + r.IntN(5000)})
		port := func(name string) *PairPort {
			o := options(n.Boot(name), name)
			o.Random = seeded{r}
			o.Limits = Limits{Bulk: 100_000, Handshake: time.Minute}
			p, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		left, right := port("left"), port("right")
		answer, call := &simEnd{}, &simEnd{}
		if _, err := right.Listen("right:1", func() LinkHandler { return answer }); err != nil {
			t.Fatal(err)
		}
		left.Dial("right:1", time.Second, call, func(err error) { call.failed = err })
		n.Run(10 * time.Second)
		if call.link == nil || answer.link == nil {
			t.Fatalf("seed %d: no link: %v", seed, call.failed)
		}
		if call.link.Peer().Process != right.options.Process {
			t.Fatalf("seed %d: wrong peer", seed)
		}
		words, bulk, lent := 0, 0, 0
		for range 200 {
			switch r.IntN(6) {
			case 0, 1:
				if err := call.link.Send(Frame{Type: TypeWord, Head: []byte{byte(words), 1}}); err != nil {
					t.Fatal(err)
				}
				words++
			case 2, 3, 4:
				head := []byte{byte(bulk), byte(bulk >> 8)}
				body := bytes.Repeat(head[:1], 1+r.IntN(20_000))
				lent++
				err := call.link.Send(Frame{Type: TypePages, Head: head, Body: [][]byte{body[:1], body[1:]}, Release: func() { lent--; clear(body) }})
				switch {
				case err == nil:
					bulk++
				case errors.Is(err, ErrBulkFull):
					lent--
					call.full = true
				default:
					t.Fatal(err)
				}
			case 5:
				switch r.IntN(6) {
				case 0:
					n.Cut("left", "right")
				case 1:
					n.Cut("right", "left")
				case 2:
					answer.link.PauseReceive()
				case 3:
					answer.link.ResumeReceive()
				default:
					n.HealAll()
				}
			}
			n.Run(n.Now() + time.Duration(r.IntN(2000))*time.Microsecond)
		}
		n.HealAll()
		answer.link.ResumeReceive()
		reset := seed%3 == 0
		if reset {
			n.Reset("left", "right")
		}
		n.Run(n.Now() + 20*time.Second)
		if answer.bad != nil {
			t.Fatalf("seed %d: %v", seed, answer.bad)
		}
		for i, w := range answer.words {
			if int(w) != i {
				t.Fatalf("seed %d: word %d is number %d", seed, w, i)
			}
		}
		for i, b := range answer.bulk {
			if b != i {
				t.Fatalf("seed %d: bulk frame %d is number %d", seed, b, i)
			}
		}
		if !reset && (len(answer.words) != words || len(answer.bulk) != bulk || call.full) {
			t.Fatalf("seed %d: %d of %d words, %d of %d bulk frames, full %v", seed, len(answer.words), words, len(answer.bulk), bulk, call.full)
		}
		if reset && (!errors.Is(call.closed, transport.ErrReset) || !errors.Is(answer.closed, transport.ErrReset)) {
			t.Fatalf("seed %d: closed with %v and %v", seed, call.closed, answer.closed)
		}
		if lent != 0 {
			t.Fatalf("seed %d: %d bodies did not come back", seed, lent)
		}
	}
}
