package journal

import (
	"cmp"
	"slices"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// onDisk are all files whose pages can be read: those of the table, and those that a RETIRE names while their slots are
// not free. Ascending by id. A follower that is a member may still need the latter.
func (d *Driver) onDisk() []*file {
	all := slices.Clone(d.m.l.files)
	for _, r := range d.m.space.retiring {
		all = append(all, r.file)
	}
	for _, e := range d.held {
		all = append(all, e.file)
	}
	slices.SortFunc(all, func(a, b *file) int { return cmp.Compare(a.name.ID, b.name.ID) })
	return all
}

// Readable is Files with the files that are retired and still there.
func (d *Driver) Readable() []FileInfo {
	var infos []FileInfo
	for _, f := range d.onDisk() {
		infos = append(infos, f.info())
	}
	return infos
}

// Required are the files that a log which ends at a position must have to be opened: those of the table, and those whose
// RETIRE lies beyond the position.
func (d *Driver) Required(at Position) []FileInfo {
	infos := d.Files()
	for _, r := range d.m.space.retiring {
		if at.Less(r.pos) {
			infos = append(infos, r.file.info())
		}
	}
	return infos
}

// PageEnding is the hash of the page of a file that ends at a block. ok is false if the file is not there or no page ends
// there. It may block in reads; what is not durable yet is not found, unless it is the last page sealed.
func (d *Driver) PageEnding(name datafile.Name, end uint32) (hash uint64, ok bool, err error) {
	if d.closed {
		return 0, false, ErrClosed
	}
	all := d.onDisk()
	i := slices.IndexFunc(all, func(f *file) bool { return f.name == name })
	if i < 0 || end == 0 || end > all[i].end {
		return 0, false, nil
	}
	f := all[i]
	if end == f.end {
		return f.tail, true, nil
	}
	s := pageSearch{name: name, end: end}
	for _, p := range f.pages {
		if p.block < end {
			s.from = p.block
		}
	}
	h, ok, err := findPage(d.slots[f.slot], d.o.Geometry, s)
	return h.Hash, ok, err
}

// pageSearch says which page is looked for, and a block at which a page of the file starts.
type pageSearch struct {
	name datafile.Name
	from uint32
	end  uint32
}

// findPage walks the headers of a file's pages until the one that ends at a block, whose hash it checks.
func findPage(f aio.File, g datafile.Geometry, s pageSearch) (h record.Header, ok bool, err error) {
	const chunk = 256 << 10
	buf := alignedBytes(chunk)
	var have []byte
	for block := s.from; block < s.end; {
		if len(have) < g.BlockSize() {
			if have, err = readAt(f, g, buf, block); err != nil {
				return h, false, err
			}
		}
		p, err := record.ParseHeader(have)
		if err != nil || p.Block != block || p.File != s.name.ID || p.Salt != s.name.Salt || p.End() > s.end {
			return h, false, nil
		}
		if p.End() == s.end {
			page, err := readAt(f, g, alignedBytes(p.Size()), block)
			if err != nil {
				return h, false, err
			}
			h, err = record.OpenPage(page)
			return h, err == nil && h == p, nil
		}
		block = p.End()
		have = have[min(len(have), p.Size()):]
	}
	return h, false, nil
}
