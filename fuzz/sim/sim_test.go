package sim

import (
	"flag"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	simSeeds = flag.Uint64("sim.seeds", 500, "how many seeds TestPair runs; a tenth with -short")
	simFrom  = flag.Uint64("sim.from", 1, "first seed of TestPair")
	simSeed  = flag.Uint64("sim.seed", 0, "run only this seed of TestPair, with its trace")
	simDebug = flag.Bool("sim.debug", false, "with -sim.seed: events and actions of the role machines too")
)

// TestPair runs many seeds and prints what they met.
func TestPair(t *testing.T) {
	if *simSeed != 0 {
		one(t, *simSeed)
		return
	}
	seeds := *simSeeds
	if testing.Short() {
		seeds = max(1, seeds/10)
	}
	var next atomic.Uint64
	next.Store(*simFrom)
	sum := &total{counts: map[string]int{}}
	began := time.Now()
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				seed := next.Add(1) - 1
				if seed >= *simFrom+seeds {
					return
				}
				sum.add(Run(Options{Seed: seed, Level: slog.LevelInfo}))
			}
		})
	}
	wg.Wait()
	for _, r := range sum.failed {
		t.Errorf("%s", failure(&r, 0))
	}
	h := sum.history
	t.Logf("%d seeds, %d failed, %d events, %v simulated in %v", seeds, len(sum.failed), sum.events, sum.simulated.Round(time.Second), time.Since(began).Round(time.Second))
	t.Logf("%d messages in queues attempted, %d confirmed, %d refused, %d confirmations (%d late ones of a deposed broker), %d deliveries, %d again, %d acknowledgements confirmed, %d drained",
		h.Attempted, h.Confirmed, h.Refused, h.Released, h.Late, h.Delivered, h.Redelivered, h.Settled, h.Drained)
	t.Logf("\n%s", Report(sum.counts))
	if !testing.Short() && seeds >= 100 {
		for _, f := range faults {
			if sum.counts["fault: "+f.name] == 0 {
				t.Errorf("no seed met the fault %q", f.name)
			}
		}
	}
}

// failure tells of a failed seed and how to see it again.
func failure(r *Result, lines int) string {
	trace := r.Trace[max(0, len(r.Trace)-lines):]
	return fmt.Sprintf("seed %d: %s\n%s\nreplay: go test ./fuzz/sim -run TestPair -sim.seed=%d", r.Seed, strings.Join(r.Violations, "\n"), strings.Join(trace, "\n"), r.Seed)
}

func one(t *testing.T, seed uint64) {
	o := Options{Seed: seed, Level: slog.LevelInfo, TraceMax: 1 << 20}
	if *simDebug {
		o.Level = slog.LevelDebug
	}
	r := Run(o)
	t.Logf("%s", strings.Join(r.Trace, "\n"))
	t.Logf("seed %d: hash %x, %d events, %v\n%s", seed, r.Hash, r.Events, r.Simulated, Report(r.Counts))
	if len(r.Violations) > 0 {
		t.Errorf("%s", failure(&r, 0))
	}
}

type total struct {
	sync.Mutex
	events    uint64
	simulated time.Duration
	history   HistoryCounts
	counts    map[string]int
	failed    []Result
}

func (s *total) add(r Result) {
	s.Lock()
	defer s.Unlock()
	s.events += r.Events
	s.simulated += r.Simulated
	h, x := &s.history, r.History
	h.Attempted += x.Attempted
	h.Confirmed += x.Confirmed
	h.Refused += x.Refused
	h.Delivered += x.Delivered
	h.Redelivered += x.Redelivered
	h.Settled += x.Settled
	h.Drained += x.Drained
	h.Released += x.Released
	h.Late += x.Late
	for k, n := range r.Counts {
		s.counts[k] += n
	}
	if len(r.Violations) > 0 {
		s.failed = append(s.failed, r)
	}
}

// The same seed gives the same run, event by event, or a failing seed could not be looked at again.
func TestReplay(t *testing.T) {
	a, b := Run(Options{Seed: 7}), Run(Options{Seed: 7})
	if a.Hash != b.Hash || a.Events != b.Events || a.History != b.History {
		t.Errorf("seed 7 gives %x with %d events %+v, and then %x with %d events %+v", a.Hash, a.Events, a.History, b.Hash, b.Events, b.History)
	}
	if c := Run(Options{Seed: 8}); c.Hash == a.Hash {
		t.Errorf("seeds 7 and 8 give the same run, %x", a.Hash)
	}
}

// Seeds that found a mistake once.
func TestFound(t *testing.T) {
	for seed, what := range map[uint64]string{
		2:    "a broker that had been alone asked a human, because the other one had retired the files that showed what both had",
		5:    "the same",
		66:   "an acknowledgement that overtook the request for pages ended the conversation, again and again",
		350:  "as seed 2, where the returning broker had retired them too",
		962:  "an owner that stood still confirmed late what its successor had acknowledged: no mistake, and not to be taken for one",
		1020: "a forced activation whose first page only the other broker kept: a human is asked, and his word is enough",
	} {
		if r := Run(Options{Seed: seed}); len(r.Violations) > 0 {
			t.Errorf("%s: %s", what, failure(&r, 20))
		}
	}
}

// The end of a run is checked too: brokers that differ, a journal that lost something, a pair that never heals.
func TestEndIsChecked(t *testing.T) {
	for name, spoil := range map[string]func(w *world){
		"never heals":            func(w *world) { w.loop.after(time.Second, func() { w.setCut(0, true) }) },
		"a client is not served": func(w *world) { w.producers[0].leave() },
	} {
		w := newWorld(Options{Seed: 3, Load: 15 * time.Second})
		w.begin()
		w.loop.until(5*time.Second, w.failed)
		spoil(w)
		w.loop.until(15*time.Second, w.failed)
		w.load = false
		w.finish()
		if !w.failed() {
			t.Errorf("%s: nothing was found", name)
		} else {
			t.Logf("%s: %.300s", name, append(w.violations, w.history.Violations()...)[0])
		}
	}
}

// A disk that lacks something durable is found by loading it, and what is missing in a queue by draining it.
func TestRebuildIsChecked(t *testing.T) {
	w := newWorld(Options{Seed: 3, Load: 15 * time.Second})
	w.begin()
	w.loop.until(9*time.Second, w.failed)
	old := w.hosts[1].disk.Clone(1)
	w.loop.until(15*time.Second, w.failed)
	w.load = false
	if w.finish(); w.failed() {
		t.Fatalf("%v %v", w.violations, w.history.Violations())
	}
	w.hosts[1].disk = old
	if w.rebuild(); !w.failed() {
		t.Error("a disk of some seconds ago passes for the present one")
	}
	w.history.Attempted(Attempt{Place: Place{"q0", "never"}})
	w.history.Confirmed(Place{"q0", "never"})
	if w.history.Finish(); len(w.history.Violations()) != 1 {
		t.Errorf("a message that no queue holds: %v", w.history.Violations())
	}
}
