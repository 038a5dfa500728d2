package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/proc"
)

// scripted is a brand whose broker is a shell script that prints what it becomes.
type scripted struct{ script string }

func (s *scripted) Name() string { return "scripted" }
func (s *scripted) Prepare(_ context.Context, n *Node, xml string) error {
	return writeConfig(n.Dir, xml)
}
func (s *scripted) FoundsAlone() bool { return true }
func (s *scripted) Spec(n *Node) proc.Spec {
	return proc.Spec{Path: "/bin/sh", Args: []string{"-c", s.script, "sh", n.Name}, Dir: n.Dir}
}
func (s *scripted) Poll(context.Context, *Node) (State, bool) { return State{}, false }
func (s *scripted) Mark(old State, line string) State {
	switch line {
	case "active":
		return State{Active: true, InSync: true}
	case "insync":
		return State{InSync: true}
	}
	return old
}

func rig(t *testing.T, b Brand) Rig {
	t.Helper()
	s := proc.NewSupervisor()
	t.Cleanup(s.Close)
	return Rig{Super: s, Ports: new(Ports), Brand: b, Config: Config{Journal: "NIO", Failback: true}}
}

func limited(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestNodeForgetsWhatItWasBeforeARestart(t *testing.T) {
	ctx := limited(t, 20*time.Second)
	n, err := NewSingle(ctx, rig(t, &scripted{script: "read x; echo active; sleep 1000"}), filepath.Join(t.TempDir(), "n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	if err := n.process.Tell("go"); err != nil {
		t.Fatal(err)
	}
	if err := n.AwaitActive(ctx); err != nil {
		t.Fatal(err)
	}
	n.Kill()
	if n.Running() || n.State(ctx).Active {
		t.Fatal("a killed broker still counts as active")
	}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	if n.State(ctx).Active {
		t.Fatal("a restarted broker is active before it says so")
	}
	if err := n.process.Tell("go"); err != nil {
		t.Fatal(err)
	}
	if err := n.AwaitActive(ctx); err != nil {
		t.Fatal(err)
	}
	if code, err := n.Stop(ctx); err != nil || code != -1 {
		t.Fatalf("exit code %d, %v; a shell without a trap dies of SIGTERM", code, err)
	}
}

func TestAwaitTellsOfABrokerThatEnded(t *testing.T) {
	ctx := limited(t, 20*time.Second)
	n, err := NewSingle(ctx, rig(t, &scripted{script: "echo cannot bind; exit 3"}), filepath.Join(t.TempDir(), "n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	err = n.AwaitActive(ctx)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "cannot bind") || !strings.Contains(err.Error(), n.LogFile()) {
		t.Fatalf("error %v names neither the end, the last words nor the log", err)
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	ctx := limited(t, 100*time.Millisecond)
	n, err := NewSingle(ctx, rig(t, &scripted{script: "sleep 1000"}), filepath.Join(t.TempDir(), "n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	if err := n.AwaitActive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v", err)
	}
}

func TestPairWaitsForTheWantedRoles(t *testing.T) {
	// The backup is active first; the pair counts as whole only when the primary has its role back.
	script := `if [ $1 = primary ]; then echo active; read x; echo insync; read x; echo active; else read x; echo active; read x; echo insync; fi; sleep 1000`
	ctx := limited(t, 20*time.Second)
	p, err := NewPair(ctx, rig(t, &scripted{script: script}), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range p.Nodes {
		if err := n.Start(); err != nil {
			t.Fatal(err)
		}
	}
	tell := func(n *Node, want func(State) bool) {
		t.Helper()
		if err := n.process.Tell("go"); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Await(ctx, "next", want); err != nil {
			t.Fatal(err)
		}
	}
	tell(p.Nodes[0], func(s State) bool { return s.InSync && !s.Active })
	tell(p.Nodes[1], func(s State) bool { return s.Active })
	if _, _, err := p.AwaitPaired(limited(t, 100*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("with failback, an active backup is not the end: %v", err)
	}
	p.Failback = false
	if active, passive, err := p.AwaitPaired(ctx); err != nil || active != p.Nodes[1] || passive != p.Nodes[0] {
		t.Fatalf("without failback it is: %v", err)
	}
	p.Failback = true
	tell(p.Nodes[1], func(s State) bool { return s.InSync && !s.Active })
	tell(p.Nodes[0], func(s State) bool { return s.Active })
	if active, passive, err := p.AwaitPaired(ctx); err != nil || active != p.Nodes[0] || passive != p.Other(active) {
		t.Fatalf("after the failback: %v", err)
	}
}

func TestArtemisMarks(t *testing.T) {
	var a Artemis
	var s State
	steps := []struct {
		line string
		want State
	}{
		{"INFO AMQ221109: Apache ActiveMQ Artemis Backup Server version 2.40.0", State{Text: "passive"}},
		{"INFO something else", State{Text: "passive"}},
		{"INFO AMQ221024: Backup server is synchronized", State{InSync: true, Text: "AMQ221024"}},
		{"INFO AMQ221066: Initiating quorum vote", State{Text: "becoming active"}},
		{"INFO AMQ221007: Server is now active", State{Active: true, InSync: true, Text: "AMQ221007"}},
		{"INFO AMQ221024: Backup server is synchronized", State{Active: true, InSync: true, Text: "AMQ221007"}},
		{"INFO AMQ221039: Restarting as Replicating backup server", State{Text: "passive"}},
	}
	for _, st := range steps {
		if s = a.Mark(s, st.line); s != st.want {
			t.Fatalf("after %q: %+v, want %+v", st.line, s, st.want)
		}
	}
}

func TestHindPoll(t *testing.T) {
	answer := ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/status" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, answer)
	}))
	defer srv.Close()
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{}
	if n.Admin, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	h := &Hind{}
	for text, want := range map[string]State{
		`{"role":"Paired","serving":true,"epoch":4,"inSync":true}`:           {Active: true, InSync: true, Epoch: 4, Text: "Paired"},
		`{"role":"Alone","serving":true,"epoch":5,"inSync":false}`:           {Active: true, Epoch: 5, Text: "Alone"},
		`{"role":"Standby","epoch":4,"inSync":true}`:                         {InSync: true, Epoch: 4, Text: "Standby"},
		`{"role":"Joining","epoch":4,"inSync":false,"blocked":"no partner"}`: {Epoch: 4, Text: "Joining no partner"},
	} {
		answer = text
		if s, ok := h.Poll(limited(t, 5*time.Second), n); !ok || s != want {
			t.Errorf("%s: %+v %v", text, s, ok)
		}
	}
	answer = "nonsense"
	if s, ok := h.Poll(limited(t, 5*time.Second), n); !ok || s.Active || s.InSync {
		t.Errorf("nonsense: %+v %v", s, ok)
	}
	srv.Close()
	if s, ok := h.Poll(limited(t, 5*time.Second), n); !ok || s.Active || s.InSync {
		t.Errorf("no server: %+v %v", s, ok)
	}
}

func TestConfig(t *testing.T) {
	for _, journal := range []string{"NIO", "ASYNCIO"} {
		for _, failback := range []bool{true, false} {
			c := Config{Journal: journal, Failback: failback}
			primary, err := c.pair("primary", 20001, 20002)
			if err != nil {
				t.Fatal(err)
			}
			backup, err := c.pair("backup", 20002, 20001)
			if err != nil {
				t.Fatal(err)
			}
			single, err := c.single(20003)
			if err != nil {
				t.Fatal(err)
			}
			for _, xml := range []string{primary, backup, single} {
				if strings.Contains(xml, "{{") || !strings.Contains(xml, "<journal-type>"+journal+"<") || !strings.Contains(xml, "<address-settings>") {
					t.Errorf("incomplete:\n%s", xml)
				}
			}
			if !strings.Contains(primary, "127.0.0.1:20001?") || !strings.Contains(primary, "127.0.0.1:20002<") || !strings.Contains(backup, "127.0.0.1:20002?") {
				t.Error("ports are at the wrong places")
			}
			if !strings.Contains(backup, fmt.Sprintf("<allow-failback>%v<", failback)) {
				t.Errorf("failback %v:\n%s", failback, backup)
			}
		}
	}
	if xml, err := (Config{Journal: "NIO", Forgetful: true}).single(20003); err != nil || !strings.Contains(xml, "<persistence-enabled>false<") {
		t.Errorf("a forgetful broker keeps its memory: %v", err)
	}
	if _, err := (Config{Journal: "MAPPED"}).single(1); err == nil || !strings.Contains(err.Error(), "MAPPED") {
		t.Errorf("unknown journal: %v", err)
	}
}

func TestPortsAreFreeAndApart(t *testing.T) {
	var p Ports
	first, err := p.Take()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+1+pairPort)) // the pair port of the next candidate
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	seen := map[int]bool{first: true, first + pairPort: true}
	for range 50 {
		port, err := p.Take()
		if err != nil {
			t.Fatal(err)
		}
		if port == first+1 || seen[port] || seen[port+pairPort] || port < firstPort || port >= lastPort {
			t.Fatalf("port %d is taken, given or out of range", port)
		}
		seen[port], seen[port+pairPort] = true, true
	}
}

func TestHindPrepare(t *testing.T) {
	ctx := limited(t, 5*time.Second)
	n, err := NewSingle(ctx, rig(t, &Hind{Binary: "/nowhere/hind"}), filepath.Join(t.TempDir(), "n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"broker.xml", "artemis-users.properties", "artemis-roles.properties"} {
		if _, err := os.Stat(filepath.Join(n.Dir, "etc", f)); err != nil {
			t.Error(err)
		}
	}
	if err := n.Start(); err == nil || !strings.Contains(err.Error(), "/nowhere/hind") {
		t.Fatalf("start of a missing binary: %v", err)
	}
}
