package journal

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/datafile"
)

// Load reads the journal in dir, tells loader (which may be nil) what it holds, and writes nothing. A directory without
// a journal gives an empty image. With damage the image is returned beside the error: its manifest serves repair, it
// cannot be activated, and what loader was told is void. Errors: ErrLocked, ErrForeign, ErrVersion, ErrGeometry, ErrState,
// ErrDamaged, read errors, and what loader returns.
func Load(fs aio.FS, dir string, opts Options, loader Loader) (*Image, error) {
	i := &Image{fs: fs, dir: dir, loader: loader}
	err := i.load(opts)
	if err != nil && !errors.Is(err, ErrDamaged) {
		_ = i.Close()
		return nil, err
	}
	i.damage = err
	if closeErr := i.closeViews(); err == nil && closeErr != nil {
		_ = i.Close()
		return nil, closeErr
	}
	return i, err
}

func (i *Image) load(opts Options) error {
	names, err := i.fs.List(i.dir)
	if err != nil {
		return err
	}
	slots, err := datafile.ListSlots(i.fs, i.dir)
	if err != nil {
		return err
	}
	if !opts.ReadOnly && (len(slots) > 0 || slices.Contains(names, StateName)) {
		if i.lock, err = i.fs.Lock(path.Join(i.dir, LockName)); err != nil {
			return fmt.Errorf("%s: %w", i.dir, err)
		}
	}
	if err := i.loadState(opts, names, len(slots)); err != nil {
		return err
	}
	i.ledger = newLedger(i.o.Geometry)
	if err := i.openViews(slots); err != nil {
		return err
	}
	r := &i.recovery
	r.g = i.o.Geometry
	r.copying = i.state != nil && i.state.state.Copying
	if err := r.find(); err != nil {
		return err
	}
	if err := i.replay(); err != nil {
		return err
	}
	i.tip, i.tipHash = r.tipEnd()
	return nil
}

// loadState reads the local state, which also says how large blocks and slots are.
func (i *Image) loadState(opts Options, names []string, slots int) error {
	if !slices.Contains(names, StateName) {
		if slots > 0 {
			return fmt.Errorf("%w: %s is missing, though there are %d slots; restore it, or copy the journal with its state file",
				ErrState, path.Join(i.dir, StateName), slots)
		}
		i.o = opts.withDefaults(opts.Geometry)
		return i.o.Validate()
	}
	st, blank, err := readState(i.fs, i.dir)
	if err != nil {
		return err
	}
	if blank {
		if slots > 0 {
			return fmt.Errorf("%w: %s is empty, though there are %d slots", ErrState, path.Join(i.dir, StateName), slots)
		}
		i.o = opts.withDefaults(opts.Geometry)
		return i.o.Validate()
	}
	i.state = &st
	i.o, err = opts.forGeometry(st.geometry)
	return err
}

// openViews opens all slots and reads their first pages.
func (i *Image) openViews(slots []int) error {
	shared, sharedOwner := new([]byte), new(*view)
	for _, n := range slots {
		f, err := datafile.OpenSlot(i.fs, i.dir, n, i.o.Geometry, aio.ReadOnly)
		if err != nil {
			return err
		}
		i.open = append(i.open, f)
		v := &view{f: f, slot: n, g: i.o.Geometry, buf: shared, owner: sharedOwner}
		if i.o.Geometry.SlotSize() <= viewWholeMax {
			v.buf, v.owner = new([]byte), new(*view)
		}
		b, err := v.bytes(0, datafile.HeadBlocks*i.o.Geometry.BlockSize())
		if err != nil {
			return err
		}
		if v.head, err = datafile.ReadHead(b, i.o.Geometry.BlockShift); err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
		v.head.First.Role = slices.Clone(v.head.First.Role)
		i.recovery.views = append(i.recovery.views, v)
	}
	return nil
}

func (i *Image) closeViews() error {
	err := closers(i.open).Close()
	i.open = nil
	for _, v := range i.recovery.views {
		v.f, v.buf, v.owner, v.walk = nil, nil, nil, nil
	}
	return err
}

// Image is a loaded journal. It is read only; Activate or Follow makes it somebody's. It holds the directory's lock until
// Close, or until the Driver or Follower that came out of it is closed.
type Image struct {
	fs       aio.FS
	dir      string
	o        Options
	lock     io.Closer
	state    *stateFile
	loader   Loader
	open     []io.Closer
	recovery recovery
	ledger   *ledger
	tip      Position
	tipHash  uint64
	wall     int64 // of the last page
	damage   error
	taken    bool // by Activate or Follow
}

// Empty says that the log holds nothing: no open ever counted.
func (i *Image) Empty() bool { return i.ledger.current == nil }

// Prepared says that the state file exists: the directory has an identity.
func (i *Image) Prepared() bool { return i.state != nil }

// Damage is the damage that Load met, or nil.
func (i *Image) Damage() error { return i.damage }

// Options are those of the load, with the journal's geometry and defaults filled in.
func (i *Image) Options() Options { return i.o }

// Tip is the end of the log.
func (i *Image) Tip() Position { return i.tip }

// TipHash is the hash of the log's last page.
func (i *Image) TipHash() uint64 { return i.tipHash }

// Epoch is the epoch of the log's last page; 0 if empty.
func (i *Image) Epoch() uint32 { return i.ledger.epoch }

// Next is the id that would follow the last record of the log. The next open begins a new incarnation instead.
func (i *Image) Next() RecordID { return i.ledger.next }

// Role is the newest role record.
func (i *Image) Role() (RolePoint, bool) { return i.ledger.role, len(i.ledger.role.Role) > 0 }

// Roles are the role records that the loaded part of the log holds, oldest first; the first may stem from the checkpoint.
func (i *Image) Roles() []RolePoint { return slices.Clone(i.ledger.roles) }

// Epochs is the epoch table, oldest first.
func (i *Image) Epochs() []EpochPoint { return slices.Clone(i.ledger.epochs) }

// Files is the manifest, ascending by id. The last log file ends at Tip.
func (i *Image) Files() []FileInfo { return i.ledger.manifest() }

// Torn reports what was cut.
func (i *Image) Torn() TornReport { return i.recovery.torn }

// State is this broker's local state; nil if the directory is not prepared.
func (i *Image) State() *State {
	if i.state == nil {
		return nil
	}
	s := i.state.state
	return &s
}

// Save writes the local state durably; it blocks.
func (i *Image) Save(s State) error {
	if i.state == nil {
		return fmt.Errorf("%w: %s is not prepared", ErrState, i.dir)
	}
	return i.state.save(i.fs, i.dir, s)
}

// Close gives up the image and its lock.
func (i *Image) Close() error {
	err := i.closeViews()
	if i.lock != nil && !i.taken {
		err = errors.Join(err, i.lock.Close())
		i.lock = nil
	}
	return err
}
