package core

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/net/core/wire"
)

// answersTo lets both sides work until the client has n answers, or nothing moves any more.
func (b *backend) answersTo(f *fakeConn, n int) []wire.Packet {
	var all []wire.Packet
	for idle := 0; len(all) < n && idle < 3; idle++ {
		b.run()
		f.settle()
		if _, ps := packets(b.t, f.take(), wire.VersionMax); len(ps) > 0 {
			all, idle = append(all, ps...), 0
		}
	}
	return all
}

// A full mailbox stops the reading of the connection; nothing is lost and the order stays, wherever in the input it happens.
func TestMailboxFull(t *testing.T) {
	const requests = 200
	for _, mailboxMax := range []int{1, 400, 5000} {
		for _, batchMax := range []int{1, 300, 1 << 20} {
			for _, chunk := range []int{11, 1000, 1 << 20} {
				o := defaultBackend()
				o.mailboxMax, o.server.BatchSizeMax = mailboxMax, batchMax
				s := newScriptOn(t, newBackendWith(t, o))
				s.createConnection()
				other := s.other()
				other.createConnection()
				var input []byte
				for i := range requests {
					input = append(input, frame(10, &wire.QueueQuery{Name: fmt.Sprint("q", i)})...)
				}
				paused := false
				for len(input) > 0 {
					n := min(chunk, len(input))
					s.conn.feed(input[:n])
					other.conn.feed(frame(0, &wire.Ping{TTL: 1}))
					input = input[n:]
					paused = paused || s.conn.mu.paused
				}
				got := s.backend.answersTo(s.conn, requests)
				if len(got) != requests {
					t.Fatalf("mailbox %d, batch %d, chunk %d: %d answers to %d requests, paused %t", mailboxMax, batchMax, chunk, len(got), requests, paused)
				}
				for i, p := range got {
					if name := p.(*wire.QueueQueryResponse).Name.Value; name != fmt.Sprint("q", i) {
						t.Fatalf("mailbox %d: answer %d is about %s", mailboxMax, i, name)
					}
				}
				if mailboxMax == 1 && batchMax == 1 && !paused {
					t.Errorf("mailbox %d: reading was never paused", mailboxMax)
				}
				if len(other.conn.take()) == 0 {
					t.Error("another connection was not served")
				}
			}
		}
	}
}

// Much that is queued for the socket stops deliveries; they go on, complete and in order, when it has drained.
func TestDeliveriesWaitForTheSocket(t *testing.T) {
	const count, bodySize = 200, 1000
	o := defaultBackend()
	o.session.OutboundHighWater = 20_000
	s := newScriptOn(t, newBackendWith(t, o))
	s.createConnection()
	s.createSession(11, true, true)
	s.createQueue(11, "q")
	for range count {
		s.conn.feed(frame(11, &wire.Send{Message: message.Encode(nil, &message.Header{Address: "q", HasAddress: true}, make([]byte, bodySize), nil)}))
	}
	s.client(11, &wire.CreateConsumer{ID: 0, Queue: "q", RequiresResponse: true})
	s.conn.feed(frame(11, &wire.ConsumerCredits{Consumer: 0, Credits: -1}))
	var got, rounds int
	var last int64
	for ; got < count && rounds < count; rounds++ {
		s.backend.run()
		if queued := s.conn.Outbound(); queued > o.session.OutboundHighWater+wire.ReceiveSize(bodySize+200) {
			t.Fatalf("%d bytes are queued, the mark is at %d", queued, o.session.OutboundHighWater)
		}
		_, ps := packets(t, s.conn.take(), wire.VersionMax)
		for _, p := range ps {
			id := messageID(t, p.(*wire.Receive).Message)
			if id <= last {
				t.Fatalf("message %d came after %d", id, last)
			}
			last = id
			got++
		}
		s.conn.handler.(*conn).Drained(s.conn)
	}
	if got != count || rounds < 5 {
		t.Errorf("%d of %d messages in %d rounds", got, count, rounds)
	}
}

// A client that asks and does not read ends itself.
func TestAnswersPileUp(t *testing.T) {
	s := newScript(t)
	s.createConnection()
	s.conn.mu.outMax = 2000
	for range 50 {
		s.conn.feed(frame(10, &wire.QueueQuery{Name: "q"}))
		s.backend.run()
	}
	if err := s.conn.reason(); err == nil || !strings.Contains(err.Error(), "answers could not be queued") {
		t.Errorf("ended with %v", err)
	}
	s.conn.settle()
	s.backend.run()
	if n := s.backend.server.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

// What is durable is answered when it is safe and not before, and what came after it waits too.
func TestAnswersWaitForTheLog(t *testing.T) {
	s := newScript(t)
	s.createConnection()
	s.createSession(11, true, true)
	s.createQueue(11, "q")
	s.conn.take()
	s.backend.journal.Hold = true
	s.conn.feed(frame(11, &wire.Send{Message: textMessage("q", "held", durable), RequiresResponse: true, Correlation: -2}))
	s.conn.feed(frame(11, &wire.QueueQuery{Name: "q"}))
	s.conn.feed(frame(10, &wire.QueueQuery{Name: "other session"}))
	s.backend.run()
	if channels, ps := packets(t, s.conn.take(), wire.VersionMax); len(ps) != 1 || channels[0] != 10 {
		t.Fatalf("before the log is safe: %+v on %v", ps, channels)
	}
	s.backend.journal.SafeAll()
	s.backend.run()
	_, ps := packets(t, s.conn.take(), wire.VersionMax)
	if len(ps) != 2 || ps[0].(*wire.NullResponse).Correlation != -2 || !ps[1].(*wire.QueueQueryResponse).Exists {
		t.Errorf("when the log is safe: %+v", ps)
	}
}

// The end of the shard ends the connections, without a DISCONNECT.
func TestShardEnds(t *testing.T) {
	s := newScript(t)
	s.createConnection()
	s.backend.shard.Deactivate("the role is lost")
	s.backend.run()
	s.conn.settle()
	if err := s.conn.reason(); err == nil || !strings.Contains(err.Error(), "the role is lost") {
		t.Errorf("ended with %v", err)
	}
	if out := s.conn.take(); len(out) != 0 {
		t.Errorf("the client got %x", out)
	}
}
