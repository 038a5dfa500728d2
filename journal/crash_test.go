package journal

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/journal/datafile"
)

// The crash matrix. A random host runs on a simulated disk; at every step the disk is crashed in many ways, each image is
// loaded, and what it holds must be the host's state after some prefix of what was appended, one that contains
// everything acknowledged. Some images go on: another process opens them and is crashed in turn, also while it opens.
// The number of images comes from HIND_CRASH_IMAGES.

// ledgerHost is a host whose state is one number, so that millions of states can be compared. It is a Host and, through
// loadable2, a Loader.
type ledgerHost struct {
	live    map[RecordID]hostEntry
	txs     map[TxID]*hostTx
	counter uint64 // chained over events: order counts
	role    uint64 // hash of the newest role record
}

type hostEntry struct{ body, update uint64 }

type hostTx struct {
	prepared bool
	recs     []hostRec
}

type hostRec struct {
	id, target RecordID
	kind       Kind
	body       uint64
}

func newLedgerHost() *ledgerHost {
	return &ledgerHost{live: map[RecordID]hostEntry{}, txs: map[TxID]*hostTx{}}
}

func mix(a, b uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 ^ b
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	return x ^ x>>32
}

func (h *ledgerHost) Snapshot() []byte { return fmt.Appendf(nil, "%d", h.counter) }

type crashLoader struct{ *ledgerHost }

func (l crashLoader) Snapshot(blob []byte) (err error) {
	if blob != nil {
		l.counter, err = strconv.ParseUint(string(blob), 10, 64)
	}
	return err
}
func (l crashLoader) Live(r Record) error   { l.take(&r); return nil }
func (l crashLoader) Replay(r Record) error { l.take(&r); return nil }

func (h *ledgerHost) take(r *Record) {
	switch r.Kind {
	case KindCommit, KindRollback:
		t := h.txs[r.Tx]
		delete(h.txs, r.Tx)
		if t != nil && r.Kind == KindCommit {
			for _, rec := range t.recs {
				h.effect(rec)
			}
		}
		return
	case KindRole:
		h.role = xxhash.Sum64(r.Body)
		return
	}
	rec := hostRec{r.ID, r.Target, r.Kind, xxhash.Sum64(r.Body) + uint64(r.Type)}
	if r.Tx == 0 {
		h.effect(rec)
		return
	}
	t := h.txs[r.Tx]
	if t == nil {
		t = &hostTx{}
		h.txs[r.Tx] = t
	}
	if r.Kind == KindPrepare {
		t.prepared = true
	}
	t.recs = append(t.recs, rec)
}

func (h *ledgerHost) effect(r hostRec) {
	switch r.kind {
	case KindAdd:
		h.live[r.id] = hostEntry{body: r.body}
	case KindUpdate:
		if e, ok := h.live[r.target]; ok {
			e.update = r.body
			h.live[r.target] = e
		}
	case KindDelete:
		delete(h.live, r.target)
	case KindEvent:
		h.counter = mix(h.counter+1, r.body)
	}
}

// digest of the state. Sums do not depend on the order of maps.
func (h *ledgerHost) digest() uint64 {
	d := mix(h.counter, h.role)
	for id, e := range h.live {
		d += mix(mix(uint64(id), e.body), e.update)
	}
	for id, t := range h.txs {
		x := uint64(id)
		if t.prepared {
			x = mix(x, 1)
		}
		for _, r := range t.recs {
			x = mix(x, mix(uint64(r.id), mix(uint64(r.target), r.body+uint64(r.kind))))
		}
		d += mix(x, 77)
	}
	return d
}

// history is one way in which the log may have come about: the state after each record, and how many must be there.
type history struct {
	ids     []RecordID
	digests []uint64 // digests[n]: after n records
	min     int
}

func (h *history) clone() *history {
	return &history{slices.Clone(h.ids), slices.Clone(h.digests), h.min}
}

// matches says how many records the image holds if it is a prefix of this history, else -1.
func (h *history) matches(next RecordID, digest uint64) int {
	n, _ := slices.BinarySearch(h.ids, next)
	if n < h.min || h.digests[n] != digest {
		return -1
	}
	return n
}

// crasher runs one tree of crashes.
type crasher struct {
	o      Options
	rng    *rand.Rand
	pool   *aio.Pool
	count  *crashCounts
	limit  int64
	budget int // images of this tree
	trace  []string
	member bool // a member lags behind, and what is acknowledged is stable, not only durable
}

// crashCounts say what a matrix covered.
type crashCounts struct {
	images, opens, killed, opening, checkpoints, retired, torn atomic.Int64
}

// crashed is a disk at rest and what may be on it.
type crashed struct {
	disk      *aiotest.Disk
	histories []*history
	deep      int
	kills     int
}

func (c *crasher) fail(format string, args ...any) error {
	return fmt.Errorf(format+"\n%s", append(args, strings.Join(c.trace, "\n"))...)
}

func (c *crasher) note(format string, args ...any) {
	c.trace = append(c.trace, fmt.Sprintf(format, args...))
}

// verify loads an image and finds the history that it holds.
func (c *crasher) verify(w *crashed) (host *ledgerHost, image *Image, h *history, n int, err error) {
	c.count.images.Add(1)
	c.budget--
	p := w.disk.Process("check")
	host = newLedgerHost()
	image, err = Load(p, testDir, c.o, crashLoader{host})
	if err != nil {
		if os.Getenv("HIND_CRASH_SEED") != "" {
			fmt.Println(inspectDisk(w.disk, c.o))
		}
		return nil, nil, nil, 0, c.fail("load: %v", err)
	}
	if role, ok := image.Role(); ok {
		host.role = xxhash.Sum64(role.Role)
	}
	if image.Torn().Pages > 0 {
		c.count.torn.Add(1)
	}
	next, digest := image.Next(), host.digest()
	for _, h := range slices.Backward(w.histories) {
		if n := h.matches(next, digest); n >= 0 {
			return host, image, h, n, nil
		}
	}
	text := ""
	for _, h := range w.histories {
		i, _ := slices.BinarySearch(h.ids, next)
		text += fmt.Sprintf(" [%d records, at least %d, the image has %d, same state %v]", len(h.ids), h.min, i,
			slices.Index(h.digests, digest))
	}
	_ = image.Close()
	return nil, nil, nil, 0, c.fail("image holds no prefix of what was appended: next %s, tip %s;%s", next, image.Tip(), text)
}

// idempotent loads twice and compares, and checks that loading wrote nothing.
func (c *crasher) idempotent(w *crashed) error {
	var before, after [][]byte
	for _, name := range w.disk.Names() {
		b, _ := w.disk.Bytes(name)
		before = append(before, b)
	}
	h1, i1, _, n1, err := c.verify(w)
	if err != nil {
		return err
	}
	_ = i1.Close()
	h2, i2, _, n2, err := c.verify(w)
	if err != nil {
		return err
	}
	_ = i2.Close()
	for _, name := range w.disk.Names() {
		b, _ := w.disk.Bytes(name)
		if strings.HasSuffix(name, LockName) {
			continue
		}
		after = append(after, b)
	}
	if h1.digest() != h2.digest() || n1 != n2 || i1.Tip() != i2.Tip() {
		return c.fail("two loads of one image differ")
	}
	before = slices.DeleteFunc(before, func(b []byte) bool { return len(b) == 0 })
	after = slices.DeleteFunc(after, func(b []byte) bool { return len(b) == 0 })
	if !slices.EqualFunc(before, after, bytes.Equal) {
		return c.fail("a load changed the disk")
	}
	return nil
}

// life is one process on the disk.
type life struct {
	c       *crasher
	w       *crashed
	proc    *aiotest.Process
	d       *Driver
	host    *ledgerHost
	hist    *history
	pos     []Position // of each record of hist that this life appended
	base    int
	opened  bool
	txs     []TxID
	nextTx  TxID
	targets []RecordID
	mono    time.Duration
}

// begin loads and opens; the open's pages are in flight when it returns.
func (c *crasher) begin(w *crashed) (*life, error) {
	p := w.disk.Process(fmt.Sprintf("p%d", len(w.histories)))
	host := newLedgerHost()
	image, err := Load(p, testDir, c.o, crashLoader{host})
	if err != nil {
		return nil, c.fail("load for open: %v", err)
	}
	if role, ok := image.Role(); ok {
		host.role = xxhash.Sum64(role.Role)
	}
	next, digest := image.Next(), host.digest()
	l := &life{c: c, w: w, proc: p, host: host, nextTx: TxID(1000 * (len(w.histories) + 1 + w.deep*50))}
	for _, h := range slices.Backward(w.histories) {
		if n := h.matches(next, digest); n >= 0 {
			l.hist = h.clone()
			l.base = n
			break
		}
	}
	if l.hist == nil {
		return nil, c.fail("open finds no known history")
	}
	engine := p.Engine(aiotest.EngineOptions{})
	engine.Start(func(cs []aio.Completion) { l.d.Complete(cs) })
	var role []byte
	if c.rng.IntN(2) == 0 || host.role != 0 {
		role = fmt.Appendf(nil, "role %d", c.rng.Uint64())
		host.role = xxhash.Sum64(role)
	}
	l.d, err = image.Activate(ActivateOptions{Epoch: image.Epoch() + uint32(c.rng.IntN(2)), Role: role, Engine: engine, Pool: c.pool,
		Host: host, Salt: c.rng.Uint64()})
	if err != nil {
		return nil, c.fail("activate: %v", err)
	}
	// What lies behind the base is cut now; transactions that were not prepared are rolled back.
	l.hist.ids = l.hist.ids[:l.base]
	l.hist.digests = l.hist.digests[:l.base+1]
	l.hist.digests[l.base] = host.digest()
	l.hist.min = l.base
	w.histories = append(w.histories, l.hist)
	for _, id := range sortedKeys(host.live) {
		l.targets = append(l.targets, id)
	}
	for _, tx := range sortedKeys(host.txs) {
		l.txs = append(l.txs, tx)
	}
	c.note("open: base %d, tip %s, new file %s, incarnation %d", l.base, image.Tip(), l.d.m.writer.opening.name, l.d.m.writer.incarnation)
	return l, nil
}

// end is the end of a process whose writes in flight are of no interest any more.
func (l *life) end() {
	_ = l.d.Close()
	l.proc.Kill(aiotest.LateDrop)
	for _, b := range l.d.m.flight {
		l.d.m.recycle(b)
	}
	l.d.m.flight = nil
}

// settle moves the acknowledged count.
func (l *life) settle() {
	if !l.opened && l.d.Opened() {
		l.opened = true
		l.w.histories = []*history{l.hist}
		l.c.note("opened")
		l.c.count.opens.Add(1)
		if l.c.member {
			l.d.SetMembers([]Member{{5}})
		}
	}
	durable := l.d.Stable()
	for l.opened && l.hist.min-l.base < len(l.pos) && !durable.Less(l.pos[l.hist.min-l.base]) {
		l.hist.min++
	}
}

// step does one random thing.
func (l *life) step() error {
	r := l.c.rng
	switch k := r.IntN(20); {
	case k < 9:
		return l.appendSomething()
	case k < 13:
		l.mono++
		if err := l.d.Flush(Now{l.mono, int64(l.mono)}); err != nil {
			return l.c.fail("flush: %v", err)
		}
	case k < 19:
		l.w.disk.Step()
		l.settle()
		if l.c.member && r.IntN(3) == 0 {
			l.d.MemberDurable(Member{5}, l.d.Durable())
			l.settle()
		}
	default:
		if err := l.d.Idle(Now{l.mono, int64(l.mono)}); err != nil {
			return l.c.fail("idle: %v", err)
		}
		if r.IntN(6) == 0 {
			l.d.Roll()
		}
	}
	return nil
}

func (l *life) appendSomething() error {
	r := l.c.rng
	var recs []Record
	body := func() []byte { return bytes.Repeat([]byte{byte(r.IntN(256))}, r.IntN(1+r.IntN(l.c.o.PageMax/2))) }
	target := func() RecordID {
		if len(l.targets) == 0 {
			return 1<<40 | 1
		}
		return l.targets[r.IntN(len(l.targets))]
	}
	if r.IntN(40) == 0 {
		return l.appendRole()
	}
	tx := TxID(0)
	if r.IntN(4) == 0 {
		if len(l.txs) > 0 && r.IntN(3) > 0 {
			tx = l.txs[r.IntN(len(l.txs))]
		} else if len(l.txs) < 3 {
			l.nextTx++
			tx = l.nextTx
		}
		if t := l.host.txs[tx]; t != nil && t.prepared {
			recs = append(recs, Record{Kind: KindCommit + Kind(r.IntN(2)), Tx: tx})
			return l.append(recs)
		}
	}
	// Targets are what is committed, or records of the same transaction.
	if t := l.host.txs[tx]; t != nil && r.IntN(3) == 0 {
		if own := t.recs[r.IntN(len(t.recs))]; own.kind == KindAdd {
			target = func() RecordID { return own.id }
		}
	}
	for range 1 + r.IntN(2) {
		switch k := r.IntN(12); {
		case k < 5:
			recs = append(recs, Record{Kind: KindAdd, Type: uint8(k), Tx: tx, Body: body(), Meta: []byte("m")})
		case k < 7:
			recs = append(recs, Record{Kind: KindUpdate, Tx: tx, Target: target(), Body: body()})
		case k < 10 || tx == 0:
			recs = append(recs, Record{Kind: KindDelete, Tx: tx, Target: target(), Body: []byte("why")})
		case k == 10:
			recs = append(recs, Record{Kind: KindEvent, Body: body()})
		default:
			recs = append(recs, Record{Kind: KindPrepare + Kind(r.IntN(3)), Tx: tx, Body: []byte("xid")})
			return l.append(recs)
		}
	}
	return l.append(recs)
}

func (l *life) appendRole() error {
	role := fmt.Appendf(nil, "role %d", l.c.rng.Uint64())
	id := l.d.m.l.next
	pos, err := l.d.WriteRole(role)
	if errors.Is(err, ErrFull) || errors.Is(err, ErrBusy) {
		return nil
	}
	if err != nil {
		return l.c.fail("role: %v", err)
	}
	l.host.role = xxhash.Sum64(role)
	l.hist.ids = append(l.hist.ids, id)
	l.hist.digests = append(l.hist.digests, l.host.digest())
	l.pos = append(l.pos, pos)
	return nil
}

func (l *life) append(recs []Record) error {
	_, pos, err := l.d.Append(recs...)
	if errors.Is(err, ErrFull) || errors.Is(err, ErrBusy) {
		// Consumers go on: settle something instead.
		if len(l.targets) > 0 && errors.Is(err, ErrFull) {
			i := l.c.rng.IntN(len(l.targets))
			recs = []Record{{Kind: KindDelete, Target: l.targets[i]}}
			if _, pos, err = l.d.Append(recs...); err == nil {
				l.targets = slices.Delete(l.targets, i, i+1)
			}
		}
	}
	if errors.Is(err, ErrFull) || errors.Is(err, ErrBusy) || errors.Is(err, ErrTooLarge) {
		return nil
	}
	if err != nil {
		return l.c.fail("append: %v", err)
	}
	for i := range recs {
		rec := &recs[i]
		if t := l.host.txs[rec.Tx]; rec.Kind == KindCommit && t != nil {
			for _, held := range t.recs {
				if held.kind == KindAdd {
					l.targets = append(l.targets, held.id)
				}
			}
		}
		l.host.take(rec)
		l.hist.ids = append(l.hist.ids, rec.ID)
		l.hist.digests = append(l.hist.digests, l.host.digest())
		l.pos = append(l.pos, pos)
		switch {
		case rec.Kind == KindAdd && rec.Tx == 0:
			l.targets = append(l.targets, rec.ID)
		case rec.Kind == KindDelete && rec.Tx == 0:
			l.targets = slices.DeleteFunc(l.targets, func(id RecordID) bool { return id == rec.Target })
		case rec.Kind == KindCommit || rec.Kind == KindRollback:
			l.txs = slices.DeleteFunc(l.txs, func(id TxID) bool { return id == rec.Tx })
		}
		if rec.Tx != 0 && rec.Kind < KindCommit && !slices.Contains(l.txs, rec.Tx) {
			l.txs = append(l.txs, rec.Tx)
		}
	}
	if len(l.targets) > 12 {
		l.targets = l.targets[len(l.targets)-12+l.c.rng.IntN(4):]
	}
	return nil
}

// image crashes the disk and gives the histories that may be on it.
func (l *life) image() *crashed {
	keep := [...]int{0, 50, 100, 25, 75, 50, 50}[l.c.rng.IntN(7)]
	w := &crashed{disk: l.w.disk.CrashWith(aiotest.CrashOptions{Seed: l.c.rng.Uint64(), Keep: keep}), deep: l.w.deep + 1}
	for _, h := range l.w.histories {
		w.histories = append(w.histories, h.clone())
	}
	return w
}

// run lives on a disk for a while, crashing it at every step.
func (c *crasher) run(w *crashed, steps int) error {
	mark := len(c.trace)
	defer func() { c.trace = c.trace[:mark] }()
	l, err := c.begin(w)
	if err != nil {
		return err
	}
	defer l.end()
	for i := 0; i < steps && c.budget > 0 && c.count.images.Load() < c.limit; i++ {
		if err := l.step(); err != nil {
			return err
		}
		if c.rng.IntN(3) == 0 || !l.opened {
			continue
		}
		for range 1 + c.rng.IntN(4) {
			if err := c.leaf(l); err != nil {
				return err
			}
		}
	}
	s := l.d.Stats()
	c.count.checkpoints.Add(s.Checkpoints)
	c.count.retired.Add(s.Retired)
	if !l.opened {
		c.count.opening.Add(1)
		return c.leaf(l)
	}
	if c.budget > 0 && w.kills < 3 && c.rng.IntN(2) == 0 {
		// kill -9: the next process reads what a power cut would still take.
		w.kills++
		c.note("killed at durable %s, end %s, %d of %d acknowledged", l.d.Durable(), l.d.End(), l.hist.min, len(l.hist.ids))
		c.count.killed.Add(1)
		l.proc.Kill(aiotest.LateCached)
		l.end()
		return c.run(w, 10+c.rng.IntN(60))
	}
	return nil
}

// leaf checks one image, and sometimes goes on with it.
func (c *crasher) leaf(l *life) error {
	img := l.image()
	c.note("crash at durable %s, end %s, %d of %d acknowledged", l.d.Durable(), l.d.End(), l.hist.min, len(l.hist.ids))
	defer func() { c.trace = c.trace[:len(c.trace)-1] }()
	switch k := c.rng.IntN(40); {
	case k == 0:
		return c.idempotent(img)
	case k < 4 && img.deep < 6:
		return c.run(img, 3+c.rng.IntN(8)) // the next process is crashed while it opens
	case k == 4 && img.deep < 6:
		return c.run(img, 20+c.rng.IntN(40))
	}
	_, image, _, _, err := c.verify(img)
	if err != nil && l.hist.min == len(l.hist.ids) {
		host := newLedgerHost()
		if image, e := Load(img.disk.Process("again"), testDir, c.o, crashLoader{host}); e == nil {
			_ = image.Close()
		}
		err = fmt.Errorf("%w\nhave:\n%s\nwant:\n%s", err, host.dump(), l.host.dump())
	}
	if err == nil {
		err = image.Close()
	}
	return err
}

// crashOptions draws a journal from a seed.
func crashOptions(rng *rand.Rand) Options {
	o := Options{Geometry: datafile.Geometry{BlockShift: 9, Capacity: uint32(14 + rng.IntN(20))}, Slots: 7 + rng.IntN(3),
		Reserve: 4, Depth: 1 + rng.IntN(4), PageMax: 512 * (1 + rng.IntN(3)), BacklogMax: 4096, BlobMax: 32}
	o.WriteMax = max(o.PageMax, 512*(2+rng.IntN(3)))
	o.Window = uint32(o.WriteMax/512 + 2 + rng.IntN(12))
	return o
}

func (c *crasher) tree(seed uint64) error {
	c.rng = rand.New(rand.NewPCG(seed, 1))
	c.budget = 3000
	c.trace = append(c.trace[:0], fmt.Sprintf("seed %d", seed))
	c.o = crashOptions(c.rng)
	disk := aiotest.NewDisk(aiotest.Options{Seed: seed})
	p := disk.Process("prepare")
	if err := Prepare(p, testDir, c.o, Member{9}, nil); err != nil {
		return c.fail("prepare: %v", err)
	}
	c.member = c.rng.IntN(4) == 0
	w := &crashed{disk: disk, histories: []*history{{digests: []uint64{newLedgerHost().digest()}}}}
	return c.run(w, 150)
}

// imagesWanted reads the size of the matrix.
func imagesWanted(t testing.TB, def int64) int64 {
	text := os.Getenv("HIND_CRASH_IMAGES")
	if text == "" {
		return def
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("HIND_CRASH_IMAGES=%q: %v", text, err)
	}
	return n
}

func TestCrashMatrix(t *testing.T) {
	if text := os.Getenv("HIND_CRASH_SEED"); text != "" {
		replaySeed(t, text)
		return
	}
	limit := imagesWanted(t, 1_000_000)
	if testing.Short() {
		limit = 20_000
	}
	var count crashCounts
	var seed atomic.Uint64
	var failed atomic.Pointer[error]
	start := time.Now()
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			pool := testPool(t, Options{Geometry: datafile.Geometry{BlockShift: 9, Capacity: 64}, WriteMax: 4096, Slots: 8})
			for count.images.Load() < limit && failed.Load() == nil {
				c := &crasher{pool: pool, count: &count, limit: limit}
				if err := c.tree(seed.Add(1)); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		t.Fatal(*err)
	}
	n := count.images.Load()
	t.Logf("%d crash images in %d trees, %.0f/s: %d with a torn tail, %d opens that counted, %d crashed while opening, %d kills, %d checkpoints, %d files retired",
		n, seed.Load(), float64(n)/time.Since(start).Seconds(), count.torn.Load(), count.opens.Load(), count.opening.Load(),
		count.killed.Load(), count.checkpoints.Load(), count.retired.Load())
}

// replaySeed runs one tree again: HIND_CRASH_SEED=17 go test -run CrashMatrix ./journal
func replaySeed(t *testing.T, text string) {
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("HIND_CRASH_SEED=%q: %v", text, err)
	}
	pool := testPool(t, Options{Geometry: datafile.Geometry{BlockShift: 9, Capacity: 64}, WriteMax: 4096, Slots: 8})
	c := &crasher{pool: pool, count: new(crashCounts), limit: 1 << 40}
	if err := c.tree(seed); err != nil {
		t.Fatal(err)
	}
}
