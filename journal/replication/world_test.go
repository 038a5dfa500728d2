package replication

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/journal"
)

// world is a pair whose members die, rejoin and take over at random. What was confirmed must be there for ever.
type world struct {
	t        testing.TB
	rng      *rand.Rand
	owner    *broker
	other    *broker
	c        *conversation // nil: no connection
	o        SenderOptions
	epoch    uint32
	barrier  journal.Position // the member must acknowledge this to be told; zero: it is no member
	told     bool             // the other is in sync
	hist     []entry          // state after each append that may count
	sure     int              // entries that are confirmed
	nextTx   journal.TxID
	targets  []journal.RecordID
	trace    []string
	counts   map[string]int
	rejoined int
}

// entry is a state, and the position at which it counts.
type entry struct {
	at     journal.Position
	digest uint64 // as an open leaves it
}

func newWorld(t testing.TB, pool *aio.Pool, seed uint64) *world {
	rng := rand.New(rand.NewPCG(seed, 5))
	o := tiny()
	o.Slots, o.Reserve = 13+rng.IntN(4), 6
	o.Window = uint32(8 + rng.IntN(20))
	o.Depth = 1 + rng.IntN(4)
	if rng.IntN(3) == 0 {
		o.Geometry.Capacity = 32
	}
	w := &world{t: t, rng: rng, owner: newBroker(t, "a", o, pool, seed), other: newBroker(t, "b", o, pool, seed+1e9), epoch: 1, nextTx: 1, counts: map[string]int{}}
	w.o = SenderOptions{TapMax: int64(rng.IntN(6) * aio.BufferAlign), UnackedMax: 512 << rng.IntN(8), ReadMax: 512 << rng.IntN(5)}
	w.hist, w.sure = []entry{{digest: newHost().digest(true)}}, 1
	w.owner.fatal, w.other.fatal = w.fatal, w.fatal
	w.owner.own(w.epoch)
	w.opened()
	return w
}

func (w *world) note(what, format string, args ...any) {
	w.counts[what]++
	w.trace = append(w.trace, what+" "+fmt.Sprintf(format, args...))
}

func (w *world) fatal(format string, args ...any) {
	w.t.Helper()
	from := max(0, len(w.trace)-60)
	w.t.Fatalf(format+"\n%s", append(args, strings.Join(w.trace[from:], "\n"))...)
}

// opened finds what the new owner holds among the states that may be.
func (w *world) opened() {
	w.t.Helper()
	got := w.owner.host.digest(true)
	for i := len(w.hist) - 1; i >= w.sure-1; i-- {
		if w.hist[i].digest == got {
			w.note("open", "%s epoch %d holds %d of %d states, %d are sure; begins %s", w.owner.name, w.owner.d.Epoch(), i+1, len(w.hist), w.sure, w.owner.d.Begin())
			w.hist = w.hist[:i+1]
			w.targets = w.targets[:0]
			for id := range w.owner.host.live {
				w.targets = append(w.targets, id)
			}
			slices.Sort(w.targets)
			return
		}
	}
	w.fatal("%s opens epoch %d and holds no state that may be: of %d states %d are sure; it holds %s", w.owner.name, w.owner.d.Epoch(), len(w.hist), w.sure, w.owner.host)
}

// settle moves what is confirmed and who counts.
func (w *world) settle() {
	d := w.owner.d
	if w.c != nil {
		w.c.behind = !w.told
		if w.c.dead {
			w.note("revoked", "%s at %s", w.other.name, w.other.f.Tip())
			w.disconnect()
		}
	}
	if w.c != nil {
		d.SetPeerFree(w.c.s.PeerFree())
		if w.barrier != (journal.Position{}) {
			d.MemberDurable(journal.Member{w.other.name[0]}, w.c.s.Acked())
		} else if w.c.inSync() && d.Opened() {
			d.SetMembers([]journal.Member{{w.other.name[0]}})
			d.MemberDurable(journal.Member{w.other.name[0]}, w.c.s.Acked())
			w.barrier = d.End()
			w.note("member", "%s, until %s", w.other.name, w.barrier)
		}
		if w.barrier != (journal.Position{}) && !w.told && !w.c.s.Acked().Less(w.barrier) {
			w.told = true
			w.saveCopying(false)
			w.note("told", "%s, which has %s", w.other.name, w.c.s.Acked())
		}
	}
	if w.barrier == (journal.Position{}) || w.told {
		for stable := d.Stable(); d.Opened() && w.sure < len(w.hist) && !stable.Less(w.hist[w.sure].at); {
			w.sure++
		}
	}
}

func (w *world) saveCopying(copying bool) {
	s := w.other.f.State()
	s.Copying = copying
	if err := w.other.f.Save(s); err != nil {
		w.t.Fatal(err)
	}
}

// step does one random thing.
func (w *world) step() {
	w.t.Helper()
	r := w.rng
	switch k := r.IntN(200); {
	case k < 48:
		w.append()
	case k < 76:
		w.owner.step(true)
	case k < 110:
		if w.other.f != nil {
			w.other.step(true)
		}
	case k < 146:
		if w.c != nil {
			w.c.send(1 + r.IntN(6))
		}
	case k < 182:
		if w.c != nil {
			w.c.deliver(1 + r.IntN(6))
		}
	case k < 185:
		w.owner.d.Roll()
	case k < 188:
		if err := w.owner.d.Idle(w.owner.now); err != nil {
			w.fatal("idle: %v", err)
		}
	case k < 190:
		w.disturb()
	default:
		w.join()
	}
	w.settle()
}

// disturb ends something.
func (w *world) disturb() {
	switch k := w.rng.IntN(10); {
	case k < 2:
		w.disconnect()
	case k < 4 && w.other.f != nil:
		w.dropOther()
	case w.told && k < 9:
		w.takeOver()
	case k < 6:
		w.restartOwner()
	}
}

func (w *world) disconnect() {
	if w.c != nil {
		w.note("cut", "link")
		w.c.close()
		w.c = nil
	}
}

// dropOther ends the follower's process, by a power cut or by a kill.
func (w *world) dropOther() {
	w.disconnect()
	w.note("kill", "%s at %s, durable %s, told %v", w.other.name, w.other.f.Tip(), w.other.f.Durable(), w.told)
	w.end(w.other)
	w.notMember()
}

func (w *world) end(b *broker) {
	switch w.rng.IntN(3) {
	case 0:
		b.end()
	default:
		b.crash(aiotest.CrashOptions{Seed: w.rng.Uint64(), Keep: w.rng.IntN(101)})
	}
}

func (w *world) notMember() {
	w.owner.d.SetMembers(nil)
	w.owner.d.SetPeerFree(-1)
	w.barrier, w.told = journal.Position{}, false
}

// takeOver ends the owner, and the other goes on.
func (w *world) takeOver() {
	w.disconnect()
	w.note("takeover", "of %s at %s by %s at %s, applied %s, %d of %d sure", w.owner.name, w.owner.d.End(), w.other.name, w.other.f.Tip(), w.other.f.Applied(), w.sure, len(w.hist))
	w.end(w.owner)
	for !w.other.f.Quiet() {
		w.other.step(true)
	}
	w.epoch++
	w.other.activate(w.epoch)
	w.owner, w.other = w.other, w.owner
	w.barrier, w.told = journal.Position{}, false
	w.opened()
	if w.rng.IntN(3) == 0 { // a second failure, at once or in the middle of the open
		for range w.rng.IntN(4) {
			w.owner.step(true)
		}
		w.restartOwner()
	}
}

// restartOwner ends the owner's process and starts it again in a new epoch.
func (w *world) restartOwner() {
	w.disconnect()
	w.note("restart", "%s at %s, durable %s", w.owner.name, w.owner.d.End(), w.owner.d.Durable())
	w.end(w.owner)
	w.epoch++
	w.owner.own(w.epoch)
	w.barrier, w.told = journal.Position{}, false
	w.opened()
}

// join starts the follower, or connects it.
func (w *world) join() {
	if w.other.f == nil {
		w.other.follow()
		w.note("follow", "%s from %s", w.other.name, w.other.f.Tip())
		return
	}
	if w.c == nil && w.owner.d.Opened() {
		w.c = connect(w.t, w.owner, w.other, w.o)
		w.c.fatal = w.fatal
		w.note("connect", "%s at %s to %s at %s", w.other.name, w.other.f.Tip(), w.owner.name, w.owner.d.End())
		w.rejoined++
	}
}

// append adds something random.
func (w *world) append() {
	r := w.rng
	body := bytes.Repeat([]byte{byte(r.IntN(256))}, r.IntN(1+r.IntN(400)))
	target := func() journal.RecordID {
		if len(w.targets) == 0 {
			return 1<<40 | 1
		}
		return w.targets[r.IntN(len(w.targets))]
	}
	rec := journal.Record{Body: body, Type: 1}
	h := w.owner.host
	var open []journal.TxID
	for id, recs := range h.txs {
		if !slices.ContainsFunc(recs, isPrepare) {
			open = append(open, id)
		}
	}
	slices.Sort(open)
	switch k := r.IntN(24); {
	case k < 8:
		rec.Kind = journal.KindAdd
	case k < 14:
		rec.Kind, rec.Body, rec.Target = journal.KindDelete, nil, target()
	case k < 16:
		rec.Kind, rec.Target = journal.KindUpdate, target()
	case k < 17:
		rec.Kind = journal.KindEvent
	case k < 20:
		rec.Kind, rec.Tx = journal.KindAdd, w.tx(open)
		if r.IntN(2) == 0 && len(w.targets) > 0 {
			rec.Kind, rec.Body, rec.Target = journal.KindDelete, nil, target()
		}
	case len(h.txs) == 0:
		return
	default:
		ids := make([]journal.TxID, 0, len(h.txs))
		for id := range h.txs {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		rec.Tx = ids[r.IntN(len(ids))]
		rec.Kind, rec.Body = journal.KindCommit, nil
		switch {
		case r.IntN(3) == 0:
			rec.Kind = journal.KindRollback
		case r.IntN(3) == 0 && slices.Contains(open, rec.Tx):
			rec.Kind, rec.Body = journal.KindPrepare, []byte("xid")
		}
	}
	recs := []journal.Record{rec}
	if !w.owner.append(recs...) {
		w.counts["refused"]++
		return
	}
	if rec.Kind == journal.KindAdd && rec.Tx == 0 {
		w.targets = append(w.targets, recs[0].ID)
	}
	if rec.Kind == journal.KindDelete && rec.Tx == 0 {
		w.targets = slices.DeleteFunc(w.targets, func(id journal.RecordID) bool { return id == rec.Target })
	}
	w.hist = append(w.hist, entry{w.owner.last, h.digest(true)})
}

// tx is an open transaction, or a new one.
func (w *world) tx(open []journal.TxID) journal.TxID {
	if len(open) > 0 && w.rng.IntN(3) > 0 {
		return open[w.rng.IntN(len(open))]
	}
	w.nextTx++
	return w.nextTx
}

// finish lets the pair come to rest and compares.
func (w *world) finish() {
	w.t.Helper()
	for range 4 {
		w.join()
		w.owner.settle()
	}
	for range 6 {
		if w.c == nil {
			w.fatal("no connection: owner opened %v, ends at %s, durable %s, %+v", w.owner.d.Opened(), w.owner.d.End(), w.owner.d.Durable(), w.owner.d.Stats())
		}
		w.c.run()
		w.settle()
		w.join()
		if err := w.owner.d.Idle(w.owner.now); err != nil { // as a host does at rest
			w.fatal("idle: %v", err)
		}
	}
	if !w.told {
		w.fatal("the pair at rest is not in sync: owner ends at %s, %s; follower tip %s, durable %s, free %d; acked %s of %v", w.owner.d.End(), fmt.Sprintf("%+v", w.owner.d.Stats()),
			w.other.f.Tip(), w.other.f.Durable(), w.other.f.Free(), w.c.s.Acked(), w.barrier)
	}
	w.c.same()
}

// TestRandomPair: whatever dies in whatever moment, the two logs become equal, byte by byte and record by record, and what
// was confirmed stays.
func TestRandomPair(t *testing.T) {
	seeds, from := uint64(1000), uint64(0)
	if testing.Short() {
		seeds = 100
	}
	if first, count, ok := seedsFromEnv(t); ok {
		from, seeds = first, count
	}
	total := map[string]int{}
	for seed := from; seed < from+seeds; seed++ {
		pool := newPool(t) // processes that are killed take their buffers along
		w := newWorld(t, pool, seed)
		w.trace = append(w.trace, fmt.Sprintf("seed %d", seed))
		for range 600 {
			w.step()
		}
		w.finish()
		w.disconnect()
		w.owner.end()
		w.other.end()
		_ = pool.Close()
		for k, n := range w.counts {
			total[k] += n
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d seeds: %v", seeds, total)
	for _, what := range []string{"takeover", "restart", "kill", "cut", "told"} {
		if seeds >= 100 && total[what] < int(seeds)/4 {
			t.Errorf("%s happened %d times: the test saw too little", what, total[what])
		}
	}
}
