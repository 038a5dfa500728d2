package sim

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sort"
	"time"

	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/broker"
	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/ha"
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/datafile"
)

// Options of a run.
type Options struct {
	Seed  uint64
	Load  time.Duration // simulated, with faults and clients at work. 0: 60 s
	Level slog.Level    // of the brokers' lines in the trace
	// TraceMax is how many lines of the trace are kept, the last ones. 0: 400.
	TraceMax int
	// BodyMax is the size of the largest message, about. 0: 6000.
	BodyMax int
}

// Result of a run.
type Result struct {
	Seed       uint64
	Violations []string
	Trace      []string
	Hash       uint64 // of everything that happened
	Events     uint64
	Simulated  time.Duration
	History    HistoryCounts
	Counts     map[string]int // faults by kind, and what happened to the pair
}

// world is a pair with its surroundings.
type world struct {
	o       Options
	loop    loop
	rng     generators
	shape   shape
	hosts   [2]*host
	net     network
	ends    []*end
	history *History

	load      bool // producers produce, and faults happen
	producers []*producer
	consumers []*consumer
	drained   int
	served    int   // epochs opened
	keeper    *host // the other disk was lost and nobody is in sync yet; nil: none was

	violations []string
	trace      []string
	counts     map[string]int
}

// generators are one for each concern, so that a change in one does not move the others.
type generators struct{ env, net, client, fault *rand.Rand }

// shape is what the seed decides about the pair.
type shape struct {
	journal  journal.Options
	tapMax   int64
	budget   int
	failback bool
	allow    bool
	faultGap time.Duration
}

const journalDir = "/journal"

var (
	producerTargets = []string{"q0", "q1", "topic"}
	allQueues       = []string{"q0", "q1", "q2", "s0", "s1"}
)

func queuesOf(to string) []string {
	if to == "topic" {
		return []string{"s0", "s1"}
	}
	return []string{to}
}

// Run runs one seed.
func Run(o Options) Result {
	w := newWorld(o)
	w.begin()
	w.loop.until(w.o.Load, w.failed)
	w.heal()
	w.finish()
	for _, h := range w.hosts {
		if h.up() {
			h.die(aiotest.LateDrop)
		}
	}
	return Result{Seed: o.Seed, Violations: append(w.violations, w.history.Violations()...), Trace: w.trace, Hash: w.loop.hash,
		Events: w.loop.ran, Simulated: w.loop.now, History: w.history.Counts(), Counts: w.counts}
}

func newWorld(o Options) *world {
	if o.Load == 0 {
		o.Load = 60 * time.Second
	}
	if o.TraceMax == 0 {
		o.TraceMax = 400
	}
	if o.BodyMax == 0 {
		o.BodyMax = 6000
	}
	source := func(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(o.Seed, stream)) }
	w := &world{o: o, history: NewHistory(), counts: map[string]int{}, load: true,
		rng: generators{env: source(1), net: source(2), client: source(3), fault: source(4)}}
	r := source(5)
	shift := uint8(9 + r.IntN(4))
	w.shape = shape{tapMax: 16 << 10 << r.IntN(7), budget: 16 << r.IntN(6), failback: r.IntN(2) == 0, allow: r.IntN(3) > 0,
		faultGap: time.Duration(1500+r.IntN(4000)) * time.Millisecond}
	w.shape.journal = journal.Defaults(datafile.Geometry{BlockShift: shift, Capacity: uint32(256 << 10 >> shift)})
	w.shape.journal.Slots, w.shape.journal.Reserve = 11+r.IntN(16), 6
	w.shape.journal.Depth = 1 + r.IntN(4)
	w.net = network{room: 32 << 10 << r.IntN(6), perByte: time.Duration(10<<r.IntN(10)) * time.Nanosecond}
	for i := range w.hosts {
		w.net.delay[i] = time.Duration(50+r.IntN(1500)) * time.Microsecond
		w.hosts[i] = &host{w: w, index: i, name: []string{"alpha", "beta"}[i], stepDue: -1, diskDue: -1,
			clk: hostClock{rate: 0.98 + 0.04*r.Float64(), wall: time.Duration(r.Int64N(int64(2*time.Hour))) - time.Hour}}
		w.hosts[i].disk = w.newDisk(r)
	}
	return w
}

// newDisk is an empty disk, fast or slow.
func (w *world) newDisk(r *rand.Rand) *aiotest.Disk {
	return aiotest.NewDisk(aiotest.Options{Seed: r.Uint64(), LatencyMin: 20 * time.Microsecond,
		LatencyMax: time.Duration(100+r.IntN(10_000)) * time.Microsecond})
}

// nodeOptions are those of a process on a host. The first is the primary.
func (w *world) nodeOptions(h *host) broker.Options {
	o := broker.DefaultOptions()
	o.Name, o.Dir, o.Journal = h.name, journalDir, w.shape.journal
	o.HA.Primary, o.HA.Peers = h.index == 0, []string{w.hosts[1-h.index].name}
	o.HA.NewNodeID = ha.NodeID{0x5e, 0xed}
	o.HA.Failback, o.HA.AllowFailback = w.shape.failback && h.index == 0, w.shape.allow
	o.HA.SyncTimeout, o.HA.HandoverLimit = 10*time.Second, 5*time.Second
	o.OverdueAfter, o.TapMax = overdueAfter, w.shape.tapMax
	o.Shard = w.shardOptions()
	for _, q := range allQueues {
		declared := session.QueueOptions{Address: q, Name: q, Routing: address.Anycast, Kind: session.QueueKind{Durable: true}}
		if q[0] == 's' {
			declared.Address, declared.Routing = "topic", address.Multicast
		}
		o.Declared = append(o.Declared, declared)
	}
	return o
}

const overdueAfter = 3 * time.Second

func (w *world) shardOptions() shard.Options {
	o := shard.DefaultOptions()
	o.DispatchBudget = w.shape.budget
	o.Office.DuplicatesMax = w.shape.journal.BlobMax / 2 / 20
	o.Settings = address.Resolved(func(string) address.Settings {
		s := address.Defaults()
		s.MaxDeliveryAttempts = -1
		return s
	})
	return o
}

// begin starts brokers and clients, in any order.
func (w *world) begin() {
	for _, h := range w.hosts {
		h.reboot()
		w.loop.after(time.Duration(w.rng.fault.IntN(2000))*time.Millisecond, h.start)
	}
	w.loop.after(10*time.Second, w.nextFault)
	w.loop.after(time.Second, w.supervise)
	w.loop.after(time.Second, w.operate)
	for i := range 4 {
		w.producers = append(w.producers, w.newProducer(i, i < 2, i%2 == 1))
	}
	for i, q := range allQueues {
		to := ""
		if q == "q1" {
			to = "q2"
		}
		w.consumers = append(w.consumers, w.newConsumer(q, to, i%2 == 0))
	}
}

// say adds a line to the trace.
func (w *world) say(h *host, format string, args ...any) {
	who := "sim"
	if h != nil {
		who = h.name
	}
	line := fmt.Sprintf("%11.6f %-5s ", w.loop.now.Seconds(), who) + fmt.Sprintf(format, args...)
	w.loop.mixText(line)
	if len(w.trace) >= 2*w.o.TraceMax {
		w.trace = append(w.trace[:0], w.trace[w.o.TraceMax:]...)
	}
	w.trace = append(w.trace, line)
}

// count counts something that the report shows, and says it in the trace.
func (w *world) count(what string) {
	w.counts[what]++
	w.say(nil, "%s", what)
}

func (w *world) countQuiet(what string) { w.counts[what]++ }

// fail ends the run with a violation.
func (w *world) fail(format string, args ...any) {
	w.violations = append(w.violations, fmt.Sprintf(format, args...))
	w.say(nil, "VIOLATION "+format, args...)
}

func (w *world) failed() bool { return len(w.violations) > 0 || len(w.history.Violations()) > 0 }

// opened: a broker serves.
func (w *world) opened(h *host) {
	w.served++
	if w.served > 1 {
		w.countQuiet("failovers and reopenings")
	}
	w.say(h, "serves epoch %d", h.node.Look().Epoch)
}

// refusal: a client was refused. Only a full journal and the end of a broker refuse what these clients ask.
func (w *world) refusal(c *client, err *session.Error) {
	w.counts[fmt.Sprintf("refusals with code %d", err.Code)]++
	switch err.Code {
	case session.CodeAddressFull, session.CodeShutdown, session.CodeIO:
	default:
		w.fail("%s was refused: %v", c.name, err)
	}
}

// Report prints counts, sorted.
func Report(counts map[string]int) string {
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	sort.Strings(names)
	s := ""
	for _, name := range names {
		s += fmt.Sprintf("%-40s %d\n", name, counts[name])
	}
	return s
}
