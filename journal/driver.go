package journal

import (
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
}

// Append adds records, all of them in one page, so that a crash keeps all or none. It returns the id of the first (the
// others follow it) and the position at which they count as durable: once Durable (or Stable) is not less than it. The
// position is in the page, at or before its end; it is for comparing, not for cutting. Meta and Body are copied. Adds and
// updates are producer class (ErrFull while only the reserve is free), deletes, decisions and events are admitted as long as
// the journal can drain. Errors: ErrFull, ErrBusy, ErrTooLarge, ErrRecord: nothing changed; ErrFailed, ErrClosed.
func (d *Driver) Append(recs ...Record) (RecordID, Position, error) { return 0, Position{}, errUnfinished }

// Flush does what is due (checkpoints, retiring), seals and submits as much as depth and window allow. Call it at the end
// of each step. The error is Err.
func (d *Driver) Flush(now Now) error { return errUnfinished }

// Complete takes the completions that the engine's sink was given; those of others are ignored.
func (d *Driver) Complete(cs []aio.Completion) {}

// Opened says that the new file's first two pages are durable, so that its epoch is.
func (d *Driver) Opened() bool { return false }

// Begin is the position at which the new file's first pages are durable: Stable beyond it means that this open counts.
func (d *Driver) Begin() Position { return Position{} }

// Durable is the position up to which everything is on this disk.
func (d *Driver) Durable() Position { return Position{} }

// Stable is the lowest of Durable and what the members said. It may fall when a member enters.
func (d *Driver) Stable() Position { return Position{} }

// End is the end of the last sealed page.
func (d *Driver) End() Position { return Position{} }

// SetMembers says who counts in Stable beside this disk. Members that stay keep their position; new ones start at zero.
func (d *Driver) SetMembers(members []Member) {}

// MemberDurable records what a member says is durable on it. Unknown members are ignored; positions never fall.
func (d *Driver) MemberDurable(m Member, pos Position) {}

// SetPeerFree gives the free slots of the backup; admission uses the lower of both. Negative: no backup.
func (d *Driver) SetPeerFree(slots int) {}

// WriteRole appends a role record; it may use the reserve.
func (d *Driver) WriteRole(role []byte) (Position, error) { return Position{}, errUnfinished }

// Idle writes a MARK if the last page that carries records has nothing after it that says it was stable. Call it when
// the host has had nothing to append for a while.
func (d *Driver) Idle(now Now) error { return errUnfinished }

// Roll ends the current file; the next record starts a new one.
func (d *Driver) Roll() error { return errUnfinished }

// Err is nil until a write failed or the journal met an error that it cannot go on from; then it stays.
func (d *Driver) Err() error { return nil }

// OldestWrite is the age of the oldest write in flight; 0 if there is none.
func (d *Driver) OldestWrite(now Now) time.Duration { return 0 }

// Pending is the number of bytes that are appended and not yet durable.
func (d *Driver) Pending() int64 { return 0 }

// Quiet says that nothing waits to be sealed and nothing is in flight.
func (d *Driver) Quiet() bool { return true }

// Tap gives each sealed write, in order, to fn, beginning with the next one sealed: its bytes are those that go to the
// disk. fn must Retain what it keeps. When retained bytes exceed max, the tap ends: lost is called once, and the host
// catches up by ReadPages. One tap at a time; nil ends it.
func (d *Driver) Tap(fn func(*Sealed), lost func(), max int64) {}

// Read returns a live or dead record that is still on disk (or in flight) by id; it blocks. Meta and Body are the
// caller's. Errors: ErrNotFound, ErrDamaged.
func (d *Driver) Read(id RecordID) (Record, error) { return Record{}, errUnfinished }

// ReadPages returns a reader of the log's pages from a position that is the end of a page (the zero position: from the
// oldest retained file), up to what is durable. Error: ErrRetired.
func (d *Driver) ReadPages(from Position) (*PageReader, error) { return nil, errUnfinished }

// Pin keeps a file's slot from being reused until Unpin, or until the journal needs it: then revoked is called.
func (d *Driver) Pin(file datafile.Name, revoked func()) (unpin func(), err error) { return nil, errUnfinished }

// Files is the manifest, ascending by id; the last log file is open.
func (d *Driver) Files() []FileInfo { return nil }

// Epochs is the epoch table, oldest first.
func (d *Driver) Epochs() []EpochPoint { return nil }

// Role is the newest role record appended.
func (d *Driver) Role() (RolePoint, bool) { return RolePoint{}, false }

// State and Save: this broker's local state.
func (d *Driver) State() State { return State{} }

// Save writes the local state durably; it blocks.
func (d *Driver) Save(s State) error { return errUnfinished }

// Stats are figures for people and metrics.
func (d *Driver) Stats() Stats { return Stats{} }

// Close gives up the driver: files are closed and the lock is free. It does not wait: see Quiet. Buffers in flight stay
// pinned until the engine gives them back.
func (d *Driver) Close() error { return nil }

// Sealed is one write: a run of consecutive pages of one file.
type Sealed struct {
	File   datafile.Name
	Block  uint32   // where it starts
	Data   []byte   // whole pages
	End    Position // end of the last page
	Stable Position // as its pages carry it
}

// Retain keeps Data valid until Release.
func (s *Sealed) Retain() {}

// Release undoes one Retain. It may be called from any goroutine.
func (s *Sealed) Release() {}

// PageReader reads pages of the log in order.
type PageReader struct {
}

// Next returns whole consecutive pages of one file, at most max bytes unless one page is larger; Data is valid until the
// next call. ok is false at the end of what is durable: call again later.
func (r *PageReader) Next(max int) (s Sealed, ok bool, err error) { return Sealed{}, false, errUnfinished }

// Close releases what the reader pinned.
func (r *PageReader) Close() {}

// Stats of a journal.
type Stats struct {
	Slots, Free, Reserve int   // of this disk
	Files                int   // log and bulk
	Records, Live        int64 // in retained files
	Appended             int64 // records since the open
	Writes, Pages        int64 // since the open
	BytesPayload         int64 // record bytes since the open
	BytesWritten         int64 // with headers and padding
	Checkpoints, Retired int64
	InFlight, Backlog    int // writes, bytes
	Undecided            int // transactions
	UpkeepDue            bool
}
