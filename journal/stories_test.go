package journal

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// The stories are schedules that broke earlier designs of the journal; each must hold on the real machine.

// reboot cuts the power, keeping so many percent of what was not durable.
func (r *rig) reboot(keep int) {
	next := r.disk.CrashWith(aiotest.CrashOptions{Seed: 5, Keep: keep})
	r.kill(aiotest.LateDrop)
	r.disk = next
	r.proc = r.disk.Process("next")
}

// kill ends the process.
func (r *rig) kill(mode aiotest.LateMode) {
	_ = r.d.Close()
	r.proc.Kill(mode)
	for _, b := range r.d.m.flight {
		r.d.m.recycle(b)
	}
	r.d.m.flight = nil
	r.proc = r.disk.Process("next")
}

func (r *rig) add(body string) RecordID { return r.append(Record{Kind: KindAdd, Body: []byte(body)}) }

// load says what a fresh process finds.
func (r *rig) load() (*memory, *Image, error) {
	mem := newMemory()
	image, err := Load(r.disk.Process("look"), testDir, r.o, loadable{mem})
	if image != nil {
		_ = image.Close()
	}
	return mem, image, err
}

// Story written/kill: a killed process left pages that readers see; the open relied on them without making them durable,
// and a power cut took them.
func TestStoryKill(t *testing.T) {
	r := newRig(t, smallOptions(), 1)
	r.start()
	for seed := range 20 {
		want := fmt.Sprint("seen ", seed)
		id := r.add(want)
		if err := r.d.Flush(r.now); err != nil {
			t.Fatal(err)
		}
		r.kill(aiotest.LateCached)
		r.start()
		_, seen := r.mem.live[id]
		r.reboot(0)
		mem, _, err := r.load()
		if err != nil {
			t.Fatalf("false damage: %v", err)
		}
		if _, there := mem.live[id]; there != seen {
			t.Fatalf("record %s was seen %v by the open and is there %v after the power cut", id, seen, there)
		}
		r.start()
	}
}

// Story written/shared, needs/maxseen: an open that did not count left its page 0; the next one must be above it.
func TestStoryIdsAboveEverythingSeen(t *testing.T) {
	r := newRig(t, smallOptions(), 2)
	r.start()
	r.add("one")
	r.drain()
	file, inc := uint64(0), uint32(0)
	for range 6 {
		r.reboot(100)
		image, err := Load(r.proc, testDir, r.o, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.activate(image) // page 0 is in flight, and lands; COPY is never written
		w := &r.d.m.writer
		if w.opening.name.ID <= file || w.incarnation <= inc {
			t.Fatalf("open of file %d, incarnation %d after one of %d, %d", w.opening.name.ID, w.incarnation, file, inc)
		}
		file, inc = w.opening.name.ID, w.incarnation
	}
	r.reboot(100)
	r.start()
	if len(r.mem.live) != 1 {
		t.Fatalf("acknowledged record is lost: %s", r.mem)
	}
}

// Story written/backup: stable of a page is the lowest of the pair, never beyond what a member has.
func TestStoryStableIsThePairs(t *testing.T) {
	r := newRig(t, smallOptions(), 3)
	r.start()
	m := Member{7}
	r.d.SetMembers([]Member{m})
	said, sealed := Position{}, 0
	r.d.Tap(func(s *Sealed) {
		for b := s.Data; len(b) > 0; {
			h, err := record.OpenPage(b)
			if err != nil {
				t.Fatal(err)
			}
			if stable := (Position{h.StableFile, h.StableBlock}); said.Less(stable) {
				t.Fatalf("page says %s is stable, the member said %s", stable, said)
			}
			b = b[h.Size():]
			sealed++
		}
	}, nil, 1<<20)
	for i := range 60 {
		r.add("x")
		r.drain()
		if i%5 == 4 {
			said = r.d.Durable()
			r.d.MemberDurable(m, said)
		}
	}
	if sealed < 60 || r.d.Stable() != said {
		t.Fatalf("%d pages, stable %s, said %s", sealed, r.d.Stable(), said)
	}
}

// Story live/written/tx: the deletes of an undecided transaction are older than the checkpoint, their file is gone.
func TestStoryDeletesOfAnUndecidedTransaction(t *testing.T) {
	for _, end := range []Kind{KindCommit, KindRollback, 0} {
		r := newRig(t, smallOptions(), 4)
		r.start()
		id := r.add("held")
		r.append(Record{Kind: KindDelete, Tx: 9, Target: id, Body: []byte("why")})
		r.append(Record{Kind: KindUpdate, Tx: 9, Target: id, Body: []byte("u")})
		r.append(Record{Kind: KindPrepare, Tx: 9, Body: []byte("xid")})
		for range 4 { // each roll is followed by a checkpoint
			r.d.Roll()
			r.append(Record{Kind: KindEvent, Body: []byte("e")})
			r.drain()
		}
		if end != 0 {
			r.append(Record{Kind: end, Tx: 9})
			r.drain()
		}
		want := r.mem.String()
		for range 3 {
			r.reboot(50)
			r.start()
			if got := r.mem.String(); got != want {
				t.Fatalf("decision %d: have %s, want %s", end, got, want)
			}
		}
	}
}

// Story space/written/crash-loop: each open takes a slot and crashes; the reserve must not be eaten.
func TestStoryCrashLoop(t *testing.T) {
	r := newRig(t, smallOptions(), 5)
	r.start()
	c := &consumer{r: r, rng: newTestRand(1)}
	c.fill()
	r.drain()
	want := r.d.Stats().Free
	for range 50 {
		r.reboot(c.rng.IntN(101))
		image, err := Load(r.proc, testDir, r.o, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.activate(image)
		for range c.rng.IntN(3) {
			r.progress()
		}
	}
	r.reboot(50)
	r.start()
	if free := r.d.Stats().Free; free < want-2 {
		t.Fatalf("%d slots are free after the loop, %d before", free, want)
	}
}

// Story space/written/dead-letters: what stays live is refused while only the reserve is free; deletes are not.
func TestStoryProducersStopAtTheReserve(t *testing.T) {
	r := newRig(t, smallOptions(), 6)
	r.start()
	c := &consumer{r: r, rng: newTestRand(2)}
	c.fill()
	r.drain()
	if free := r.d.Stats().Free; free < r.o.Reserve {
		t.Fatalf("producers took the reserve: %d free", free)
	}
	_, _, err := r.d.Append(Record{Kind: KindAdd, Body: make([]byte, 300)}, Record{Kind: KindDelete, Target: c.left[0]})
	if !errors.Is(err, ErrFull) {
		t.Fatalf("a dead-letter copy is admitted in reserve mode: %v", err)
	}
	c.settle()
}

// Story space/written/prepared: what undecided transactions hold must fit a checkpoint.
func TestStoryUndecidedListsFitACheckpoint(t *testing.T) {
	o := smallOptions()
	o.Slots = 30
	r := newRig(t, o, 7)
	r.start()
	for tx := TxID(1); ; tx++ {
		_, _, err := r.d.Append(Record{Kind: KindDelete, Tx: tx, Target: 1<<40 | 1, Body: make([]byte, 100)}, Record{Kind: KindPrepare, Tx: tx})
		if errors.Is(err, ErrBusy) {
			r.progress()
			continue
		}
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil || tx > 200 {
			t.Fatalf("%d transactions are prepared: %v", tx, err)
		}
	}
	n := len(r.d.m.l.txs)
	before := r.d.Stats().Checkpoints
	for range 3 {
		r.d.Roll()
		r.append(Record{Kind: KindEvent})
		r.drain()
	}
	if s := r.d.Stats(); s.Checkpoints < before+2 {
		t.Fatalf("%d checkpoints for 3 rolls", s.Checkpoints-before)
	}
	r.reboot(50)
	r.start()
	if len(r.mem.txs) != n {
		t.Fatalf("%d of %d prepared transactions are there", len(r.mem.txs), n)
	}
	for tx := TxID(1); tx <= TxID(n); tx++ {
		r.append(Record{Kind: KindRollback, Tx: tx})
	}
}

// Story space/written/pins: a pin is revoked before producers or consumers starve.
func TestStoryPinsGiveWay(t *testing.T) {
	r := newRig(t, smallOptions(), 8)
	r.start()
	c := &consumer{r: r, rng: newTestRand(3)}
	c.fill()
	r.drain()
	revoked := 0
	for _, f := range r.d.Files() {
		if _, err := r.d.Pin(f.Name, func() { revoked++ }); err != nil {
			t.Fatal(err)
		}
	}
	for len(c.left) > 0 {
		c.settle()
	}
	if revoked == 0 {
		t.Fatal("no pin was revoked")
	}
}

// Story of the retired tip: the newest vouched file is retired by a record in a roll behind it that nothing vouches for.
// Its slot must not be overwritten before the log is found without it.
func TestStoryRetiredTip(t *testing.T) {
	o := smallOptions()
	o.Slots = 5
	r := newRig(t, o, 11)
	r.start()
	id := r.add("dies")
	r.drain()
	r.d.Roll()
	r.append(Record{Kind: KindDelete, Target: id}, Record{Kind: KindEvent, Body: []byte("must stay")})
	if err := r.d.Flush(r.now); err != nil { // page 0, COPY, records, checkpoint and RETIRE of the tip are in flight together
		t.Fatal(err)
	}
	r.reboot(100)
	if _, image, err := r.load(); err != nil || len(image.ledger.files) != 1 {
		t.Fatalf("the tip is not retired by an unvouched roll: %v", err)
	}
	for range 4 {
		image, err := Load(r.proc, testDir, r.o, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.activate(image)
		r.reboot(100) // page 0 has landed, COPY has not
		if mem, _, err := r.load(); err != nil || mem.blob != "must stay" {
			t.Fatalf("%v, %s", err, mem)
		}
	}
}

// quiet makes a log of several files with a MARK at its end.
func quietRig(t *testing.T) *rig {
	o := smallOptions()
	o.Window = 6
	r := newRig(t, o, 9)
	r.start()
	for i := range 50 {
		r.add(fmt.Sprintf("%d %s", i, strings.Repeat("x", 150)))
		r.drain()
	}
	r.d.Roll()
	for range 3 {
		r.add("in the tip")
		r.drain()
	}
	if err := r.d.Idle(r.now); err != nil {
		t.Fatal(err)
	}
	r.drain()
	return r
}

// edit changes one block, or more, of a data file on the disk at rest.
func (r *rig) edit(f FileInfo, block uint32, change func(b []byte)) *aiotest.Disk {
	d := r.disk.Clone(1)
	name := testDir + "/" + datafile.SlotName(f.Slot)
	p, _ := d.Bytes(name)
	change(p[block*512:])
	d.Put(name, p)
	return d
}

func zero(b []byte) { clear(b[:512]) }

// TestLabels has one case per label of docs/journal-recovery.md that load can meet.
func TestLabels(t *testing.T) {
	r := quietRig(t)
	files := r.d.Files()
	tip, pred := files[len(files)-1], files[len(files)-2]
	last := lastPages(t, r, tip)
	forge := func(f FileInfo, block uint32, h record.Header) func([]byte) {
		return func(b []byte) {
			h.Kind, h.BlockShift, h.Salt, h.File, h.Block, h.Blocks = record.PageData, 9, f.Name.Salt, f.Name.ID, block, 1
			h.Incarnation, h.Epoch = f.Incarnation, f.Epoch
			clear(b[:512])
			record.Seal(b[:512], &h)
		}
	}
	cases := []struct {
		label string
		disk  *aiotest.Disk
	}{
		{"@A", r.edit(tip, 0, zero)},
		{"@B", r.edit(pred, 0, zero)},
		{"@C", r.edit(pred, 3, zero)},
		{"@D", r.edit(tip, last[len(last)-2], zero)},
		{"@E", r.edit(tip, 23, forge(tip, 23, record.Header{}))},
		{"@J", r.edit(tip, last[len(last)-1], func(b []byte) {
			h, _ := record.OpenPage(b)
			h.Records, h.Bytes = 1, 20
			record.Seal(b[:h.Size()], &h)
		})},
	}
	for _, c := range cases {
		t.Run(c.label, func(t *testing.T) {
			_, err := Load(c.disk.Process("x"), testDir, r.o, nil)
			var d *DamageError
			if !errors.As(err, &d) || d.Label != c.label || !errors.Is(err, ErrDamaged) {
				t.Fatalf("load says %v, want label %s", err, c.label)
			}
		})
	}
	t.Run("@G", func(t *testing.T) {
		_, image, err := r.load2(r.disk.Clone(1))
		if err != nil || image.Torn().Label != "@G" {
			t.Fatalf("%v %+v", err, image.Torn())
		}
	})
	t.Run("@K", func(t *testing.T) {
		i := &Image{ledger: newLedger(r.o.Geometry)}
		i.ledger.files = []*file{{slot: -1, count: 3}}
		var d *DamageError
		if err := i.checkTable(); !errors.As(err, &d) || d.Label != "@K" {
			t.Fatal(err)
		}
	})
}

func (r *rig) load2(d *aiotest.Disk) (*memory, *Image, error) {
	mem := newMemory()
	image, err := Load(d.Process("look"), testDir, r.o, loadable{mem})
	if image != nil {
		_ = image.Close()
	}
	return mem, image, err
}

// lastPages are the blocks at which pages of a file begin.
func lastPages(t *testing.T, r *rig, f FileInfo) []uint32 {
	t.Helper()
	b, _ := r.disk.Bytes(testDir + "/" + datafile.SlotName(f.Slot))
	var blocks []uint32
	for block := uint32(0); block < f.End; {
		h, err := record.OpenPage(b[block*512:])
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, block)
		block = h.End()
	}
	return blocks
}

// TestLabelF and TestLabelH: what newer files say, and a tail that is torn.
func TestLabelF(t *testing.T) {
	r := quietRig(t)
	files := r.d.Files()
	tip := files[len(files)-1]
	// A newer file of another open, whose page says that something beyond the log's end was stable.
	d := r.disk.Clone(1)
	first := datafile.First{Kind: datafile.Log, Opened: true, Window: 16, Capacity: 24,
		Pred: datafile.Link{Name: datafile.Name{ID: tip.Name.ID + 4, Salt: 4}, End: 9, TailHash: 4}}
	page := make([]byte, 512)
	h := record.Header{Kind: record.PageFirst, BlockShift: 9, Salt: 77, File: tip.Name.ID + 5, Incarnation: tip.Incarnation + 1,
		Epoch: tip.Epoch, PrevHash: 4, StableFile: tip.Name.ID + 4, StableBlock: 9}
	first.Encode(page, &h)
	name := testDir + "/" + datafile.SlotName(7)
	p, _ := d.Bytes(name)
	if !bytes.Equal(p[:512], make([]byte, 512)) {
		t.Fatal("slot 7 is in use")
	}
	copy(p, page)
	d.Put(name, p)
	var damage *DamageError
	if _, err := Load(d.Process("x"), testDir, r.o, nil); !errors.As(err, &damage) || damage.Label != "@F" {
		t.Fatal(err)
	}
}

func TestLabelH(t *testing.T) {
	for seed := range uint64(50) {
		r := newRig(t, smallOptions(), seed)
		r.start()
		r.add("a")
		r.drain()
		for range 3 {
			r.add(strings.Repeat("b", 700))
			if err := r.d.Flush(r.now); err != nil {
				t.Fatal(err)
			}
		}
		r.disk.Step()
		_, image, err := r.load2(r.disk.Crash(seed))
		if err != nil {
			t.Fatal(err)
		}
		if torn := image.Torn(); torn.Label == "@H" && torn.Pages > 0 && torn.Bytes > 0 {
			return
		}
	}
	t.Fatal("no crash tore the tail")
}

// Story of the spent sequence: the ids of an incarnation are used up; a new file begins with a higher one, in the same
// process, and what is undecided stays undecided.
func TestStorySpentSequence(t *testing.T) {
	r := newRig(t, smallOptions(), 12)
	r.start()
	r.append(Record{Kind: KindAdd, Tx: 5, Body: []byte("undecided")})
	r.drain()
	r.d.Roll() // the next file begins near the end of the sequence
	r.d.m.l.next = RecordID(1<<40 | sequencesMax)
	first := r.add("last of its incarnation")
	r.add("one more")
	r.drain()
	second := r.add("first of the next")
	r.drain()
	if first.Incarnation() != 1 || second.Incarnation() != 2 || second.Sequence() > 100 {
		t.Fatalf("ids %s and %s", first, second)
	}
	if r.mem.txs[5] == nil {
		t.Fatal("the test's own host forgot the transaction")
	}
	r.append(Record{Kind: KindCommit, Tx: 5})
	r.drain()
	want := r.mem.String()
	r.reboot(50)
	r.start()
	if got := r.mem.String(); got != want || len(r.mem.live) != 4 {
		t.Fatalf("have %s, want %s", got, want)
	}
}
