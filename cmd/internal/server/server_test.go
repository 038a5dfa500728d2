package server

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/hindmq/hind/broker"
	"github.com/hindmq/hind/broker/config"
	"github.com/hindmq/hind/net/core/wire"
)

func messages(n int64) func(broker.Status) bool {
	return func(st broker.Status) bool { return st.Serving && st.Queues.Messages == n }
}

// One broker: what was acknowledged is there after an orderly restart.
func TestRestart(t *testing.T) {
	c := single(t)
	r := run(t, c, true)
	r.serving()
	user(t, r.address()).send("a")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = run(t, c, true)
	r.serving()
	r.status("one message", messages(1))
}

// A pair comes in sync; its backup serves no client; when the active stops, with and without handing over, the backup serves
// what was acknowledged.
func TestPair(t *testing.T) {
	for name, handOver := range map[string]bool{"hand over": true, "just gone": false} {
		t.Run(name, func(t *testing.T) {
			primary, backup := couple(t)
			a, b := run(t, primary, handOver), run(t, backup, handOver)
			a.serving()
			a.status("in sync", func(st broker.Status) bool { return st.InSync && len(st.InSyncSet) == 2 })
			b.status("standby", func(st broker.Status) bool { return st.InSync && !st.Serving && st.Owner == "alpha" })
			if code, text := b.do("GET", "/readyz", "", nil); code != http.StatusOK {
				t.Errorf("readyz of a standby in sync: %d %s", code, text)
			}
			if conn, err := net.Dial("tcp", b.address()); err == nil {
				conn.Close()
				t.Error("the backup lets clients in")
			}
			u := user(t, a.address())
			for range 20 {
				u.send("x")
			}
			if err := a.stop(); err != nil {
				t.Fatal(err)
			}
			b.serving()
			b.status("all messages", messages(20))
			user(t, b.address()).send("after")
			b.status("one more", messages(21))
		})
	}
}

// The admin port answers local programs, and changes nothing that is not asked for.
func TestAdmin(t *testing.T) {
	r := run(t, single(t), true)
	r.serving()
	for _, c := range []struct {
		method, path, body string
		change             func(*http.Request)
		code               int
		want               string
	}{
		{"GET", "/healthz", "", nil, 200, "ok"},
		{"GET", "/readyz", "", nil, 200, "ready: Alone"},
		{"GET", "/metrics", "", nil, 200, "\nhind_active 1\n"},
		{"GET", "/metrics", "", nil, 200, "# TYPE hind_messages_added_total counter"},
		{"GET", "/status", "", func(q *http.Request) { q.Host = "evil.example" }, 403, "local programs only"},
		{"GET", "/status", "", func(q *http.Request) { q.Header.Set("Origin", "http://evil.example") }, 403, "local programs only"},
		{"POST", "/activation", `{"decision":"activate"}`, nil, 409, "is not asked for now"},
		{"POST", "/activation", `nonsense`, nil, 400, "body: "},
		{"POST", "/activation", `{"decision":"` + strings.Repeat("x", 2000) + `"}`, nil, 400, "too large"},
		{"GET", "/activation", "", nil, 405, ""},
		{"GET", "/nothing", "", nil, 404, ""},
	} {
		code, text := r.do(c.method, c.path, c.body, c.change)
		if code != c.code || !strings.Contains(text, c.want) {
			t.Errorf("%s %s %.40s: %d %s", c.method, c.path, c.body, code, text)
		}
	}
	var st broker.Status
	if _, text := r.do("GET", "/status", "", nil); json.Unmarshal([]byte(text), &st) != nil || !st.Serving || st.Role != "Alone" {
		t.Errorf("status: %s", text)
	}
}

// Another program holds the client port: the broker says so, waits, and serves once it is free.
func TestBusyAcceptor(t *testing.T) {
	c := single(t)
	l, err := net.Listen("tcp", config.HostPort{Host: "127.0.0.1", Port: c.Acceptors[0].Port}.String())
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, c, true)
	r.logs("client acceptors cannot be opened; trying again")
	r.logs("address already in use")
	l.Close()
	r.logs("clients may connect")
	user(t, r.address()).send("a")
}

// With security on, a wrong password is refused without telling whether the user exists, and permissions are asked.
func TestLogin(t *testing.T) {
	c := single(t)
	users, err := config.NewUsers(map[string]string{"ann": "right"}, map[string][]string{"staff": {"ann"}})
	if err != nil {
		t.Fatal(err)
	}
	c.Security.Enabled, c.Security.Users = true, users
	r := run(t, c, true)
	r.serving()
	for _, who := range [][2]string{{"ann", "wrong"}, {"bob", "right"}, {"", ""}} {
		x, ok := dial(t, r.address()).login(who[0], who[1]).(*wire.Exception)
		if !ok || !strings.Contains(x.Message.Value, "AMQ229031") {
			t.Errorf("%q: %+v", who, x)
		}
	}
	u := dial(t, r.address())
	if a, ok := u.login("ann", "right").(*wire.CreateSessionResponse); !ok {
		t.Fatalf("ann: %+v", a)
	}
	// Nothing grants her anything.
	x, ok := u.ask(10, &wire.CreateConsumer{ID: 1, Queue: "DLQ", RequiresResponse: true}).(*wire.Exception)
	if !ok || x.Code != wire.CodeSecurity || !strings.Contains(x.Message.Value, "DLQ") {
		t.Errorf("a consumer without permission: %+v", x)
	}
}
