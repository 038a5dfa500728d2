package core

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core/wire"
	"github.com/hindmq/hind/net/transport"
)

// door lets one user in.
type door struct{}

func (door) Authenticate(user, password string) (session.Identity, error) {
	if user != "u" || password != "secret" {
		return nil, fmt.Errorf("unknown user or wrong password")
	}
	return session.Everyone{}.Authenticate(user, password)
}

// A refused login is answered and leaves the connection a stranger's; after too many it is closed.
func TestLogin(t *testing.T) {
	o := defaultBackend()
	o.authority = door{}
	s := newScriptOn(t, newBackendWith(t, o))
	s.raw([]byte(wire.Handshake))
	login := func(channel int64, password string) []wire.Packet {
		s.conn.feed(frame(1, &wire.CreateSession{Name: "s", Channel: channel, Version: 136, Username: wire.Some("u"), Password: wire.Some(password), ConfirmationWindow: -1}))
		return s.backend.answersTo(s.conn, 1)
	}
	ps := login(10, "guess")
	if len(ps) != 1 || ps[0].(*wire.Exception).Code != wire.CodeSecurity || strings.Contains(ps[0].(*wire.Exception).Message.Value, "guess") {
		t.Fatalf("a wrong password is answered with %+v", ps)
	}
	if strings.Contains(s.backend.log.String(), "guess") {
		t.Error("the password is in the log")
	}
	if ps = login(10, "secret"); len(ps) != 1 {
		t.Fatalf("%+v", ps)
	} else if _, ok := ps[0].(*wire.CreateSessionResponse); !ok {
		t.Fatalf("the right password, on the same channel, is answered with %+v", ps[0])
	}
	other := s.other()
	other.raw([]byte(wire.Handshake))
	for i := range loginsMax + 1 {
		other.conn.feed(frame(1, &wire.CreateSession{Name: "s", Channel: int64(10 + i), Version: 136, ConfirmationWindow: -1}))
		s.backend.answersTo(other.conn, 1)
	}
	if err := other.conn.reason(); err == nil || !strings.Contains(err.Error(), "none could be opened") {
		t.Errorf("after %d failures: %v", loginsMax, err)
	}
	stranger := s.other()
	stranger.raw([]byte(wire.Handshake))
	stranger.conn.feed(frame(1, &wire.CreateSession{Name: "s", Channel: 10, Version: 136, ConfirmationWindow: -1}))
	s.backend.answersTo(stranger.conn, 1)
	stranger.conn.feed(frame(10, &wire.QueueQuery{Name: "q"}))
	if err := stranger.conn.reason(); err == nil || !strings.Contains(err.Error(), "before a session is open") {
		t.Errorf("work after a refused login: %v", err)
	}
}

// The limit of sessions is answered, and a closed session makes room.
func TestSessionsMax(t *testing.T) {
	o := defaultBackend()
	o.server.SessionsMax = 2
	s := newScriptOn(t, newBackendWith(t, o))
	s.createConnection()
	open := func(channel int64) wire.Packet {
		s.conn.feed(frame(1, &wire.CreateSession{Name: fmt.Sprint("s", channel), Channel: channel, Version: 136, ConfirmationWindow: -1}))
		return s.backend.answersTo(s.conn, 1)[0]
	}
	if _, ok := open(11).(*wire.CreateSessionResponse); !ok {
		t.Fatal("the second session is refused")
	}
	if p, ok := open(12).(*wire.Exception); !ok || p.Code != wire.CodeIllegalState {
		t.Errorf("the third session: %+v", p)
	}
	s.client(11, &wire.Close{})
	if _, ok := open(13).(*wire.CreateSessionResponse); !ok {
		t.Error("a closed session makes no room")
	}
}

// A frame that is too much for a stranger is right for a client; above the limit of clients it ends the connection.
func TestFrameSizes(t *testing.T) {
	s := newScript(t)
	s.createConnection()
	s.createSession(11, true, true)
	s.createQueue(11, "q")
	big := textMessage("q", strings.Repeat("x", 40_000), durable) // 80 KB in UTF-16
	s.conn.feed(frame(11, &wire.Send{Message: big, RequiresResponse: true, Correlation: -2}))
	if ps := s.backend.answersTo(s.conn, 1); len(ps) != 1 || ps[0].(*wire.NullResponse).Correlation != -2 {
		t.Fatalf("a large frame is answered with %+v", ps)
	}
	huge := textMessage("q", strings.Repeat("x", 60_000), durable)
	s.conn.feed(frame(11, &wire.Send{Message: huge, RequiresResponse: true, Correlation: -3}))
	if ps := s.backend.answersTo(s.conn, 1); len(ps) != 1 || ps[0].(*wire.Exception).Code != wire.CodeNotImplemented || ps[0].(*wire.Exception).Correlation.Value != -3 {
		t.Fatalf("a body beyond the limit is answered with %+v", ps)
	}
	s.conn.feed([]byte{0, 0x10, 0, 0, 71})
	if err := s.conn.reason(); err == nil || !strings.Contains(err.Error(), "length field") {
		t.Errorf("a frame beyond the limit: %v", err)
	}
}

// A message that does not parse ends its own connection; what the client sent before it is still done.
func TestBadMessage(t *testing.T) {
	s := newScript(t)
	s.createConnection()
	s.createSession(11, true, true)
	s.createQueue(11, "q")
	bad := textMessage("q", "cut", durable)
	input := frame(11, &wire.Send{Message: textMessage("q", "good", durable)})
	input = append(input, frame(11, &wire.Send{Message: bad[:len(bad)-3]})...)
	input = append(input, frame(11, &wire.Send{Message: textMessage("q", "after", durable)})...)
	s.conn.feed(input)
	s.backend.run()
	s.conn.settle()
	if err := s.conn.reason(); err == nil || !strings.Contains(err.Error(), "SESS_SEND") {
		t.Errorf("ended with %v", err)
	}
	other := s.other()
	other.createConnection()
	other.conn.feed(frame(10, &wire.QueueQuery{Name: "q"}))
	if ps := s.backend.answersTo(other.conn, 1); ps[0].(*wire.QueueQueryResponse).MessageCount != 1 {
		t.Errorf("%d messages in the queue, want the one before the bad", ps[0].(*wire.QueueQueryResponse).MessageCount)
	}
}

// The broker keeps the bytes of a message as they came; a later change of the read buffer does not reach it.
func TestMessageIsCopied(t *testing.T) {
	s := newScript(t)
	s.createConnection()
	s.createSession(11, true, true)
	s.createQueue(11, "q")
	sent := textMessage("q", "as sent", durable)
	data := frame(11, &wire.Send{Message: sent})
	if n := s.conn.handler.Received(s.conn, data); n != len(data) {
		t.Fatalf("%d of %d bytes consumed", n, len(data))
	}
	for i := range data {
		data[i] = 0xEE
	}
	s.client(11, &wire.CreateConsumer{ID: 0, Queue: "q", RequiresResponse: true})
	s.conn.feed(frame(11, &wire.ConsumerCredits{Consumer: 0, Credits: 1}))
	got := s.backend.answersTo(s.conn, 1)[0].(*wire.Receive).Message
	idAt := len(sent) - len(sent[4+len("as sent")*2+5:]) // behind the body
	if !bytes.Equal(got[:idAt], sent[:idAt]) || !bytes.Equal(got[idAt+8:], sent[idAt+8:]) {
		t.Errorf("sent\n%x, delivered\n%x", sent, got)
	}
}

// Closing the client's socket at any moment leaves nothing behind.
func TestGone(t *testing.T) {
	s := newScript(t)
	s.createConnection()
	s.createSession(11, false, false)
	s.createQueue(11, "q")
	s.conn.feed(frame(11, &wire.Send{Message: textMessage("q", "in the transaction", durable)}))
	s.conn.feed(frame(1, &wire.CreateSession{Name: "pending", Channel: 12, Version: 136, ConfirmationWindow: -1}))
	s.conn.end(transport.ErrReset)
	s.conn.settle()
	s.backend.run()
	other := s.other()
	other.createConnection()
	other.conn.feed(frame(10, &wire.QueueQuery{Name: "q"}))
	if ps := s.backend.answersTo(other.conn, 1); ps[0].(*wire.QueueQueryResponse).MessageCount != 0 {
		t.Errorf("an open transaction was committed by the end of the connection")
	}
	if n := s.backend.server.Connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
}
