package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hindmq/hind/broker"
	"github.com/hindmq/hind/broker/config"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/net/core/wire"
)

// patience bounds every wait; a test that works never waits so long.
const patience = 30 * time.Second

// lines is a log that several goroutines write.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// running is one broker of the test.
type running struct {
	t      *testing.T
	s      *Server
	log    *lines
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // of Run, once ended is closed
}

// freePort is a port of loopback that nobody listens on at the moment.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// single is the configuration of a broker without a partner.
func single(t *testing.T) *config.Config {
	t.Helper()
	c := config.Default()
	c.Journal.Dir, c.Journal.FileSize, c.Journal.Files, c.Journal.Engine = t.TempDir(), 1<<20, 10, config.EnginePwrite
	c.Acceptors[0].Port, c.Acceptors[0].PairPort = freePort(t), freePort(t)
	return c
}

// couple are the configurations of a pair.
func couple(t *testing.T) (primary, backup *config.Config) {
	t.Helper()
	primary, backup = single(t), single(t)
	for _, c := range []*config.Config{primary, backup} {
		other := primary
		if c == primary {
			other = backup
		}
		a, b := c.Acceptors[0], other.Acceptors[0]
		c.Connectors = []config.Connector{{Name: "self", Host: "127.0.0.1", Port: a.Port, PairPort: a.PairPort},
			{Name: "other", Host: "127.0.0.1", Port: b.Port, PairPort: b.PairPort}}
		c.Cluster.User, c.Cluster.Password, c.Cluster.Name = "cluster", "secret", "pair"
		c.Cluster.ConnectorRef, c.Cluster.Static = "self", []string{"other"}
		c.HA.Policy, c.HA.Role = config.Replication, config.Primary
	}
	backup.HA.Role = config.Backup
	primary.Name, backup.Name = "alpha", "beta"
	return primary, backup
}

func options(c *config.Config) (Options, *lines) {
	log := &lines{}
	return Options{Config: c, Admin: "127.0.0.1:0", Transport: "plain", Lease: time.Second, Log: slog.New(slog.NewTextHandler(log, nil))}, log
}

// run starts a broker; handOver is what a stop does.
func run(t *testing.T, c *config.Config, handOver bool) *running {
	t.Helper()
	o, log := options(c)
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, s: s, log: log, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		r.err = s.Run(ctx, handOver)
	}()
	t.Cleanup(func() { r.stop() })
	return r
}

// stop ends the broker in order and returns what Run said.
func (r *running) stop() error {
	r.cancel()
	select {
	case <-r.ended:
	case <-time.After(patience):
		r.t.Errorf("the broker does not end; log:\n%s", r.log)
	}
	return r.err
}

// until polls.
func (r *running) until(what string, holds func() bool) {
	r.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			r.t.Fatalf("%s: not within %v; log:\n%s", what, patience, r.log)
		}
	}
}

func (r *running) status(what string, holds func(broker.Status) bool) {
	r.t.Helper()
	r.until(what, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		st, err := r.s.node.Report(ctx)
		return err == nil && holds(st)
	})
}

func (r *running) serving() {
	r.t.Helper()
	r.status("serving", func(st broker.Status) bool { return st.Serving })
	r.logs("clients may connect")
}

func (r *running) logs(text string) {
	r.t.Helper()
	r.until("log line "+text, func() bool { return strings.Contains(r.log.String(), text) })
}

func (r *running) address() string {
	return fmt.Sprintf("127.0.0.1:%d", r.s.o.Config.Acceptors[0].Port)
}

// do asks the admin port.
func (r *running) do(method, path, body string, change func(*http.Request)) (code int, text string) {
	r.t.Helper()
	q, err := http.NewRequest(method, "http://"+r.s.AdminAddr()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if change != nil {
		change(q)
	}
	a, err := (&http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}).Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return a.StatusCode, string(b)
}

// client speaks CORE over a socket, one request at a time.
type client struct {
	t    *testing.T
	conn net.Conn
	buf  []byte
}

func dial(t *testing.T, address string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, conn: conn}
	c.write([]byte(wire.Handshake))
	return c
}

func (c *client) write(p []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(p); err != nil {
		c.t.Fatal(err)
	}
}

// ask sends a packet and returns the next one that comes on its channel.
func (c *client) ask(channel int64, p wire.Packet) wire.Packet {
	c.t.Helper()
	c.write(wire.Append(nil, channel, p, wire.VersionMax))
	for {
		f, size, _, err := wire.Split(c.buf, 1<<20)
		if err != nil {
			c.t.Fatal(err)
		}
		if size == 0 {
			chunk := make([]byte, 4096)
			n, err := c.conn.Read(chunk)
			if err != nil {
				c.t.Fatalf("waiting for the answer to %T: %v", p, err)
			}
			c.buf = append(c.buf, chunk[:n]...)
			continue
		}
		a, err := wire.Decode(f, wire.VersionMax)
		if err != nil {
			c.t.Fatal(err)
		}
		c.buf = c.buf[size:]
		if f.Channel == channel {
			return a
		}
	}
}

func (c *client) login(user, password string) wire.Packet {
	c.t.Helper()
	return c.ask(1, &wire.CreateSession{Name: "s" + c.conn.LocalAddr().String(), Channel: 10, Version: wire.VersionMax, LargeMessageSizeMin: 102400,
		Username: wire.Some(user), Password: wire.Some(password), AutoCommitSends: true, AutoCommitAcks: true, ConfirmationWindow: -1})
}

// user is a client with a session.
func user(t *testing.T, address string) *client {
	t.Helper()
	c := dial(t, address)
	if a, ok := c.login("", "").(*wire.CreateSessionResponse); !ok {
		t.Fatalf("the session: %+v", a)
	}
	return c
}

// send sends a durable message to DLQ and wants it acknowledged.
func (c *client) send(text string) {
	c.t.Helper()
	m := message.Encode(nil, &message.Header{Address: "DLQ", HasAddress: true, Type: message.TypeText, Durable: true, Timestamp: 1, Priority: 4},
		message.AppendSimple([]byte{1}, text), nil)
	if a, ok := c.ask(10, &wire.Send{Message: m, RequiresResponse: true, Correlation: 5, Sender: 1}).(*wire.NullResponse); !ok {
		c.t.Fatalf("the send: %+v", a)
	}
}

// closed waits for the broker to end the connection.
func (c *client) closed() {
	c.t.Helper()
	_, err := io.Copy(io.Discard, c.conn)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		c.t.Fatal("the broker leaves the connection open")
	}
}
