package journal

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// Activate makes this broker the one that writes. It must be Quiet. What was received and is not on the disk is forgotten;
// everything that is gets applied, whether it was declared safe or not; then a new file begins as in Image.Activate. On an
// error the follower can only be closed.
func (f *Follower) Activate(o ActivateOptions) (*Driver, error) {
	if f.err != nil {
		return nil, f.err
	}
	if !f.Quiet() {
		return nil, fmt.Errorf("%w: an activation while pages are being written", ErrBusy)
	}
	f.Rewind()
	var err error
	if f.rebuild.on {
		err = f.reload()
	} else {
		err = f.applyTo(f.out.durable)
	}
	if f.fail(err) != nil {
		return nil, f.err
	}
	i := f.image
	if at := f.apply.at; at != f.in.tip {
		return nil, f.fail(fmt.Errorf("%w: the log ends at %s, applied is %s", ErrDamaged, f.in.tip, at))
	}
	i.tip, i.tipHash, i.recovery, i.taken = f.in.tip, f.in.hash, f.recovery(), false
	i.ledger.onRetire = nil
	d, err := i.Activate(o)
	if err != nil {
		return nil, f.fail(err)
	}
	f.closed = true
	_ = f.fail(ErrClosed)
	if err := f.closeSlots(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// recovery is what a load would have found about the slots, as far as an activation asks.
func (f *Follower) recovery() recovery {
	r := recovery{g: f.o.Geometry, fileMax: f.disk.fileMax, incarnationMax: f.disk.incarnationMax}
	heads := map[int]datafile.Head{}
	present := func(x *followed) {
		heads[x.slot] = datafile.Head{Present: true, Name: x.name,
			Header: record.Header{File: x.name.ID, Salt: x.name.Salt, Epoch: x.epoch, Incarnation: x.incarnation}}
	}
	for _, x := range f.files {
		present(x)
	}
	for _, r := range f.disk.retiring { // one of them may be the file through which the log is found
		present(r.file)
	}
	slots := make([]int, 0, len(f.disk.slots))
	for n := range f.disk.slots {
		slots = append(slots, n)
	}
	slices.Sort(slots)
	for _, n := range slots {
		v := &view{slot: n, g: f.o.Geometry, head: heads[n]}
		r.views = append(r.views, v)
		if v.head.Present && v.head.Name.ID >= f.disk.vouched {
			r.log = append(r.log, v)
			if r.tip == nil || v.head.Name.ID < r.tip.head.Name.ID {
				r.tip = v // the vouched file; if it is not known which one is, all retired ones wait
			}
		}
	}
	return r
}
