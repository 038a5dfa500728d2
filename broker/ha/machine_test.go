package ha

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestConfigValidate: each setting that cannot work is named.
func TestConfigValidate(t *testing.T) {
	good := DefaultConfig()
	good.NewNodeID = NodeID{1}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for says, spoil := range map[string]func(*Config){
		"mode 2":    func(c *Config) { c.Mode = 2 },
		"peers":     func(c *Config) { c.Peers = make([]string, peersMax+1) },
		"node id":   func(c *Config) { c.NewNodeID = NodeID{} },
		"--init":    func(c *Config) { c.Init = true },
		"duration":  func(c *Config) { c.SyncTimeout = 0 },
		"heartbeat": func(c *Config) { c.HeartbeatEvery = c.Lease },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want an error about %q, got %v", says, err)
		}
	}
}

// TestNothingSaidBeforeStarted: no word leaves before the process number is durable.
func TestNothingSaidBeforeStarted(t *testing.T) {
	w := newWorld(2)
	h := w.hosts[0]
	h.disk.local.Process = 41
	w.start(h)
	w.step(h, LinkUp{7, 0})
	w.load(h)
	if got := h.persists[0].State.Process; got != 42 {
		t.Fatalf("process %d, want 42", got)
	}
	m := h.m
	if len(h.dials) != 0 || m.links[0].sent {
		t.Fatal("spoke before its number was durable")
	}
	w.persistOne(h)
	if !m.links[0].sent {
		t.Fatal("no hello after the number was durable")
	}
}

// TestOwnAddressAndStrangers: the own journal, another node id and a surplus broker are turned away.
func TestOwnAddressAndStrangers(t *testing.T) {
	for _, c := range []struct {
		name  string
		hello Hello
		why   string
	}{
		{"own address", Hello{Identity: Identity{"A", Instance{0xa0}, 1, true}}, "own address"},
		{"another node", Hello{Identity: Identity{"X", Instance{0x77}, 1, false}, NodeID: NodeID{0x55}}, "another node id"},
		{"a third broker", Hello{Identity: Identity{"X", Instance{0x77}, 1, false}}, "not a configured peer"},
	} {
		w := pair(nil)
		h := w.hosts[0]
		h.m.Step(h.now, LinkUp{99, Accepted})
		h.m.Actions()
		h.m.Step(h.now, Received{99, Word{Kind: WordHello, Hello: c.hello}})
		closed := ""
		for _, a := range h.m.Actions() {
			if x, ok := a.(CloseLink); ok && x.Link == 99 {
				closed = x.Why
			}
		}
		if !strings.Contains(closed, c.why) {
			t.Errorf("%s: closed with %q", c.name, closed)
		}
		if h.m.Role() != RolePaired {
			t.Errorf("%s: role %v", c.name, h.m.Role())
		}
	}
}

// TestOlderConnection: a word on a connection that was replaced does nothing, though its LinkDown was not seen yet.
func TestOlderConnection(t *testing.T) {
	w := pair(nil)
	a := w.hosts[0]
	old := a.m.peers[0].link
	b := a.m.peers[0].who
	b.Process++
	a.m.Step(a.now, LinkUp{90, Accepted})
	a.m.Step(a.now, Received{90, Word{Kind: WordHello, Hello: Hello{Identity: b, NodeID: NodeID{0x90}}}})
	if a.m.peers[0].link != 90 {
		t.Fatal("the new process's connection does not count")
	}
	a.m.Step(a.now, Received{old, Word{Kind: WordGoodbye, Epoch: 1}})
	if a.m.own.gone {
		t.Fatal("a goodbye on the older connection was obeyed")
	}
	a.m.Step(a.now, LinkUp{91, Accepted})
	b.Process--
	a.m.Step(a.now, Received{91, Word{Kind: WordHello, Hello: Hello{Identity: b, NodeID: NodeID{0x90}}}})
	if a.m.peers[0].link != 90 {
		t.Fatal("an older process took the place of the newer one")
	}
}

// TestConnectionsLimit: connections beyond the limit are closed.
func TestConnectionsLimit(t *testing.T) {
	w := pair(nil)
	h := w.hosts[0]
	refused := 0
	for k := range linksMax + 3 {
		h.m.Step(h.now, LinkUp{Link(1000 + k), Accepted})
		for _, a := range h.m.Actions() {
			if x, ok := a.(CloseLink); ok && strings.Contains(x.Why, "too many") {
				refused++
			}
		}
	}
	if refused != 4 { // one connection was there
		t.Fatalf("%d were refused, want 4", refused)
	}
}

// TestAcksThatDoNotCount: another epoch, another connection.
func TestAcksThatDoNotCount(t *testing.T) {
	w := pair(nil)
	a := w.hosts[0]
	w.send(a)
	a.disk.durable = len(a.disk.log)
	end := a.pos(len(a.disk.log) - 1)
	id := a.m.peers[0].link
	for _, e := range []Acked{{id, 2, end}, {id + 50, 1, end}} {
		w.step(a, e)
		if w.mayConfirm(a, 1) {
			t.Fatalf("%v was counted", e)
		}
	}
	w.step(a, Acked{id, 1, end})
	if !w.mayConfirm(a, 1) {
		t.Fatal("the right one was not")
	}
}

// TestDeliveriesEndByTheClock: a paired active that hears no echo delivers for half a lease, not a moment longer, and
// its own standstill does not prolong that.
func TestDeliveriesEndByTheClock(t *testing.T) {
	w := pair(nil)
	a := w.hosts[0]
	w.run(time.Second)
	leased := a.m.own.leased
	half := a.cfg.Lease / 2
	if !a.m.MayDeliver(leased+half-1) || a.m.MayDeliver(leased+half) {
		t.Fatal("the lease does not end at its half")
	}
	a.now += 10 * a.cfg.Lease // it was stopped
	w.step(a, Tick{})
	if a.deliver || a.m.MayDeliver(a.now) {
		t.Fatal("delivers after a standstill without an echo")
	}
	if a.m.Role() != RolePaired {
		t.Fatal("a standstill is not the other's silence", a.m.Role())
	}
}

// TestRefusalAtStart: a process that has just started trusts no refusal, whatever its log says.
func TestRefusalAtStart(t *testing.T) {
	w := pair(nil)
	b := w.hosts[1]
	w.crash(w.hosts[0], 0)
	w.crash(b, 0)
	w.start(b)
	w.run(5 * time.Second)
	if b.m.Role() != RoleAsking {
		t.Fatal(b.m.Role())
	}
}

// TestHostileWords: whatever an authenticated peer says in whatever role, the machine does not panic and owns nothing
// that it should not.
func TestHostileWords(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		w := pair(nil)
		for range 200 {
			h := w.hosts[rng.IntN(2)]
			var id Link
			if len(h.m.links) > 0 {
				id = h.m.links[rng.IntN(len(h.m.links))].id
			}
			word := Word{Kind: WordKind(rng.IntN(16)), Number: rng.Uint64N(12), Epoch: rng.Uint64N(4), Follows: rng.Uint64N(4),
				Process: Process(rng.Uint64N(3)), Resume: rng.IntN(2) == 0, Refusal: Refusal(rng.IntN(5))}
			word.Report = Report{State: State(rng.IntN(7)), Epoch: rng.Uint64N(4), Record: h.facts().Record, End: h.facts().End}
			h.m.Step(h.now, Received{id, word})
			h.m.Actions() // not carried out: the words contradict each other
			if h.m.Role() == RoleStopped {
				t.Fatal("a word ended the process")
			}
		}
	}
}

// TestSameEventsSameActions: the machine is deterministic.
func TestSameEventsSameActions(t *testing.T) {
	run := func() string {
		w := walkStart(12)
		w.trace = &strings.Builder{}
		walk(12, w)
		return w.trace.String()
	}
	if a, b := run(), run(); a != b {
		t.Fatal(firstDifference(a, b))
	}
}

// TestNextTickIsEnough: a pair that is woken only when it wants to be keeps its connection and its lease.
func TestNextTickIsEnough(t *testing.T) {
	w := pair(nil)
	w.trace = &strings.Builder{}
	w.run(time.Minute)
	if got := w.trace.String(); strings.Contains(got, "deliveries off") || strings.Contains(got, "close link") {
		t.Fatal(got)
	}
}
