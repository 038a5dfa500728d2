package journal

import (
	"errors"

	"github.com/hindmq/hind/aio"
)

// Pool gives aligned buffers for direct I/O and takes them back.
type Pool interface {
	Get(size int) ([]byte, error) // at least size bytes, aligned; the content is undefined
	Put([]byte)
}

// Image is a loaded journal. It is read only; Activate or Follow makes it somebody's. It holds the directory's lock until
// Close, or until the Driver or Follower that came out of it is closed.
type Image struct {
}

// ActivateOptions are what an activation decides.
type ActivateOptions struct {
	Epoch  uint32 // at least that of the log
	Role   []byte // role record for page 0 of the new file; nil: none (a journal without a pair)
	Engine aio.Engine
	Pool   Pool
	Host   Host
	Salt   uint64 // random, never used before
	Now    Now
}

var errUnfinished = errors.New("journal: not built yet")

// Load reads the journal in dir, tells loader what it holds, and writes nothing. Errors: ErrLocked, ErrForeign,
// ErrVersion, ErrGeometry, ErrState, ErrDamaged (then the image is returned too: its manifest serves repair), and what
// loader returns. A directory without journal gives an empty image.
func Load(fs aio.FS, dir string, opts Options, loader Loader) (*Image, error) { return nil, errUnfinished }

// Prepare makes what is missing of a journal: directory, state file, zero-filled slots. It changes nothing that exists
// and may be repeated after a crash. progress may be nil. instance is random, used if the state file is new.
func Prepare(fs aio.FS, dir string, opts Options, instance Member, progress func(done, total int64)) error {
	return errUnfinished
}

// Empty says that the log holds nothing: no file was ever opened.
func (i *Image) Empty() bool { return false }

// Tip is the end of the log.
func (i *Image) Tip() Position { return Position{} }

// Epoch is the epoch of the log's last page; 0 if empty.
func (i *Image) Epoch() uint32 { return 0 }

// Role is the newest role record.
func (i *Image) Role() (RolePoint, bool) { return RolePoint{}, false }

// Roles are the role records that the loaded part of the log holds, oldest first; the first may stem from the checkpoint.
func (i *Image) Roles() []RolePoint { return nil }

// Epochs is the epoch table, oldest first.
func (i *Image) Epochs() []EpochPoint { return nil }

// Files is the manifest, ascending by id.
func (i *Image) Files() []FileInfo { return nil }

// Torn reports what was cut.
func (i *Image) Torn() TornReport { return TornReport{} }

// State is this broker's local state; nil if the directory is empty.
func (i *Image) State() *State { return nil }

// Activate starts a new file and returns the driver that writes it. First everything that was read is made durable; this
// blocks. Page 0 and COPY then go through the engine: the driver takes records at once, submits none and reports nothing
// durable before Opened. The loader given to Load is told of each unprepared transaction that the open rolls back.
func (i *Image) Activate(o ActivateOptions) (*Driver, error) { return nil, errUnfinished }

// Close gives up the image and its lock.
func (i *Image) Close() error { return nil }
