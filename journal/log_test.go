package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/journal/datafile"
)

func openTestLog(t testing.TB, p *aiotest.Process, o Options, mem *memory) (*Log, error) {
	return OpenLog(p, testDir, LogOptions{Options: o, Engine: p.Engine(aiotest.EngineOptions{Auto: true}), Pool: testPool(t, o),
		Instance: Member{1}, Salt: 5, Now: func() Now { return Now{} }}, loadable{mem})
}

// TestLogManyCallers: each call that returned is there after a crash, and order per caller is kept.
func TestLogManyCallers(t *testing.T) {
	disk := aiotest.NewDisk(aiotest.Options{Seed: 1})
	o := smallOptions()
	o.Slots = 200
	log, err := openTestLog(t, disk.Process("p"), o, newMemory())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	ids := make([][]RecordID, 20)
	for caller := range ids {
		wg.Go(func() {
			for i := range 30 {
				id, err := log.Append(context.Background(), Record{Kind: KindAdd, Body: fmt.Appendf(nil, "%d/%d", caller, i)})
				if err != nil {
					t.Error(err)
					return
				}
				ids[caller] = append(ids[caller], id)
			}
		})
	}
	wg.Wait()
	stats := log.Stats()
	image := disk.CrashWith(aiotest.CrashOptions{Keep: 0})
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(context.Background(), Record{Kind: KindAdd}); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	for _, d := range []*aiotest.Disk{image, disk} {
		mem := newMemory()
		if _, err := Load(d.Process("check"), testDir, o, loadable{mem}); err != nil {
			t.Fatal(err)
		}
		for caller, list := range ids {
			for i, id := range list {
				if mem.live[id] != fmt.Sprintf("%d/%d", caller, i) || i > 0 && list[i-1] >= id {
					t.Fatalf("caller %d, record %d: %q", caller, i, mem.live[id])
				}
			}
		}
	}
	if stats.Writes >= 600 {
		t.Fatalf("%d writes for 600 records: nothing was gathered", stats.Writes)
	}
}

func TestLogTwoOpeners(t *testing.T) {
	disk := aiotest.NewDisk(aiotest.Options{Seed: 2})
	p := disk.Process("p")
	log, err := openTestLog(t, p, smallOptions(), newMemory())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openTestLog(t, disk.Process("q"), smallOptions(), newMemory()); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	o := smallOptions()
	o.ReadOnly = true
	if _, err := Load(disk.Process("q"), testDir, o, nil); err != nil {
		t.Fatalf("read-only beside a writer: %v", err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestLogFailedWriteIsFinal: all waiters are told, and nothing is accepted any more.
func TestLogFailedWriteIsFinal(t *testing.T) {
	disk := aiotest.NewDisk(aiotest.Options{Seed: 3})
	log, err := openTestLog(t, disk.Process("p"), smallOptions(), newMemory())
	if err != nil {
		t.Fatal(err)
	}
	disk.Inject(aiotest.Rule{Kind: aiotest.FaultFail})
	for range 2 {
		if _, err := log.Append(context.Background(), Record{Kind: KindAdd}); !errors.Is(err, ErrFailed) {
			t.Fatal(err)
		}
	}
	if err := log.Close(); !errors.Is(err, ErrFailed) {
		t.Fatal(err)
	}
}

// TestAppendAllocatesNothing in the steady state of the machine.
func TestAppendAllocatesNothing(t *testing.T) {
	r := newRig(t, Options{Slots: 4, Reserve: 1, BlobMax: 1024, WriteMax: 64 << 10, BacklogMax: 1 << 20,
		Geometry: Defaults(smallOptions().Geometry).Geometry}.large(), 1)
	r.start()
	body := bytes.Repeat([]byte{1}, 1024)
	one := func() {
		if _, _, err := r.d.m.Append(Record{Kind: KindAdd, Body: body}); err != nil {
			t.Fatal(err)
		}
		w, ok := r.d.m.Seal(1)
		if !ok {
			t.Fatal("nothing to seal")
		}
		r.d.m.Completed(w.ID, nil)
	}
	for range 200 {
		one()
	}
	if n := testing.AllocsPerRun(500, one); n != 0 {
		t.Fatalf("an append allocates %v times", n)
	}
}

// large are options with blocks of 4 KiB and slots of 8 MiB.
func (o Options) large() Options {
	o.Geometry.BlockShift, o.Geometry.Capacity = 12, 2048
	return o
}

var benchmarkCallers = []int{1, 16, 64, 256}

// BenchmarkAppend: N callers that each wait for their 1 KiB record, on a real file with the pwrite engine.
func BenchmarkAppend(b *testing.B) {
	for _, n := range benchmarkCallers {
		b.Run(fmt.Sprintf("N=%d", n), func(b *testing.B) { benchmarkAppend(b, n) })
	}
}

func benchmarkAppend(b *testing.B, callers int) {
	o := Options{Slots: 16, Reserve: 4, Geometry: datafile.Geometry{BlockShift: 12, Capacity: 4096}}
	pool, err := aio.NewPool(aio.PoolOptions{Size: 1 << 20, Count: 32})
	if err != nil {
		b.Fatal(err)
	}
	engine := benchmarkEngine(b)
	log, err := OpenLog(benchmarkFS(), b.TempDir(), LogOptions{Options: o, Engine: engine, Pool: pool, Instance: Member{1}, Salt: 1,
		Now: func() Now { return Now{} }}, nil)
	if err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 1024)
	b.SetBytes(1024)
	b.ResetTimer()
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := c; i < b.N; i += callers {
				id, err := log.Append(context.Background(), Record{Kind: KindAdd, Body: body})
				if err == nil {
					_, _, err = log.Submit(Record{Kind: KindDelete, Target: id}) // it lives shortly: files retire
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	if err := log.Close(); err != nil {
		b.Fatal(err)
	}
	if err := pool.Close(); err != nil {
		b.Fatal(err)
	}
}

func benchmarkFS() aio.FS { return aio.NewOS(aio.OSOptions{}) }

func benchmarkEngine(b *testing.B) aio.Engine {
	b.Helper()
	e, err := aio.OpenEngine(aio.EnginePwrite, aio.EngineOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return e
}
