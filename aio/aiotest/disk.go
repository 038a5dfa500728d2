package aiotest

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hindmq/hind/aio"
)

// Options of a Disk. The zero value is a usable disk.
type Options struct {
	// Seed decides every choice: order of completions, torn sectors, probabilities of rules.
	Seed uint64
	// Capacity in bytes; a Create beyond it fails with ENOSPC. 0: no limit.
	Capacity int64
	// Align is what files report and enforce. 0: SectorSize.
	Align int
	// LatencyMin and LatencyMax bound how long an operation takes on the clock of Advance. Step ignores them.
	LatencyMin, LatencyMax time.Duration
	// NoBufferCheck turns off the check that a buffer did not change while its operation was in flight.
	NoBufferCheck bool
}

// Disk is one simulated disk with its names. Its methods may be called from several goroutines, but only calls in a
// fixed order give the same results twice.
type Disk struct {
	opts Options
	mu   sync.Mutex
	// Guarded by mu, all of the following. No lock is held while a hook or a sink runs.
	owner   *token
	rng     *rand.Rand
	inodes  []*inode // by number; 0 is never used; nil: gone
	entries []entry  // sorted by path
	group   int      // last group of entries that change together
	flights []*flight
	rules   []*Injection
	hook    func(Call)
	now     time.Duration
	sequence,
	calls uint64
	locks []held
}

// entry is a name: what a lookup finds now, and what it finds after a power cut unless its directory is synced first.
// 0 is no file.
type entry struct {
	path             string
	visible, durable int
	group            int // entries of one rename share a group: a crash keeps all or none
}

type held struct {
	path string
	by   *Process
}

// NewDisk makes an empty disk. Its root directory exists.
func NewDisk(opts Options) *Disk {
	if opts.Align == 0 {
		opts.Align = SectorSize
	}
	return &Disk{opts: opts, owner: new(token), rng: newRand(opts.Seed), inodes: make([]*inode, 1)}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x68696e64)) }

// Process starts a process that uses the disk. name is for messages only.
func (d *Disk) Process(name string) *Process { return &Process{disk: d, name: name} }

// Used is the number of bytes that files take.
func (d *Disk) Used() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used()
}

func (d *Disk) used() int64 {
	var sum int64
	for _, n := range d.inodes {
		if n != nil {
			sum += n.size
		}
	}
	return sum
}

// Names are all files, sorted, as a process would see them now.
func (d *Disk) Names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for _, e := range d.entries {
		if e.visible != 0 && !d.inodes[e.visible].dir {
			names = append(names, e.path)
		}
	}
	return names
}

// Bytes is a copy of what a reader of the file would see; ok is false if there is no such file.
func (d *Disk) Bytes(name string) (p []byte, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ino := d.find(clean(name))
	if ino == 0 || d.inodes[ino].dir {
		return nil, false
	}
	n := d.inodes[ino]
	p = make([]byte, n.size)
	n.get(p, 0)
	return p, true
}

// Put makes a durable file of these bytes, or replaces its content: for tests that start from given files. The parent
// directory is made if absent.
func (d *Disk) Put(name string, p []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name = clean(name)
	for _, dir := range parents(name) {
		if d.find(dir) == 0 {
			ino := d.add(&inode{owner: d.owner, dir: true})
			d.set(dir, ino, ino)
		}
	}
	ino := d.find(name)
	if ino == 0 {
		ino = d.add(newFile(d.owner, 0))
		d.set(name, ino, ino)
	}
	n := newFile(d.owner, int64(len(p)))
	n.put(p, 0)
	d.inodes[ino] = n
}

// FlipBit turns over one bit of what the file durably holds: bit rot.
func (d *Disk) FlipBit(name string, off int64, bit int) error {
	return d.damage(name, off, func(n *inode) {
		var b [1]byte
		n.get(b[:], off)
		b[0] ^= 1 << (bit & 7)
		n.put(b[:], off)
	})
}

// Break makes the sector at off unreadable (EIO) until it is written again.
func (d *Disk) Break(name string, off int64) error {
	return d.damage(name, off, func(n *inode) {
		s := off / SectorSize
		if i, found := slices.BinarySearch(n.broken, s); !found {
			n.broken = slices.Insert(n.broken, i, s)
		}
	})
}

func (d *Disk) damage(name string, off int64, change func(*inode)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	ino := d.find(clean(name))
	if ino == 0 || off < 0 || off >= d.inodes[ino].size {
		return fmt.Errorf("%s: byte %d: %w", name, off, aio.ErrOutside)
	}
	change(d.own(ino))
	return nil
}

func newFile(owner *token, size int64) *inode {
	return &inode{owner: owner, size: size, blocks: make([]*block, (size+blockSize-1)/blockSize)}
}

func (d *Disk) add(n *inode) int {
	d.inodes = append(d.inodes, n)
	return len(d.inodes) - 1
}

// at finds the entry of path, or where it belongs.
func (d *Disk) at(p string) (int, bool) {
	return slices.BinarySearchFunc(d.entries, p, func(e entry, p string) int { return strings.Compare(e.path, p) })
}

// find is the number of the file that path names now, or 0.
func (d *Disk) find(p string) int {
	if i, ok := d.at(p); ok {
		return d.entries[i].visible
	}
	return 0
}

// set changes a name; entries that name nothing any more are dropped.
func (d *Disk) set(p string, visible, durable int) *entry {
	i, ok := d.at(p)
	if !ok {
		d.entries = slices.Insert(d.entries, i, entry{path: p})
	}
	e := &d.entries[i]
	e.visible, e.durable = visible, durable
	return e
}

// show changes what a lookup finds, not yet what a power cut leaves.
func (d *Disk) show(p string, ino int) *entry {
	durable := 0
	if i, ok := d.at(p); ok {
		durable = d.entries[i].durable
	}
	e := d.set(p, ino, durable)
	e.group = 0
	return e
}

// syncDir makes the names directly in dir durable and frees what no name leads to any more.
func (d *Disk) syncDir(dir string) {
	for i := range d.entries {
		if e := &d.entries[i]; path.Dir(e.path) == dir {
			e.durable, e.group = e.visible, 0
		}
	}
	d.sweep()
}

// sweep drops names of nothing and files without a name. Open files keep a number that may become nil: operations on a
// file that was removed fail with ESTALE.
func (d *Disk) sweep() {
	d.entries = slices.DeleteFunc(d.entries, func(e entry) bool { return e.visible == 0 && e.durable == 0 })
	named := make([]bool, len(d.inodes))
	for _, e := range d.entries {
		named[e.visible], named[e.durable] = true, true
	}
	for i := 1; i < len(d.inodes); i++ {
		if !named[i] {
			d.inodes[i] = nil
		}
	}
}

func clean(name string) string { return path.Clean("/" + name) }

// parents are the directories above name, outermost first, without the root.
func parents(name string) []string {
	var dirs []string
	for dir := path.Dir(name); dir != "/"; dir = path.Dir(dir) {
		dirs = append(dirs, dir)
	}
	slices.Reverse(dirs)
	return dirs
}

// errNoEntry is what lookups of an absent name return; errors.Is(err, fs.ErrNotExist) holds.
const errNoEntry = syscall.ENOENT
