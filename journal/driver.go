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

// TagMask and TagDriver mark the engine tags of a driver: its tags have the upper byte TagDriver. Complete ignores others,
// so an engine may be shared.
const (
	TagMask   = uint64(0xff) << 56
	TagDriver = uint64('J') << 56
)

// Driver is a journal open for writing. It has one owner, which calls everything here; no goroutine, no lock, no clock.
//
// A step of the owner: Complete what the engine's sink collected, Append, then Flush once. Positions compare with Durable
// (this disk) and Stable (this disk and every member).
type Driver struct {
	fs     aio.FS
	dir    string
	o      Options
	lock   io.Closer
	engine aio.Engine
	pool   *aio.Pool
	host   Host
	state  *stateFile
	slots  map[int]aio.File
	m      *Machine

	ops     []aio.Op // sealed, not submitted yet
	sent    []sentWrite
	effects []Effect
	tap     tap
	pins    []*pin
	held    []Effect // retired files that are pinned
	closed  bool
}

// sentWrite is a write in flight and when it was submitted.
type sentWrite struct {
	id WriteID
	at time.Duration
}

// Append adds records, all of them in one page, so that a crash keeps all or none. It returns the id of the first (the
// others follow it; each Record's ID is set) and the position at which they count as durable: once Durable (or Stable) is
// not less than it. The position lies in their page, at or before its end; it is for comparing, not for cutting. Meta and
// Body are copied. Adds and updates are producer class (ErrFull while only the reserve is free), deletes, decisions and
// events are admitted as long as the journal can drain. Errors: ErrFull, ErrBusy, ErrTooLarge, ErrRecord: nothing changed;
// ErrFailed, ErrClosed.
func (d *Driver) Append(recs ...Record) (RecordID, Position, error) {
	if d.closed {
		return 0, Position{}, ErrClosed
	}
	return d.m.Append(recs...)
}

// Flush does what is due (checkpoints, retiring), seals and submits as much as depth and window allow. Call it at the end
// of each step. The error is Err.
func (d *Driver) Flush(now Now) error {
	if d.closed {
		return ErrClosed
	}
	for {
		did, err := d.m.Upkeep(d.snapshot)
		if err != nil {
			return err
		}
		sealed := d.seal(now)
		if !did && !sealed || !d.m.Low() || !d.m.upkeepDue() {
			break
		}
	}
	return d.submit()
}

func (d *Driver) snapshot() []byte {
	if d.host == nil {
		return nil
	}
	return d.host.Snapshot()
}

// seal turns pages into operations, hands them to the tap, and says whether there was any.
func (d *Driver) seal(now Now) bool {
	any := false
	for {
		w, ok := d.m.Seal(now.Wall)
		if !ok {
			return any
		}
		any = true
		d.ops = append(d.ops, aio.Op{Kind: aio.OpWrite, File: d.slots[w.Slot], Data: w.Data, Off: w.Offset, Tag: TagDriver | uint64(w.ID)})
		d.sent = append(d.sent, sentWrite{w.ID, now.Mono})
		if d.m.Opened() {
			d.tap.give(&w)
		}
	}
}

// submit hands the operations over. A full engine is no error: they wait for the next Flush.
func (d *Driver) submit() error {
	if len(d.ops) > 0 {
		err := d.engine.Submit(d.ops...)
		if errors.Is(err, aio.ErrBusy) {
			return d.m.Err()
		}
		if err != nil {
			for _, op := range d.ops {
				d.m.Completed(WriteID(op.Tag&^TagMask), err)
			}
			d.sent = d.sent[:0]
		}
		clear(d.ops)
		d.ops = d.ops[:0]
	}
	return d.m.Err()
}

// Complete takes the completions that the engine's sink was given; those of others are ignored.
func (d *Driver) Complete(cs []aio.Completion) {
	for i := range cs {
		c := &cs[i]
		if c.Tag&TagMask != TagDriver {
			continue
		}
		id := WriteID(c.Tag &^ TagMask)
		d.sent = slices.DeleteFunc(d.sent, func(s sentWrite) bool { return s.id == id })
		d.m.Completed(id, c.Err)
	}
	d.takeEffects()
}

func (d *Driver) takeEffects() {
	d.effects = d.m.Effects(d.effects[:0])
	for _, e := range d.effects {
		if e.Kind != EffectRetired {
			continue
		}
		if d.pinned(e.File) {
			d.held = append(d.held, e)
			continue
		}
		d.m.FreeSlot(e.Slot)
	}
	if d.m.Low() && len(d.held) > 0 {
		d.revokePins()
	}
}

// Opened says that the new file's first two pages are durable, so that its epoch is.
func (d *Driver) Opened() bool { return d.m.Opened() }

// Begin is the position at which the new file's first pages are durable: Stable not less than it means that this open
// counts everywhere.
func (d *Driver) Begin() Position {
	return Position{d.m.writer.opening.name.ID, datafile.HeadBlocks}
}

// Durable is the position up to which everything is on this disk.
func (d *Driver) Durable() Position { return d.m.Durable() }

// Stable is the lowest of Durable and what the members said. It may fall when a member enters.
func (d *Driver) Stable() Position { return d.m.Stable() }

// End is the end of the last sealed page.
func (d *Driver) End() Position { return d.m.End() }

// Wall is the time of the newest page, nanoseconds since 1970: it never falls along the log, whichever broker wrote it.
func (d *Driver) Wall() int64 { return d.m.writer.wall }

// Epoch under which the driver writes.
func (d *Driver) Epoch() uint32 { return d.m.writer.epoch }

// SetMembers says who counts in Stable beside this disk. Members that stay keep their position; new ones start at zero.
func (d *Driver) SetMembers(members []Member) { d.m.SetMembers(members); d.takeEffects() }

// MemberDurable records what a member says is durable on it. Unknown members are ignored; positions never fall.
func (d *Driver) MemberDurable(m Member, pos Position) { d.m.MemberDurable(m, pos); d.takeEffects() }

// SetPeerFree gives the free slots of the backup; admission uses the lower of both. Negative: no backup.
func (d *Driver) SetPeerFree(slots int) { d.m.SetPeerFree(slots) }

// WriteRole appends a role record; it may use the reserve.
func (d *Driver) WriteRole(role []byte) (Position, error) {
	if d.closed {
		return Position{}, ErrClosed
	}
	return d.m.AppendRole(role)
}

// Idle writes a MARK if the last page that carries records has nothing after it that says it was stable. Call it when
// the host has had nothing to append for a while, and before Close.
func (d *Driver) Idle(now Now) error {
	if d.closed {
		return ErrClosed
	}
	d.m.Mark()
	return d.Flush(now)
}

// Roll ends the current file; the next record starts a new one.
func (d *Driver) Roll() { d.m.EndFile() }

// Err is nil until a write failed or the journal met an error that it cannot go on from; then it stays.
func (d *Driver) Err() error { return d.m.Err() }

// OldestWrite is the age of the oldest write in flight; 0 if there is none.
func (d *Driver) OldestWrite(now Now) time.Duration {
	if len(d.sent) == 0 {
		return 0
	}
	return now.Mono - d.sent[0].at
}

// Pending is the number of bytes that are appended and not sealed yet. Beyond Options.BacklogMax Append is ErrBusy.
func (d *Driver) Pending() int { _, n := d.m.Pending(); return n }

// Quiet says that nothing waits to be sealed, nothing is in flight and no upkeep is due.
func (d *Driver) Quiet() bool { return d.m.Quiet() && !d.m.upkeepDue() }

// Files is the manifest, ascending by id; the last log file is open.
func (d *Driver) Files() []FileInfo { return d.m.l.manifest() }

// Epochs is the epoch table, oldest first.
func (d *Driver) Epochs() []EpochPoint { return slices.Clone(d.m.l.epochs) }

// Role is the newest role record appended.
func (d *Driver) Role() (RolePoint, bool) { return d.m.l.role, len(d.m.l.role.Role) > 0 }

// State is this broker's local state.
func (d *Driver) State() State { return d.state.state }

// Save writes the local state durably; it blocks.
func (d *Driver) Save(s State) error { return d.state.save(d.fs, d.dir, s) }

// Options are those of the journal, with geometry and defaults filled in.
func (d *Driver) Options() Options { return d.o }

// Stats are figures for people and metrics.
func (d *Driver) Stats() Stats { return d.m.Stats() }

// Close gives up the driver: files are closed and the lock is free. It does not wait: see Quiet. Buffers in flight stay
// pinned until Complete is told of them.
func (d *Driver) Close() error {
	if d.closed {
		return nil
	}
	d.closed = true
	d.m.Fail(ErrClosed)
	d.m.abandon()
	d.tap.end()
	err := d.closeSlots()
	if d.lock != nil {
		err = errors.Join(err, d.lock.Close())
	}
	return err
}

func (d *Driver) closeSlots() error {
	var err error
	for _, n := range slices.Sorted(maps.Keys(d.slots)) {
		if e := d.slots[n].Close(); err == nil && e != nil {
			err = fmt.Errorf("close %s: %w", d.slots[n].Name(), e)
		}
	}
	return err
}
