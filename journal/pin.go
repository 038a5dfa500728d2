package journal

import (
	"fmt"
	"slices"

	"github.com/hindmq/hind/journal/datafile"
)

// pin keeps the slot of one file.
type pin struct {
	file    datafile.Name
	revoked func()
}

// Pin keeps a file's slot from being reused until unpin, or until the journal needs the slot: then revoked is called and
// the pin is gone. Slots that producers wait for go before followers that lag.
func (d *Driver) Pin(name datafile.Name, revoked func()) (unpin func(), err error) {
	if !slices.ContainsFunc(d.onDisk(), func(x *file) bool { return x.name == name }) {
		return nil, fmt.Errorf("%w: file %s", ErrRetired, name)
	}
	p := &pin{name, revoked}
	d.pins = append(d.pins, p)
	return func() {
		d.pins = slices.DeleteFunc(d.pins, func(q *pin) bool { return q == p })
		d.freeHeld()
	}, nil
}

func (d *Driver) pinned(file datafile.Name) bool {
	return slices.ContainsFunc(d.pins, func(p *pin) bool { return p.file == file })
}

// freeHeld frees the slots of retired files that nobody pins any more.
func (d *Driver) freeHeld() {
	d.held = slices.DeleteFunc(d.held, func(e Effect) bool {
		if d.pinned(e.File) {
			return false
		}
		d.m.FreeSlot(e.Slot)
		return true
	})
}

// revokePins ends the pins on retired files.
func (d *Driver) revokePins() {
	var revoked []*pin
	d.pins = slices.DeleteFunc(d.pins, func(p *pin) bool {
		if slices.ContainsFunc(d.held, func(e Effect) bool { return e.File == p.file }) {
			revoked = append(revoked, p)
			return true
		}
		return false
	})
	d.freeHeld()
	for _, p := range revoked {
		if p.revoked != nil {
			p.revoked()
		}
	}
}
