package aiotest

import (
	"path"
	"slices"

	"github.com/hindmq/hind/aio"
)

// CrashOptions says what a power cut keeps of what was not durable.
type CrashOptions struct {
	// Seed of the choices; the same disk and seed give the same image.
	Seed uint64
	// Keep is the probability in percent for each cached or in-flight sector and each unsynced name. 0 loses all of
	// them, 100 keeps all.
	Keep int
}

// Crash is the disk as it is found after a power cut at this moment, each unfinished sector and unsynced name kept with
// probability one half. The original goes on undisturbed. No process, lock, rule or operation is left in the image.
func (d *Disk) Crash(seed uint64) *Disk { return d.CrashWith(CrashOptions{Seed: seed, Keep: 50}) }

// CrashWith is Crash with a stated probability.
func (d *Disk) CrashWith(o CrashOptions) *Disk {
	c := d.clone(o.Seed)
	keep := func() bool { return o.Keep >= 100 || (o.Keep > 0 && c.rng.IntN(100) < o.Keep) }
	d.mu.Lock()
	for _, f := range d.flights {
		if f.op.Kind == aio.OpWrite && c.inodes[f.ino] != nil {
			c.land(f, keep)
		}
	}
	d.mu.Unlock()
	c.settleSectors(keep)
	c.settleNames(keep)
	return c
}

// land writes the sectors of an unfinished write that the cut kept.
func (d *Disk) land(f *flight, keep func() bool) {
	if f.fault.kind == FaultFail || f.fault.kind == FaultLost {
		return
	}
	for i := 0; i < len(f.op.Data); i += SectorSize {
		if keep() {
			d.own(f.ino).putDurable(f.op.Data[i:min(i+SectorSize, len(f.op.Data))], f.op.Off+int64(i))
		}
	}
}

// settleSectors makes cached sectors durable or forgets them.
func (d *Disk) settleSectors(keep func() bool) {
	for ino, n := range d.inodes {
		if n == nil || len(n.cached) == 0 {
			continue
		}
		n = d.own(ino)
		n.cached = slices.DeleteFunc(n.cached, func(cachedSector) bool { return !keep() })
		n.syncAll()
	}
}

// settleNames decides each unsynced name. Names of one rename are decided together, and what lies in a directory that
// vanished is gone.
func (d *Disk) settleNames(keep func() bool) {
	changed := false
	var decided []groupFate
	for i := range d.entries {
		e := &d.entries[i]
		if e.visible != e.durable {
			changed = true
			k := slices.IndexFunc(decided, func(g groupFate) bool { return e.group != 0 && g.group == e.group })
			if k < 0 {
				decided = append(decided, groupFate{e.group, keep()})
				k = len(decided) - 1
			}
			if !decided[k].kept {
				e.visible = e.durable
			}
			e.durable, e.group = e.visible, 0
		}
		if dir := path.Dir(e.path); changed && e.visible != 0 && dir != "/" && d.find(dir) == 0 {
			e.visible, e.durable = 0, 0
		}
	}
	if changed {
		d.sweep()
	}
}

type groupFate struct {
	group int
	kept  bool
}

// Clone is a copy of the disk at rest: bytes and names with what is not durable yet, but without the operations in
// flight, processes, locks and rules. The two share blocks until one of them writes.
func (d *Disk) Clone(seed uint64) *Disk { return d.clone(seed) }

func (d *Disk) clone(seed uint64) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &Disk{opts: d.opts, owner: new(token), rng: newRand(seed), now: d.now, group: d.group}
	d.owner = new(token)
	c.inodes = slices.Clone(d.inodes)
	c.entries = slices.Clone(d.entries)
	return c
}

// LateMode says what becomes of the writes that a killed process had in flight.
type LateMode uint8

const (
	// LateLand leaves them in flight: Step or Advance lands them some time later, over whatever was written meanwhile.
	LateLand LateMode = iota
	// LateCached leaves a random subset of their sectors in the cache: readers see them, a power cut may take them.
	LateCached
	// LateDrop loses them.
	LateDrop
)

// Kill ends the process as kill -9 would: its locks are free, its files and engines fail, no sink is called again. The
// disk and the other processes go on.
func (p *Process) Kill(mode LateMode) {
	d := p.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	p.dead = true
	for _, e := range p.engines { // an idle auto engine must notice too
		e.wake()
	}
	d.locks = slices.DeleteFunc(d.locks, func(h held) bool { return h.by == p })
	left := d.flights[:0]
	for _, f := range d.flights {
		if f.file == nil || f.file.process != p {
			left = append(left, f)
			continue
		}
		if f.op.Kind != aio.OpWrite || mode == LateDrop || d.inodes[f.ino] == nil {
			continue
		}
		if mode == LateLand {
			f.op.Data, f.op.File = slices.Clone(f.op.Data), nil // the buffer died with the process
			f.file, f.engine, f.hungBy = nil, nil, nil
			left = append(left, f)
			continue
		}
		for i := 0; i < len(f.op.Data); i += SectorSize {
			if d.rng.IntN(2) == 0 {
				d.own(f.ino).putCached((f.op.Off+int64(i))/SectorSize, f.op.Data[i:min(i+SectorSize, len(f.op.Data))])
			}
		}
	}
	clear(d.flights[len(left):])
	d.flights = left
}
