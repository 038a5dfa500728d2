package journal

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/journal/datafile"
)

// smallOptions are a journal of tiny files, so that every step rolls, checkpoints and retires.
func smallOptions() Options {
	return Options{Geometry: datafile.Geometry{BlockShift: 9, Capacity: 24}, Slots: 8, Reserve: 3, Window: 16, Depth: 3,
		PageMax: 1024, WriteMax: 2048, BacklogMax: 8192, BlobMax: 256}
}

func testPool(t testing.TB, o Options) *aio.Pool {
	t.Helper()
	o = o.withDefaults(o.Geometry)
	p, err := aio.NewPool(aio.PoolOptions{Size: max(aio.BufferAlign, o.WriteMax), Count: 512})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// rig is one process on a simulated disk with its journal.
type rig struct {
	t    testing.TB
	disk *aiotest.Disk
	proc *aiotest.Process
	o    Options
	pool *aio.Pool
	mem  *memory
	d    *Driver
	now  Now
}

const testDir = "/j"

func newRig(t testing.TB, o Options, seed uint64) *rig {
	r := &rig{t: t, disk: aiotest.NewDisk(aiotest.Options{Seed: seed}), o: o, pool: testPool(t, o), mem: newMemory()}
	r.proc = r.disk.Process("p")
	if err := Prepare(r.proc, testDir, o, Member{1}, nil); err != nil {
		t.Fatal(err)
	}
	return r
}

// start loads and activates; the open's own pages are completed.
func (r *rig) start() {
	r.t.Helper()
	r.mem = newMemory()
	image, err := Load(r.proc, testDir, r.o, loadable{r.mem})
	if err != nil {
		r.t.Fatal(err)
	}
	r.activate(image)
	r.drain()
	if !r.d.Opened() {
		r.t.Fatal("the open does not count after its pages are durable")
	}
}

func (r *rig) activate(image *Image) {
	r.t.Helper()
	engine := r.proc.Engine(aiotest.EngineOptions{})
	var d *Driver
	engine.Start(func(cs []aio.Completion) { d.Complete(cs) })
	d, err := image.Activate(ActivateOptions{Epoch: 1, Engine: engine, Pool: r.pool, Host: r.mem, Salt: 7, Now: r.now})
	if err != nil {
		r.t.Fatal(err)
	}
	r.d = d
}

// drain flushes and completes until nothing is left to do.
func (r *rig) drain() {
	r.t.Helper()
	for {
		if err := r.d.Flush(r.now); err != nil {
			r.t.Fatal(err)
		}
		if !r.disk.Step() {
			return
		}
	}
}

// memory is a host: what lives, with updates, and undecided transactions.
type memory struct {
	live     map[RecordID]string // body of each live add
	updates  map[RecordID]string
	txs      map[TxID][]Record
	prepared map[TxID]bool
	blob     string
}

func newMemory() *memory {
	return &memory{live: map[RecordID]string{}, updates: map[RecordID]string{}, txs: map[TxID][]Record{}, prepared: map[TxID]bool{}}
}

func (m *memory) Snapshot() []byte { return []byte(m.blob) }

// loadable separates the two Snapshots: a host has one, a loader another.
type loadable struct{ *memory }

func (m loadable) Snapshot(blob []byte) error { m.blob = string(blob); return nil }

func (m *memory) Live(r Record) error {
	m.apply(r)
	return nil
}

func (m *memory) Replay(r Record) error {
	m.apply(r)
	return nil
}

func (m *memory) apply(r Record) {
	r.Body, r.Meta = slices.Clone(r.Body), slices.Clone(r.Meta)
	switch r.Kind {
	case KindCommit, KindRollback:
		recs := m.txs[r.Tx]
		delete(m.txs, r.Tx)
		delete(m.prepared, r.Tx)
		if r.Kind == KindCommit {
			for _, rec := range recs {
				rec.Tx = 0
				m.apply(rec)
			}
		}
		return
	case KindPrepare:
		m.prepared[r.Tx] = true
		if m.txs[r.Tx] == nil {
			m.txs[r.Tx] = []Record{}
		}
		return
	}
	if r.Tx != 0 {
		m.txs[r.Tx] = append(m.txs[r.Tx], r)
		return
	}
	switch r.Kind {
	case KindAdd:
		m.live[r.ID] = string(r.Body)
	case KindUpdate:
		if _, ok := m.live[r.Target]; ok {
			m.updates[r.Target] = string(r.Body)
		}
	case KindDelete:
		delete(m.live, r.Target)
		delete(m.updates, r.Target)
	case KindEvent:
		m.blob = string(r.Body)
	}
}

// String lists the state, in order.
func (m *memory) String() string {
	s := ""
	for _, id := range sortedKeys(m.live) {
		s += fmt.Sprintf("%s=%q", id, m.live[id])
		if u, ok := m.updates[id]; ok {
			s += fmt.Sprintf("/%q", u)
		}
		s += " "
	}
	for _, tx := range sortedKeys(m.txs) {
		s += fmt.Sprintf("tx%d(prepared=%v)", tx, m.prepared[tx])
		for _, rec := range m.txs[tx] {
			s += fmt.Sprintf(" %d:%s->%s=%q", rec.Kind, rec.ID, rec.Target, rec.Body)
		}
		s += " "
	}
	return s + "blob=" + m.blob
}

func sortedKeys[K ~uint64, V any](m map[K]V) []K {
	var keys []K
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (r *rig) append(recs ...Record) RecordID {
	r.t.Helper()
	for {
		id, _, err := r.d.Append(recs...)
		if errors.Is(err, ErrBusy) {
			if err := r.d.Flush(r.now); err != nil {
				r.t.Fatal(err)
			}
			r.disk.Step()
			continue
		}
		if err != nil {
			r.t.Fatal(err)
		}
		for i := range recs {
			r.mem.apply(recs[i])
		}
		return id
	}
}

func TestRoundTrip(t *testing.T) {
	r := newRig(t, smallOptions(), 1)
	r.start()
	var ids []RecordID
	for i := range 200 {
		ids = append(ids, r.append(Record{Kind: KindAdd, Type: 3, Meta: []byte{1, 2}, Body: fmt.Appendf(nil, "message %d", i)}))
		if i%3 == 0 {
			r.append(Record{Kind: KindUpdate, Target: ids[i], Body: fmt.Appendf(nil, "update %d", i)})
		}
		if i >= 10 {
			r.append(Record{Kind: KindDelete, Target: ids[i-10]})
		}
		if i%20 == 0 {
			tx := TxID(i + 1)
			r.append(Record{Kind: KindAdd, Tx: tx, Body: []byte("tx add")}, Record{Kind: KindDelete, Tx: tx, Target: ids[i]})
			switch i % 60 {
			case 0:
				r.append(Record{Kind: KindCommit, Tx: tx})
			case 20:
				r.append(Record{Kind: KindPrepare, Tx: tx, Body: []byte("xid")})
			}
		}
		if i%7 == 0 {
			r.drain()
		}
	}
	r.drain()
	want := r.mem.String()
	t.Log(want)
	t.Logf("%+v", r.d.Stats())
	for tx := range r.mem.txs {
		if !r.mem.prepared[tx] {
			delete(r.mem.txs, tx)
		}
	}
	want = r.mem.String()
	if err := r.d.Close(); err != nil {
		t.Fatal(err)
	}
	r.start()
	if got := r.mem.String(); got != want {
		t.Fatalf("after load\n%s\nwant\n%s", got, want)
	}
	t.Logf("%+v", r.d.Stats())
}
