package journal

import (
	"fmt"
	"time"

	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// Now is one reading of the host's clocks. The journal has none of its own.
type Now struct {
	Mono time.Duration // never goes back; for ages
	Wall int64         // nanoseconds since 1970; written into pages, where it never falls
}

// Options of a journal. Defaults gives every field a value; zero fields take the default.
type Options struct {
	Geometry datafile.Geometry // must be that of an existing journal, or zero to take it as it is
	Slots    int               // slots of this disk; more are created, none is removed
	Reserve  int               // free slots that producers may not take, so that consumers can always drain the journal
	Node     [16]byte          // node id of the pair, copied into each file

	Window     uint32 // W: blocks of pages that may be in flight
	Depth      int    // writes in flight
	PageMax    int    // bytes of a page, unless one group of records is larger
	WriteMax   int    // bytes of one write, and of the largest page
	BacklogMax int    // bytes of pages that wait to be submitted; beyond it Append returns ErrBusy
	BlobMax    int    // bytes of the host's part of a checkpoint

	// ReadOnly loads without the lock, beside a process that may be writing; the image cannot be activated.
	ReadOnly bool
}

// Default values.
const (
	BlockShiftDefault = 12
	SlotSizeDefault   = 64 << 20
	SlotsDefault      = 16
	ReserveDefault    = 6
	WindowSizeDefault = 8 << 20 // bytes
	DepthDefault      = 4
	BacklogMaxDefault = 8 << 20
)

// Defaults are the options of a journal of the given geometry; the zero Geometry means 4 KiB blocks and 64 MiB slots.
func Defaults(g datafile.Geometry) Options {
	o := Options{Geometry: g}
	return o.withDefaults(g)
}

func (o Options) withDefaults(g datafile.Geometry) Options {
	if g == (datafile.Geometry{}) {
		g = datafile.Geometry{BlockShift: BlockShiftDefault, Capacity: SlotSizeDefault >> BlockShiftDefault}
	}
	o.Geometry = g
	slot := int(g.SlotSize())
	set := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	set(&o.Slots, SlotsDefault)
	set(&o.Reserve, min(ReserveDefault, max(1, o.Slots-2)))
	set(&o.WriteMax, floorBlocks(min(record.GroupPageSizeMax, slot/4), g))
	set(&o.PageMax, min(record.PageSizeMax, o.WriteMax))
	set(&o.Depth, DepthDefault)
	set(&o.BacklogMax, max(BacklogMaxDefault, 2*o.WriteMax))
	set(&o.BlobMax, slot/8)
	if o.Window == 0 {
		o.Window = uint32(max(WindowSizeDefault>>g.BlockShift, 2*(o.WriteMax>>g.BlockShift)+2*datafile.HeadBlocks))
	}
	return o
}

func floorBlocks(n int, g datafile.Geometry) int { return max(n&^(g.BlockSize()-1), g.BlockSize()) }

// Validate says what is wrong with options whose defaults are filled in.
func (o Options) Validate() error {
	g := o.Geometry
	if err := g.Validate(); err != nil {
		return err
	}
	body := int(g.SlotSize()) - (datafile.HeadBlocks+1)*g.BlockSize()
	switch {
	case o.Slots < 2 || o.Slots > datafile.SlotsMax:
		return fmt.Errorf("journal of %d slots: 2 to %d are possible", o.Slots, datafile.SlotsMax)
	case o.Reserve < 1 || o.Reserve >= o.Slots:
		return fmt.Errorf("reserve of %d slots does not fit %d slots", o.Reserve, o.Slots)
	case o.WriteMax%g.BlockSize() != 0 || o.WriteMax > record.GroupPageSizeMax || o.WriteMax > body:
		return fmt.Errorf("write of %d bytes: whole blocks, at most %d and a slot's %d are possible", o.WriteMax, record.GroupPageSizeMax, body)
	case o.PageMax%g.BlockSize() != 0 || o.PageMax > o.WriteMax || o.PageMax > record.PageSizeMax || o.PageMax < g.BlockSize():
		return fmt.Errorf("page of %d bytes: whole blocks up to %d are possible", o.PageMax, min(o.WriteMax, record.PageSizeMax))
	case int64(o.Window) < int64(o.WriteMax>>g.BlockShift+datafile.HeadBlocks):
		return fmt.Errorf("window of %d blocks is smaller than one write", o.Window)
	case o.Depth < 1 || o.Depth > 64:
		return fmt.Errorf("depth %d: 1 to 64 are possible", o.Depth)
	case o.BacklogMax < o.WriteMax:
		return fmt.Errorf("backlog of %d bytes is smaller than one write", o.BacklogMax)
	}
	return nil
}
