package aiotest

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/hindmq/hind/aio"
)

// Process is one operating-system process that uses a Disk. It is an aio.FS; Engine makes its engines. After Kill
// everything fails with EIO.
type Process struct {
	disk *Disk
	name string
	dead bool
	// Guarded by disk.mu, as is dead.
	poisoned []int // inodes
	engines  []*Engine
}

var _ aio.FS = (*Process)(nil)

// Disk is the disk that the process uses.
func (p *Process) Disk() *Disk { return p.disk }

// fillSize is how much of a new file is written between two calls of progress.
const fillSize = 1 << 20

// enter begins one call: the hook runs, the rules decide, and the lock is held on return without an error.
func (p *Process) enter(kind CallKind, name string, off int64) (fault, error) {
	d := p.disk
	f := d.call(Call{Kind: kind, Name: name, Off: off, Process: p.name})
	d.mu.Lock()
	err := f.err
	if p.dead {
		err = fmt.Errorf("process %q is dead: %w", p.name, syscall.EIO)
	}
	if err != nil {
		d.mu.Unlock()
		return f, fmt.Errorf("%s %s: %w", kind, name, err)
	}
	return f, nil
}

// MkdirAll implements aio.FS.
func (p *Process) MkdirAll(dir string) error {
	dir = clean(dir)
	for _, dd := range append(parents(dir), dir) {
		if dd == "/" {
			continue
		}
		if _, err := p.enter(CallMkdir, dd, 0); err != nil {
			return err
		}
		d := p.disk
		ino := d.find(dd)
		if ino == 0 {
			d.show(dd, d.add(&inode{owner: d.owner, dir: true}))
		} else if !d.inodes[ino].dir {
			d.mu.Unlock()
			return fmt.Errorf("mkdir %s: %w", dd, syscall.ENOTDIR)
		}
		d.mu.Unlock()
		if ino == 0 {
			if err := p.syncDir(path.Dir(dd)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Process) syncDir(dir string) error {
	if _, err := p.enter(CallSyncDir, dir, 0); err != nil {
		return err
	}
	p.disk.syncDir(dir)
	p.disk.mu.Unlock()
	return nil
}

// List implements aio.FS.
func (p *Process) List(dir string) ([]string, error) {
	dir = clean(dir)
	if _, err := p.enter(CallList, dir, 0); err != nil {
		return nil, err
	}
	d := p.disk
	defer d.mu.Unlock()
	if dir != "/" && d.find(dir) == 0 {
		return nil, fmt.Errorf("list %s: %w", dir, errNoEntry)
	}
	var names []string
	for _, e := range d.entries {
		if e.visible == 0 || d.inodes[e.visible].dir || path.Dir(e.path) != dir {
			continue
		}
		if base := path.Base(e.path); !aio.TemporaryName(base) {
			names = append(names, base)
		}
	}
	return names, nil
}

// Create implements aio.FS in the steps of the real one, each of which is a call that can fail or be crashed at.
func (p *Process) Create(name string, size int64, progress func(done int64)) error {
	name = clean(name)
	temp := path.Join(path.Dir(name), aio.Temporary(path.Base(name)))
	if err := p.createTemp(name, temp, size); err != nil {
		return err
	}
	err := p.fill(temp, size, progress)
	if err == nil {
		err = p.rename(temp, name)
	}
	if err != nil {
		d := p.disk
		d.mu.Lock()
		if !p.dead {
			d.show(temp, 0)
			d.sweep()
		}
		d.mu.Unlock()
		return err
	}
	return p.syncDir(path.Dir(name))
}

func (p *Process) createTemp(name, temp string, size int64) error {
	if _, err := p.enter(CallCreate, name, 0); err != nil {
		return err
	}
	d := p.disk
	defer d.mu.Unlock()
	dir := path.Dir(name)
	switch {
	case dir != "/" && d.find(dir) == 0:
		return fmt.Errorf("create %s: %w", name, errNoEntry)
	case d.find(name) != 0:
		return fmt.Errorf("create %s: %w", name, syscall.EEXIST)
	}
	d.show(temp, 0) // left by a crash
	d.sweep()
	if d.opts.Capacity > 0 && d.used()+size > d.opts.Capacity {
		return fmt.Errorf("create %s: %d bytes, %d of %d used: %w", name, size, d.used(), d.opts.Capacity, syscall.ENOSPC)
	}
	d.show(temp, d.add(newFile(d.owner, size)))
	return nil
}

func (p *Process) fill(temp string, size int64, progress func(done int64)) error {
	for done := int64(0); done < size; {
		if _, err := p.enter(CallFill, temp, done); err != nil {
			return err
		}
		p.disk.mu.Unlock()
		done = min(size, done+fillSize)
		if progress != nil {
			progress(done)
		}
	}
	if _, err := p.enter(CallSync, temp, 0); err != nil {
		return err
	}
	p.disk.mu.Unlock()
	return nil
}

func (p *Process) rename(from, to string) error {
	if _, err := p.enter(CallRename, to, 0); err != nil {
		return err
	}
	d := p.disk
	defer d.mu.Unlock()
	d.group++
	ino := d.find(from)
	d.show(from, 0).group = d.group
	d.show(to, ino).group = d.group
	return nil
}

// Open implements aio.FS.
func (p *Process) Open(name string, mode aio.Mode) (aio.File, error) {
	name = clean(name)
	if _, err := p.enter(CallOpen, name, 0); err != nil {
		return nil, err
	}
	d := p.disk
	defer d.mu.Unlock()
	ino := d.find(name)
	if ino == 0 {
		return nil, fmt.Errorf("open %s: %w", name, errNoEntry)
	}
	n := d.inodes[ino]
	if n.dir {
		return nil, fmt.Errorf("open %s: %w", name, syscall.EISDIR)
	}
	if mode == aio.ReadWrite && slices.Contains(p.poisoned, ino) {
		return nil, fmt.Errorf("open %s for writing: %w", name, aio.ErrPoisoned)
	}
	return &file{process: p, name: name, ino: ino, size: n.size, mode: mode}, nil
}

// Remove implements aio.FS.
func (p *Process) Remove(name string) error {
	name = clean(name)
	if _, err := p.enter(CallRemove, name, 0); err != nil {
		return err
	}
	d := p.disk
	ino := d.find(name)
	if ino == 0 || d.inodes[ino].dir {
		d.mu.Unlock()
		return fmt.Errorf("remove %s: %w", name, errNoEntry)
	}
	d.show(name, 0)
	d.mu.Unlock()
	return p.syncDir(path.Dir(name))
}

// Lock implements aio.FS. A second lock by the same process is refused too.
func (p *Process) Lock(name string) (io.Closer, error) {
	name = clean(name)
	if _, err := p.enter(CallLock, name, 0); err != nil {
		return nil, err
	}
	d := p.disk
	for _, h := range d.locks {
		if h.path == name {
			d.mu.Unlock()
			return nil, fmt.Errorf("lock %s: held by process %q: %w", name, h.by.name, aio.ErrLocked)
		}
	}
	if dir := path.Dir(name); dir != "/" && d.find(dir) == 0 {
		d.mu.Unlock()
		return nil, fmt.Errorf("lock %s: %w", name, errNoEntry)
	}
	made := d.find(name) == 0
	if made {
		d.show(name, d.add(newFile(d.owner, 0)))
	}
	d.locks = append(d.locks, held{path: name, by: p})
	d.mu.Unlock()
	l := &lock{process: p, path: name}
	if made {
		if err := p.syncDir(path.Dir(name)); err != nil {
			_ = l.Close() // cannot fail
			return nil, err
		}
	}
	return l, nil
}

type lock struct {
	process *Process
	path    string
}

// Close gives the lock back; more than once does nothing.
func (l *lock) Close() error {
	d := l.process.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	d.locks = slices.DeleteFunc(d.locks, func(h held) bool { return h.path == l.path && h.by == l.process })
	l.path = ""
	return nil
}

func (p *Process) String() string { return strings.TrimSpace("process " + p.name) }
