package journal

import (
	"bytes"
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
	if err != nil || n <= 0 {
		t.Fatalf("HIND_CRASH_IMAGES=%q: want a number above 0 (%v)", text, err)
	}
	return n
}

func TestCrashMatrix(t *testing.T) {
	if text := os.Getenv("HIND_CRASH_SEED"); text != "" {
		replaySeed(t, text)
		return
	}
	limit := int64(1_000_000)
	if testing.Short() {
		limit = 20_000
	}
	limit = imagesWanted(t, limit)
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
