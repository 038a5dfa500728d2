package session

import (
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/clock"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/journal"
)

// nullLog keeps nothing: what is left is the domain's own cost.
type nullLog struct {
	id   journal.RecordID
	page uint32
}

func (l *nullLog) Append(recs ...journal.Record) (journal.RecordID, journal.Position, error) {
	first := 1<<40 | l.id + 1
	l.id += journal.RecordID(len(recs))
	return first, journal.Position{File: 1, Block: l.page + 1}, nil
}
func (l *nullLog) Flush(journal.Now) error { l.page++; return nil }
func (l *nullLog) Safe() journal.Position  { return journal.Position{File: 1, Block: l.page} }

type counter struct {
	conn    *Conn
	ids     []int64
	answers int
}

func (c *counter) Answer(*Answer) { c.answers++ }
func (c *counter) Deliver(d *Delivery) int {
	c.ids = append(c.ids, d.ID)
	return 100
}
func (c *counter) Notify(*Event) {}
func (c *counter) Queued() int   { return 0 }
func (c *counter) Flush()        {}

// BenchmarkSendAndAcknowledge is one durable message of 1 KiB from the call of Send to its settlement, in batches.
func BenchmarkSendAndAcknowledge(b *testing.B) {
	for _, bc := range []struct {
		name  string
		batch int
	}{{"1", 1}, {"16", 16}, {"64", 64}} {
		b.Run(bc.name, func(b *testing.B) {
			sh := shard.New(shard.NewMailbox(16<<20, func() {}), shard.DefaultOptions())
			host := NewHost(sh, Everyone{}, DefaultOptions())
			now := clock.Instant{Boot: time.Hour, Wall: startWall}
			if err := sh.Activate(&nullLog{}, now); err != nil {
				b.Fatal(err)
			}
			c := &counter{}
			c.conn = host.Connect(c)
			s := c.conn.OpenSession(SessionOptions{Name: "s", AutoCommitSends: true, AutoCommitAcks: true}, silent)
			s.Start(silent)
			s.CreateQueue(&QueueOptions{Address: "q", Name: "q", Routing: address.Anycast, Kind: QueueKind{Durable: true}}, silent)
			s.CreateConsumer(ConsumerOptions{ID: 1, Queue: "q"}, silent)
			s.Credits(1, -1)
			m := newMessage(b, "q", strings.Repeat("x", 1024))
			b.ReportAllocs()
			for n := 0; n < b.N; n += bc.batch {
				for range bc.batch {
					s.Send(m, "", address.RoutingNone, Tag{})
				}
				for _, id := range c.ids {
					s.Acknowledge(1, id, silent)
				}
				c.ids = c.ids[:0]
				if err := c.conn.Post(); err != nil {
					b.Fatal(err)
				}
				sh.Step(now)
			}
			if c.answers < b.N {
				b.Fatalf("%d answers for %d sends", c.answers, b.N)
			}
		})
	}
}
