package journal

import (
	"sync/atomic"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/datafile"
)

// Sealed is one write: a run of consecutive pages of one file.
type Sealed struct {
	File   datafile.Name
	Block  uint32   // where it starts
	Data   []byte   // whole pages
	End    Position // end of the last page
	Stable Position // as its pages carry it

	buf  *aio.Buffer
	kept *atomic.Int64 // bytes that all retained writes pin
}

// Retain keeps Data valid until Release.
func (s *Sealed) Retain() {
	s.buf.Retain()
	s.kept.Add(int64(len(s.buf.Bytes())))
}

// Release undoes one Retain. It may be called from any goroutine.
func (s *Sealed) Release() {
	s.kept.Add(-int64(len(s.buf.Bytes())))
	s.buf.Release()
}

// tap gives sealed writes to a follower.
type tap struct {
	fn   func(*Sealed)
	lost func()
	max  int64
	kept *atomic.Int64
}

func (t *tap) give(w *Write) {
	if t.fn == nil {
		return
	}
	if t.kept.Load() > t.max {
		lost := t.lost
		t.end()
		if lost != nil {
			lost()
		}
		return
	}
	t.fn(&Sealed{File: w.File, Block: w.Block, Data: w.Data, End: w.End, Stable: w.Stable, buf: w.Buffer, kept: t.kept})
}

func (t *tap) end() { *t = tap{} }

// Tap gives each sealed write, in order, to fn, beginning with the next one sealed after the open counts: its bytes are
// those that go to the disk. fn must Retain what it keeps. When retained buffers exceed max bytes, the tap ends: lost is
// called once, and the host catches up by ReadPages. One tap at a time; a nil fn ends it.
func (d *Driver) Tap(fn func(*Sealed), lost func(), max int64) {
	if fn == nil {
		d.tap.end()
		return
	}
	d.tap = tap{fn: fn, lost: lost, max: max, kept: new(atomic.Int64)}
}
