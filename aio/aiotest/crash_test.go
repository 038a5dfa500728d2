package aiotest_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
)

// setup makes a disk with one file of 64 KiB, opened for writing, and an engine that collects its completions.
type setup struct {
	disk    *aiotest.Disk
	process *aiotest.Process
	file    aio.File
	engine  *aiotest.Engine
	done    []aio.Completion
}

func newSetup(t testing.TB, opts aiotest.Options) *setup {
	t.Helper()
	s := &setup{disk: aiotest.NewDisk(opts)}
	s.process = s.disk.Process("one")
	s.open(t)
	return s
}

func (s *setup) open(t testing.TB) {
	t.Helper()
	if err := s.process.MkdirAll("/j"); err != nil {
		t.Fatal(err)
	}
	if err := s.process.Create("/j/a", 64<<10, nil); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.file, err = s.process.Open("/j/a", aio.ReadWrite); err != nil {
		t.Fatal(err)
	}
	s.engine = s.process.Engine(aiotest.EngineOptions{})
	s.engine.Start(func(c []aio.Completion) { s.done = append(s.done, c...) })
}

func (s *setup) write(t testing.TB, tag uint64, p []byte, off int64) {
	t.Helper()
	if err := s.engine.Submit(aio.Op{Kind: aio.OpWrite, File: s.file, Data: p, Off: off, Tag: tag}); err != nil {
		t.Fatal(err)
	}
}

// page is an aligned buffer of n bytes b.
func page(t testing.TB, n int, b byte) []byte {
	t.Helper()
	p := alignedBytes(n)
	for i := range p {
		p[i] = b
	}
	return p
}

func (s *setup) bytes(t testing.TB, d *aiotest.Disk) []byte {
	t.Helper()
	p, ok := d.Bytes("/j/a")
	if !ok {
		t.Fatal("/j/a is gone")
	}
	return p
}

func TestCrashKeepsCompletedWritesAndTearsOthers(t *testing.T) {
	s := newSetup(t, aiotest.Options{Seed: 1})
	s.write(t, 1, page(t, 4096, 'a'), 0)
	s.disk.Run()
	s.write(t, 2, page(t, 4096, 'b'), 4096)
	var none, some, all int
	for seed := range uint64(200) {
		p := s.bytes(t, s.disk.CrashWith(aiotest.CrashOptions{Seed: seed, Keep: int(seed % 101)}))
		if !bytes.Equal(p[:4096], bytes.Repeat([]byte{'a'}, 4096)) {
			t.Fatal("a completed write is damaged")
		}
		kept := 0
		for i := 4096; i < 8192; i += aiotest.SectorSize {
			switch sector := p[i : i+aiotest.SectorSize]; {
			case bytes.Count(sector, []byte{'b'}) == len(sector):
				kept++
			case bytes.Count(sector, []byte{0}) != len(sector):
				t.Fatal("a sector is torn within")
			}
		}
		switch kept {
		case 0:
			none++
		case 8:
			all++
		default:
			some++
		}
	}
	if none == 0 || some == 0 || all == 0 {
		t.Errorf("200 crashes kept none %d, some %d, all %d times: want each", none, some, all)
	}
	if len(s.done) != 1 || !bytes.Equal(s.bytes(t, s.disk)[4096:8192], make([]byte, 4096)) {
		t.Error("making images disturbed the original")
	}
}

func TestKeepAllAndNothing(t *testing.T) {
	s := newSetup(t, aiotest.Options{})
	s.write(t, 1, page(t, 4096, 'x'), 0)
	if n := bytes.Count(s.bytes(t, s.disk.CrashWith(aiotest.CrashOptions{Keep: 100})), []byte{'x'}); n != 4096 {
		t.Errorf("keep all kept %d", n)
	}
	if n := bytes.Count(s.bytes(t, s.disk.CrashWith(aiotest.CrashOptions{})), []byte{'x'}); n != 0 {
		t.Errorf("keep nothing kept %d", n)
	}
}

// TestCrashDuringCreate: crashed before each call, with any fate of the names, the file is absent or whole, and the
// next create succeeds.
func TestCrashDuringCreate(t *testing.T) {
	d := aiotest.NewDisk(aiotest.Options{Seed: 5})
	p := d.Process("one")
	if err := p.MkdirAll("/j"); err != nil {
		t.Fatal(err)
	}
	absent, whole, remains := 0, 0, 0
	d.OnCall(func(aiotest.Call) {
		for seed := range uint64(20) {
			c := d.Crash(seed)
			q := c.Process("after")
			names, err := q.List("/j")
			switch {
			case err != nil || len(names) > 1:
				t.Fatalf("list: %v, %v", names, err)
			case len(names) == 1:
				whole++
				if b, _ := c.Bytes("/j/a"); len(b) != 3<<20 {
					t.Fatalf("%d bytes of /j/a", len(b))
				}
			default:
				absent++
				if len(c.Names()) > 0 {
					remains++
				}
				if err := q.Create("/j/a", 3<<20, nil); err != nil {
					t.Fatalf("create after the crash: %v", err)
				}
			}
		}
	})
	if err := p.Create("/j/a", 3<<20, nil); err != nil {
		t.Fatal(err)
	}
	d.OnCall(nil)
	if absent == 0 || whole == 0 || remains == 0 {
		t.Errorf("absent %d, whole %d, with remains %d: want each", absent, whole, remains)
	}
	for seed := range uint64(50) {
		if names := d.Crash(seed).Names(); len(names) != 1 {
			t.Fatalf("a created file is lost: %v", names)
		}
	}
}

// TestForgottenDirectorySyncIsSeen: names whose directory sync failed come and go.
func TestForgottenDirectorySyncIsSeen(t *testing.T) {
	s := newSetup(t, aiotest.Options{})
	rule := s.disk.Inject(aiotest.Rule{Calls: aiotest.CallSyncDir})
	if err := s.process.Create("/j/b", 512, nil); err == nil {
		t.Fatal("create with a failing directory sync succeeded")
	}
	if err := s.process.Remove("/j/a"); err == nil {
		t.Fatal("remove with a failing directory sync succeeded")
	}
	rule.Remove()
	var a, b [2]int
	for seed := range uint64(100) {
		c := s.disk.Crash(seed)
		for name, n := range map[string]*[2]int{"/j/a": &a, "/j/b": &b} {
			if _, ok := c.Bytes(name); ok {
				n[1]++
			} else {
				n[0]++
			}
		}
	}
	if a[0] == 0 || a[1] == 0 || b[0] == 0 || b[1] == 0 {
		t.Errorf("removed file gone/back %v, created file gone/there %v: want each", a, b)
	}
}

func TestVanishedDirectoryTakesItsFiles(t *testing.T) {
	d := aiotest.NewDisk(aiotest.Options{})
	p := d.Process("one")
	d.OnCall(func(c aiotest.Call) {
		if c.Kind == aiotest.CallSyncDir && c.Name == "/" {
			if n := d.CrashWith(aiotest.CrashOptions{}).Names(); len(n) != 0 {
				t.Errorf("names %v", n)
			}
		}
	})
	if err := p.MkdirAll("/x/y"); err != nil {
		t.Fatal(err)
	}
	d.OnCall(nil)
	if err := p.Create("/x/y/f", 1, nil); err != nil {
		t.Fatal(err)
	}
	if n := d.CrashWith(aiotest.CrashOptions{}).Names(); len(n) != 1 || n[0] != "/x/y/f" {
		t.Errorf("names %v", n)
	}
}

// TestKill: locks are free, engines and files dead, and writes in flight as the mode says.
func TestKill(t *testing.T) {
	for _, mode := range []aiotest.LateMode{aiotest.LateLand, aiotest.LateCached, aiotest.LateDrop} {
		s := newSetup(t, aiotest.Options{Seed: 9})
		if _, err := s.process.Lock("/j/lock"); err != nil {
			t.Fatal(err)
		}
		p := page(t, 4096, 'k')
		s.write(t, 1, p, 0)
		s.process.Kill(mode)
		clear(p) // the dead process' memory is used by others
		two := s.disk.Process("two")
		if _, err := two.Lock("/j/lock"); err != nil {
			t.Errorf("lock of a dead process: %v", err)
		}
		if err := s.engine.Submit(aio.Op{File: s.file, Data: p}); err == nil {
			t.Error("a dead engine took an operation")
		}
		if _, err := s.file.WriteAt(p, 0); err == nil {
			t.Error("a dead process wrote")
		}
		count := func(d *aiotest.Disk) int { return bytes.Count(s.bytes(t, d), []byte{'k'}) }
		before, steps := count(s.disk), s.disk.Run()
		after := count(s.disk)
		cut := count(s.disk.CrashWith(aiotest.CrashOptions{}))
		ok := map[aiotest.LateMode]bool{
			aiotest.LateLand:   before == 0 && steps == 1 && after == 4096 && cut == 4096,
			aiotest.LateCached: before > 0 && before < 4096 && steps == 0 && after == before && cut == 0,
			aiotest.LateDrop:   before == 0 && steps == 0 && after == 0 && cut == 0,
		}
		if !ok[mode] || len(s.done) != 0 {
			t.Errorf("mode %d: %d bytes before, %d steps, %d after, %d after a cut, %d told", mode, before, steps, after, cut, len(s.done))
		}
	}
}

// TestCachedIsSeenAndSyncMakesItDurable: what a killed process left must be synced by who relies on it.
func TestCachedIsSeenAndSyncMakesItDurable(t *testing.T) {
	s := newSetup(t, aiotest.Options{Seed: 2})
	s.write(t, 1, page(t, 8192, 'q'), 4096)
	s.process.Kill(aiotest.LateCached)
	seen := s.bytes(t, s.disk)
	partial := 0
	for seed := range uint64(20) {
		if !bytes.Equal(s.bytes(t, s.disk.Crash(seed)), seen) {
			partial++
		}
	}
	if partial == 0 {
		t.Error("what was only cached survived every cut")
	}
	f, err := s.disk.Process("two").Open("/j/a", aio.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(20) {
		if !bytes.Equal(s.bytes(t, s.disk.Crash(seed)), seen) {
			t.Fatal("synced bytes were lost")
		}
	}
}

// TestClonesShareAndDoNotTouchEachOther writes on both sides of a clone.
func TestClonesShareAndDoNotTouchEachOther(t *testing.T) {
	s := newSetup(t, aiotest.Options{})
	s.write(t, 1, page(t, 8192, '0'), 0)
	s.disk.Run()
	c := s.disk.Clone(1)
	cf, err := c.Process("clone").Open("/j/a", aio.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cf.WriteAt(page(t, 512, 'c'), 0); err != nil {
		t.Fatal(err)
	}
	s.write(t, 2, page(t, 512, 'o'), 4096)
	s.disk.Run()
	original, clone := s.bytes(t, s.disk), s.bytes(t, c)
	if original[0] != '0' || original[4096] != 'o' || clone[0] != 'c' || clone[4096] != '0' {
		t.Errorf("original %q %q, clone %q %q", original[0], original[4096], clone[0], clone[4096])
	}
}

// TestSameSeedSameRun compares the whole transcript of a random workload.
func TestSameSeedSameRun(t *testing.T) {
	run := func(seed uint64) []aio.Completion {
		s := newSetup(t, aiotest.Options{Seed: seed})
		s.disk.Inject(aiotest.Rule{Kind: aiotest.FaultMisdirect, Prob: 0.1})
		for i := range uint64(40) {
			s.write(t, i, page(t, 512, byte(i)), int64(i)*512)
			if i%3 == 0 {
				s.disk.Step()
			}
		}
		s.disk.Run()
		image := s.bytes(t, s.disk.Crash(seed))
		for i := range s.done { // fold the image in
			s.done[i].N = int(image[i*512]) + i*s.done[i].N
		}
		return s.done
	}
	same := func(a, b []aio.Completion) bool {
		for i := range a {
			if a[i] != b[i] {
				return false
			}
		}
		return len(a) == len(b)
	}
	if !same(run(7), run(7)) {
		t.Error("the same seed gave two runs")
	}
	if same(run(7), run(8)) {
		t.Error("two seeds gave the same run")
	}
}

// BenchmarkCrashImages makes crash images of a disk with ten slots and four writes in flight, and reads one page of each.
func BenchmarkCrashImages(b *testing.B) {
	for _, size := range []int64{64 << 10, 1 << 20, 64 << 20} {
		b.Run(fmt.Sprintf("slots%dKiB", size>>10), func(b *testing.B) {
			s := newSetup(b, aiotest.Options{})
			p := page(b, 4096, 'x')
			for i := range 10 {
				name := fmt.Sprintf("/j/slot-%d", i)
				if err := s.process.Create(name, size, nil); err != nil {
					b.Fatal(err)
				}
				f, err := s.process.Open(name, aio.ReadWrite)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := f.WriteAt(p, 0); err != nil {
					b.Fatal(err)
				}
				s.file = f
			}
			for i := range uint64(4) {
				s.write(b, i, p, int64(i)*4096)
			}
			back := make([]byte, 4096)
			b.ReportAllocs()
			seed := uint64(0)
			for b.Loop() {
				f, err := s.disk.Crash(seed).Process("after").Open("/j/slot-9", aio.ReadOnly)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := f.ReadAt(back, 0); err != nil {
					b.Fatal(err)
				}
				seed++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
