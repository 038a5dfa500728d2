package server

import (
	"bytes"
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/broker/config"
	"github.com/hindmq/hind/net/core/wire"
)

// wants checks that a message names all that it must.
func wants(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
}

// Two brokers with different cluster passwords do not become a pair, and both logs say why.
func TestWrongClusterPassword(t *testing.T) {
	primary, backup := couple(t)
	backup.Cluster.Password = "other"
	a, b := run(t, primary, true), run(t, backup, true)
	for _, r := range []*running{a, b} {
		r.logs("pair port refused a broker")
		wants(t, r.log.String(), "cluster-password")
	}
	for _, r := range []*running{a, b} {
		if code, text := r.do("GET", "/readyz", "", nil); code != 503 {
			t.Errorf("readyz: %d %s", code, text)
		}
	}
}

// A stranger on the pair port is turned away and told of; the pair comes together beside it.
func TestStrangerOnPairPort(t *testing.T) {
	primary, backup := couple(t)
	a := run(t, primary, true)
	address := primary.PairListen().String()
	for _, hello := range [][]byte{[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), bytes.Repeat([]byte{0xff}, 4096), []byte(wire.Handshake), {0}} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(hello); err != nil {
			t.Fatal(err)
		}
	}
	a.logs("pair port refused a stranger")
	wants(t, a.log.String(), "remote=127.0.0.1:", "send clients to the acceptors' ports")
	run(t, backup, true)
	a.serving()
}

// start runs a broker that cannot start and returns its error.
func start(t *testing.T, c *config.Config) string {
	t.Helper()
	o, _ := options(c)
	s, err := Open(o)
	if err == nil {
		err = s.Run(t.Context(), true)
	}
	if err == nil {
		t.Fatal("the broker ended without an error")
	}
	return err.Error()
}

// The second broker on a journal directory does not start; the first one goes on.
func TestTwoOpeners(t *testing.T) {
	c := single(t)
	r := run(t, c, true)
	r.serving()
	second := *c
	second.Acceptors = []config.Acceptor{c.Acceptors[0]}
	second.Acceptors[0].Port = freePort(t)
	wants(t, start(t, &second), c.JournalDir(), "locked by another process", "stop that process first")
	user(t, r.address()).send("a")
}

// A directory that cannot be one, and a pair port that is taken.
func TestPlacesThatAreTaken(t *testing.T) {
	c := single(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Journal.Dir = file
	wants(t, start(t, c), "journal directory", file)

	primary, _ := couple(t)
	l, err := net.Listen("tcp", primary.PairListen().String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	wants(t, start(t, primary), "pair port", primary.PairListen().String(), "in use")

	c = single(t)
	o, _ := options(c)
	for _, bad := range []string{"0.0.0.0:0", "192.0.2.1:80", ":0", "example.com:80"} {
		o.Admin = bad
		if _, err := Open(o); err == nil || !strings.Contains(err.Error(), "loopback only; use 127.0.0.1") {
			t.Errorf("admin port %s: %v", bad, err)
		}
	}
}

// made is a journal with one acknowledged message, whose broker has stopped.
func made(t *testing.T) *config.Config {
	t.Helper()
	c := single(t)
	r := run(t, c, true)
	r.serving()
	user(t, r.address()).send("kept")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	return c
}

// Files of somebody else in the journal directory change nothing and are left alone.
func TestForeignFiles(t *testing.T) {
	c := made(t)
	foreign := filepath.Join(c.JournalDir(), "notes.txt")
	if err := os.WriteFile(foreign, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, c, true)
	r.serving()
	r.status("the message", messages(1))
	if b, err := os.ReadFile(foreign); err != nil || string(b) != "mine" {
		t.Errorf("%q, %v", b, err)
	}
}

// What is in the place of a journal's file and is none, or is of another version, is named; no client is let in and nothing
// is changed; with the right bytes back, nothing is lost.
func TestSpoiltFiles(t *testing.T) {
	garbage := func(b []byte) []byte { return bytes.Repeat([]byte("garbage!"), len(b)/8) }
	for name, c := range map[string]struct {
		file  string
		spoil func([]byte) []byte
	}{
		"garbage in a slot":   {"slot-0000.dat", garbage},
		"a slot cut short":    {"slot-0000.dat", func(b []byte) []byte { return b[:5000] }},
		"garbage for a state": {"journal.state", garbage},
	} {
		t.Run(name, func(t *testing.T) {
			config := made(t)
			found, err := filepath.Glob(filepath.Join(config.JournalDir(), c.file+"*"))
			if err != nil || len(found) == 0 {
				all, _ := os.ReadDir(config.JournalDir())
				t.Fatalf("no %s among %v", c.file, all)
			}
			good := map[string][]byte{}
			for _, f := range found {
				if good[f], err = os.ReadFile(f); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(f, c.spoil(good[f]), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			o, log := options(config)
			s, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			r := &running{t: t, s: s, log: log}
			go func() { ended <- s.Run(t.Context(), true) }()
			var over bool
			r.until("an end or a fence", func() bool {
				select {
				case err = <-ended:
					over = true
				default:
				}
				return over || strings.Contains(log.String(), "fenced")
			})
			text := log.String()
			if over {
				if err == nil {
					t.Fatal("the broker ended without an error")
				}
				text = err.Error()
			}
			wants(t, text, found[0], "hind journal verify "+config.JournalDir())
			if strings.Contains(text, "clients may connect") {
				t.Errorf("clients are let in:\n%s", text)
			}
			if !over {
				s.Stop(true)
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}
			for f, want := range good {
				if b, err := os.ReadFile(f); err != nil || !bytes.Equal(b, c.spoil(want)) {
					t.Errorf("%s was changed, %v", f, err)
				}
				if err := os.WriteFile(f, want, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r = run(t, config, true)
			r.serving()
			r.status("the message", messages(1))
		})
	}
}

// Hostile clients are turned away while another one works.
func TestHostileFrames(t *testing.T) {
	r := run(t, single(t), true)
	r.serving()
	good := user(t, r.address())
	ping := wire.Append(nil, 0, &wire.Ping{TTL: 30000}, wire.VersionMax)
	for name, bytes := range map[string][]byte{
		"huge length":     binary.BigEndian.AppendUint32(nil, 0x7fffffff),
		"negative length": binary.BigEndian.AppendUint32(nil, 0xffffffff),
		"garbage":         bytes.Repeat([]byte{0, 0, 0, 9, 0xee}, 100),
		"unknown packet":  {0, 0, 0, 9, 0x55, 0, 0, 0, 0, 0, 0, 0, 1},
	} {
		bad := dial(t, r.address())
		bad.write(append(ping, bytes...))
		bad.closed()
		good.send(name)
	}
	half := dial(t, r.address())
	half.write(ping[:len(ping)/2])
	good.send("beside half a frame")
	half.conn.Close()
	stranger, err := net.Dial("tcp", r.address())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if _, err := stranger.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := stranger.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	(&client{t: t, conn: stranger}).closed()
	good.send("last")
	r.status("all messages", messages(6))
}
