package journal

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// Read returns a record by id: from memory if its page is not durable yet, else from disk, checking that record's
// checksum; it may block. Meta and Body are the caller's. Errors: ErrNotFound (dead and gone, or never there), ErrBusy (no
// buffer), ErrDamaged.
func (d *Driver) Read(id RecordID) (Record, error) {
	if d.closed {
		return Record{}, ErrClosed
	}
	if r, ok, err := d.m.inMemory(id); ok || err != nil {
		return r, err
	}
	f := d.m.l.home(id)
	if f == nil {
		return Record{}, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	block, ok := f.nearPage(id)
	if !ok {
		return Record{}, fmt.Errorf("%w: %s (its file holds nothing that lives)", ErrNotFound, id)
	}
	buf := d.pool.TryGet()
	if buf == nil {
		return Record{}, fmt.Errorf("%w (no buffer is free)", ErrBusy)
	}
	defer buf.Release()
	return readRecord(d.slots[f.slot], d.o.Geometry, buf.Bytes(), recordPlace{f.name, block, id})
}

// recordPlace says where to begin to look for a record.
type recordPlace struct {
	file  datafile.Name
	block uint32
	id    RecordID
}

// readRecord walks the page headers from a block on until the page that holds the record.
func readRecord(f aio.File, g datafile.Geometry, buf []byte, at recordPlace) (Record, error) {
	damaged := func(block uint32, held string) error {
		return &DamageError{Path: f.Name(), File: at.file, Offset: int64(block) << g.BlockShift, Held: held, Label: "@L"}
	}
	have := []byte(nil) // bytes from have's block on
	for block := at.block; ; {
		if len(have) < g.BlockSize() {
			var err error
			if have, err = readAt(f, g, buf[:min(len(buf), 2*pageStride)], block); err != nil {
				return Record{}, err
			}
		}
		h, err := record.ParseHeader(have)
		if err != nil || h.Block != block || h.File != at.file.ID || h.Salt != at.file.Salt || uint64(at.id) < h.FirstRecord {
			return Record{}, damaged(block, fmt.Sprintf("the page on the way to record %s: %v", at.id, err))
		}
		if uint64(at.id) >= h.FirstRecord+uint64(h.Records) {
			block += h.Blocks
			have = have[min(len(have), h.Size()):]
			continue
		}
		if len(have) < h.Size() {
			if have, err = readAt(f, g, buf[:min(len(buf), h.Size())], block); err != nil {
				return Record{}, err
			}
			if len(have) < h.Size() {
				return Record{}, damaged(block, "a page that is longer than any write")
			}
		}
		r, ok := pick(record.Payload(have, &h), &h, at.id)
		if !ok {
			return Record{}, damaged(block, fmt.Sprintf("record %s", at.id))
		}
		return r, nil
	}
}

// readAt reads whole blocks; fewer than asked at the end of the slot.
func readAt(f aio.File, g datafile.Geometry, b []byte, block uint32) ([]byte, error) {
	off := int64(block) << g.BlockShift
	b = b[:max(0, min(int64(len(b)), g.SlotSize()-off))]
	n, err := f.ReadAt(b, off)
	if err != nil && !(errors.Is(err, io.EOF) && n == len(b)) {
		return nil, fmt.Errorf("read %s at %d: %w", f.Name(), off, err)
	}
	return b, nil
}

// pick finds a record in a payload and copies it.
func pick(payload []byte, h *record.Header, id RecordID) (Record, bool) {
	for skip := uint64(id) - h.FirstRecord; skip > 0; skip-- {
		size, err := record.Frame(payload)
		if err != nil {
			return Record{}, false
		}
		payload = payload[size:]
	}
	rec, _, err := record.Decode(payload, uint64(id))
	if err != nil {
		return Record{}, false
	}
	r := hostRecord(id, &rec)
	r.Meta, r.Body = slices.Clone(r.Meta), slices.Clone(r.Body)
	return r, true
}

// inMemory looks for a record in pages that are not durable yet.
func (m *Machine) inMemory(id RecordID) (Record, bool, error) {
	if o := &m.open; o.b != nil && id >= o.first && uint64(id-o.first) < uint64(o.records) {
		h := record.Header{FirstRecord: uint64(o.first), Records: o.records}
		r, ok := pick(o.b.buf.Bytes()[o.start+record.HeaderSize:o.start+o.used], &h, id)
		return r, ok, nil
	}
	for _, list := range [2][]*batch{m.flight, m.backlog} {
		for _, b := range list {
			off := 0
			for i := range b.pages {
				h := &b.pages[i]
				if uint64(id) >= h.FirstRecord && uint64(id) < h.FirstRecord+uint64(h.Records) {
					page := b.buf.Bytes()[off:]
					r, ok := pick(page[record.HeaderSize:record.HeaderSize+int(h.Bytes)], h, id)
					return r, ok, nil
				}
				off += int(h.Blocks) << m.o.Geometry.BlockShift
			}
		}
	}
	return Record{}, false, nil
}

// PageReader reads pages of the log in order, for a follower that catches up. It pins the file that it is in.
type PageReader struct {
	d     *Driver
	file  *file
	block uint32
	buf   *aio.Buffer
	unpin func()
	err   error
}

// ReadPages returns a reader of the log's pages from a position that is the end of a page (the zero position: from the
// oldest file that is there), up to what is durable. Error: ErrRetired.
func (d *Driver) ReadPages(from Position) (*PageReader, error) {
	r := &PageReader{d: d, block: from.Block}
	for _, f := range d.onDisk() {
		if f.kind == datafile.Log && (from == (Position{}) || f.name.ID == from.File) {
			r.file = f
			break
		}
	}
	if r.file == nil {
		return nil, fmt.Errorf("%w: %s", ErrRetired, from)
	}
	if r.buf = d.pool.TryGet(); r.buf == nil {
		return nil, fmt.Errorf("%w (no buffer is free)", ErrBusy)
	}
	if err := r.pin(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// pin holds the slot of the file that is being read.
func (r *PageReader) pin() (err error) {
	if r.unpin != nil {
		r.unpin()
	}
	r.unpin, err = r.d.Pin(r.file.name, func() {
		r.unpin, r.err = nil, fmt.Errorf("%w: the slot of file %s is needed", ErrRetired, r.file.name)
	})
	return err
}

// Next returns whole consecutive pages of one file, at most max bytes unless one page is larger; Data is valid until the
// next call. ok is false at the end of what is durable: call again later. It blocks in a read.
func (r *PageReader) Next(max int) (s Sealed, ok bool, err error) {
	if r.err != nil {
		return s, false, r.err
	}
	end, more, err := r.limit()
	if err != nil || !more {
		return s, false, err
	}
	g := r.d.o.Geometry
	n := int(end-r.block) << g.BlockShift
	if n = min(n, max&^(g.BlockSize()-1), len(r.buf.Bytes())); n == 0 {
		n = g.BlockSize()
	}
	data, err := r.whole(n)
	if err != nil {
		return s, false, err
	}
	s = Sealed{File: r.file.name, Block: r.block, Data: data}
	r.block += uint32(len(data) >> g.BlockShift)
	s.End = Position{r.file.name.ID, r.block}
	return s, true, nil
}

// limit is the block up to which the current file may be read; it moves on to the next file at the end of one.
func (r *PageReader) limit() (end uint32, more bool, err error) {
	for {
		durable := r.d.Durable()
		end = r.file.end
		if durable.File == r.file.name.ID {
			end = min(end, durable.Block)
		} else if durable.File < r.file.name.ID {
			return 0, false, nil
		}
		if r.block < end {
			return end, true, nil
		}
		next := r.next()
		if !r.file.closed || next == nil || r.block < r.file.end { // the rest of the file is not durable yet
			return 0, false, nil
		}
		r.file, r.block = next, 0
		if err := r.pin(); err != nil {
			r.err = err
			return 0, false, err
		}
	}
}

// next is the following file of the log. Files between that retired, and whose slots are free, are left out: what they said
// is in a checkpoint further on.
func (r *PageReader) next() *file {
	for _, f := range r.d.onDisk() {
		if f.kind == datafile.Log && f.name.ID > r.file.name.ID {
			return f
		}
	}
	return nil
}

// whole reads n bytes and cuts them to whole valid pages; a first page that is longer is read whole.
func (r *PageReader) whole(n int) ([]byte, error) {
	g := r.d.o.Geometry
	f := r.d.slots[r.file.slot]
	b, err := readAt(f, g, r.buf.Bytes()[:n], r.block)
	if err != nil {
		return nil, err
	}
	if h, err := record.ParseHeader(b); err == nil && h.Size() > len(b) && h.Size() <= len(r.buf.Bytes()) {
		if b, err = readAt(f, g, r.buf.Bytes()[:h.Size()], r.block); err != nil {
			return nil, err
		}
	}
	used := 0
	for used < len(b) {
		h, err := record.OpenPage(b[used:])
		if err == nil && h.File == r.file.name.ID && h.Salt == r.file.name.Salt && h.Block == r.block+uint32(used>>g.BlockShift) {
			used += h.Size()
			continue
		}
		if used > 0 {
			break // not whole in what was read, or damaged: what is good first
		}
		return nil, &DamageError{Path: f.Name(), File: r.file.name, Offset: int64(r.block) << g.BlockShift, Held: "a page of the log", Label: "@M"}
	}
	return b[:used], nil
}

// Close releases what the reader pinned.
func (r *PageReader) Close() {
	if r.unpin != nil {
		r.unpin()
		r.unpin = nil
	}
	if r.buf != nil {
		r.buf.Release()
		r.buf = nil
	}
	r.err = ErrClosed
}
