package core

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/net/core/wire"
	"github.com/hindmq/hind/net/remoting"
	"github.com/hindmq/hind/net/transport"
)

// bench is a server without a shard behind it: enough for what happens before a session is open.
type bench struct {
	t      *testing.T
	server *Server
	board  *Board
	log    *bytes.Buffer
	conns  int
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, board: new(Board), log: new(bytes.Buffer)}
	b.board.Publish(Snapshot{Members: []Member{{NodeID: "node-1", EventUID: 7}}})
	mailbox := shard.NewMailbox(1<<20, func() {})
	b.server = New(Options{
		Log:      slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Host:     session.NewHost(shard.New(mailbox, shard.DefaultOptions()), session.Everyone{}, session.DefaultOptions()),
		Topology: b.board,
	})
	return b
}

func (b *bench) connect() *fakeConn {
	b.conns++
	f := &fakeConn{id: transport.ConnID(b.conns)}
	f.handler = b.server.Accept(f)
	if f.handler == nil {
		b.t.Fatal("the server does not accept")
	}
	f.handler.Opened(f)
	return f
}

// packets decodes what the server sent.
func packets(t testing.TB, data []byte, version int32) (channels []int64, ps []wire.Packet) {
	t.Helper()
	for len(data) > 0 {
		f, size, _, err := wire.Split(data, 1<<20)
		if err != nil || size == 0 {
			t.Fatalf("the server sent %x: %v", data, err)
		}
		p, err := wire.Decode(f, version)
		if err != nil {
			t.Fatalf("the server sent %x: %v", data[:size], err)
		}
		channels, ps = append(channels, f.Channel), append(ps, p)
		data = data[size:]
	}
	return channels, ps
}

func frame(channel int64, p wire.Packet) []byte { return wire.Append(nil, channel, p, wire.VersionMax) }

// The start of a connection, also when it comes byte by byte.
func TestConnectionStart(t *testing.T) {
	b := newBench(t)
	input := []byte(wire.Handshake)
	input = append(input, frame(0, &wire.Ping{TTL: 30000})...)
	input = append(input, frame(0, &wire.Ping{TTL: 30000})...)
	input = append(input, frame(1, &wire.CheckForFailover{NodeID: wire.Some("node-1")})...)
	input = append(input, frame(0, &wire.SubscribeTopologyV2{ClientVersion: 136})...)
	for _, chunk := range []int{1, 7, len(input)} {
		f := b.connect()
		for rest := input; len(rest) > 0; rest = rest[min(chunk, len(rest)):] {
			f.feed(rest[:min(chunk, len(rest))])
		}
		channels, ps := packets(t, f.take(), wire.VersionMax)
		if len(ps) != 4 {
			t.Fatalf("%d answers: %+v", len(ps), ps)
		}
		if p, ok := ps[1].(*wire.Ping); !ok || p.TTL != 30000 || channels[1] != 0 {
			t.Errorf("ping is answered with %+v", ps[1])
		}
		if p, ok := ps[2].(*wire.CheckForFailoverResponse); !ok || !p.OK || channels[2] != 1 {
			t.Errorf("check for failover is answered with %+v on channel %d", ps[2], channels[2])
		}
		if p, ok := ps[3].(*wire.ClusterTopology); !ok || !p.Last || p.NodeID != "node-1" || p.EventID != 7 || p.Primary.Set || p.ServerVersion != wire.VersionMax {
			t.Errorf("the topology is %+v", ps[3])
		}
		if !f.mu.established || f.mu.idle != 30*time.Second || f.reason() != nil {
			t.Errorf("established %t, idle %v, %v", f.mu.established, f.mu.idle, f.reason())
		}
	}
}

func TestTopology(t *testing.T) {
	b := newBench(t)
	pair := Member{NodeID: "node-1", EventUID: 8, Primary: wire.Some(wire.TCPConnector("a", "h1", "61616")),
		Backup: wire.Some(wire.TCPConnector("b", "h2", "61616")), BackupGroup: "g"}
	b.board.Publish(Snapshot{Members: []Member{pair, {NodeID: "node-2", EventUID: 3}}})
	modern, old, deaf := b.connect(), b.connect(), b.connect()
	for _, f := range []*fakeConn{modern, old, deaf} {
		f.feed([]byte(wire.Handshake))
	}
	modern.feed(frame(0, &wire.SubscribeTopologyV2{ClientVersion: 140}))
	old.feed(frame(0, &wire.SubscribeTopologyV2{ClientVersion: 129}))
	for version, f := range map[int32]*fakeConn{136: modern, 129: old} {
		_, ps := packets(t, f.take(), version)
		if len(ps) != 2 {
			t.Fatalf("version %d: %d answers", version, len(ps))
		}
		first, second := ps[0].(*wire.ClusterTopology), ps[1].(*wire.ClusterTopology)
		if first.Last || !second.Last || first.Primary.Value.Params[0].Text != "h1" || first.Backup.Value.Params[0].Text != "h2" {
			t.Errorf("version %d: %+v, %+v", version, first, second)
		}
		if version == 129 && (first.ServerVersion != 0 || first.Type(129) != wire.TypeClusterTopologyV3) {
			t.Errorf("an old client got %+v", first)
		}
	}
	pair.EventUID = 9
	b.board.Publish(Snapshot{Members: []Member{pair}, Gone: []Member{{NodeID: "node-2", EventUID: 4}}})
	_, ps := packets(t, modern.take(), 136)
	if len(ps) != 2 || !ps[0].(*wire.ClusterTopology).Exit || ps[1].(*wire.ClusterTopology).EventID != 9 || ps[1].(*wire.ClusterTopology).Last {
		t.Errorf("the change is told as %+v", ps)
	}
	if out := deaf.take(); len(out) != 0 {
		t.Errorf("a client that did not subscribe got %x", out)
	}
	modern.drop()
	b.board.Publish(Snapshot{Members: []Member{pair}})
	if out := modern.take(); len(out) != 0 {
		t.Errorf("a client that has gone got %x", out)
	}
}

// What a stranger may not do ends his connection, says why, and disturbs nobody.
func TestStrangers(t *testing.T) {
	huge := append([]byte(wire.Handshake), 0, 1, 0, 1)
	unknown := frame(1, &wire.CheckForFailover{})
	unknown[4] = 99
	for name, v := range map[string]struct {
		input  []byte
		reason string
	}{
		"http":                 {[]byte("GET / HTTP/1.1\r\n"), "no CORE client"},
		"hornetq":              {[]byte("HORNETQ"), "no CORE client"},
		"wrong from the 3rd":   {[]byte("AR7"), "no CORE client"},
		"negative length":      {append([]byte(wire.Handshake), 0xff, 0xff, 0xff, 0xff), "length field"},
		"too long a frame":     {huge, "length field"},
		"send at once":         {append([]byte(wire.Handshake), frame(10, &wire.Send{})...), "before a session is open"},
		"queue query at once":  {append([]byte(wire.Handshake), frame(10, &wire.QueueQuery{Name: "q"})...), "before a session is open"},
		"session work on 1":    {append([]byte(wire.Handshake), frame(1, &wire.DeleteQueue{Name: "q"})...), "does not belong on channel 1"},
		"session work on 0":    {append([]byte(wire.Handshake), frame(0, &wire.Commit{})...), "does not belong on channel 0"},
		"cluster":              {append([]byte(wire.Handshake), frame(3, &wire.Commit{})...), "clustering"},
		"node announce":        {append([]byte(wire.Handshake), 0, 0, 0, 9, 111, 0, 0, 0, 0, 0, 0, 0, 0), "not known"},
		"unknown type":         {append([]byte(wire.Handshake), unknown...), "not known"},
		"cut packet":           {append([]byte(wire.Handshake), 0, 0, 0, 10, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1), "malformed"},
		"session on channel 1": {append([]byte(wire.Handshake), frame(1, &wire.CreateSession{Channel: 1, Version: 136})...), "sessions begin at 10"},
		"work before the answer": {append(append([]byte(wire.Handshake), frame(1, &wire.CreateSession{Channel: 10, Version: 136})...),
			frame(10, &wire.Start{})...), "before a session is open"},
		"one channel twice": {append(append([]byte(wire.Handshake), frame(1, &wire.CreateSession{Channel: 10, Version: 136})...),
			frame(1, &wire.CreateSession{Channel: 10, Version: 136})...), "has a session"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			good, bad := b.connect(), b.connect()
			good.feed([]byte(wire.Handshake))
			bad.feed(v.input)
			bad.settle()
			if err := bad.reason(); err == nil || !strings.Contains(err.Error(), v.reason) {
				t.Errorf("ended with %v, want a reason with %q", err, v.reason)
			}
			if log := b.log.String(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, bad.RemoteAddr()) {
				t.Errorf("the log says\n%s", log)
			}
			good.feed(frame(0, &wire.Ping{TTL: 1}))
			if good.reason() != nil || len(good.take()) == 0 || b.server.Connections() != 1 {
				t.Errorf("another connection suffered: %v, %d connections", good.reason(), b.server.Connections())
			}
		})
	}
}

// A version that is not spoken is refused and the connection stays: the client steps down on it.
func TestVersionStepDown(t *testing.T) {
	b := newBench(t)
	f := b.connect()
	f.feed([]byte(wire.Handshake))
	for i, version := range []int32{137, 128, 0} {
		f.feed(frame(1, &wire.CreateSession{Name: "s", Channel: int64(10 + i), Version: version}))
		_, ps := packets(t, f.take(), wire.VersionMax)
		if len(ps) != 1 || ps[0].(*wire.Exception).Code != wire.CodeIncompatibleVersions || f.reason() != nil {
			t.Errorf("version %d: %+v, %v", version, ps, f.reason())
		}
	}
}

// The smallest version that the client named is used, whatever it says later.
func TestEffectiveVersion(t *testing.T) {
	c := &conn{}
	for _, v := range []struct{ announced, want int32 }{{140, 136}, {134, 134}, {136, 134}, {129, 129}, {136, 129}} {
		c.announced(v.announced)
		if got := c.effectiveVersion(); got != v.want {
			t.Errorf("after %d: %d, want %d", v.announced, got, v.want)
		}
	}
}

func TestIdle(t *testing.T) {
	for ms, want := range map[int64]time.Duration{-1: transport.NoIdle, 0: transport.NoIdle, 1: time.Second, 60000: time.Minute,
		1 << 62: ttlMax, -1 << 63: transport.NoIdle} {
		if got := idleOf(ms); got != want {
			t.Errorf("%d ms: %v, want %v", ms, got, want)
		}
	}
	b := newBench(t)
	f := b.connect()
	f.feed([]byte(wire.Handshake))
	f.feed(frame(0, &wire.Ping{TTL: 3_600_000}))
	if f.mu.idle != transport.IdleDefault {
		t.Errorf("a stranger may be idle for %v", f.mu.idle)
	}
	f.feed(frame(0, &wire.Ping{TTL: -1}))
	if f.mu.idle != transport.IdleDefault {
		t.Errorf("a stranger may be idle for %v", f.mu.idle)
	}
}

func TestMatch(t *testing.T) {
	for first, want := range map[string]remoting.Verdict{"A": remoting.More, "ARTEMI": remoting.More, "ARTEMIS": remoting.Yes,
		"ARTEMIS\x00\x00": remoting.Yes, "HORNETQ": remoting.No, "AMQP": remoting.No} {
		if got := Match([]byte(first)); got != want {
			t.Errorf("%q: %v, want %v", first, got, want)
		}
	}
}

func TestClose(t *testing.T) {
	for how, want := range map[Farewell]int{FarewellSilent: 0, FarewellShutDown: 1, FarewellAbort: 0} {
		b := newBench(t)
		f := b.connect()
		f.feed([]byte(wire.Handshake))
		b.server.Close(how, errTest)
		b.server.Close(how, errTest)
		_, ps := packets(t, f.take(), wire.VersionMax)
		if len(ps) != want || !errors.Is(f.reason(), errTest) {
			t.Errorf("farewell %d: %+v, %v", how, ps, f.reason())
		}
		if want == 1 && ps[0].(*wire.Disconnect).NodeID != "node-1" {
			t.Errorf("DISCONNECT %+v", ps[0])
		}
		if h := b.server.Accept(f); h != nil {
			t.Error("a closed server accepts")
		}
	}
	b := newBench(t)
	b.board.Publish(Snapshot{})
	f := b.connect()
	b.server.Close(FarewellShutDown, errTest)
	if out := f.take(); len(out) != 0 {
		t.Errorf("a DISCONNECT without a node id was sent: %x", out)
	}
}
