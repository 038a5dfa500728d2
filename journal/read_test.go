package journal

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/hindmq/hind/journal/datafile"
)

func TestReadEveryRecord(t *testing.T) {
	r := newRig(t, smallOptions(), 1)
	r.start()
	bodies := map[RecordID]string{}
	check := func() {
		t.Helper()
		for id, want := range bodies {
			got, err := r.d.Read(id)
			if err != nil || string(got.Body) != want || got.ID != id || string(got.Meta) != "m" {
				t.Fatalf("%s: %q, %v", id, got.Body, err)
			}
		}
	}
	for i := range 60 {
		body := fmt.Sprintf("%d %s", i, bytes.Repeat([]byte{'x'}, i*7))
		recs := []Record{{Kind: KindAdd, Meta: []byte("m"), Body: []byte(body)}}
		id := r.append(recs...)
		bodies[id] = body
		if i%9 == 0 {
			check() // from the open page, the backlog and writes in flight
		}
	}
	r.drain()
	check()
	r.reboot(0)
	r.start()
	check()
	if _, err := r.d.Read(99<<40 | 1); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
}

func TestReadDamage(t *testing.T) {
	r := newRig(t, smallOptions(), 1)
	r.start()
	id := r.add("damaged later")
	r.drain()
	f := r.d.Files()[0]
	blocks := lastPages(t, r, f)
	block := blocks[len(blocks)-1] // the record was appended last
	if err := r.disk.FlipBit(testDir+"/"+datafile.SlotName(f.Slot), int64(block)*512+96+12, 1); err != nil {
		t.Fatal(err)
	}
	var damage *DamageError
	if _, err := r.d.Read(id); !errors.As(err, &damage) || damage.Label != "@L" {
		t.Fatal(err)
	}
	pages, err := r.d.ReadPages(Position{f.Name.ID, block})
	if err != nil {
		t.Fatal(err)
	}
	defer pages.Close()
	if _, _, err := pages.Next(1 << 20); !errors.As(err, &damage) || damage.Label != "@M" {
		t.Fatal(err)
	}
}

// TestTapAndReaderGiveTheSameBytes: what the tap hands over and what a reader finds later are the log, byte for byte.
func TestTapAndReaderGiveTheSameBytes(t *testing.T) {
	r := newRig(t, smallOptions(), 2)
	r.start()
	from := r.d.End()
	tapped := map[uint64][]byte{}
	var kept []*Sealed
	end := from
	r.d.Tap(func(s *Sealed) {
		if s.Block == 0 && s.File.ID <= end.File || s.Block != 0 && (s.File.ID != end.File || s.Block != end.Block) {
			t.Fatalf("file %s block %d follows %s", s.File, s.Block, end)
		}
		end = s.End
		s.Retain()
		kept = append(kept, s)
	}, func() { t.Fatal("lost") }, 1<<20)
	for i := range 80 {
		r.add(fmt.Sprint(i, string(make([]byte, i*3))))
		if i%5 == 0 {
			r.drain()
		}
	}
	r.drain()
	for _, s := range kept {
		tapped[s.File.ID] = append(tapped[s.File.ID], s.Data...)
		s.Release()
	}
	read := map[uint64][]byte{}
	pages, err := r.d.ReadPages(from)
	if err != nil {
		t.Fatal(err)
	}
	defer pages.Close()
	for {
		s, ok, err := pages.Next(1500)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		read[s.File.ID] = append(read[s.File.ID], s.Data...)
	}
	if len(tapped) < 2 || len(read) != len(tapped) {
		t.Fatalf("%d files tapped, %d read", len(tapped), len(read))
	}
	for id, b := range tapped {
		if !bytes.Equal(b, read[id]) {
			t.Fatalf("file %d: tapped %d bytes, read %d", id, len(b), len(read[id]))
		}
	}
}

func TestTapEndsAtItsCap(t *testing.T) {
	r := newRig(t, smallOptions(), 3)
	r.start()
	lost, got := 0, 0
	r.d.Tap(func(s *Sealed) { s.Retain(); got++ }, func() { lost++ }, 2*4096)
	for range 20 {
		r.add("x")
		r.drain()
	}
	if lost != 1 || got != 3 {
		t.Fatalf("%d writes, lost %d times", got, lost)
	}
}

// TestRetireFreesAndReaderIsTold: a reader in a file that is needed gets ErrRetired, never other bytes.
func TestReaderIsRevoked(t *testing.T) {
	r := newRig(t, smallOptions(), 4)
	r.start()
	c := &consumer{r: r, rng: newTestRand(4)}
	c.fill()
	r.drain()
	pages, err := r.d.ReadPages(Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer pages.Close()
	for _, f := range r.d.Files() { // as many pins as it takes to starve the journal
		if _, err := r.d.Pin(f.Name, nil); err != nil {
			t.Fatal(err)
		}
	}
	for len(c.left) > 0 {
		c.settle()
	}
	if _, _, err := pages.Next(4096); !errors.Is(err, ErrRetired) {
		t.Fatal(err)
	}
}
