package journal

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hindmq/hind/journal/datafile"
)

// rebuilding is the state of a copy: pages are written and nothing is applied, since the ledger and the loader hold what
// no longer stands in the log.
type rebuilding struct {
	on      bool
	to      Position // the copy is complete once this is durable; zero: not known yet
	retires []pendingRetire
	listed  []FileInfo // what the other broker's disk held when it last said so
}

// pendingRetire is a RETIRE that was received while copying: it frees slots, or a copy might not fit.
type pendingRetire struct {
	end   Position
	names []datafile.Name
}

// copied says that the copy is complete, and that a load would find it: it begins at the newest vouched file and goes on
// from there without a gap.
func (f *Follower) copied() bool {
	r := &f.rebuild
	if !r.on || r.to == (Position{}) || f.out.durable.Less(r.to) {
		return false
	}
	i := slices.IndexFunc(f.files, func(x *followed) bool { return x.name.ID == f.disk.vouched })
	if i < 0 {
		return false
	}
	for i++; i < len(f.files) && f.files[i].name.ID <= f.out.durable.File; i++ {
		if f.files[i].pred.Name != f.files[i-1].name {
			return false // the owner vouches for what lies behind it before long: it retired a file because of that
		}
	}
	return true
}

// startRebuild voids what was applied.
func (f *Follower) startRebuild() {
	f.rebuild = rebuilding{on: true, listed: f.rebuild.listed}
	f.apply.kept, f.apply.bytes, f.apply.at = nil, 0, Position{}
	f.image.ledger.onRetire = nil
	f.dropUnlisted()
}

// Listed says which files the other broker's disk holds. While copying, what is not among them is of no use, and a copy
// might not fit beside it: a RETIRE that names it may lie in a file that was left out.
func (f *Follower) Listed(files []FileInfo) {
	f.rebuild.listed = files
	if f.rebuild.on {
		f.rebuild.to = Position{} // the RETIRE of what is dropped here may lie beyond it; another CaughtUp follows
		f.dropUnlisted()
	}
}

func (f *Follower) dropUnlisted() {
	listed := f.rebuild.listed
	if len(listed) == 0 {
		return
	}
	newest, waits := listed[len(listed)-1].Name.ID, false
	for _, x := range slices.Clone(f.files) {
		switch {
		case x.name.ID >= newest || slices.ContainsFunc(listed, func(l FileInfo) bool { return l.Name == x.name }):
		case x.name.ID >= f.out.durable.File:
			waits = true // it may be in flight: its slot must not be given away under a write
		default:
			f.retire(Position{}, x.name)
		}
	}
	if !waits {
		f.rebuild.listed = nil
	}
}

// retireCopied frees the slots of files that retired while the copy ran.
func (f *Follower) retireCopied(to Position) {
	r := &f.rebuild
	for len(r.retires) > 0 && !to.Less(r.retires[0].end) {
		for _, name := range r.retires[0].names {
			f.retire(r.retires[0].end, name)
		}
		r.retires = r.retires[1:]
	}
}

// Rewind forgets what was received and is not on its way to the disk yet, as when the conversation ends. Settled says
// when nothing is being written any more; before that no manifest may be sent and nothing cut.
func (f *Follower) Rewind() {
	if len(f.in.queue) == 0 {
		return
	}
	for _, r := range f.in.queue {
		f.in.bytes -= r.size
	}
	f.in.queue = nil
	at := f.out.end
	f.rebuild.retires = slices.DeleteFunc(f.rebuild.retires, func(r pendingRetire) bool { return at.Less(r.end) })
	f.dropFiles(at)
	if f.out.endRun != nil {
		f.standAt(at, f.out.endRun.hash, f.out.endRun.after)
	} else {
		f.standAt(at, f.out.at.hash, f.out.at.after)
	}
	f.dropKept(at)
}

// Settled says that everything received is durable here.
func (f *Follower) Settled() bool { return len(f.in.queue) == 0 && len(f.out.flight) == 0 }

// Cut ends the log at the end of a page: what lies beyond it is void, and pages are received from there. The zero position
// empties the log. Nothing is written: what follows overwrites or outdates it. It must be Settled, and the mark "copying"
// must be durable. If what is cut was applied, nothing is applied before the copy is complete (CaughtUp).
func (f *Follower) Cut(at Position) error {
	if f.err != nil {
		return f.err
	}
	if !f.Settled() {
		return fmt.Errorf("%w: a cut at %s while pages are being written", ErrBusy, at)
	}
	if at == f.in.tip && !(at == Position{} && len(f.disk.free) < len(f.disk.slots)) {
		return nil
	}
	if at == (Position{}) {
		f.empty()
		return nil
	}
	hash, after, err := f.pageAt(at)
	if err != nil {
		return err
	}
	f.dropFiles(at)
	f.standAt(at, hash, after)
	if f.rebuild.on || at.Less(f.apply.at) {
		f.startRebuild()
	} else {
		f.dropKept(at)
	}
	f.cutDone(at, hash, after)
	return nil
}

// empty makes every slot free.
func (f *Follower) empty() {
	f.startRebuild()
	f.files = nil
	f.disk.free = slices.Sorted(maps.Keys(f.disk.slots))
	f.disk.retiring, f.disk.vouched = nil, 0
	f.in.tip, f.in.hash, f.in.next, f.in.epoch, f.in.incarnation = Position{}, 0, 0, 0, 0
	f.roles.cut(Position{})
	f.cutDone(Position{}, 0, tipState{})
}

func (f *Follower) cutDone(at Position, hash uint64, after tipState) {
	f.out.durable, f.out.end, f.out.endRun = at, at, nil
	f.out.at = standing{hash, after}
	if at.Less(f.apply.safe) {
		f.apply.safe = at
	}
	if f.disk.vouched > at.File {
		f.disk.vouched = 0 // some file at or before the cut is: none counts as vouched until a newer one is
	}
}

// standing is what the end of the log looks like.
type standing struct {
	hash  uint64
	after tipState
}

// standAt makes a page's end the tip.
func (f *Follower) standAt(at Position, hash uint64, after tipState) {
	f.in.tip, f.in.hash = at, hash
	f.in.next, f.in.epoch, f.in.incarnation = after.next, after.epoch, after.incarnation
	if n := len(f.files); n > 0 && f.files[n-1].name.ID == at.File {
		f.files[n-1].end, f.files[n-1].tail = at.Block, hash
	}
	f.roles.cut(at)
}

// dropFiles takes the files beyond a position out of the log.
func (f *Follower) dropFiles(at Position) {
	for n := len(f.files); n > 0 && f.files[n-1].name.ID > at.File; n-- {
		f.freeSlot(f.files[n-1].slot)
		f.files = f.files[:n-1]
	}
}

// dropKept forgets pages beyond a position. A run that straddles it is shortened.
func (f *Follower) dropKept(at Position) {
	a := &f.apply
	kept := a.kept[:0]
	for _, r := range a.kept {
		if !at.Less(r.end) {
			kept = append(kept, r)
			continue
		}
		a.bytes -= len(r.data)
		if !(Position{r.file.name.ID, r.block}).Less(at) || r.file.name.ID != at.File {
			continue
		}
		r.size = int(at.Block-r.block) << f.o.Geometry.BlockShift
		r.end = at
		if r.data != nil {
			r.data = r.data[:r.size]
			a.bytes += r.size
		}
		kept = append(kept, r)
	}
	clear(a.kept[len(kept):])
	a.kept = kept
}

// pageAt reads the page that ends at a position.
func (f *Follower) pageAt(at Position) (uint64, tipState, error) {
	i := slices.IndexFunc(f.files, func(x *followed) bool { return x.name.ID == at.File })
	if i < 0 || f.files[i].end < at.Block || at.Block == 0 {
		return 0, tipState{}, fmt.Errorf("%w: nothing ends at %s", ErrRetired, at)
	}
	h, ok, err := findPage(f.disk.slots[f.files[i].slot], f.o.Geometry, pageSearch{name: f.files[i].name, end: at.Block})
	if err != nil {
		return 0, tipState{}, err
	}
	if !ok {
		return 0, tipState{}, fmt.Errorf("%w: no page of file %s ends at block %d", ErrDamaged, f.files[i].name, at.Block)
	}
	return h.Hash, tipState{RecordID(h.FirstRecord) + RecordID(h.Records), h.Epoch, h.Incarnation}, nil
}

// PageEnding is the hash of the page of a file that ends at a block, as Driver.PageEnding.
func (f *Follower) PageEnding(name datafile.Name, end uint32) (hash uint64, ok bool, err error) {
	i := slices.IndexFunc(f.files, func(x *followed) bool { return x.name == name })
	switch {
	case i < 0 || end > f.files[i].end:
		return 0, false, nil
	case end == f.files[i].end:
		return f.files[i].tail, true, nil
	}
	h, ok, err := findPage(f.disk.slots[f.files[i].slot], f.o.Geometry, pageSearch{name: name, end: end})
	return h.Hash, ok, err
}

// CaughtUp says that the other broker had nothing beyond a position when it said so. A copy is complete once that is
// durable here: then the log is read again.
func (f *Follower) CaughtUp(to Position) {
	if f.rebuild.on {
		f.rebuild.to = to
	}
}

// reload reads the whole log, which is durable and of which nothing is in flight, into a fresh loader.
func (f *Follower) reload() error {
	var loader Loader
	var err error
	if f.fresh != nil {
		if loader, err = f.fresh(); err != nil {
			return err
		}
	}
	o := f.o
	o.ReadOnly = true
	image, err := Load(f.fs, f.dir, o, loader)
	if image != nil {
		err = errors.Join(err, image.Close())
	}
	if err != nil {
		return fmt.Errorf("read the log that was copied: %w", err)
	}
	if at := f.out.durable; image.tip != at {
		return fmt.Errorf("%w: the copied log ends at %s on the disk, at %s by what was received", ErrDamaged, image.tip, at)
	}
	if err := f.adopt(image); err != nil {
		return err
	}
	f.apply.at = image.tip
	f.rebuild = rebuilding{}
	f.apply.kept, f.apply.bytes = nil, 0
	f.keep(f.in.queue...)
	return nil
}

// adopt makes the ledger that was read the one that goes on, and frees what it does not name.
func (f *Follower) adopt(image *Image) error {
	image.lock, image.state, image.taken = f.image.lock, f.image.state, true
	for _, l := range image.ledger.files {
		if l.slot >= 0 && !slices.ContainsFunc(f.files, func(x *followed) bool { return x.name == l.name && x.slot == l.slot }) {
			return fmt.Errorf("%w: file %s in %s was not received", ErrDamaged, l.name, datafile.SlotName(l.slot))
		}
	}
	tip := image.tip.File
	f.image = image
	image.ledger.onRetire = f.retired
	for _, x := range slices.Clone(f.files) {
		if x.name.ID < tip && image.ledger.find(x.name) == nil {
			f.retire(image.tip, x.name)
		}
	}
	f.releaseRetired()
	return nil
}
