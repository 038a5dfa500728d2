package aio

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// SyncMethod is how a write is made durable.
type SyncMethod uint8

const (
	// SyncDSync opens files with O_DSYNC: the write itself returns when the bytes are durable. The default; the figures
	// are in docs/decisions/0002-io-engines.md.
	SyncDSync SyncMethod = iota
	// SyncFdatasync follows each write by fdatasync.
	SyncFdatasync
)

func (m SyncMethod) String() string {
	if m == SyncFdatasync {
		return "fdatasync"
	}
	return "O_DSYNC"
}

// OSOptions of NewOS.
type OSOptions struct {
	Sync SyncMethod
	// Buffered opens files without O_DIRECT although the file system may take it: for comparison.
	Buffered bool
}

// OS is the kernel's file system as an FS. It remembers which files failed: a file that was poisoned by a failed write
// or sync cannot be opened for writing again by this OS, since what the kernel says of it later means nothing. Reading
// stays possible. Use one OS per process; it is safe for concurrent use.
type OS struct {
	opts OSOptions
	mu   struct {
		sync.Mutex
		files map[string]*fate // by absolute name: open for writing, or poisoned
	}
}

var _ FS = (*OS)(nil)

// fate is shared by all write handles of one file.
type fate struct {
	handles int // guarded by OS.mu
	failure atomic.Pointer[failure]
}

type failure struct{ err error }

// NewOS makes an FS over the kernel's files.
func NewOS(opts OSOptions) *OS {
	o := &OS{opts: opts}
	o.mu.files = make(map[string]*fate)
	return o
}

const (
	dirPerm  = 0o750
	filePerm = 0o640
)

// MkdirAll implements FS.
func (o *OS) MkdirAll(dir string) error {
	dir, err := filepath.Abs(filepath.FromSlash(dir))
	if err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	switch st, err := os.Stat(dir); {
	case err == nil && st.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("make directory %s: a file of that name is in the way", dir)
	case !errors.Is(err, fs.ErrNotExist):
		return explain("make directory", dir, err)
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := o.MkdirAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, dirPerm); err != nil && !errors.Is(err, fs.ErrExist) {
		return explain("make directory", dir, err)
	}
	return syncDir(parent)
}

// List implements FS.
func (o *OS) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.FromSlash(dir)) // sorted
	if err != nil {
		return nil, explain("list", dir, err)
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && !TemporaryName(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Open implements FS. What was found about direct I/O is in Describe.
func (o *OS) Open(name string, mode Mode) (File, error) {
	name, err := filepath.Abs(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	if mode == ReadOnly {
		return openFile(name, mode, o.opts, new(fate))
	}
	ft, err := o.hold(name)
	if err != nil {
		return nil, err
	}
	f, err := openFile(name, mode, o.opts, ft)
	if err != nil {
		o.letGo(name, ft)
		return nil, err
	}
	f.onClose = func() { o.letGo(name, ft) }
	return f, nil
}

func (o *OS) hold(name string) (*fate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	ft := o.mu.files[name]
	if ft == nil {
		ft = new(fate)
		o.mu.files[name] = ft
	}
	if f := ft.failure.Load(); f != nil {
		return nil, fmt.Errorf("open %s for writing: %w (%w); verify the file and restart", name, ErrPoisoned, f.err)
	}
	ft.handles++
	return ft, nil
}

func (o *OS) letGo(name string, ft *fate) {
	o.mu.Lock()
	defer o.mu.Unlock()
	ft.handles--
	if ft.handles == 0 && ft.failure.Load() == nil && o.mu.files[name] == ft {
		delete(o.mu.files, name)
	}
}

// Remove implements FS.
func (o *OS) Remove(name string) error {
	name, err := filepath.Abs(filepath.FromSlash(name))
	if err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	if st, err := os.Lstat(name); err == nil && !st.Mode().IsRegular() {
		return fmt.Errorf("remove %s: not a regular file, left alone", name)
	}
	if err := os.Remove(name); err != nil {
		return explain("remove", name, err)
	}
	o.mu.Lock()
	delete(o.mu.files, name) // a new file of that name starts clean
	o.mu.Unlock()
	return syncDir(filepath.Dir(name))
}

// Lock implements FS. The file keeps the number of the process that locked it last, for the message of the next one.
func (o *OS) Lock(name string) (io.Closer, error) {
	name, err := filepath.Abs(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	_, statErr := os.Lstat(name)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, filePerm)
	if err != nil {
		return nil, explain("lock", name, err)
	}
	err = tryLock(f)
	switch {
	case errors.Is(err, ErrLocked):
		err = fmt.Errorf("lock %s: %w%s; stop that process first", name, ErrLocked, holder(f))
	case err != nil:
		err = explain("lock", name, err)
	case errors.Is(statErr, fs.ErrNotExist):
		err = syncDir(filepath.Dir(name))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	note(f)
	return f, nil
}

// holder reads what note wrote.
func holder(f *os.File) string {
	p := make([]byte, 64)
	n, err := f.ReadAt(p, 0)
	if n == 0 || (err != nil && !errors.Is(err, io.EOF)) {
		return ""
	}
	return " (" + string(p[:n]) + ")"
}

// note leaves a hint for people; the lock does not depend on it, so a full disk is no reason to fail.
func note(f *os.File) {
	if f.Truncate(0) == nil {
		_, _ = fmt.Fprintf(f, "process %d", os.Getpid())
	}
}

// explain names the action, the file and, for the usual reasons, the next step.
func explain(action, name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // the name would be there twice
	}
	step := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		step = "; check the path"
	case errors.Is(err, fs.ErrPermission):
		step = "; give this user the right to it"
	case isNoSpace(err):
		step = "; free space or choose another directory"
	case isReadOnlyFS(err):
		step = "; the file system is read-only: remount it, and look in the kernel's log for the reason"
	}
	return fmt.Errorf("%s %s: %w%s", action, name, err, step)
}
