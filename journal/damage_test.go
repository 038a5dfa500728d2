package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// quietDisk runs a random life to its end: everything is durable and a MARK says so.
func quietDisk(t *testing.T, seed uint64) (*crasher, *crashed, *ledgerHost) {
	t.Helper()
	c := &crasher{pool: testPool(t, Options{Geometry: datafile.Geometry{BlockShift: 9, Capacity: 64}, WriteMax: 4096, Slots: 8}),
		count: new(crashCounts), limit: 1 << 40, budget: 1 << 30, rng: rand.New(rand.NewPCG(seed, 2))}
	c.o = crashOptions(c.rng)
	disk := aiotest.NewDisk(aiotest.Options{Seed: seed})
	if err := Prepare(disk.Process("prepare"), testDir, c.o, Member{9}, nil); err != nil {
		t.Fatal(err)
	}
	w := &crashed{disk: disk, histories: []*history{{digests: []uint64{newLedgerHost().digest()}}}}
	var host *ledgerHost
	for range 3 {
		l, err := c.begin(w)
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			if err := l.step(); err != nil {
				t.Fatal(err)
			}
		}
		for i := 0; i < 3; i++ { // records, upkeep, MARK
			for {
				if err := l.d.Flush(Now{}); err != nil {
					t.Fatal(err)
				}
				if !disk.Step() {
					break
				}
				l.settle()
			}
			if err := l.d.Idle(Now{}); err != nil {
				t.Fatal(err)
			}
		}
		if !l.d.m.Quiet() || l.hist.min != len(l.hist.ids) {
			t.Fatalf("seed %d: not quiet: %+v, %d of %d acknowledged", seed, l.d.Stats(), l.hist.min, len(l.hist.ids))
		}
		host = l.host
		l.end()
	}
	return c, w, host
}

// TestEveryBlockDamaged: when the journal is quiet and a MARK says so, no block of a log file can be damaged without an
// error, unless nothing of the log depended on it.
func TestEveryBlockDamaged(t *testing.T) {
	var tried, refused atomic.Int64
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			c, w, host := quietDisk(t, seed)
			for n := range c.o.Slots {
				name := testDir + "/" + datafile.SlotName(n)
				content, _ := w.disk.Bytes(name)
				for block := range int(c.o.Geometry.Capacity) {
					for _, how := range []string{"zero", "flip", "old"} {
						d := w.disk.Clone(1)
						switch how {
						case "zero":
							p := append([]byte(nil), content...)
							clear(p[block*512 : block*512+512])
							d.Put(name, p)
						case "flip":
							if err := d.FlipBit(name, int64(block*512+c.rng.IntN(512)), c.rng.IntN(8)); err != nil {
								t.Fatal(err)
							}
						case "old": // a lost write leaves what an older file had there
							p := append([]byte(nil), content...)
							h := record.Header{Kind: record.PageData, BlockShift: 9, Salt: 42, File: 1, Block: uint32(block), Blocks: 1, StableFile: 1, StableBlock: uint32(block)}
							clear(p[block*512 : block*512+512])
							record.Seal(p[block*512:block*512+512], &h)
							d.Put(name, p)
						}
						got := newLedgerHost()
						tried.Add(1)
						image, err := Load(d.Process("check"), testDir, c.o, crashLoader{got})
						if err != nil {
							refused.Add(1)
							if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) && !errors.Is(err, ErrVersion) {
								t.Fatalf("%s block %d (%s): %v", name, block, how, err)
							}
							if image != nil {
								_ = image.Close()
							}
							continue
						}
						if role, ok := image.Role(); ok {
							got.role = xxhash.Sum64(role.Role)
						}
						if got.digest() != host.digest() {
							t.Fatalf("%s block %d (%s) is damaged and nobody says so; torn: %+v\n%s", name, block, how, image.Torn(), inspectDisk(w.disk, c.o))
						}
						_ = image.Close()
					}
				}
			}
		})
	}
	t.Cleanup(func() { t.Logf("%d damaged images, %d refused, the others lost nothing", tried.Load(), refused.Load()) })
}
