package replication

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/hindmq/hind/net/transport"
)

// counter is a LinkHandler that counts bytes.
type counter struct {
	opened  chan *Link
	drained chan struct{}
	bytes   atomic.Int64
	arrived chan struct{}
	echo    bool
}

func newCounter() *counter {
	return &counter{opened: make(chan *Link, 1), drained: make(chan struct{}, 1), arrived: make(chan struct{}, 1)}
}

func (c *counter) LinkOpened(l *Link) { c.opened <- l }
func (c *counter) FrameReceived(l *Link, f Received) {
	c.bytes.Add(int64(len(f.Body)))
	f.Release()
	if c.echo {
		l.Send(Frame{Type: TypeAck, Head: f.Head})
	}
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}
func (c *counter) LinkDrained(*Link) {
	select {
	case c.drained <- struct{}{}:
	default:
	}
}
func (c *counter) LinkClosed(*Link, error) {}

// benchLink makes a link whose receiving side takes bodies from a fixed set of buffers.
func benchLink(b *testing.B, kind string, answerer *counter) (*counter, *Link) {
	b.Helper()
	tr, err := transport.Open(kind, transport.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { tr.Close() })
	right := options(tr, "right")
	free := make(chan []byte, 4)
	for range cap(free) {
		free <- make([]byte, BodyMax)
	}
	right.Allocate = func(_ FrameType, size int) ([]byte, func(), bool) {
		buf := <-free // the handler releases within its callback: one is always free
		return buf[:size], func() { free <- buf }, true
	}
	a, err := New(right)
	if err != nil {
		b.Fatal(err)
	}
	acceptor, err := a.Listen("127.0.0.1:0", func() LinkHandler { return answerer })
	if err != nil {
		b.Fatal(err)
	}
	c, err := New(options(tr, "left"))
	if err != nil {
		b.Fatal(err)
	}
	caller := newCounter()
	c.Dial(acceptor.Addr(), patience, caller, func(err error) { b.Error(err) })
	return caller, <-caller.opened
}

// BenchmarkPages is the throughput of pages over a link on loopback: lent by the sender, written into the receiver's
// buffers, both in this process.
func BenchmarkPages(b *testing.B) {
	for _, size := range []int{4 << 10, 64 << 10, BodyMax} {
		for _, kind := range []string{"plain", "gnet"} {
			b.Run(fmt.Sprintf("%dKiB/%s", size>>10, kind), func(b *testing.B) {
				answerer := newCounter()
				caller, l := benchLink(b, kind, answerer)
				page, total := make([]byte, size), int64(0)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					for {
						err := l.Send(Frame{Type: TypePages, Head: page[:40], Body: [][]byte{page}})
						if err == nil {
							break
						}
						if !errors.Is(err, ErrBulkFull) {
							b.Fatal(err)
						}
						<-caller.drained
					}
					total += int64(size)
				}
				for answerer.bytes.Load() < total {
					<-answerer.arrived
				}
			})
		}
	}
}

// BenchmarkPageAndAck is the round trip of one page of 4 KiB and its acknowledgement.
func BenchmarkPageAndAck(b *testing.B) {
	for _, kind := range []string{"plain", "gnet"} {
		b.Run(kind, func(b *testing.B) {
			answerer := newCounter()
			answerer.echo = true
			caller, l := benchLink(b, kind, answerer)
			page := make([]byte, 4<<10)
			for b.Loop() {
				if err := l.Send(Frame{Type: TypePages, Head: page[:40], Body: [][]byte{page}}); err != nil {
					b.Fatal(err)
				}
				<-caller.arrived
			}
		})
	}
}
