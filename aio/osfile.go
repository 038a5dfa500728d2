package aio

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// Description is what was found about an open file.
type Description struct {
	Direct bool
	// Reason says why the file is not open for direct I/O. Log it.
	Reason string
	Align  int
	Sync   SyncMethod
}

// Describe says how f was opened; false for files that are not of an OS.
func Describe(f File) (Description, bool) {
	o, ok := f.(*osFile)
	if !ok {
		return Description{}, false
	}
	return o.desc, true
}

// osFile is an open file of the kernel.
type osFile struct {
	f    *os.File
	fd   int // of f; -1 where the platform has none
	name string
	size int64
	mode Mode
	desc Description
	fate *fate

	onClose func()
	use     struct {
		sync.Mutex
		count  int // operations that use the descriptor
		closed bool
	}
}

var _ File = (*osFile)(nil)

var errFileClosed = fmt.Errorf("file is closed: %w", os.ErrClosed)

func (f *osFile) Name() string { return f.name }
func (f *osFile) Size() int64  { return f.size }
func (f *osFile) Align() int   { return f.desc.Align }
func (f *osFile) Mode() Mode   { return f.mode }

// acquire keeps the descriptor open until release: a closed number could be given to another file while the kernel
// still has to write.
func (f *osFile) acquire() error {
	f.use.Lock()
	defer f.use.Unlock()
	if f.use.closed {
		return fmt.Errorf("%s: %w", f.name, errFileClosed)
	}
	f.use.count++
	return nil
}

func (f *osFile) release() {
	f.use.Lock()
	f.use.count--
	last := f.use.closed && f.use.count == 0
	f.use.Unlock()
	if last {
		_ = f.shut() // everything durable was reported durable before
	}
}

// Close implements File. The descriptor is given back when the last operation in flight is done.
func (f *osFile) Close() error {
	f.use.Lock()
	if f.use.closed {
		f.use.Unlock()
		return fmt.Errorf("close %s: %w", f.name, errFileClosed)
	}
	f.use.closed = true
	last := f.use.count == 0
	f.use.Unlock()
	if last {
		return f.shut()
	}
	return nil
}

func (f *osFile) shut() error {
	err := f.f.Close()
	if f.onClose != nil {
		f.onClose()
	}
	return err
}

// poisoned is ErrPoisoned with the first failure, or nil.
func (f *osFile) poisoned() error {
	if x := f.fate.failure.Load(); x != nil {
		return fmt.Errorf("%s: %w (%w)", f.name, ErrPoisoned, x.err)
	}
	return nil
}

// poison remembers the first failure for all handles of the file.
func (f *osFile) poison(err error) { f.fate.failure.CompareAndSwap(nil, &failure{err}) }

// settle turns the kernel's answer to a whole write, sync included, into the result that the caller gets. A short
// write is a failure: what is missing may be missing for a reason that a second try would hide.
func (f *osFile) settle(n, want int, off int64, err error) error {
	if err == nil && n != want {
		err = io.ErrShortWrite
	}
	if err != nil {
		err = fmt.Errorf("write %s, %d of %d bytes at %d: %w", f.name, max(n, 0), want, off, err)
		f.poison(err)
		return err
	}
	return f.poisoned() // another operation failed meanwhile: nothing of this file is confirmed any more
}

// settleRead does the same for a read: all bytes or an error, io.EOF at the end of the file.
func (f *osFile) settleRead(n, want int, off int64, err error) error {
	if err == nil && n < want {
		err = io.EOF
	}
	if err != nil {
		return fmt.Errorf("read %s, %d of %d bytes at %d: %w", f.name, max(n, 0), want, off, err)
	}
	return nil
}

// ReadAt implements File. The error at the end of the file is io.EOF itself.
func (f *osFile) ReadAt(p []byte, off int64) (int, error) {
	if err := CheckRange(f, p, off, false); err != nil {
		return 0, err
	}
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	n, err := f.read(p, off)
	if err == nil && n < len(p) {
		return n, io.EOF
	}
	return n, f.settleRead(n, len(p), off, err)
}

// read is preadAt until p is full, the file ends, or an error.
func (f *osFile) read(p []byte, off int64) (int, error) {
	done := 0
	for done < len(p) {
		n, err := f.readAt(p[done:], off+int64(done))
		if err != nil {
			return done, err
		}
		done += n
		// A direct read that stops within a block has met the end of the file: going on would be unaligned.
		if n == 0 || done%f.desc.Align != 0 {
			break
		}
	}
	return done, nil
}

// WriteAt implements File.
func (f *osFile) WriteAt(p []byte, off int64) (int, error) {
	if f.mode == ReadOnly {
		return 0, fmt.Errorf("%s: write at %d: %w", f.name, off, ErrReadOnly)
	}
	if err := CheckRange(f, p, off, true); err != nil {
		return 0, err
	}
	if err := f.acquire(); err != nil {
		return 0, err
	}
	defer f.release()
	if err := f.poisoned(); err != nil {
		return 0, err
	}
	n, err := f.writeDurable(p, off)
	return n, f.settle(n, len(p), off, err)
}

// writeDurable writes once, and syncs where the descriptor does not. The write is repeated after EINTR: its own bytes
// go out again whole, so that a later success speaks for them. A sync is not: EINTR could hide an error that the
// kernel reports only once.
func (f *osFile) writeDurable(p []byte, off int64) (int, error) {
	n, err := f.writeAt(p, off)
	if err != nil || n != len(p) || f.desc.Sync == SyncDSync {
		return n, err
	}
	if err := dataSync(f.f); err != nil {
		return 0, fmt.Errorf("data sync: %w", err)
	}
	return n, nil
}

// Sync implements File. It works on handles opened read-only too.
func (f *osFile) Sync() error {
	if err := f.acquire(); err != nil {
		return err
	}
	defer f.release()
	if err := f.poisoned(); err != nil {
		return err
	}
	if err := dataSync(f.f); err != nil {
		err = fmt.Errorf("sync %s: %w", f.name, err)
		f.poison(err)
		return err
	}
	return f.poisoned()
}

// openPlain opens without direct I/O; reason says why.
func openPlain(name string, mode Mode, reason string, ft *fate) (*osFile, error) {
	flag := os.O_RDWR
	if mode == ReadOnly {
		flag = os.O_RDONLY
	}
	f, err := os.OpenFile(name, flag, 0)
	if err != nil {
		return nil, explain("open", name, err)
	}
	return wrap(f, mode, Description{Reason: reason, Align: 1, Sync: SyncFdatasync}, ft)
}

// wrap checks that the open file is a regular one.
func wrap(f *os.File, mode Mode, desc Description, ft *fate) (*osFile, error) {
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return nil, errors.Join(explain("open", f.Name(), err), f.Close())
	}
	return &osFile{f: f, fd: descriptor(f), name: f.Name(), size: st.Size(), mode: mode, desc: desc, fate: ft}, nil
}
