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
	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/net/transport"
)

// memoryLog is a journal without a disk: what was flushed is safe at once. (Package coretest has one too; it imports this
// package.)
type memoryLog struct {
	records        journal.RecordID
	appended, safe journal.Position
}

func (l *memoryLog) Append(recs ...journal.Record) (journal.RecordID, journal.Position, error) {
	first := 1<<40 | l.records + 1
	l.records += journal.RecordID(len(recs))
	l.appended.Block++
	return first, l.appended, nil
}

func (l *memoryLog) Flush(journal.Now) error {
	l.safe = l.appended
	return nil
}

func (l *memoryLog) Safe() journal.Position { return l.safe }

// backend is the whole broker but for sockets and a disk, stepped by the test.
type backend struct {
	t      testing.TB
	shard  *shard.Shard
	server *Server
	conns  []*fakeConn
	log    bytes.Buffer
	now    clock.Instant
}

// backendOptions are the limits that a test wants small.
type backendOptions struct {
	mailboxMax int
	session    session.Options
	authority  session.Authority
}

func newBackend(t testing.TB) *backend {
	return newBackendWith(t, backendOptions{mailboxMax: 1 << 20, session: session.DefaultOptions(), authority: session.Everyone{}})
}

func newBackendWith(t testing.TB, o backendOptions) *backend {
	b := &backend{t: t, now: clock.Instant{Boot: time.Hour, Wall: 1_800_000_000_000}}
	mailbox := shard.NewMailbox(o.mailboxMax, func() {})
	b.shard = shard.New(mailbox, shard.DefaultOptions())
	host := session.NewHost(b.shard, o.authority, o.session)
	if err := b.shard.Activate(new(memoryLog), b.now); err != nil {
		t.Fatal(err)
	}
	board := new(Board)
	board.Publish(Snapshot{Members: []Member{{NodeID: "node-1", EventUID: 7}}})
	b.server = New(Options{Log: slog.New(slog.NewTextHandler(&b.log, nil)), Host: host, Topology: board})
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
