package coretest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/net/core"
	"github.com/hindmq/hind/net/core/wire"
)

// peer is a client that speaks frames over a real socket.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dial(t *testing.T, addr string) *peer {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, conn: c, in: bufio.NewReader(c)}
	if _, err := c.Write([]byte(wire.Handshake)); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *peer) send(channel int64, packets ...wire.Packet) {
	var out []byte
	for _, packet := range packets {
		out = wire.Append(out, channel, packet, wire.VersionMax)
	}
	if _, err := p.conn.Write(out); err != nil {
		p.t.Error(err)
	}
}

func (p *peer) next() (wire.Packet, error) {
	head := make([]byte, wire.LengthSize)
	if _, err := io.ReadFull(p.in, head); err != nil {
		return nil, err
	}
	_, _, need, err := wire.Split(head, wire.FrameSizeMaxDefault)
	if err != nil {
		return nil, err
	}
	whole := append(head, make([]byte, need-len(head))...)
	if _, err := io.ReadFull(p.in, whole[wire.LengthSize:]); err != nil {
		return nil, err
	}
	f, _, _, err := wire.Split(whole, wire.FrameSizeMaxDefault)
	if err != nil {
		return nil, err
	}
	return wire.Decode(f, wire.VersionMax)
}

// session opens one on channel 10.
func (p *peer) session(name string) {
	p.send(1, &wire.CreateSession{Name: name, Channel: 10, Version: wire.VersionMax, AutoCommitSends: true, AutoCommitAcks: true, ConfirmationWindow: -1})
	if got, err := p.next(); err != nil {
		p.t.Errorf("%s: %v", name, err)
	} else if _, ok := got.(*wire.CreateSessionResponse); !ok {
		p.t.Errorf("%s: %+v", name, got)
	}
}

// Several clients at once, each sending to and consuming from a queue of its own over a real socket: every message arrives
// once, in order, on both transports. With -race this holds the loops and the shard apart.
func TestClientsAtOnce(t *testing.T) {
	const clients, count = 4, 300
	for _, kind := range []string{"plain", "gnet"} {
		t.Run(kind, func(t *testing.T) {
			b, err := Start(Options{Transport: kind})
			if err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for i := range clients {
				all.Go(func() { exchange(t, b.Addr(), fmt.Sprint("q", i), count) })
			}
			all.Wait()
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func exchange(t *testing.T, addr, queue string, count int) {
	p := dial(t, addr)
	defer p.conn.Close()
	p.session(queue)
	p.send(10, &wire.CreateQueue{Address: queue, Name: queue, Durable: true, RoutingType: wire.RoutingAnycast, MaxConsumers: -1},
		&wire.CreateConsumer{ID: 0, Queue: queue}, &wire.Start{}, &wire.ConsumerCredits{Consumer: 0, Credits: -1})
	for i := range count {
		m := message.Encode(nil, &message.Header{Address: queue, HasAddress: true, Durable: i%2 == 0}, nil,
			[]message.Property{{Name: "i", Value: message.Int(int32(i))}})
		p.send(10, &wire.Send{Message: m, RequiresResponse: true, Correlation: int64(i + 1)})
	}
	for delivered, answered := 0, 0; delivered < count || answered < count; {
		got, err := p.next()
		if err != nil {
			t.Errorf("%s: %d delivered, %d answered: %v", queue, delivered, answered, err)
			return
		}
		switch got := got.(type) {
		case *wire.NullResponse:
			if answered++; got.Correlation != int64(answered) {
				t.Errorf("%s: answer %d is number %d", queue, got.Correlation, answered)
			}
		case *wire.Receive:
			m, err := message.Parse(got.Message)
			if err != nil {
				t.Error(err)
				return
			}
			if v, _ := m.Property("i"); v.Int() != int64(delivered) {
				t.Errorf("%s: message %d came as number %d", queue, v.Int(), delivered)
			}
			p.send(10, &wire.Acknowledge{Consumer: 0, Message: m.ID()})
			delivered++
		default:
			t.Errorf("%s: %+v", queue, got)
			return
		}
	}
}

// A broker that shuts down says so and closes; one that dies just closes.
func TestFarewells(t *testing.T) {
	for _, how := range []core.Farewell{core.FarewellShutDown, core.FarewellSilent, core.FarewellAbort} {
		b, err := Start(Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := dial(t, b.Addr())
		p.session("s")
		b.Server.Close(how, errors.New("the test ends it"))
		got, err := p.next()
		if d, ok := got.(*wire.Disconnect); (how == core.FarewellShutDown) != (ok && d.NodeID != "") {
			t.Errorf("farewell %d: %+v, %v", how, got, err)
		}
		if err == nil {
			if _, err = p.next(); err == nil {
				t.Errorf("farewell %d: the connection stays open", how)
			}
		}
		if err := p.conn.Close(); err != nil {
			t.Error(err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A consumer without limits that reads late: deliveries stop while much is queued and go on when the socket has drained,
// which needs the marks of transport and sessions to fit together.
func TestLateReader(t *testing.T) {
	const count, size = 400, 50_000 // 20 MB: more than the kernel holds for a connection
	for _, kind := range []string{"plain", "gnet"} {
		t.Run(kind, func(t *testing.T) {
			b, err := Start(Options{Transport: kind})
			if err != nil {
				t.Fatal(err)
			}
			late, p := dial(t, b.Addr()), dial(t, b.Addr())
			late.session("late")
			p.session("p")
			late.send(10, &wire.CreateQueue{Address: "q", Name: "q", RoutingType: wire.RoutingAnycast, MaxConsumers: -1, Durable: true, RequiresResponse: true},
				&wire.CreateConsumer{ID: 0, Queue: "q"}, &wire.Start{}, &wire.ConsumerCredits{Consumer: 0, Credits: -1})
			if got, err := late.next(); err != nil {
				t.Fatalf("%+v, %v", got, err)
			}
			m := message.Encode(nil, &message.Header{Address: "q", HasAddress: true}, make([]byte, size), nil)
			for i := range count {
				p.send(10, &wire.Send{Message: m, RequiresResponse: i == count-1, Correlation: 1})
			}
			if got, err := p.next(); err != nil || got.(*wire.NullResponse).Correlation != 1 {
				t.Fatalf("%+v, %v", got, err)
			}
			for i := range count {
				if got, err := late.next(); err != nil {
					t.Fatalf("after %d of %d messages: %v", i, count, err)
				} else if _, ok := got.(*wire.Receive); !ok {
					t.Fatalf("%+v", got)
				}
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
