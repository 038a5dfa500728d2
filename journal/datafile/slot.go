package datafile

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/record"
)

// SlotsMax is how many slots one journal may have: their number has four digits.
const SlotsMax = 10000

// Geometry is fixed when a journal is created and the same for all its slots.
type Geometry struct {
	BlockShift uint8  // block size is 1<<BlockShift
	Capacity   uint32 // blocks of a slot
}

// BlockSize in bytes.
func (g Geometry) BlockSize() int { return 1 << g.BlockShift }

// SlotSize in bytes.
func (g Geometry) SlotSize() int64 { return int64(g.Capacity) << g.BlockShift }

// Validate says what is wrong with a geometry.
func (g Geometry) Validate() error {
	switch {
	case g.BlockShift < record.BlockShiftMin || g.BlockShift > record.BlockShiftMax:
		return fmt.Errorf("block size %d is not a power of two from %d to %d", 1<<g.BlockShift, 1<<record.BlockShiftMin,
			1<<record.BlockShiftMax)
	case g.Capacity < 2*HeadBlocks+2 || g.SlotSize() > 1<<40:
		return fmt.Errorf("slot of %d blocks is too small or too large", g.Capacity)
	}
	return nil
}

// SlotName is the file name of slot n.
func SlotName(n int) string { return fmt.Sprintf("slot-%04d.dat", n) }

// ParseSlotName reads a slot's number from its file name.
func ParseSlotName(name string) (n int, ok bool) {
	digits, found := strings.CutPrefix(name, "slot-")
	digits, suffix := strings.CutSuffix(digits, ".dat")
	if !found || !suffix || len(digits) != 4 {
		return 0, false
	}
	v, err := strconv.ParseUint(digits, 10, 16)
	return int(v), err == nil
}

// ListSlots returns the numbers of the slots in dir, ascending.
func ListSlots(fs aio.FS, dir string) ([]int, error) {
	names, err := fs.List(dir)
	if err != nil {
		return nil, err
	}
	var slots []int
	for _, name := range names {
		if n, ok := ParseSlotName(path.Base(name)); ok {
			slots = append(slots, n)
		}
	}
	return slots, nil
}

// CreateSlot makes slot n, zero-filled and durable under its name. progress may be nil.
func CreateSlot(fs aio.FS, dir string, n int, g Geometry, progress func(done int64)) error {
	if n < 0 || n >= SlotsMax {
		return fmt.Errorf("slot number %d is out of range", n)
	}
	return fs.Create(path.Join(dir, SlotName(n)), g.SlotSize(), progress)
}

// OpenSlot opens slot n and checks its size.
func OpenSlot(fs aio.FS, dir string, n int, g Geometry, mode aio.Mode) (aio.File, error) {
	name := path.Join(dir, SlotName(n))
	f, err := fs.Open(name, mode)
	if err != nil {
		return nil, err
	}
	if f.Size() != g.SlotSize() {
		size := f.Size()
		_ = f.Close()
		return nil, fmt.Errorf("%s has %d bytes, a slot of this journal has %d: %w", name, size, g.SlotSize(), ErrSize)
	}
	return f, nil
}
