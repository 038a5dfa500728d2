package aiotest_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"syscall"
	"testing"
	"time"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
)

const kib = 1 << 10

// faulty writes one page of 'b' at 8 KiB, over 'a' everywhere, with one rule in force.
func faulty(t *testing.T, seed uint64, r aiotest.Rule) (*setup, aio.Completion, []byte) {
	t.Helper()
	s := newSetup(t, aiotest.Options{Seed: seed})
	s.write(t, 1, page(t, 64*kib, 'a'), 0)
	s.disk.Run()
	s.disk.Inject(r)
	s.write(t, 2, page(t, 4*kib, 'b'), 8*kib)
	s.disk.Run()
	return s, s.done[len(s.done)-1], s.bytes(t, s.disk)
}

func TestFailedWriteLeavesNothing(t *testing.T) {
	_, c, p := faulty(t, 1, aiotest.Rule{Err: syscall.ENOSPC})
	if !errors.Is(c.Err, syscall.ENOSPC) || c.N != 0 || bytes.ContainsRune(p, 'b') {
		t.Errorf("%+v, %d bytes", c, bytes.Count(p, []byte{'b'}))
	}
}

func TestTornWriteLeavesWholeSectors(t *testing.T) {
	seen := make(map[int]bool)
	for seed := range uint64(60) {
		_, c, p := faulty(t, seed, aiotest.Rule{Kind: aiotest.FaultTorn})
		n := bytes.Count(p, []byte{'b'})
		if !errors.Is(c.Err, syscall.EIO) || n%aiotest.SectorSize != 0 || bytes.Count(p, []byte{'a'})+n != len(p) {
			t.Fatalf("seed %d: %+v, %d bytes", seed, c, n)
		}
		seen[n/aiotest.SectorSize] = true
	}
	if len(seen) < 5 {
		t.Errorf("torn in %d ways only", len(seen))
	}
}

func TestShortWriteIsAPrefix(t *testing.T) {
	for seed := range uint64(20) {
		_, c, p := faulty(t, seed, aiotest.Rule{Kind: aiotest.FaultShort})
		if !errors.Is(c.Err, io.ErrShortWrite) || c.N >= 4*kib || bytes.Count(p, []byte{'b'}) != c.N ||
			bytes.Count(p[8*kib:8*kib+c.N], []byte{'b'}) != c.N {
			t.Fatalf("seed %d: %+v", seed, c)
		}
	}
}

func TestLiesOfTheDisk(t *testing.T) {
	_, c, p := faulty(t, 1, aiotest.Rule{Kind: aiotest.FaultLost})
	if c.Err != nil || c.N != 4*kib || bytes.ContainsRune(p, 'b') {
		t.Errorf("lost write: %+v", c)
	}
	for seed := range uint64(30) {
		_, c, p = faulty(t, seed, aiotest.Rule{Kind: aiotest.FaultMisdirect})
		if c.Err != nil || bytes.Count(p, []byte{'b'}) != 4*kib || bytes.Count(p[8*kib:12*kib], []byte{'b'}) == 4*kib {
			t.Fatalf("misdirected write, seed %d: %+v", seed, c)
		}
		_, c, p = faulty(t, seed, aiotest.Rule{Kind: aiotest.FaultFlip})
		if n := bytes.Count(p[8*kib:12*kib], []byte{'b'}); c.Err != nil || n != 4*kib-1 {
			t.Fatalf("flipped bit, seed %d: %+v, %d bytes are right", seed, c, n)
		}
	}
}

func TestReadFaults(t *testing.T) {
	s, _, _ := faulty(t, 1, aiotest.Rule{Skip: 100})
	p := page(t, 4*kib, 0)
	flip := s.disk.Inject(aiotest.Rule{Kind: aiotest.FaultFlip, Calls: aiotest.CallRead})
	if n, err := s.file.ReadAt(p, 0); err != nil || n != 4*kib || bytes.Count(p, []byte{'a'}) != 4*kib-1 {
		t.Errorf("flipped read: %d, %v", n, err)
	}
	flip.Remove()
	fail := s.disk.Inject(aiotest.Rule{Calls: aiotest.CallRead, Times: 1})
	if _, err := s.file.ReadAt(p, 0); !errors.Is(err, syscall.EIO) || fail.Fired() != 1 {
		t.Errorf("failed read: %v", err)
	}
	if err := s.disk.Break("/j/a", 20*kib+17); err != nil {
		t.Fatal(err)
	}
	if _, err := s.file.ReadAt(p, 20*kib); !errors.Is(err, syscall.EIO) {
		t.Errorf("read of a broken sector: %v", err)
	}
	if _, err := s.file.ReadAt(p, 24*kib); err != nil {
		t.Errorf("read beside a broken sector: %v", err)
	}
	s.write(t, 9, page(t, 4*kib, 'n'), 20*kib)
	s.disk.Run()
	if _, err := s.file.ReadAt(p, 20*kib); err != nil || p[0] != 'n' {
		t.Errorf("read of a rewritten sector: %v", err)
	}
	if err := s.disk.FlipBit("/j/a", 20*kib, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.file.ReadAt(p, 20*kib); err != nil || p[0] != 'n'^1 {
		t.Errorf("bit rot was not seen: %v, %d", err, p[0])
	}
	if err := s.disk.FlipBit("/j/a", 64*kib, 0); !errors.Is(err, aio.ErrOutside) {
		t.Errorf("flip outside: %v", err)
	}
}

// TestRules: skip, times, names and kinds of calls.
func TestRules(t *testing.T) {
	s := newSetup(t, aiotest.Options{})
	if err := s.process.Create("/j/b", 4*kib, nil); err != nil {
		t.Fatal(err)
	}
	onB := s.disk.Inject(aiotest.Rule{Name: "j/b", Calls: aiotest.CallRead | aiotest.CallOpen, Skip: 1, Times: 2})
	open := func(name string) error {
		f, err := s.process.Open(name, aio.ReadOnly)
		if err != nil {
			return err
		}
		return f.Close()
	}
	var got []bool
	for range 5 {
		if err := open("/j/a"); err != nil {
			t.Error(err)
		}
		got = append(got, open("/j/b") == nil)
	}
	for i, ok := range []bool{true, false, false, true, true} {
		if got[i] != ok {
			t.Errorf("opens succeeded: %v", got)
			break
		}
	}
	if onB.Fired() != 2 {
		t.Errorf("fired %d times", onB.Fired())
	}
	half := s.disk.Inject(aiotest.Rule{Calls: aiotest.CallList, Prob: 0.5})
	for range 1000 {
		if _, err := s.process.List("/j"); err != nil && !errors.Is(err, syscall.EIO) {
			t.Fatal(err)
		}
	}
	if n := half.Fired(); n < 400 || n > 600 {
		t.Errorf("a rule of probability one half fired %d of 1000 times", n)
	}
}

// TestSweepReachesEveryCall: failing the k-th call, for every k, meets each kind of call once.
func TestSweepReachesEveryCall(t *testing.T) {
	work := func(d *aiotest.Disk) error {
		p := d.Process("w")
		if err := p.MkdirAll("/j"); err != nil {
			return err
		}
		l, err := p.Lock("/j/lock")
		if err != nil {
			return err
		}
		defer func() { _ = l.Close() }()
		if err := p.Create("/j/a", 4*kib, nil); err != nil {
			return err
		}
		f, err := p.Open("/j/a", aio.ReadWrite)
		if err != nil {
			return err
		}
		b := page(t, 4*kib, 'x')
		if _, err := f.WriteAt(b, 0); err != nil {
			return err
		}
		if _, err := f.ReadAt(b, 0); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		if _, err := p.List("/j"); err != nil {
			return err
		}
		return p.Remove("/j/a")
	}
	kinds := make(map[aiotest.CallKind]int)
	for k := 0; ; k++ {
		d := aiotest.NewDisk(aiotest.Options{})
		d.OnCall(func(c aiotest.Call) {
			if c.Number == uint64(k)+1 {
				kinds[c.Kind]++
			}
		})
		fault := d.FailCall(k, syscall.EROFS, false)
		err := work(d)
		if fault.Fired() == 0 {
			if err != nil {
				t.Fatalf("without a fault: %v", err)
			}
			break
		}
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("call %d failed, the work said %v", k, err)
		}
		for _, n := range d.Names() {
			if aio.TemporaryName(n[len("/j/"):]) {
				t.Errorf("call %d failed and left %s", k, n)
			}
		}
	}
	for k := aiotest.CallKind(1); k <= aiotest.CallAny; k <<= 1 {
		if kinds[k] == 0 {
			t.Errorf("the sweep never met %q", k)
		}
	}
}

func TestFullDisk(t *testing.T) {
	d := aiotest.NewDisk(aiotest.Options{Capacity: 100 * kib})
	p := d.Process("one")
	if err := p.Create("/a", 60*kib, nil); err != nil {
		t.Fatal(err)
	}
	if err := p.Create("/b", 41*kib, nil); !errors.Is(err, syscall.ENOSPC) || d.Used() != 60*kib {
		t.Errorf("create beyond the capacity: %v, %d used", err, d.Used())
	}
	if err := p.Create("/b", 40*kib, nil); err != nil {
		t.Errorf("create up to the capacity: %v", err)
	}
	if err := errors.Join(p.Remove("/a"), p.Create("/c", 60*kib, nil)); err != nil {
		t.Error(err)
	}
}

func TestLyingSync(t *testing.T) {
	s := newSetup(t, aiotest.Options{Seed: 3})
	s.write(t, 1, page(t, 4*kib, 'c'), 0)
	s.process.Kill(aiotest.LateCached)
	two := s.disk.Process("two")
	f, err := two.Open("/j/a", aio.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	lie := s.disk.Inject(aiotest.Rule{Kind: aiotest.FaultLost, Calls: aiotest.CallSync})
	lost := func() bool {
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
		return !bytes.ContainsRune(s.bytes(t, s.disk.CrashWith(aiotest.CrashOptions{})), 'c')
	}
	if !lost() {
		t.Error("a sync that lied made bytes durable")
	}
	lie.Remove()
	if lost() {
		t.Error("a sync that told the truth did not")
	}
}

func TestHungAndSlow(t *testing.T) {
	s := newSetup(t, aiotest.Options{LatencyMin: time.Millisecond, LatencyMax: time.Millisecond})
	hang := s.disk.Inject(aiotest.Rule{Kind: aiotest.FaultHang, Times: 1})
	s.disk.Inject(aiotest.Rule{Kind: aiotest.FaultDelay, Delay: time.Second, Times: 1})
	for i := range uint64(3) { // the first hangs, the second is slow, the third is not
		s.write(t, i, page(t, 4*kib, 'h'), int64(i)*4*kib)
	}
	if due, ok := s.disk.NextDue(); !ok || due != time.Millisecond {
		t.Errorf("next due at %v, %v", due, ok)
	}
	if n := s.disk.Advance(time.Millisecond); n != 1 || s.done[0].Tag != 2 {
		t.Errorf("%d completed by 1 ms: %v", n, s.done)
	}
	if n := s.disk.Advance(time.Minute); n != 1 || s.done[1].Tag != 1 {
		t.Errorf("%d completed by 1 min: %v", n, s.done)
	}
	if _, ok := s.disk.NextDue(); ok || s.disk.Step() {
		t.Error("a hung write is due")
	}
	hang.Release()
	if due, ok := s.disk.NextDue(); !ok || due != time.Minute || s.disk.Advance(time.Minute) != 1 || len(s.done) != 3 {
		t.Errorf("after release: due %v, %v, done %v", due, ok, s.done)
	}
}

func TestCloseWithHungWrites(t *testing.T) {
	s := newSetup(t, aiotest.Options{})
	hang := s.disk.Inject(aiotest.Rule{Kind: aiotest.FaultHang, Times: 1})
	s.write(t, 1, page(t, 4*kib, 'h'), 0)
	s.write(t, 2, page(t, 4*kib, 'i'), 4*kib)
	if err := s.engine.Close(); !errors.Is(err, syscall.EBUSY) || len(s.done) != 1 {
		t.Errorf("%v, %d done", err, len(s.done))
	}
	hang.Release()
	s.disk.Run()
	if len(s.done) != 2 || !bytes.ContainsRune(s.bytes(t, s.disk), 'h') {
		t.Error("the hung write did not land late")
	}
}

// TestBufferChangedInFlight: the twin finds a host that reuses a buffer too early.
func TestBufferChangedInFlight(t *testing.T) {
	s := newSetup(t, aiotest.Options{})
	p := page(t, 4*kib, 'a')
	s.write(t, 1, p, 0)
	p[5] = 'z'
	defer func() {
		if recover() == nil {
			t.Error("nobody noticed")
		}
	}()
	s.disk.Step()
}

func TestErrorsOfNames(t *testing.T) {
	p := aiotest.NewDisk(aiotest.Options{}).Process("one")
	if err := p.MkdirAll("/a/b"); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"open":   second(p.Open("/a/x", aio.ReadOnly)),
		"list":   second(p.List("/x")),
		"lock":   second(p.Lock("/x/lock")),
		"remove": p.Remove("/a/b"),
		"create": p.Create("/x/y", 1, nil),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
