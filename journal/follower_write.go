package journal

import (
	"errors"
	"slices"
	"time"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/datafile"
)

// outbound is what goes to the disk.
type outbound struct {
	flight  []*followerWrite // in order; some may be done
	ops     []aio.Op         // made, not submitted yet
	ids     uint64
	ahead   uint32   // blocks in flight
	end     Position // of what was submitted
	endRun  *run     // the last one submitted; nil: none since the last cut
	at      standing // of end, if endRun is nil
	durable Position
}

// followerWrite is a write in flight.
type followerWrite struct {
	id      uint64
	buf     *aio.Buffer
	last    *run
	blocks  uint32
	size    int
	vouches bool
	done    bool
	at      time.Duration
}

// Flush submits as much as depth, window, buffers and slots allow, and reads the log again when a copy is complete. Call
// it at the end of each step. The error is Err.
func (f *Follower) Flush(now Now) error {
	if f.err != nil {
		return f.err
	}
	if f.copied() {
		if len(f.out.flight) > 0 {
			return f.send()
		}
		if err := f.fail(f.reload()); err != nil {
			return err
		}
	}
	for f.make(now) {
	}
	return f.send()
}

// make builds the next write out of what was received.
func (f *Follower) make(now Now) bool {
	out, in := &f.out, &f.in
	if len(in.queue) == 0 || len(out.flight) >= f.o.Depth || f.starved() {
		return false
	}
	shift := f.o.Geometry.BlockShift
	file, n, size := in.queue[0].file, 0, 0
	for n < len(in.queue) && in.queue[n].file == file && size+in.queue[n].size <= f.o.WriteMax &&
		out.ahead+uint32((size+in.queue[n].size)>>shift) <= file.window {
		size += in.queue[n].size
		n++
	}
	if n == 0 {
		return false // the window is full
	}
	buf := f.pool.TryGet()
	if buf == nil {
		return false
	}
	if file.slot < 0 {
		file.slot = f.disk.take(file.name)
	}
	out.ids++
	w := &followerWrite{id: out.ids, buf: buf, blocks: uint32(size >> shift), size: size, at: now.Mono}
	off := int64(in.queue[0].block) << shift
	data := buf.Bytes()[:0]
	for _, r := range in.queue[:n] {
		data = append(data, r.data...)
		w.last, w.vouches = r, w.vouches || r.vouches
		if f.rebuild.on {
			r.data = nil
		}
	}
	in.queue = slices.Delete(in.queue, 0, n)
	out.ahead += w.blocks
	out.end, out.endRun = w.last.end, w.last
	out.flight = append(out.flight, w)
	out.ops = append(out.ops, aio.Op{Kind: aio.OpWrite, File: f.disk.slots[file.slot], Data: data, Off: off, Tag: TagFollower | w.id})
	return true
}

// send hands the operations over. A full engine is no error: they wait for the next Flush.
func (f *Follower) send() error {
	if len(f.out.ops) == 0 {
		return f.err
	}
	err := f.engine.Submit(f.out.ops...)
	if errors.Is(err, aio.ErrBusy) {
		return f.err
	}
	if err != nil {
		for _, op := range f.out.ops {
			f.completed(op.Tag&^TagMask, err)
		}
	}
	clear(f.out.ops)
	f.out.ops = f.out.ops[:0]
	return f.err
}

// Complete takes the completions that the engine's sink was given; those of others are ignored.
func (f *Follower) Complete(cs []aio.Completion) {
	for i := range cs {
		if c := &cs[i]; c.Tag&TagMask == TagFollower {
			f.completed(c.Tag&^TagMask, c.Err)
		}
	}
	f.advance()
}

func (f *Follower) completed(id uint64, err error) {
	for _, w := range f.out.flight {
		if w.id == id && !w.done {
			w.done = true
			w.buf.Release()
			if err != nil {
				_ = f.fail(err)
			}
		}
	}
}

// advance moves durable over the finished prefix; after an error nothing becomes durable any more.
func (f *Follower) advance() {
	out := &f.out
	if f.err != nil {
		out.flight = slices.DeleteFunc(out.flight, func(w *followerWrite) bool { return w.done })
		return
	}
	n := 0
	for n < len(out.flight) && out.flight[n].done {
		w := out.flight[n]
		out.durable = w.last.end
		out.ahead -= w.blocks
		f.in.bytes -= w.size
		if w.vouches {
			f.disk.vouched = w.last.file.name.ID
		}
		n++
	}
	if n == 0 {
		return
	}
	out.flight = slices.Delete(out.flight, 0, n)
	f.releaseRetired()
	if f.rebuild.on {
		f.dropUnlisted()
	}
	f.trim()
	_ = f.fail(f.applySafe())
}

// releaseRetired frees the slots whose RETIRE lies in a file that is vouched on this disk, for the reason that
// Machine.releaseRetired gives. That the RETIRE is safe was known before it was applied.
func (f *Follower) releaseRetired() {
	d := &f.disk
	d.retiring = slices.DeleteFunc(d.retiring, func(r leaving) bool {
		if d.vouched < r.pos.File {
			return false
		}
		f.freeSlot(r.file.slot)
		return true
	})
}

// take hands out a slot for a file; there must be a free one. A slot that holds that very file, left by a copy that was
// interrupted or by a branch in which it retired, goes first, also before it is free: no two slots may hold one name, or a
// load could take the wrong one, and the pages that both have are the same.
func (d *followerDisk) take(name datafile.Name) int {
	if i := slices.IndexFunc(d.retiring, func(r leaving) bool { return r.file.name == name }); i >= 0 {
		slot := d.retiring[i].file.slot
		d.retiring = slices.Delete(d.retiring, i, i+1)
		return slot
	}
	i := max(0, slices.IndexFunc(d.free, func(slot int) bool { return d.holds[slot] == name }))
	slot := d.free[i]
	d.free = slices.Delete(d.free, i, i+1)
	d.holds[slot] = name
	return slot
}

func (f *Follower) freeSlot(slot int) {
	if i, found := slices.BinarySearch(f.disk.free, slot); !found && slot >= 0 {
		f.disk.free = slices.Insert(f.disk.free, i, slot)
	}
}
