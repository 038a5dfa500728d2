package journal

import (
	"bytes"
	"errors"
	"testing"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// sealAll gives every page that starts with a sane header a right hash, so that a fuzzer gets behind it.
func sealAll(slot []byte) {
	for at := 0; at+record.HeaderSize <= len(slot); at += 512 {
		h, err := record.ParseHeader(slot[at:])
		if err == nil && h.BlockShift == 9 && at+h.Size() <= len(slot) {
			record.Seal(slot[at:at+h.Size()], &h)
		}
	}
}

// FuzzLoad: a directory of arbitrary bytes never panics, and what loads can be opened and loads again.
func FuzzLoad(f *testing.F) {
	o := Options{Geometry: datafile.Geometry{BlockShift: 9, Capacity: 12}, Slots: 4, Reserve: 2, Window: 8, Depth: 2, PageMax: 1024,
		WriteMax: 1024, BacklogMax: 4096, BlobMax: 64}
	size := int(o.Geometry.SlotSize())
	pool := testPool(f, o)
	seedDisk := aiotest.NewDisk(aiotest.Options{Seed: 1})
	if _, err := sweepRun(&testing.T{}, seedDisk, pool, o); err != nil && !errors.Is(err, ErrFull) {
		f.Fatal(err)
	}
	var seed []byte
	for n := range o.Slots {
		b, _ := seedDisk.Bytes(testDir + "/" + datafile.SlotName(n))
		seed = append(seed, b...)
	}
	f.Add(seed, true)
	f.Add(seed[size:], false)
	f.Add(bytes.Repeat([]byte{0}, size), true)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		disk := aiotest.NewDisk(aiotest.Options{Seed: 2})
		if err := Prepare(disk.Process("p"), testDir, o, Member{1}, nil); err != nil {
			t.Fatal(err)
		}
		for n := range o.Slots {
			slot := make([]byte, size)
			b = b[copy(slot, b):]
			if seal {
				sealAll(slot)
			}
			disk.Put(testDir+"/"+datafile.SlotName(n), slot)
		}
		p := disk.Process("load")
		image, err := Load(p, testDir, o, loadable{newMemory()})
		if err != nil {
			if image != nil {
				_ = image.Files()
				_ = image.Close()
			}
			return
		}
		tip := image.Tip()
		r := &rig{t: t, disk: disk, proc: p, o: o, pool: pool, mem: newMemory()}
		engine := p.Engine(aiotest.EngineOptions{})
		engine.Start(func(cs []aio.Completion) { r.d.Complete(cs) })
		r.d, err = image.Activate(ActivateOptions{Epoch: image.Epoch(), Engine: engine, Pool: pool, Salt: 3})
		if err != nil {
			_ = image.Close()
			return // no slot is free, or ids are used up
		}
		r.drain()
		r.kill(aiotest.LateDrop)
		if _, again, err := r.load(); err != nil || again.Tip().Less(tip) {
			t.Fatalf("log that ended at %s does not load after an open: %v", tip, err)
		}
	})
}

// TestCheckpointDamage: the last page of the log holds a part that is not what START promised.
func TestCheckpointDamage(t *testing.T) {
	r := newRig(t, smallOptions(), 3)
	r.start() // START, parts and END are the only records
	f := r.d.Files()[0]
	pages := lastPages(t, r, f)
	disk := r.edit(f, pages[len(pages)-1], func(b []byte) {
		h, err := record.OpenPage(b)
		if err != nil {
			t.Fatal(err)
		}
		page := append([]byte(nil), b[:record.HeaderSize]...)
		err = record.Walk(b, &h, func(id uint64, _ int, rec *record.Record) error {
			changed := *rec
			if Kind(rec.Kind) == kindPart {
				changed.Body = append([]byte(nil), rec.Body...)
				changed.Body[len(changed.Body)-1]++
			}
			page = record.Append(page, id, &changed)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		copy(b, page)
		record.Seal(b[:h.Size()], &h)
	})
	var damage *DamageError
	if _, err := Load(disk.Process("x"), testDir, r.o, nil); !errors.As(err, &damage) || damage.Label != "@I" {
		t.Fatal(err)
	}
}
