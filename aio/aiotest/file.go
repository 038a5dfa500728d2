package aiotest

import (
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"

	"github.com/hindmq/hind/aio"
)

// file is an open file of one process.
type file struct {
	process *Process
	name    string
	ino     int
	size    int64
	mode    aio.Mode
	closed  bool // guarded by the disk's lock
}

var _ aio.File = (*file)(nil)

func (f *file) Name() string   { return f.name }
func (f *file) Size() int64    { return f.size }
func (f *file) Mode() aio.Mode { return f.mode }

// Align is 1 for files opened read-only, like the real ones, which read through the page cache.
func (f *file) Align() int {
	if f.mode == aio.ReadOnly {
		return 1
	}
	return f.process.disk.opts.Align
}

// ReadAt implements aio.File.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if err := aio.CheckRange(f, p, off, false); err != nil {
		return 0, err
	}
	ft, err := f.process.enter(CallRead, f.name, off)
	if err != nil {
		return 0, err
	}
	d := f.process.disk
	defer d.mu.Unlock()
	if f.closed {
		return 0, fmt.Errorf("read %s: %w", f.name, os.ErrClosed)
	}
	return d.read(f, p, off, ft)
}

// read moves bytes and applies read faults; the lock is held.
func (d *Disk) read(f *file, p []byte, off int64, ft fault) (int, error) {
	n := d.inodes[f.ino]
	if n == nil {
		return 0, fmt.Errorf("read %s at %d: file was removed: %w", f.name, off, syscall.ESTALE)
	}
	got, broken := n.get(p, off)
	if broken >= 0 {
		return 0, fmt.Errorf("read %s at %d: sector %d: %w", f.name, off, broken, syscall.EIO)
	}
	if ft.kind == FaultFlip && got > 0 {
		p[d.rng.IntN(got)] ^= 1 << d.rng.IntN(8)
	}
	if got < len(p) {
		return got, io.EOF
	}
	return got, nil
}

// WriteAt implements aio.File.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	if f.mode == aio.ReadOnly {
		return 0, fmt.Errorf("write %s at %d: %w", f.name, off, aio.ErrReadOnly)
	}
	if err := aio.CheckRange(f, p, off, true); err != nil {
		return 0, err
	}
	d := f.process.disk
	ft := d.call(Call{Kind: CallWrite, Name: f.name, Off: off, Process: f.process.name})
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.closed {
		return 0, fmt.Errorf("write %s: %w", f.name, os.ErrClosed)
	}
	return d.write(f, p, off, ft)
}

// write applies a write with its fault and poisons the file on failure; the lock is held. A file that was closed after
// the operation was taken does not matter: the real ones keep their descriptor until then.
func (d *Disk) write(f *file, p []byte, off int64, ft fault) (int, error) {
	pr := f.process
	switch {
	case pr.dead:
		return 0, fmt.Errorf("write %s: process %q is dead: %w", f.name, pr.name, syscall.EIO)
	case d.inodes[f.ino] == nil:
		return 0, fmt.Errorf("write %s at %d: file was removed: %w", f.name, off, syscall.ESTALE)
	case slices.Contains(pr.poisoned, f.ino):
		return 0, fmt.Errorf("write %s at %d: %w", f.name, off, aio.ErrPoisoned)
	}
	k, err := d.apply(f.ino, p, off, ft)
	if err != nil {
		pr.poisoned = append(pr.poisoned, f.ino)
		return k, fmt.Errorf("write %s, %d bytes at %d: %w", f.name, len(p), off, err)
	}
	return k, nil
}

// Sync implements aio.File.
func (f *file) Sync() error {
	ft := f.process.disk.call(Call{Kind: CallSync, Name: f.name, Process: f.process.name})
	d := f.process.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	pr := f.process
	switch {
	case pr.dead:
		return fmt.Errorf("sync %s: process %q is dead: %w", f.name, pr.name, syscall.EIO)
	case f.closed:
		return fmt.Errorf("sync %s: %w", f.name, os.ErrClosed)
	case d.inodes[f.ino] == nil:
		return fmt.Errorf("sync %s: file was removed: %w", f.name, syscall.ESTALE)
	case slices.Contains(pr.poisoned, f.ino):
		return fmt.Errorf("sync %s: %w", f.name, aio.ErrPoisoned)
	case ft.err != nil:
		pr.poisoned = append(pr.poisoned, f.ino)
		return fmt.Errorf("sync %s: %w", f.name, ft.err)
	case ft.kind == FaultLost: // the lying sync: says done, does nothing
		return nil
	}
	if len(d.inodes[f.ino].cached) > 0 {
		d.own(f.ino).syncAll()
	}
	return nil
}

// Close implements aio.File.
func (f *file) Close() error {
	f.process.disk.mu.Lock()
	defer f.process.disk.mu.Unlock()
	if f.closed {
		return fmt.Errorf("close %s: %w", f.name, os.ErrClosed)
	}
	f.closed = true
	return nil
}
