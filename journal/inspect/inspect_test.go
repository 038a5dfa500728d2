package inspect_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/inspect"
)

// written is a disk with a journal of a few files, closed in order.
func written(t *testing.T) *aiotest.Disk {
	t.Helper()
	disk := aiotest.NewDisk(aiotest.Options{Seed: 1})
	p := disk.Process("p")
	pool, err := aio.NewPool(aio.PoolOptions{Size: 4096, Count: 64})
	if err != nil {
		t.Fatal(err)
	}
	o := journal.Options{Geometry: datafile.Geometry{BlockShift: 9, Capacity: 24}, Slots: 12, Reserve: 3, WriteMax: 2048, BlobMax: 256}
	log, err := journal.OpenLog(p, "/j", journal.LogOptions{Options: o, Engine: p.Engine(aiotest.EngineOptions{Auto: true}), Pool: pool,
		Instance: journal.Member{1}, Now: func() journal.Now { return journal.Now{} }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 40 {
		if _, err := log.Append(context.Background(), journal.Record{Kind: journal.KindAdd, Body: make([]byte, 300)}); err != nil {
			t.Fatal(err)
		}
	}
	// While it is open: read-only looks are allowed and change nothing.
	if _, err := inspect.Verify(disk.Process("look"), "/j", nil); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return disk
}

func TestInspect(t *testing.T) {
	disk := written(t)
	r, err := inspect.Inspect(disk.Process("look"), "/j")
	if err != nil {
		t.Fatal(err)
	}
	live := uint64(0)
	for _, f := range r.Files {
		live += f.Live
	}
	var text strings.Builder
	if err := r.Write(&text); err != nil || live != 40 || len(r.Files) < 2 || !strings.Contains(text.String(), "blocks of 512") {
		t.Fatalf("%d live, %v\n%s", live, err, text.String())
	}
}

// TestVerifyFindsEveryFlip: one bit in any sector up to a file's end.
func TestVerifyFindsEveryFlip(t *testing.T) {
	disk := written(t)
	r, err := inspect.Inspect(disk.Process("look"), "/j")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range r.Files {
		for off := int64(0); off < f.Bytes; off += 37 {
			d := disk.Clone(1)
			if err := d.FlipBit("/j/"+datafile.SlotName(f.Slot), off, int(off%8)); err != nil {
				t.Fatal(err)
			}
			if _, err := inspect.Verify(d.Process("look"), "/j", nil); !errors.Is(err, journal.ErrDamaged) {
				if off >= f.Bytes-512 && !f.Closed {
					continue // the MARK at the very end: nothing vouches for it
				}
				t.Fatalf("flip in file %d at %d of %d: %v", f.ID, off, f.Bytes, err)
			}
			n++
		}
	}
	if n < 500 {
		t.Fatalf("%d flips", n)
	}
}
