package journal

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
)

// sweepRun is a fixed life of a journal in which the k-th call to the disk fails, once or for ever. It returns the ids
// acknowledged, in order. Any error ends it.
func sweepRun(t *testing.T, disk *aiotest.Disk, pool *aio.Pool, o Options) (acked []RecordID, err error) {
	t.Helper()
	proc := disk.Process("p")
	if err := Prepare(proc, testDir, o, Member{1}, nil); err != nil {
		return nil, err
	}
	image, err := Load(proc, testDir, o, nil)
	if err != nil {
		return nil, err
	}
	engine := proc.Engine(aiotest.EngineOptions{})
	var d *Driver
	engine.Start(func(cs []aio.Completion) { d.Complete(cs) })
	d, err = image.Activate(ActivateOptions{Epoch: 1, Engine: engine, Pool: pool, Salt: 3})
	if err != nil {
		return nil, errors.Join(err, image.Close())
	}
	defer func() {
		for disk.Step() {
		}
		_ = d.Close()
	}()
	var ids []RecordID
	var pos []Position
	for i := 0; i < 40; {
		rec := Record{Kind: KindAdd, Body: make([]byte, 200)}
		_, p, err := d.Append(rec)
		switch {
		case err == nil:
			i++
			ids, pos = append(ids, d.m.l.next-1), append(pos, p)
			if i%4 != 0 {
				continue
			}
		case !errors.Is(err, ErrBusy):
			return acked, err
		}
		if err := d.Flush(Now{}); err != nil {
			return acked, err
		}
		disk.Step()
		for len(acked) < len(pos) && !d.Durable().Less(pos[len(acked)]) {
			acked = append(acked, ids[len(acked)])
		}
		if err := d.Err(); err != nil {
			before := d.Durable()
			for disk.Step() {
			}
			if d.Durable() != before {
				t.Fatalf("durable moved from %s to %s after %v", before, d.Durable(), err)
			}
			return acked, err
		}
	}
	return acked, nil
}

// TestErrorSweep fails the k-th call for every k: the error is reported, it is final, and what was acknowledged is there
// after a crash.
func TestErrorSweep(t *testing.T) {
	o := smallOptions()
	pool := testPool(t, o)
	for _, forever := range []bool{false, true} {
		for _, errno := range []error{syscall.EIO, syscall.ENOSPC} {
			k := 0
			for fired := true; fired; k++ {
				name := fmt.Sprintf("call %d, %v, forever %v", k, errno, forever)
				disk := aiotest.NewDisk(aiotest.Options{Seed: uint64(k)})
				injection := disk.FailCall(k, errno, forever)
				acked, err := sweepRun(t, disk, pool, o)
				fired = injection.Fired() > 0
				injection.Remove()
				if fired && err == nil {
					t.Fatalf("%s: nobody was told", name)
				}
				if !fired && err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if fired && !errors.Is(err, errno) {
					t.Fatalf("%s: error hides its cause: %v", name, err)
				}
				after := disk.Crash(uint64(k))
				mem := newMemory()
				if names := after.Names(); len(names) == 0 {
					continue
				}
				image, err := Load(after.Process("check"), testDir, o, loadable{mem})
				if err != nil {
					t.Fatalf("%s: load after it: %v", name, err)
				}
				for _, id := range acked {
					if _, ok := mem.live[id]; !ok {
						t.Fatalf("%s: acknowledged record %s is lost", name, id)
					}
				}
				_ = image.Close()
			}
			t.Logf("%d calls failed one by one with %v (forever %v)", k-1, errno, forever)
		}
	}
}

// TestReadErrorsAreNoTornTail: a read that fails during load is an error of the load; it must not cut the log.
func TestReadErrorsAreNoTornTail(t *testing.T) {
	o := smallOptions()
	disk := aiotest.NewDisk(aiotest.Options{Seed: 1})
	acked, err := sweepRun(t, disk, testPool(t, o), o)
	if err != nil {
		t.Fatal(err)
	}
	k := 0
	for ; ; k++ {
		injection := disk.Inject(aiotest.Rule{Kind: aiotest.FaultFail, Calls: aiotest.CallRead | aiotest.CallOpen | aiotest.CallList, Skip: k, Times: 1})
		mem := newMemory()
		image, err := Load(disk.Process("check"), testDir, o, loadable{mem})
		injection.Remove()
		if injection.Fired() == 0 {
			break
		}
		if err == nil || errors.Is(err, ErrDamaged) || image != nil {
			t.Fatalf("read %d fails, load says: %v", k, err)
		}
	}
	if k < 5 || len(acked) != 40 {
		t.Fatalf("%d reads failed, %d acknowledged: the test saw nothing", k, len(acked))
	}
}
