package journal

import (
	"fmt"
	"io"
	"path"
	"slices"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/datafile"
)

// Prepare makes what is missing of a journal: directory, state file, zero-filled slots. It changes nothing that exists,
// takes the lock meanwhile, and may be repeated after a crash. progress may be nil. instance is random and used if the
// state file is new. Errors: ErrLocked, ErrGeometry, ErrState, and those of the file system.
func Prepare(fs aio.FS, dir string, opts Options, instance Member, progress func(done, total int64)) (err error) {
	if err := fs.MkdirAll(dir); err != nil {
		return err
	}
	lock, err := fs.Lock(path.Join(dir, LockName))
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	defer func() {
		if e := lock.Close(); err == nil {
			err = e
		}
	}()
	names, err := fs.List(dir)
	if err != nil {
		return err
	}
	slots, err := datafile.ListSlots(fs, dir)
	if err != nil {
		return err
	}
	// The state file comes first: slots without it are a journal that lost its identity.
	if !slices.Contains(names, StateName) {
		if len(slots) > 0 {
			return fmt.Errorf("%w: %s is missing, though there are %d slots", ErrState, path.Join(dir, StateName), len(slots))
		}
		if err := fs.Create(path.Join(dir, StateName), 2*stateBlockSize, nil); err != nil {
			return err
		}
	}
	st, blank, err := readState(fs, dir)
	if err != nil {
		return err
	}
	if blank {
		if len(slots) > 0 {
			return fmt.Errorf("%w: %s is empty, though there are %d slots", ErrState, path.Join(dir, StateName), len(slots))
		}
		o := opts.withDefaults(opts.Geometry)
		if err := o.Validate(); err != nil {
			return err
		}
		st.geometry = o.Geometry
		if err := st.save(fs, dir, State{Instance: instance}); err != nil {
			return err
		}
	}
	o, err := opts.forGeometry(st.geometry)
	if err != nil {
		return err
	}
	return makeSlots(fs, dir, o, slots, progress)
}

// forGeometry fills in defaults for an existing journal.
func (o Options) forGeometry(g datafile.Geometry) (Options, error) {
	if o.Geometry != (datafile.Geometry{}) && o.Geometry != g {
		return o, fmt.Errorf("%w: blocks of %d and slots of %d bytes, %d and %d are asked for", ErrGeometry,
			g.BlockSize(), g.SlotSize(), o.Geometry.BlockSize(), o.Geometry.SlotSize())
	}
	o = o.withDefaults(g)
	return o, o.Validate()
}

func makeSlots(fs aio.FS, dir string, o Options, have []int, progress func(done, total int64)) error {
	total := int64(max(0, o.Slots-len(have))) * o.Geometry.SlotSize()
	base := int64(0)
	for n, missing := 0, o.Slots-len(have); missing > 0; n++ {
		if slices.Contains(have, n) {
			continue
		}
		var report func(int64)
		if progress != nil {
			report = func(done int64) { progress(base+done, total) }
		}
		if err := datafile.CreateSlot(fs, dir, n, o.Geometry, report); err != nil {
			return fmt.Errorf("slot %d of %d: %w", n, o.Slots, err)
		}
		base += o.Geometry.SlotSize()
		missing--
	}
	return nil
}

// closers close in reverse order.
type closers []io.Closer

func (c closers) Close() error {
	var err error
	for i := len(c) - 1; i >= 0; i-- {
		if e := c[i].Close(); err == nil {
			err = e
		}
	}
	return err
}
