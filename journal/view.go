package journal

import (
	"errors"
	"fmt"
	"io"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// view reads one slot for recovery: pages at any block, through a window of the file that moves as needed. Small slots
// are read whole, once.
type view struct {
	f     aio.File
	slot  int
	g     datafile.Geometry
	buf   *[]byte // window; large slots share one
	owner **view  // whose bytes the shared window holds
	off   int64
	n     int
	head  datafile.Head
	walk  *walk // cached
	vouch int8  // cached: 0 unknown, 1 yes, -1 no
}

// Sizes of reads: slots up to viewWholeMax are read in one piece.
const (
	viewWholeMax   = 256 << 10
	viewWindowSize = 2 * record.GroupPageSizeMax
)

// bytes returns n bytes at off, less at the end of the slot. They are valid until the next call for any view.
func (v *view) bytes(off int64, n int) ([]byte, error) {
	size := v.g.SlotSize()
	if off >= size {
		return nil, nil
	}
	n = int(min(int64(n), size-off))
	if *v.owner == v && off >= v.off && off+int64(n) <= v.off+int64(v.n) {
		return (*v.buf)[off-v.off : off-v.off+int64(n)], nil
	}
	at, want := off, max(n, viewWindowSize)
	if size <= viewWholeMax {
		at, want = 0, int(size)
		if off+int64(n) <= datafile.HeadBlocks<<v.g.BlockShift {
			want = datafile.HeadBlocks << v.g.BlockShift // most slots are not read beyond it
		}
	}
	want = int(min(int64(want), size-at))
	if cap(*v.buf) < want {
		*v.buf = make([]byte, want)
	}
	b := (*v.buf)[:want]
	*v.owner = nil
	got, err := v.f.ReadAt(b, at)
	if err != nil && !(errors.Is(err, io.EOF) && got == want) {
		return nil, fmt.Errorf("read %s at %d: %w", v.f.Name(), at, err)
	}
	*v.owner, v.off, v.n, *v.buf = v, at, want, b
	return b[off-at : off-at+int64(n)], nil
}

// page returns the self-valid page that starts at block, whatever file it belongs to. ok is false if there is none.
func (v *view) page(block uint32) (p []byte, h record.Header, ok bool, err error) {
	bs := v.g.BlockSize()
	if block >= v.g.Capacity {
		return nil, h, false, nil
	}
	p, err = v.bytes(int64(block)<<v.g.BlockShift, bs)
	if err != nil {
		return nil, h, false, err
	}
	h, herr := record.ParseHeader(p)
	if herr != nil || h.Block != block || h.BlockShift != v.g.BlockShift || h.Blocks > v.g.Capacity-block {
		return nil, h, false, nil
	}
	if h.Blocks > 1 {
		if p, err = v.bytes(int64(block)<<v.g.BlockShift, h.Size()); err != nil {
			return nil, h, false, err
		}
	}
	if len(p) < h.Size() || record.Hash(p[:h.Size()]) != h.Hash {
		return nil, h, false, nil
	}
	return p[:h.Size()], h, true, nil
}

// own returns the page at block if it belongs to the slot's file.
func (v *view) own(block uint32) ([]byte, record.Header, bool, error) {
	p, h, ok, err := v.page(block)
	if ok && (h.Salt != v.head.Name.Salt || h.File != v.head.Name.ID) {
		ok = false
	}
	return p, h, ok, err
}

// step is one page of a walk.
type step struct {
	block, end uint32
	hash       uint64
	stable     Position
	controls   bool // it holds records of the journal itself
	h          record.Header
}

// walk is the chain of pages of one file, from page 0 as far as it holds.
type walk struct {
	steps []step
}

func (w *walk) end() uint32 { return w.steps[len(w.steps)-1].end }

// upTo is the number of steps whose last one ends at end with that hash; 0: there is none.
func (w *walk) upTo(end uint32, hash uint64) int {
	for i := range w.steps {
		if s := &w.steps[i]; s.end == end && s.hash == hash {
			return i + 1
		}
	}
	return 0
}

// chain walks the file: each page must be valid, in place, of this file, and name the hash of the one before.
func (v *view) chain() (*walk, error) {
	if v.walk != nil {
		return v.walk, nil
	}
	w := &walk{}
	for block, prev := uint32(0), v.head.First.Pred.TailHash; ; {
		p, h, ok, err := v.own(block)
		if err != nil {
			return nil, err
		}
		if !ok || h.PrevHash != prev || (h.Kind == record.PageFirst) != (block == 0) {
			break
		}
		w.steps = append(w.steps, step{block: block, end: h.End(), hash: h.Hash, h: h,
			stable: Position{h.StableFile, h.StableBlock}, controls: hasControls(p, &h)})
		block, prev = h.End(), h.Hash
	}
	v.walk = w
	return w, nil
}

// hasControls says that a page holds records of the journal's own, without checking records.
func hasControls(p []byte, h *record.Header) bool {
	if h.Records == 0 {
		return false
	}
	payload := record.Payload(p, h)
	for len(payload) > 0 {
		size, err := record.Frame(payload)
		if err != nil {
			return true // found again, and reported, when records are read
		}
		if kind := record.FrameKind(payload); Kind(kind) >= kindStart {
			return true
		}
		payload = payload[size:]
	}
	return false
}

// vouched says that a page of the file carries a stable in the file itself, at or beyond the end of page 0: then page 0
// was durable once.
func (v *view) vouched() (bool, error) {
	if v.vouch != 0 {
		return v.vouch > 0, nil
	}
	v.vouch = -1
	for block := uint32(0); block < v.g.Capacity; block++ {
		_, h, ok, err := v.own(block)
		if err != nil {
			v.vouch = 0
			return false, err
		}
		if ok && h.StableFile == v.head.Name.ID && h.StableBlock >= 1 {
			v.vouch = 1
			break
		}
	}
	return v.vouch > 0, nil
}

// damage makes an error that names a place in this slot.
func (v *view) damage(block uint32, label, held string) error {
	return &DamageError{Path: v.f.Name(), File: v.head.Name, Offset: int64(block) << v.g.BlockShift, Held: held, Label: label}
}
