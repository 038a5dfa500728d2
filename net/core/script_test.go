package core

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hindmq/hind/net/core/wire"
	"github.com/hindmq/hind/net/transport"
)

var update = flag.Bool("update", false, "write the transcripts anew")

// script plays one client and writes down what both sides say. Several clients of one broker share a transcript.
type script struct {
	t       *testing.T
	version int32
	backend *backend
	conn    *fakeConn
	lines   *[]string
	name    string // of the client: "", "'", ...

	delivered []delivered
	ids       map[int64]string // names for message ids, which are the broker's business
}

type delivered struct{ consumer, message int64 }

func newScript(t *testing.T) *script { return newScriptOn(t, newBackend(t)) }

func newScriptOn(t *testing.T, b *backend) *script {
	s := &script{t: t, version: wire.VersionMax, backend: b, lines: new([]string), ids: map[int64]string{0: "0"}}
	s.conn = s.backend.connect()
	return s
}

// other is another client of the same broker; what it says and hears is marked.
func (s *script) other() *script {
	o := &script{t: s.t, version: s.version, backend: s.backend, lines: s.lines, name: s.name + "'", ids: s.ids}
	o.conn = s.backend.connect()
	return o
}

// raw sends bytes that are no frame.
func (s *script) raw(data []byte) {
	s.say(fmt.Sprintf("> %q", data))
	s.conn.feed(data)
	s.listen()
}

// client sends one packet and writes down every answer.
func (s *script) client(channel int64, p wire.Packet) {
	s.say(formatPacket(">", channel, p, s.version))
	s.conn.feed(wire.Append(nil, channel, p, s.version))
	s.listen()
}

// drop ends the client's connection.
func (s *script) drop() {
	s.say("> (gone)")
	s.conn.drop()
	s.listen()
}

func (s *script) note(text string) { *s.lines = append(*s.lines, "", "# "+text) }

func (s *script) say(line string) {
	if s.name != "" {
		line = line[:1] + s.name + line[1:]
	}
	for id, name := range s.ids {
		if id > 1<<30 {
			line = strings.ReplaceAll(line, fmt.Sprint(id), name)
		}
	}
	*s.lines = append(*s.lines, line)
}

// listen lets the broker work until nothing is left to do.
func (s *script) listen() {
	s.backend.run()
	for _, c := range s.backend.conns {
		c.settle()
	}
	s.backend.run()
	channels, ps := packets(s.t, s.conn.take(), s.version)
	for i, p := range ps {
		if r, ok := p.(*wire.Receive); ok && r.DeliveryCount > 0 {
			s.delivered = append(s.delivered, delivered{r.Consumer, messageID(s.t, r.Message)})
		}
		if r, ok := p.(*wire.Receive); ok && s.ids[messageID(s.t, r.Message)] == "" {
			s.ids[messageID(s.t, r.Message)] = fmt.Sprintf("#%d", len(s.ids))
		}
		s.say(formatPacket("<", channels[i], p, s.version))
	}
	if err := s.conn.reason(); err != nil && !strings.Contains(err.Error(), transport.ErrPeerClosed.Error()) {
		s.say("< (closed: " + err.Error() + ")")
	}
}

func (s *script) acknowledgeFirst(channel int64) {
	d := s.delivered[0]
	s.client(channel, &wire.Acknowledge{Consumer: d.consumer, Message: d.message})
}

func (s *script) acknowledgeLast(channel int64) {
	d := s.delivered[len(s.delivered)-1]
	s.client(channel, &wire.Acknowledge{Consumer: d.consumer, Message: d.message, RequiresResponse: true})
}

// check compares the transcript with the one that was read and found right.
func (s *script) check(name string) {
	s.t.Helper()
	got := strings.Join(*s.lines, "\n") + "\n"
	path := filepath.Join("testdata", "transcripts", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	wantLines, gotLines := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range max(len(wantLines), len(gotLines)) {
		var w, g string
		if i < len(wantLines) {
			w = wantLines[i]
		}
		if i < len(gotLines) {
			g = gotLines[i]
		}
		if w != g {
			s.t.Fatalf("%s:%d\nwant %s\ngot  %s\nafter\n%s", path, i+1, w, g, strings.Join(gotLines[max(0, i-5):min(i, len(gotLines))], "\n"))
		}
	}
}
