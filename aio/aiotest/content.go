package aiotest

import "slices"

const (
	// SectorSize is the unit that a simulated disk writes whole: a crash tears writes at multiples of it.
	SectorSize = 512
	// blockSize is the unit of sharing between clones.
	blockSize = 4096
)

// token owns inodes and blocks: who holds the same token may change them in place, everybody else copies first. A clone
// gives both disks new tokens. The field makes it non-empty, so that two tokens never share an address.
type token struct{ _ byte }

type block struct {
	owner *token
	data  [blockSize]byte
}

// cachedSector is visible to readers and not durable.
type cachedSector struct {
	index int64
	data  [SectorSize]byte
}

// inode is the content of one file, or a directory.
type inode struct {
	owner  *token
	dir    bool
	size   int64
	blocks []*block       // nil: zeros; durable content
	cached []cachedSector // sorted by index, over blocks
	broken []int64        // sorted sectors that cannot be read
}

func (n *inode) copyFor(owner *token) *inode {
	c := *n
	c.owner = owner
	c.blocks = slices.Clone(n.blocks)
	c.cached = slices.Clone(n.cached)
	c.broken = slices.Clone(n.broken)
	return &c
}

// own returns the inode for writing, copied first if a clone shares it.
func (d *Disk) own(ino int) *inode {
	n := d.inodes[ino]
	if n.owner != d.owner {
		n = n.copyFor(d.owner)
		d.inodes[ino] = n
	}
	return n
}

// put makes p durable at off, over blocks only.
func (n *inode) put(p []byte, off int64) {
	for len(p) > 0 {
		i, at := off/blockSize, int(off%blockSize)
		b := n.blocks[i]
		if b == nil {
			b = &block{owner: n.owner}
			n.blocks[i] = b
		} else if b.owner != n.owner {
			c := &block{owner: n.owner, data: b.data}
			n.blocks[i], b = c, c
		}
		k := copy(b.data[at:], p)
		p, off = p[k:], off+int64(k)
	}
}

// putDurable makes p durable at off and forgets what was cached there.
func (n *inode) putDurable(p []byte, off int64) {
	n.put(p, off)
	if len(n.cached) > 0 {
		first, end := off/SectorSize, (off+int64(len(p))+SectorSize-1)/SectorSize
		n.cached = slices.DeleteFunc(n.cached, func(c cachedSector) bool { return c.index >= first && c.index < end })
	}
	if len(n.broken) > 0 { // a rewritten sector can be read again
		first, end := off/SectorSize, (off+int64(len(p)))/SectorSize
		n.broken = slices.DeleteFunc(n.broken, func(s int64) bool { return s >= first && s < end })
	}
}

// putCached makes one sector visible but not durable.
func (n *inode) putCached(index int64, p []byte) {
	i, found := slices.BinarySearchFunc(n.cached, index, func(c cachedSector, x int64) int { return int(c.index - x) })
	if !found {
		n.cached = slices.Insert(n.cached, i, cachedSector{index: index})
	}
	copy(n.cached[i].data[:], p)
}

// get reads what a reader sees; it returns the bytes before the end of the file and the first broken sector (-1: none).
func (n *inode) get(p []byte, off int64) (int, int64) {
	if off >= n.size {
		return 0, -1
	}
	p = p[:min(int64(len(p)), n.size-off)]
	for q, o := p, off; len(q) > 0; {
		i, at := o/blockSize, int(o%blockSize)
		k := min(len(q), blockSize-at)
		if b := n.blocks[i]; b != nil {
			copy(q[:k], b.data[at:])
		} else {
			clear(q[:k])
		}
		q, o = q[k:], o+int64(k)
	}
	end := off + int64(len(p))
	for i := range n.cached {
		c := &n.cached[i]
		from, to := c.index*SectorSize, (c.index+1)*SectorSize
		if to <= off || from >= end {
			continue
		}
		lo, hi := max(from, off), min(to, end)
		copy(p[lo-off:hi-off], c.data[lo-from:hi-from])
	}
	for _, s := range n.broken {
		if (s+1)*SectorSize > off && s*SectorSize < end {
			return len(p), s
		}
	}
	return len(p), -1
}

// syncAll makes everything that readers see durable.
func (n *inode) syncAll() {
	for i := range n.cached {
		c := &n.cached[i]
		off := c.index * SectorSize
		n.put(c.data[:min(SectorSize, n.size-off)], off)
	}
	n.cached = nil
}
