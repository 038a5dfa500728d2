package aio

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func mustCreate(t *testing.T, o *OS, size int64) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := o.Create(name, size, nil); err != nil {
		t.Fatal(err)
	}
	return name
}

func mustOpen(t *testing.T, o *OS, name string, mode Mode) *osFile {
	t.Helper()
	f, err := o.Open(name, mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // some tests close it themselves
	return f.(*osFile)
}

// TestDescriptorFlags asks the kernel what the descriptor really does.
func TestDescriptorFlags(t *testing.T) {
	for _, c := range []struct {
		opts OSOptions
		mode Mode
		want int
		desc Description
	}{
		{OSOptions{}, ReadWrite, unix.O_RDWR | unix.O_DIRECT | unix.O_DSYNC, Description{Direct: true, Sync: SyncDSync}},
		{OSOptions{Sync: SyncFdatasync}, ReadWrite, unix.O_RDWR | unix.O_DIRECT, Description{Direct: true, Sync: SyncFdatasync}},
		{OSOptions{Buffered: true}, ReadWrite, unix.O_RDWR, Description{Sync: SyncFdatasync, Align: 1}},
		{OSOptions{}, ReadOnly, unix.O_RDONLY, Description{Sync: SyncFdatasync, Align: 1}},
	} {
		o := NewOS(c.opts)
		f := mustOpen(t, o, mustCreate(t, o, 8192), c.mode)
		flags, err := unix.FcntlInt(uintptr(f.fd), unix.F_GETFL, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := flags & (unix.O_ACCMODE | unix.O_DIRECT | unix.O_DSYNC); got != c.want {
			t.Errorf("%+v: flags %#x, want %#x", c, got, c.want)
		}
		d, ok := Describe(f)
		if !ok || d.Direct != c.desc.Direct || d.Sync != c.desc.Sync || (d.Reason == "") != d.Direct {
			t.Errorf("%+v: description %+v", c, d)
		}
		if c.desc.Align != 0 && d.Align != c.desc.Align || BufferAlign%d.Align != 0 {
			t.Errorf("%+v: alignment %d", c, d.Align)
		}
	}
}

// TestCreateWritesRealZeros: no block of a new file is left unwritten, which would cost a metadata write later.
func TestCreateWritesRealZeros(t *testing.T) {
	name := mustCreate(t, NewOS(OSOptions{}), 3<<20)
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil || st.Blocks*512 < 3<<20 || st.Size != 3<<20 {
		t.Errorf("%d bytes in %d sectors, %v", st.Size, st.Blocks, err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	hole, err := f.Seek(0, unix.SEEK_HOLE)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if hole != 3<<20 {
		t.Errorf("there is a hole at %d", hole)
	}
}

// TestReadOnlyOpenChangesNothing: neither content nor times nor names.
func TestReadOnlyOpenChangesNothing(t *testing.T) {
	o := NewOS(OSOptions{})
	name := mustCreate(t, o, 8192)
	stat := func() (st unix.Stat_t) {
		if err := unix.Stat(name, &st); err != nil {
			t.Fatal(err)
		}
		st.Atim = unix.Timespec{} // reading may set it
		return st
	}
	before := stat()
	f := mustOpen(t, o, name, ReadOnly)
	p := make([]byte, 100)
	if _, err := f.ReadAt(p, 7); err != nil {
		t.Error(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Error(err)
	}
	if stat() != before {
		t.Error("something changed")
	}
	if names, err := o.List(filepath.Dir(name)); err != nil || len(names) != 1 {
		t.Errorf("list: %v, %v", names, err)
	}
}

func TestOpenErrorsSayWhatToDo(t *testing.T) {
	o, dir := NewOS(OSOptions{}), t.TempDir()
	for name, want := range map[string]string{
		filepath.Join(dir, "missing"): "check the path",
		"/dev/full":                   "not a regular file",
		dir:                           "", // the kernel's words differ with the mode
	} {
		for _, mode := range []Mode{ReadOnly, ReadWrite} {
			_, err := o.Open(name, mode)
			if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), name) != 1 {
				t.Errorf("open %s: %v", name, err)
			}
		}
	}
	for err, want := range map[error]string{
		&os.PathError{Op: "open", Path: "f", Err: syscall.EACCES}: "give this user the right",
		syscall.ENOSPC: "free space",
		syscall.EDQUOT: "free space",
		syscall.EROFS:  "read-only",
	} {
		if e := explain("create", "f", err); !strings.Contains(e.Error(), want) || !errors.Is(e, errors.Unwrap(e)) {
			t.Errorf("%v is explained as %v", err, e)
		}
	}
}

func TestChooseAlign(t *testing.T) {
	for _, c := range []struct {
		memory, offset, want int
		refused              bool
	}{
		{512, 512, 512, false}, {4, 512, 512, false}, {512, 4096, 4096, false}, {4096, 512, 4096, false},
		{0, 0, 0, true}, {512, 0, 0, true}, {512, 8192, 0, true}, {512, 3000, 0, true},
	} {
		got, reason := chooseAlign(c.memory, c.offset)
		if got != c.want || (reason != "") != c.refused {
			t.Errorf("%d, %d: %d, %q", c.memory, c.offset, got, reason)
		}
	}
}

// TestSyncFailurePoisons drives a real failing fdatasync: the descriptor is exchanged for one that cannot sync.
func TestSyncFailurePoisons(t *testing.T) {
	o := NewOS(OSOptions{Sync: SyncFdatasync})
	name := mustCreate(t, o, 8192)
	f := mustOpen(t, o, name, ReadWrite)
	pool := newTestPool(t, 1)
	page := pool.TryGet().Bytes()[:4096]
	good := f.f
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errors.Join(r.Close(), w.Close()) }()
	f.f = w // fdatasync of a pipe is EINVAL; the write itself still goes to the file
	n, err := f.WriteAt(page, 0)
	if !errors.Is(err, syscall.EINVAL) || n != 0 {
		t.Errorf("write with a failing sync: %d, %v", n, err)
	}
	f.f = good // the disk is well again
	if _, err := f.WriteAt(page, 4096); !errors.Is(err, ErrPoisoned) || !errors.Is(err, syscall.EINVAL) {
		t.Errorf("later write: %v", err)
	}
	if err := f.Sync(); !errors.Is(err, ErrPoisoned) {
		t.Errorf("later sync: %v", err)
	}
	other := mustOpen(t, NewOS(OSOptions{}), name, ReadWrite) // another OS, as after a restart
	if _, err := other.WriteAt(page, 0); err != nil {
		t.Errorf("write after a restart: %v", err)
	}
	o2 := NewOS(OSOptions{})
	f2 := mustOpen(t, o2, name, ReadWrite)
	second := mustOpen(t, o2, name, ReadWrite)
	f2.f, good = w, f2.f
	if err := f2.Sync(); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("failing Sync: %v", err)
	}
	f2.f = good
	if err := second.Sync(); !errors.Is(err, ErrPoisoned) {
		t.Errorf("the other handle of the file: %v", err)
	}
}

// TestFatesAreForgotten: the table of open files does not grow with use.
func TestFatesAreForgotten(t *testing.T) {
	o := NewOS(OSOptions{})
	name := mustCreate(t, o, 4096)
	for range 3 {
		f, g := mustOpen(t, o, name, ReadWrite), mustOpen(t, o, name, ReadWrite)
		if err := errors.Join(f.Close(), g.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(o.mu.files); n != 0 {
		t.Errorf("%d files are remembered", n)
	}
}

func TestFailedCreateLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	err := NewOS(OSOptions{}).Create(filepath.Join(dir, "huge"), 1<<62, nil)
	if !errors.Is(err, syscall.EFBIG) && !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "huge") {
		t.Errorf("create of 4 EiB: %v", err)
	}
	if n := hiddenFiles(t, dir); n != 0 {
		t.Errorf("%d files are left", n)
	}
	if err := NewOS(OSOptions{}).Create(filepath.Join(dir, "negative"), -1, nil); !errors.Is(err, ErrOutside) {
		t.Errorf("create of -1 byte: %v", err)
	}
}
