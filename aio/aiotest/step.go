package aiotest

import (
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"github.com/hindmq/hind/aio"
)

// Step completes one operation in flight, or lands one late write of a killed process, chosen by the seed among all that
// do not hang, whatever their latency. Its sink is called before Step returns. False: there was nothing to do.
func (d *Disk) Step() bool { return d.step(nil) }

// Run steps until nothing is left and returns how many operations completed.
func (d *Disk) Run() int {
	n := 0
	for d.step(nil) {
		n++
	}
	return n
}

// step completes an operation of one engine, or of any if only is nil. Auto engines are left to their goroutines.
func (d *Disk) step(only *Engine) bool {
	d.mu.Lock()
	ready := 0
	for _, f := range d.flights {
		if f.steppable(only) {
			ready++
		}
	}
	if ready == 0 {
		d.mu.Unlock()
		return false
	}
	k := d.rng.IntN(ready)
	for i, f := range d.flights {
		if !f.steppable(only) {
			continue
		}
		if k == 0 {
			d.complete(i) // unlocks
			return true
		}
		k--
	}
	panic("aiotest: the choice is among what was counted")
}

func (f *flight) steppable(only *Engine) bool {
	if f.hungBy != nil {
		return false
	}
	if only != nil {
		return f.engine == only
	}
	return f.engine == nil || !f.engine.opts.Auto
}

// Advance moves the disk's clock to now and completes, in the order in which they are due, all operations due by then.
// It returns how many. The clock never goes back. Operations submitted by a sink on the way count from their cause.
func (d *Disk) Advance(now time.Duration) int {
	n := 0
	for {
		d.mu.Lock()
		i := d.earliest()
		if i < 0 || d.flights[i].due > now {
			d.now = max(d.now, now)
			d.mu.Unlock()
			return n
		}
		d.now = max(d.now, d.flights[i].due)
		d.complete(i) // unlocks
		n++
	}
}

// NextDue says when the next operation completes on the clock of Advance; false if none will without help.
func (d *Disk) NextDue() (time.Duration, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.earliest()
	if i < 0 {
		return 0, false
	}
	return d.flights[i].due, true
}

// earliest is the index of the flight that is due first, in order of submission among equals; -1 if there is none.
func (d *Disk) earliest() int {
	best := -1
	for i, f := range d.flights {
		if !f.steppable(nil) {
			continue
		}
		if best < 0 || f.due < d.flights[best].due || (f.due == d.flights[best].due && f.number < d.flights[best].number) {
			best = i
		}
	}
	return best
}

// complete takes flight i off the disk, does it, and tells its engine's sink. The lock is held on entry and not on
// return: the sink may call anything.
func (d *Disk) complete(i int) {
	f := d.flights[i]
	d.flights = slices.Delete(d.flights, i, i+1)
	if f.engine == nil { // late: nobody is told
		if n := d.inodes[f.ino]; n != nil {
			d.own(f.ino).putDurable(f.op.Data, f.op.Off)
		}
		d.mu.Unlock()
		return
	}
	if f.op.Kind == aio.OpWrite && !d.opts.NoBufferCheck && crc32.Checksum(f.op.Data, castagnoli) != f.sum {
		d.mu.Unlock()
		panic(fmt.Sprintf("aiotest: the buffer of write %d to %s at %d changed while in flight", f.op.Tag, f.file.name, f.op.Off))
	}
	c := aio.Completion{Tag: f.op.Tag}
	switch {
	case f.op.Kind == aio.OpWrite:
		c.N, c.Err = d.write(f.file, f.op.Data, f.op.Off, f.fault)
	case f.fault.err != nil:
		c.Err = fmt.Errorf("read %s at %d: %w", f.file.name, f.op.Off, f.fault.err)
	default:
		c.N, c.Err = d.read(f.file, f.op.Data, f.op.Off, f.fault)
	}
	sink := f.engine.sink
	d.mu.Unlock()
	sink([]aio.Completion{c})
}
