package journal

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/datafile"
)

// TagFollower marks the engine tags of a follower, as TagDriver those of a driver.
const TagFollower = uint64('F') << 56

// FollowedMax limits the bytes of pages that a follower takes before they are on its disk. Who sends must stay below it.
const FollowedMax = 24 << 20

// FollowOptions of Image.Follow.
type FollowOptions struct {
	Engine aio.Engine // started by the host; its sink feeds Follower.Complete
	Pool   *aio.Pool  // of buffers of at least Options.WriteMax bytes
	Now    Now
	// Rebuild gives an empty loader when what the one before was told no longer stands in the log. The log is then read
	// again into it, beginning with Snapshot. nil: what is applied is told to nobody any more.
	Rebuild func() (Loader, error)
}

// Follower is a journal whose pages another broker writes. Like a Driver it has one owner, which calls everything here; no
// goroutine, no lock, no clock. It names no file and decides nothing: what arrives is checked, written where the other
// broker has it, and applied to the loader once the host says that it is safe.
//
// A step of the owner: Complete what the engine's sink collected, Receive and Apply what came, then Flush once.
type Follower struct {
	fs      aio.FS
	dir     string
	o       Options
	engine  aio.Engine
	pool    *aio.Pool
	fresh   func() (Loader, error)
	image   *Image      // what is applied: ledger, loader, wall; void while rebuilding
	files   []*followed // ascending; the tip lies in the last one
	disk    followerDisk
	in      inbound
	out     outbound
	apply   applying
	rebuild rebuilding
	roles   followedRoles
	err     error
	closed  bool
}

// followed is one file as far as it was received.
type followed struct {
	name        datafile.Name
	slot        int // -1: page 0 was not submitted yet
	epoch       uint32
	incarnation uint32
	window      uint32 // of the broker that began it, and at most the own one
	first       RecordID
	pred        datafile.Link
	end         uint32
	tail        uint64
}

// followerDisk is the account of slots.
type followerDisk struct {
	slots          map[int]aio.File
	holds          map[int]datafile.Name // what a load would find in a slot, whether it counts or not
	free           []int                 // ascending
	retiring       []leaving
	vouched        uint64 // newest file of which a durable page carries a stable in the file itself
	fileMax        uint64 // highest id and incarnation seen anywhere
	incarnationMax uint32
}

// leaving is a file that a RETIRE names and whose slot is not free yet.
type leaving struct {
	pos  Position // of the RETIRE
	file *followed
}

// Follow makes the image a follower's. All slots are opened for writing and what was read from them is made durable, which
// blocks; nothing is written. The follower takes over the lock and the loader. A damaged image is accepted only under the
// mark "copying": a copy that was interrupted is no log, so it counts as empty and everything is copied again.
func (i *Image) Follow(o FollowOptions) (*Follower, error) {
	void := i.damage != nil && i.state != nil && i.state.state.Copying
	switch {
	case i.damage != nil && !void:
		return nil, i.damage
	case i.taken:
		return nil, fmt.Errorf("%w: the image is in use", ErrClosed)
	case i.lock == nil || i.state == nil:
		return nil, fmt.Errorf("%s is not prepared, or loaded read-only: it cannot follow", i.dir)
	case o.Engine == nil || o.Pool == nil || o.Pool.Size() < i.o.WriteMax:
		return nil, fmt.Errorf("a follower needs an engine and a pool of buffers of at least %d bytes", i.o.WriteMax)
	}
	f := &Follower{fs: i.fs, dir: i.dir, o: i.o, engine: o.Engine, pool: o.Pool, fresh: o.Rebuild, image: i}
	f.disk.slots, f.disk.holds = map[int]aio.File{}, map[int]datafile.Name{}
	for _, v := range i.recovery.views {
		file, err := datafile.OpenSlot(f.fs, f.dir, v.slot, f.o.Geometry, aio.ReadWrite)
		if err != nil {
			return nil, errors.Join(err, f.closeSlots())
		}
		f.disk.slots[v.slot] = file
		if v.head.Present {
			f.disk.holds[v.slot] = v.head.Name
		}
		if err := file.Sync(); err != nil {
			return nil, errors.Join(err, f.closeSlots())
		}
	}
	i.taken = true
	f.disk.fileMax, f.disk.incarnationMax = i.recovery.fileMax, i.recovery.incarnationMax
	if void {
		f.disk.free = slices.Sorted(maps.Keys(f.disk.slots))
		f.rebuild.on = true
		return f, nil
	}
	f.begin()
	f.roles.all = i.Roles()
	return f, nil
}

// begin takes files, tip and slots from the image, whose log is durable.
func (f *Follower) begin() {
	i := f.image
	i.ledger.onRetire = f.retired
	used := map[int]bool{}
	for _, l := range i.ledger.files {
		if l.slot < 0 {
			continue // under the mark "copying": nothing in it lives, and the slot is gone
		}
		used[l.slot] = true
		f.files = append(f.files, &followed{name: l.name, slot: l.slot, epoch: l.epoch, incarnation: l.incarnation,
			window: f.windowOf(l.slot), first: l.first, pred: l.pred, end: l.end, tail: l.tail})
	}
	if tip := i.recovery.tip; tip != nil {
		f.disk.vouched = tip.head.Name.ID
	}
	for _, v := range i.recovery.views {
		switch {
		case used[v.slot]:
		case i.recovery.fromTip(v):
			// The log is found through this file until a newer one counts, though a RETIRE names it.
			f.disk.retiring = append(f.disk.retiring, leaving{i.tip, &followed{name: v.head.Name, slot: v.slot,
				epoch: v.head.Header.Epoch, incarnation: v.head.Header.Incarnation}})
		default:
			f.disk.free = append(f.disk.free, v.slot)
		}
	}
	slices.Sort(f.disk.free)
	f.in.tip, f.in.hash, f.in.next, f.in.epoch = i.tip, i.tipHash, i.ledger.next, i.ledger.epoch
	if c := i.ledger.current; c != nil {
		f.in.incarnation = c.incarnation
	}
	f.out.durable, f.out.end, f.apply.at = i.tip, i.tip, i.tip
	f.out.at = standing{i.tipHash, tipState{f.in.next, f.in.epoch, f.in.incarnation}}
	f.releaseRetired()
}

func (f *Follower) windowOf(slot int) uint32 {
	for _, v := range f.image.recovery.views {
		if v.slot == slot && v.head.Present {
			return min(f.o.Window, v.head.First.Window)
		}
	}
	return f.o.Window
}

// Files is the manifest: what this log consists of, ascending by id, as far as it was received.
func (f *Follower) Files() []FileInfo {
	infos := make([]FileInfo, 0, len(f.files))
	for i, x := range f.files {
		infos = append(infos, FileInfo{Name: x.name, Kind: datafile.Log, Slot: x.slot, Epoch: x.epoch, Incarnation: x.incarnation,
			FirstRecord: x.first, Closed: i < len(f.files)-1, End: x.end, TailHash: x.tail, Pred: x.pred})
	}
	return infos
}

// Epochs is the epoch table as far as the log was applied, oldest first.
func (f *Follower) Epochs() []EpochPoint { return slices.Clone(f.image.ledger.epochs) }

// Tip is the end of the last page received.
func (f *Follower) Tip() Position { return f.in.tip }

// Durable is the position up to which everything received is on this disk: what may be acknowledged.
func (f *Follower) Durable() Position { return f.out.durable }

// Applied is the position up to which the loader was told everything; zero while the log is being copied.
func (f *Follower) Applied() Position {
	if f.rebuild.on {
		return Position{}
	}
	return f.apply.at
}

// Whole says that what is durable is a log that can be opened: no copy is under way. Only then it may be acknowledged.
func (f *Follower) Whole() bool { return !f.rebuild.on }

// Free is the number of slots that new files may take; those that were received and wait for one are taken off.
func (f *Follower) Free() int {
	n := len(f.disk.free)
	for _, x := range f.files {
		if x.slot < 0 {
			n--
		}
	}
	return max(0, n)
}

// Geometry of the slots.
func (f *Follower) Geometry() datafile.Geometry { return f.o.Geometry }

// Options are those of the journal, with geometry and defaults filled in.
func (f *Follower) Options() Options { return f.o }

// Epoch of the last page received.
func (f *Follower) Epoch() uint32 { return f.in.epoch }

// LiveDigest is that of everything applied, as Image.LiveDigest; meaningless while the log is being copied.
func (f *Follower) LiveDigest() uint64 { return f.image.ledger.digest() }

// State is this broker's local state.
func (f *Follower) State() State { return f.image.state.state }

// Save writes the local state durably; it blocks.
func (f *Follower) Save(s State) error { return f.image.state.save(f.fs, f.dir, s) }

// Err is nil until a write failed or pages turned out to make no sense; then it stays.
func (f *Follower) Err() error { return f.err }

// Quiet says that nothing is being written and nothing can be submitted.
func (f *Follower) Quiet() bool {
	if len(f.out.flight) > 0 {
		return false
	}
	return f.err != nil || len(f.in.queue) == 0 || f.starved()
}

// starved: the next page needs a slot and none is free.
func (f *Follower) starved() bool {
	return len(f.in.queue) > 0 && f.in.queue[0].file.slot < 0 && len(f.disk.free) == 0
}

// OldestWrite is the age of the oldest write in flight; 0 if there is none.
func (f *Follower) OldestWrite(now Now) time.Duration {
	for _, w := range f.out.flight {
		if !w.done {
			return now.Mono - w.at
		}
	}
	return 0
}

// fail stops the follower for good.
func (f *Follower) fail(err error) error {
	if f.err == nil && err != nil {
		f.err = fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return f.err
}

// Close gives up the follower: files are closed and the lock is free. It does not wait: see Quiet.
func (f *Follower) Close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	_ = f.fail(ErrClosed)
	err := f.closeSlots()
	if f.image.lock != nil {
		err = errors.Join(err, f.image.lock.Close())
		f.image.lock = nil
	}
	return err
}

func (f *Follower) closeSlots() error {
	var cs []io.Closer
	for _, n := range slices.Sorted(maps.Keys(f.disk.slots)) {
		cs = append(cs, f.disk.slots[n])
	}
	clear(f.disk.slots)
	return closers(cs).Close()
}
