package core

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/hindmq/hind/broker/clock"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/broker/shard/shardtest"
	"github.com/hindmq/hind/net/transport"
)

// backend is the whole broker but for sockets and a disk, stepped by the test.
type backend struct {
	t       testing.TB
	shard   *shard.Shard
	journal *shardtest.Log
	server  *Server
	conns   []*fakeConn
	log     bytes.Buffer
	now     clock.Instant
}

// backendOptions are the limits that a test wants small.
type backendOptions struct {
	mailboxMax int
	session    session.Options
	authority  session.Authority
	server     Options // limits only
}

func defaultBackend() backendOptions {
	return backendOptions{mailboxMax: 1 << 20, session: session.DefaultOptions(), authority: session.Everyone{}}
}

func newBackend(t testing.TB) *backend { return newBackendWith(t, defaultBackend()) }

func newBackendWith(t testing.TB, o backendOptions) *backend {
	b := &backend{t: t, journal: shardtest.New(), now: clock.Instant{Boot: time.Hour, Wall: 1_800_000_000_000}}
	mailbox := shard.NewMailbox(o.mailboxMax, func() {})
	b.shard = shard.New(mailbox, shard.DefaultOptions())
	host := session.NewHost(b.shard, o.authority, o.session)
	if err := b.shard.Activate(b.journal, b.now); err != nil {
		t.Fatal(err)
	}
	board := new(Board)
	board.Publish(Snapshot{Members: []Member{{NodeID: "node-1", EventUID: 7}}})
	o.server.Log = slog.New(slog.NewTextHandler(&b.log, nil))
	o.server.Host, o.server.Topology = host, board
	b.server = New(o.server)
	return b
}

// run steps the shard until it has nothing to do.
func (b *backend) run() {
	for range 10_000 {
		if !b.shard.Step(b.now) {
			return
		}
	}
	b.t.Fatal("the shard finds something to do for ever")
}

func (b *backend) connect() *fakeConn {
	f := &fakeConn{id: transport.ConnID(len(b.conns) + 1)}
	f.handler = b.server.Accept(f)
	f.handler.Opened(f)
	b.conns = append(b.conns, f)
	return f
}

// messageID is the id that the broker put into a message.
func messageID(t testing.TB, raw []byte) int64 {
	t.Helper()
	m, err := message.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m.ID()
}
