package journal

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/datafile"
)

// ActivateOptions are what an activation decides.
type ActivateOptions struct {
	Epoch  uint32     // not below that of the log
	Role   []byte     // role record for page 0 of the new file; nil: none (a journal without a pair)
	Engine aio.Engine // started by the host; its sink feeds Driver.Complete
	Pool   *aio.Pool  // of buffers of at least Options.WriteMax bytes
	Host   Host       // may be nil: no blob in checkpoints
	Salt   uint64     // random and secret: the salts of files are made from it
	Now    Now
}

func (i *Image) checkActivate(o *ActivateOptions) error {
	switch {
	case i.damage != nil:
		return i.damage
	case i.taken:
		return fmt.Errorf("%w: the image is in use", ErrClosed)
	case i.lock == nil || i.state == nil:
		return fmt.Errorf("%s is not prepared, or loaded read-only: it cannot be activated", i.dir)
	case o.Epoch < i.ledger.epoch:
		return fmt.Errorf("epoch %d is below the log's epoch %d", o.Epoch, i.ledger.epoch)
	case len(o.Role) > datafile.RoleSizeMax(i.o.Geometry.BlockShift):
		return fmt.Errorf("%w: role record of %d bytes, page 0 has room for %d", ErrTooLarge, len(o.Role),
			datafile.RoleSizeMax(i.o.Geometry.BlockShift))
	case o.Engine == nil || o.Pool == nil || o.Pool.Size() < i.o.WriteMax:
		return fmt.Errorf("activation needs an engine and a pool of buffers of at least %d bytes", i.o.WriteMax)
	case i.recovery.incarnationMax >= incarnationMax:
		return errIncarnations
	}
	return nil
}

// Activate starts a new file and returns the driver that writes it. First everything that was read is made durable; this
// blocks. Page 0 and COPY then go through the engine, each after the one before is durable: the driver takes records at
// once, but submits none and reports nothing durable before Opened. The loader given to Load is told of each unprepared
// transaction that the open rolls back. On an error the image is as it was.
func (i *Image) Activate(o ActivateOptions) (*Driver, error) {
	if err := i.checkActivate(&o); err != nil {
		return nil, err
	}
	d := &Driver{fs: i.fs, dir: i.dir, o: i.o, engine: o.Engine, pool: o.Pool, host: o.Host, state: i.state, slots: map[int]aio.File{}}
	if err := d.openSlots(&i.recovery); err != nil {
		return nil, errors.Join(err, d.closeSlots())
	}
	if i.state.state.Copying {
		next := i.state.state
		next.Copying = false
		if err := d.Save(next); err != nil {
			return nil, errors.Join(err, d.closeSlots())
		}
	}
	start, err := i.machineStart(&o)
	if err != nil {
		return nil, errors.Join(err, d.closeSlots())
	}
	if d.m, err = newMachine(i.o, o.Pool, start); err != nil {
		return nil, errors.Join(err, d.closeSlots())
	}
	d.lock, i.taken = i.lock, true
	if err := d.Flush(o.Now); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// openSlots opens every slot for writing and makes durable what recovery read from it: a killed process may have left
// pages that readers see and a power cut would take.
func (d *Driver) openSlots(r *recovery) error {
	for _, v := range r.views {
		f, err := datafile.OpenSlot(d.fs, d.dir, v.slot, d.o.Geometry, aio.ReadWrite)
		if err != nil {
			return err
		}
		d.slots[v.slot] = f
		if !v.head.Present {
			continue
		}
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// machineStart decides the new file: its link, its slot, its id and incarnation.
func (i *Image) machineStart(o *ActivateOptions) (machineStart, error) {
	r, l := &i.recovery, i.ledger
	var skipped []int
	link := datafile.Link{}
	if f := l.current; f != nil {
		link = datafile.Link{Name: f.name, End: f.end, TailHash: f.tail}
		for f != nil && !f.counts && f != l.files[0] || f != nil && !f.counts && f.pred.End == 0 {
			// Nothing in it counts: step over it, so that opens that crash do not eat the reserve.
			skipped = append(skipped, f.slot)
			link = f.pred
			f = l.stepOver(f)
		}
	}
	var free []int
	for _, v := range r.views {
		// A RETIRE that was read may name the file through which recovery found the log (the newest vouched one, and the
		// rolls behind it). It must stay until the new file is found without it.
		if r.fromTip(v) && !slices.Contains(skipped, v.slot) && l.find(v.head.Name) == nil {
			skipped = append(skipped, v.slot)
		}
		if !slices.Contains(skipped, v.slot) && !slices.ContainsFunc(l.files, func(f *file) bool { return f.slot == v.slot }) {
			free = append(free, v.slot)
		}
	}
	if len(free) == 0 {
		return machineStart{}, fmt.Errorf("%w: no slot is free for the file that an open begins", ErrFull)
	}
	slices.Sort(free)
	inc := r.incarnationMax + 1
	return machineStart{ledger: l, epoch: o.Epoch, incarnation: inc, file: r.fileMax + 1, secret: o.Salt,
		first:       datafile.First{Kind: datafile.Log, Opened: true, Pred: link, Role: slices.Clone(o.Role)},
		firstRecord: RecordID(uint64(inc)<<40 | 1), wall: max(i.wall, o.Now.Wall), slot: free[0], free: free[1:], freeOnOpen: skipped,
		rolledBack: i.rolledBack}, nil
}

// fromTip says that v is the tip or a roll behind it.
func (r *recovery) fromTip(v *view) bool {
	return r.tip != nil && r.onChain(v) && (v == r.tip || datafile.Newer(&v.head.Header, &r.tip.head.Header))
}

// stepOver takes the newest file out of the ledger and returns the one before it.
func (l *ledger) stepOver(f *file) *file {
	l.files = l.files[:len(l.files)-1]
	l.records -= int64(f.count)
	if n := len(l.epochs); n > 0 && l.epochs[n-1].File == f.name {
		l.epochs = l.epochs[:n-1]
	}
	if n := len(l.roles); n > 0 && l.roles[n-1].Position.File == f.name.ID {
		l.roles = l.roles[:n-1]
	}
	l.begun = datafile.Place{}
	l.current = nil
	if n := len(l.files); n > 0 {
		l.current = l.files[n-1]
	}
	return l.current
}
