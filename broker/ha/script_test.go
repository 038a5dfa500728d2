package ha

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Transcripts: testdata/*.txt holds commands (lines that begin with "> ") and, below each, everything the machines saw
// and wanted because of it. "go test -run TestScripts -update" writes them anew; read what changed.

var update = flag.Bool("update", false, "write the transcripts of testdata anew")

// script runs one file.
type script struct {
	t *testing.T
	w *world
}

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runScript(t, string(want), nil)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("%s\n%s", file, firstDifference(string(want), got))
			}
		})
	}
}

// runScript runs the commands of text and returns it with what they print.
func runScript(t *testing.T, text string, cover *coverage) string {
	s := &script{t: t, w: newWorld(2)}
	var out strings.Builder
	s.w.trace = &out
	if cover != nil {
		s.w.cover = cover.note
	}
	for _, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "#"), line == "" && !strings.HasSuffix(out.String(), "\n\n") && out.Len() > 0:
			fmt.Fprintln(&out, line)
		case strings.HasPrefix(line, "> "):
			fmt.Fprintln(&out, line)
			s.command(strings.Fields(line[2:]))
		}
	}
	if len(s.w.ghost.found) > 0 {
		t.Errorf("violated: %v", s.w.ghost.found)
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// firstDifference shows where two texts part.
func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for k := range max(len(a), len(b)) {
		x, y := "(end)", "(end)"
		if k < len(a) {
			x = a[k]
		}
		if k < len(b) {
			y = b[k]
		}
		if x != y {
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", k+1, x, y)
		}
	}
	return "no difference"
}

// host finds a broker by its name.
func (s *script) host(name string) *host {
	for _, h := range s.w.hosts {
		if h.name == name {
			return h
		}
	}
	s.t.Fatalf("no broker %q", name)
	return nil
}

// command does one line.
func (s *script) command(f []string) {
	w := s.w
	if len(f) == 1 {
		s.global(f[0])
		return
	}
	switch f[0] {
	case "run":
		d, err := time.ParseDuration(f[1])
		if err != nil {
			s.t.Fatal(err)
		}
		w.run(d)
		return
	case "expect":
		s.expect(f[1:])
		return
	case "brokers":
		n := 0
		fmt.Sscan(f[1], &n)
		s.w.hosts = newWorld(n).hosts
		return
	}
	h, arg := s.host(f[1]), strings.Join(f[2:], " ")
	switch {
	case s.process(f[0], h, arg), s.small(f[0], h, f[2:]):
	default:
		s.t.Fatalf("unknown command %v", f)
	}
}

// global commands are about no broker.
func (s *script) global(c string) {
	w := s.w
	switch c {
	case "quiesce":
		w.quiesce()
	case "cut":
		w.cut = true
	case "heal":
		w.cut = false
	case "lose":
		for _, c := range w.conns {
			w.lose(c)
		}
	case "hold", "release":
		for _, conn := range w.conns {
			conn.held = c == "hold"
		}
	case "lost": // the one thing that the rules cannot refuse happened; forget it
		if len(w.ghost.found) == 0 {
			s.t.Error("nothing was lost")
		}
		w.say("%v", w.ghost.found)
		w.ghost.found = nil
	default:
		s.t.Fatalf("unknown command %q", c)
	}
}

// process commands are about a broker as a whole.
func (s *script) process(c string, h *host, arg string) bool {
	w := s.w
	switch c {
	case "config":
		s.config(h, arg)
	case "start":
		w.start(h)
	case "crash":
		keep := 0
		fmt.Sscan(arg, &keep)
		w.crash(h, keep)
	case "wipe":
		w.wipe(h)
	case "freeze":
		h.frozen = true
	case "thaw":
		h.frozen = false
	case "slow":
		h.slow = true
	case "fast":
		h.slow = false
	case "hang":
		h.hung = true
		w.step(h, Overdue{})
	case "unhang":
		h.hung = false
		w.step(h, Cleared{})
	case "poison":
		w.poison(h, arg == "kept")
	case "repair":
		w.repair(h)
	case "stop":
		w.step(h, Stop{HandOver: arg != "alone"})
	case "handover":
		w.step(h, HandOver{})
	case "decide":
		s.decide(h, arg)
	case "send":
		w.say("message %d", w.send(h))
	case "confirm":
		var x uint64
		fmt.Sscan(arg, &x)
		if !w.confirmNow(h, x) {
			w.say("%s does not confirm %d", h.name, x)
		}
	case "status":
		s.status(h)
	default:
		return false
	}
	return true
}

// small commands are single steps of a broker, for schedules that need a certain order.
func (s *script) small(c string, h *host, args []string) bool {
	w := s.w
	switch c {
	case "load":
		w.load(h)
	case "persist":
		w.persistOne(h)
	case "sync":
		w.sync(h)
	case "dial":
		w.dial(h, len(args) > 0 && args[0] == "refused")
	case "tick":
		d, err := time.ParseDuration(args[0])
		if err != nil {
			s.t.Fatal(err)
		}
		h.now += d
		w.step(h, Tick{})
	case "deliver": // deliver A B 2: two frames from A to B, oldest connections first; 0: all
		n := 1
		if len(args) > 1 {
			fmt.Sscan(args[1], &n)
		}
		if n == 0 {
			for s.deliver(h, s.host(args[0])) {
			}
			break
		}
		for range n {
			if !s.deliver(h, s.host(args[0])) {
				s.t.Fatalf("nothing on the way from %s to %s", h.name, args[0])
			}
		}
	default:
		return false
	}
	return true
}

// deliver hands over one frame; false: there is none.
func (s *script) deliver(from, to *host) bool {
	for _, c := range s.w.conns {
		for k := range 2 {
			if c.host[k] == to.index && c.host[1-k] == from.index && s.w.mayDeliver(c, k) {
				s.w.deliver(c, k)
				return true
			}
		}
	}
	return false
}

func (s *script) config(h *host, arg string) {
	switch arg {
	case "failback":
		h.cfg.Failback = true
	case "no-allow-failback":
		h.cfg.AllowFailback = false
	case "init":
		h.cfg.Init = true
	case "backup":
		h.cfg.Primary = false
	case "primary":
		h.cfg.Primary = true
	case "no-peers":
		h.cfg.Peers = nil
	default:
		s.t.Fatalf("unknown setting %q", arg)
	}
}

func (s *script) decide(h *host, arg string) {
	for d := DecideActivate; d <= DecideDiscardTail; d++ {
		if d.String() == arg {
			h.discarding = d == DecideDiscardTail
			s.w.step(h, Decide{d})
			return
		}
	}
	s.t.Fatalf("unknown decision %q", arg)
}

// expect fails the test if it does not hold; it prints nothing.
func (s *script) expect(f []string) {
	h, what := s.host(f[0]), strings.Join(f[1:], " ")
	ok := false
	switch {
	case what == "question":
		ok = h.asked != nil
	case what == "no question":
		ok = h.asked == nil
	case what == "delivers":
		ok = h.up() && h.clients && h.deliver && h.m.MayDeliver(h.now)
	case what == "delivers nothing":
		ok = !h.up() || !h.clients || !h.m.MayDeliver(h.now)
	case f[1] == "has" || f[1] == "lacks":
		var x uint64
		fmt.Sscan(f[2], &x)
		ok = (h.place(x) >= 0) == (f[1] == "has")
	default:
		ok = stateName(stateOf(h)) == what
	}
	if !ok {
		s.t.Errorf("expected: %s; it is %s, question %v", strings.Join(f, " "), stateName(stateOf(h)), h.asked)
	}
}

// status prints what `hind check node` would.
func (s *script) status(h *host) {
	st := h.m.Status()
	s.w.say("%s: %v e%d of %q, set %v, delivering %v", st.Name, st.Role, st.Epoch, st.Owner, st.InSyncSet, st.Delivering)
	for _, p := range st.Peers {
		s.w.say("  peer %s: %q process %d connected %v in sync %v says %s", p.Target, p.Name, p.Process, p.Connected, p.InSync, p.Says)
	}
	if st.Blocked != "" {
		s.w.say("  blocked: %s", st.Blocked)
	}
	if st.Fenced != "" {
		s.w.say("  fenced: %s", st.Fenced)
	}
	if st.Question != nil {
		s.w.say("  question: %v", st.Question)
	}
	s.w.say("  if this fails: %s", st.IfThisFails)
	s.w.say("  if the other fails: %s", st.IfOther)
}
