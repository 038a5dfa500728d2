package journal

import (
	"bytes"
	"fmt"

	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// Run is a run of whole consecutive pages of one file, as another broker has it.
type Run struct {
	File  datafile.Name
	Kind  datafile.Kind
	Block uint32 // where it starts
	Live  bool   // it follows what was sent before without a gap
	Data  []byte
}

// inbound is what was received.
type inbound struct {
	tip         Position // end of the last page
	hash        uint64   // of that page
	next        RecordID // that should follow
	epoch       uint32
	incarnation uint32
	queue       []*run // not submitted, in order
	bytes       int    // in queue and in flight
}

// run is a piece of what was received that fits one write.
type run struct {
	file    *followed
	block   uint32
	data    []byte // nil: dropped, it is on the disk
	size    int
	end     Position
	hash    uint64
	after   tipState // as the last page leaves it
	applied int      // bytes that were applied
	vouches bool     // a page of it carries a stable in the file itself
}

// tipState is what the next page is checked against.
type tipState struct {
	next        RecordID
	epoch       uint32
	incarnation uint32
}

// intake checks a run page by page. Nothing of the follower changes before all of it is found good.
type intake struct {
	f       *Follower
	run     *Run
	file    *followed
	fresh   bool // file begins here
	gap     bool // files between the tip and this one are missing, because they retired
	tip     Position
	hash    uint64
	state   tipState
	pieces  []*run
	roles   []pendingRole
	retires []pendingRetire
}

// refuse names what was sent and why it is not taken.
func (t *intake) refuse(block uint32, format string, args ...any) error {
	return fmt.Errorf("%w: page at block %d of file %s: %s; the log ends at %s; the other broker's disk or the link is to be checked",
		ErrDamaged, block, t.run.File, fmt.Sprintf(format, args...), t.f.in.tip)
}

// Receive takes pages. They must be whole, valid, of one file, and continue what was received before: in the same file, or
// with the first page of a new one. Data is copied. On an error nothing changed; it names the file and the block.
func (f *Follower) Receive(r Run) error {
	if f.err != nil {
		return f.err
	}
	if f.in.bytes+len(r.Data) > FollowedMax {
		return fmt.Errorf("%w: %d bytes of pages wait to be written, %d more came for file %s, block %d", ErrBusy, f.in.bytes, len(r.Data), r.File, r.Block)
	}
	t := intake{f: f, run: &r, tip: f.in.tip, hash: f.in.hash, state: tipState{f.in.next, f.in.epoch, f.in.incarnation}}
	if err := t.place(); err != nil {
		return err
	}
	data := bytes.Clone(r.Data)
	for block := r.Block; len(data) > 0; {
		h, err := record.OpenPage(data)
		if err != nil {
			return t.refuse(block, "%v", err)
		}
		if err := t.page(data[:h.Size():h.Size()], &h, block); err != nil {
			return err
		}
		t.add(data[:h.Size()], &h)
		data, block = data[h.Size():], h.End()
	}
	return f.take(&t)
}

// place finds the file that the run continues or begins.
func (t *intake) place() error {
	f, r := t.f, t.run
	if r.Kind != datafile.Log || len(r.Data) == 0 {
		return t.refuse(r.Block, "%d bytes of a %s file, where pages of the log should come", len(r.Data), r.Kind)
	}
	if r.Block != 0 {
		if f.in.tip.File != r.File.ID || len(f.files) == 0 || f.files[len(f.files)-1].name != r.File || f.in.tip.Block != r.Block {
			return t.refuse(r.Block, "it does not follow the last page")
		}
		t.file = f.files[len(f.files)-1]
		return nil
	}
	if r.File.ID <= f.in.tip.File {
		return t.refuse(0, "the file is not newer than the last one")
	}
	t.fresh = true
	t.file = &followed{name: r.File, slot: -1, window: f.o.Window}
	return nil
}

// page checks one page against the one before it.
func (t *intake) page(p []byte, h *record.Header, block uint32) error {
	g := t.f.o.Geometry
	switch {
	case h.File != t.run.File.ID || h.Salt != t.run.File.Salt:
		return t.refuse(block, "it is a page of file %d/%016x", h.File, h.Salt)
	case h.Block != block || h.BlockShift != g.BlockShift:
		return t.refuse(block, "it says block %d of %d bytes", h.Block, 1<<h.BlockShift)
	case h.Blocks > g.Capacity || h.Block > g.Capacity-h.Blocks:
		return t.refuse(block, "it ends at block %d of a slot of %d", h.End(), g.Capacity)
	case h.Size() > t.f.o.WriteMax:
		return t.refuse(block, "it is %d bytes long, this broker writes at most %d at once", h.Size(), t.f.o.WriteMax)
	case h.Epoch < t.state.epoch:
		return t.refuse(block, "its epoch %d is below %d", h.Epoch, t.state.epoch)
	case (h.Kind == record.PageFirst) != (block == 0) || (h.Kind == record.PageCopy) != (block == 1):
		return t.refuse(block, "it is of kind %s", h.Kind)
	case h.Kind != record.PageData && h.Records > 0 || h.Kind == record.PageMark && h.Bytes > 0:
		return t.refuse(block, "it is of kind %s and holds %d records", h.Kind, h.Records)
	}
	if block == 0 {
		if err := t.first(p, h); err != nil {
			return err
		}
	} else if h.PrevHash != t.hash {
		return t.refuse(block, "it does not name the hash of the page before")
	} else if h.Epoch != t.state.epoch || h.Incarnation != t.state.incarnation {
		return t.refuse(block, "epoch %d and incarnation %d change within a file", h.Epoch, h.Incarnation)
	}
	if RecordID(h.FirstRecord) != t.state.next {
		return t.refuse(block, "record %s where %s should follow", RecordID(h.FirstRecord), t.state.next)
	}
	if h.Kind == record.PageCopy {
		first, err := datafile.ParseFirst(record.Payload(p, h))
		if err != nil || first.Kind != datafile.Log || first.Pred != t.file.pred {
			return t.refuse(block, "it does not repeat page 0")
		}
	}
	return t.records(p, h)
}

// first checks page 0 of a new file: it names where the log goes on from.
func (t *intake) first(p []byte, h *record.Header) error {
	f := t.f
	first, err := datafile.ParseFirst(record.Payload(p, h))
	if err != nil {
		return t.refuse(0, "%v", err)
	}
	g := f.o.Geometry
	if first.Kind != datafile.Log || first.Capacity != g.Capacity {
		return t.refuse(0, "a %s file of %d blocks, slots here have %d", first.Kind, first.Capacity, g.Capacity)
	}
	if h.PrevHash != first.Pred.TailHash {
		return t.refuse(0, "it does not name the hash of the page before")
	}
	last := f.lastLink()
	switch {
	case first.Pred == last:
	case f.in.tip == Position{} && f.image.state.state.Copying: // a whole copy begins with the oldest file that is kept
		t.gap = first.Pred.End != 0
	case !t.run.Live && first.Pred.ID > last.ID && first.Pred.ID < t.run.File.ID && f.image.state.state.Copying:
		t.gap = true // files between were retired before they could be copied: the checkpoint holds what they said
	default:
		return t.refuse(0, "it continues %s:%d (%016x), the log ends at %s:%d (%016x)", first.Pred.Name, first.Pred.End, first.Pred.TailHash,
			last.Name, last.End, last.TailHash)
	}
	opened := h.Incarnation > t.state.incarnation
	switch {
	case h.Incarnation < t.state.incarnation || h.Epoch > t.state.epoch && !opened && t.state.epoch > 0:
		return t.refuse(0, "incarnation %d of epoch %d follows %d of %d", h.Incarnation, h.Epoch, t.state.incarnation, t.state.epoch)
	case opened || t.gap || f.in.tip == Position{}:
		if RecordID(h.FirstRecord).Incarnation() != h.Incarnation || RecordID(h.FirstRecord) < t.state.next {
			return t.refuse(0, "record %s begins incarnation %d", RecordID(h.FirstRecord), h.Incarnation)
		}
		t.state.next = RecordID(h.FirstRecord)
	}
	t.state.epoch, t.state.incarnation = h.Epoch, h.Incarnation
	x := t.file
	x.epoch, x.incarnation, x.first, x.pred = h.Epoch, h.Incarnation, RecordID(h.FirstRecord), first.Pred
	if first.Window > 0 {
		x.window = min(x.window, first.Window)
	}
	if len(first.Role) > 0 {
		t.role(h, Position{h.File, 1}, first.Role)
	}
	return nil
}

// lastLink is how the next file should name the end of the log.
func (f *Follower) lastLink() datafile.Link {
	if len(f.files) == 0 {
		return datafile.Link{}
	}
	x := f.files[len(f.files)-1]
	return datafile.Link{Name: x.name, End: x.end, TailHash: x.tail}
}

// records checks each record and notes what the follower must know before it applies them.
func (t *intake) records(p []byte, h *record.Header) error {
	if h.Records == 0 {
		return nil
	}
	end := Position{h.File, h.End()}
	err := record.Walk(p, h, func(_ uint64, _ int, r *record.Record) error {
		switch Kind(r.Kind) {
		case KindRole:
			t.role(h, Position{h.File, h.Block + 1}, r.Body)
		case kindRetire:
			names, err := parseRetire(r.Body)
			if err != nil {
				return err
			}
			t.retires = append(t.retires, pendingRetire{end, names})
		}
		return nil
	})
	if err != nil {
		return t.refuse(h.Block, "%v", err)
	}
	t.state.next += RecordID(h.Records)
	return nil
}

func (t *intake) role(h *record.Header, at Position, role []byte) {
	t.roles = append(t.roles, pendingRole{RolePoint{at, h.Epoch, bytes.Clone(role)}, Position{h.File, h.End()}})
}

// add puts the page to the last piece, or begins another that fits one write.
func (t *intake) add(p []byte, h *record.Header) {
	t.tip, t.hash = Position{h.File, h.End()}, h.Hash
	vouches := h.StableFile == h.File && h.StableBlock >= 1
	limit := min(t.f.o.WriteMax, int(t.file.window)<<t.f.o.Geometry.BlockShift)
	if n := len(t.pieces); n > 0 && t.pieces[n-1].size+len(p) <= limit {
		r := t.pieces[n-1]
		r.data = r.data[: r.size+len(p) : cap(r.data)]
		r.size, r.end, r.hash, r.after, r.vouches = r.size+len(p), t.tip, t.hash, t.state, r.vouches || vouches
		return
	}
	t.pieces = append(t.pieces, &run{file: t.file, block: h.Block, data: p, size: len(p), end: t.tip, hash: t.hash, after: t.state, vouches: vouches})
}

// take makes a checked run part of what was received.
func (f *Follower) take(t *intake) error {
	if t.gap {
		if !f.rebuild.on {
			f.startRebuild()
		}
		f.rebuild.to = Position{} // what makes up for the missing files lies further on: the next CaughtUp says how far
	}
	if t.fresh {
		f.files = append(f.files, t.file)
		f.disk.fileMax = max(f.disk.fileMax, t.file.name.ID)
		f.disk.incarnationMax = max(f.disk.incarnationMax, t.file.incarnation)
	}
	t.file.end, t.file.tail = t.tip.Block, t.hash
	in := &f.in
	in.tip, in.hash, in.next, in.epoch, in.incarnation = t.tip, t.hash, t.state.next, t.state.epoch, t.state.incarnation
	in.queue = append(in.queue, t.pieces...)
	in.bytes += len(t.run.Data)
	if f.rebuild.on {
		f.rebuild.retires = append(f.rebuild.retires, t.retires...)
	} else {
		f.keep(t.pieces...)
	}
	f.roles.take(t.roles)
	return nil
}
