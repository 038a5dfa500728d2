package conformance

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"testing"

	"github.com/hindmq/hind/aio"
)

// FS runs everything that a file system must do.
func FS(t *testing.T, fresh func(t *testing.T) *Rig) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, r *Rig)
	}{
		{"CreateIsWhole", createIsWhole},
		{"CreateRefuses", createRefuses},
		{"NamesAndRemoval", namesAndRemoval},
		{"OpenRefuses", openRefuses},
		{"LockExcludes", lockExcludes},
		{"FileCloses", fileCloses},
		{"RecreatedFileIsClean", recreatedFileIsClean},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, fresh(t)) })
	}
}

func createIsWhole(t *testing.T, r *Rig) {
	for _, size := range []int64{0, 1, 4095, 4096, 3<<20 + 4096, 3<<20 + 5} {
		name := path.Join(r.Dir, "whole")
		last := int64(0)
		err := r.FS.Create(name, size, func(done int64) {
			if done <= last || done > size {
				t.Errorf("progress %d after %d of %d", done, last, size)
			}
			last = done
		})
		if err != nil || last != size {
			t.Fatalf("create of %d: %v, progress ended at %d", size, err, last)
		}
		f, err := r.FS.Open(name, aio.ReadOnly)
		if err != nil {
			t.Fatal(err)
		}
		p := make([]byte, size+10)
		if n, _ := f.ReadAt(p, 0); int64(n) != size || f.Size() != size {
			t.Errorf("size %d, %d could be read, want %d", f.Size(), n, size)
		}
		if slices.ContainsFunc(p, func(b byte) bool { return b != 0 }) {
			t.Error("a new file is not zeros")
		}
		if err := errors.Join(f.Close(), r.FS.Remove(name)); err != nil {
			t.Fatal(err)
		}
	}
}

func createRefuses(t *testing.T, r *Rig) {
	name := path.Join(r.Dir, "there")
	if err := r.FS.Create(name, 4096, nil); err != nil {
		t.Fatal(err)
	}
	if err := r.FS.Create(name, 8192, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create over a file: %v", err)
	}
	f, err := r.FS.Open(name, aio.ReadOnly)
	if err != nil || f.Size() != 4096 {
		t.Fatalf("the file there before: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := r.FS.Create(path.Join(r.Dir, "no", "where"), 1, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("create in no directory: %v", err)
	}
}

func namesAndRemoval(t *testing.T, r *Rig) {
	deep := path.Join(r.Dir, "a", "b", "c")
	for range 2 { // the second time all is there
		if err := r.FS.MkdirAll(deep); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []string{"slot-2", "slot-10", "slot-1"} {
		if err := r.FS.Create(path.Join(deep, n), 512, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.FS.MkdirAll(path.Join(deep, "slot-0")); err != nil {
		t.Fatal(err)
	}
	names, err := r.FS.List(deep)
	if want := []string{"slot-1", "slot-10", "slot-2"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("list: %v, %v", names, err)
	}
	if err := r.FS.MkdirAll(path.Join(deep, "slot-1")); err == nil {
		t.Error("a directory was made over a file")
	}
	if err := r.FS.Remove(path.Join(deep, "slot-10")); err != nil {
		t.Error(err)
	}
	if err := r.FS.Remove(path.Join(deep, "slot-10")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("second removal: %v", err)
	}
	if err := r.FS.Remove(path.Join(deep, "slot-0")); err == nil {
		t.Error("Remove removed a directory")
	}
	if names, err = r.FS.List(deep); err != nil || !slices.Equal(names, []string{"slot-1", "slot-2"}) {
		t.Errorf("list after removal: %v, %v", names, err)
	}
	if _, err := r.FS.List(path.Join(r.Dir, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("list of nothing: %v", err)
	}
}

func openRefuses(t *testing.T, r *Rig) {
	for _, mode := range []aio.Mode{aio.ReadOnly, aio.ReadWrite} {
		if _, err := r.FS.Open(path.Join(r.Dir, "missing"), mode); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("open of nothing: %v", err)
		}
		if _, err := r.FS.Open(r.Dir, mode); err == nil {
			t.Error("a directory was opened as a file")
		}
	}
	if names, err := r.FS.List(r.Dir); err != nil || len(names) != 0 {
		t.Errorf("opening left %v, %v", names, err)
	}
}

func lockExcludes(t *testing.T, r *Rig) {
	other := r.Other
	if other == nil {
		other = r.FS
	}
	name := path.Join(r.Dir, "lock")
	l, err := r.FS.Lock(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []aio.FS{r.FS, other} {
		if _, err := f.Lock(name); !errors.Is(err, aio.ErrLocked) {
			t.Errorf("second lock: %v", err)
		}
	}
	if f, err := other.Open(name, aio.ReadOnly); err != nil {
		t.Errorf("reading a locked file: %v", err)
	} else if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, err = other.Lock(name)
	if err != nil {
		t.Fatalf("lock after release: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.FS.Lock(path.Join(r.Dir, "no", "where")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("lock in no directory: %v", err)
	}
}

func fileCloses(t *testing.T, r *Rig) {
	name := path.Join(r.Dir, "closes")
	if err := r.FS.Create(name, 4096, nil); err != nil {
		t.Fatal(err)
	}
	f, err := r.FS.Open(name, aio.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if f.Name() != name || f.Size() != 4096 || f.Align() < 1 {
		t.Errorf("%s, %d bytes, alignment %d", f.Name(), f.Size(), f.Align())
	}
	p := buffer(t, 4096, 1)
	if n, err := f.WriteAt(p, 0); n != 4096 || err != nil {
		t.Errorf("WriteAt: %d, %v", n, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Error(err)
	}
	if _, err := f.WriteAt(p, 0); err == nil {
		t.Error("a closed file was written to")
	}
	if err := f.Sync(); err == nil {
		t.Error("a closed file was synced")
	}
	if _, err := f.ReadAt(p, 0); err == nil {
		t.Error("a closed file was read")
	}
}

// recreatedFileIsClean: poison belongs to a file, not to its name.
func recreatedFileIsClean(t *testing.T, r *Rig) {
	if r.Fail == nil {
		return
	}
	name := path.Join(r.Dir, "again")
	if err := r.FS.Create(name, fileSize, nil); err != nil {
		t.Fatal(err)
	}
	f, err := r.FS.Open(name, aio.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	heal := r.Fail(t, name, FailHard)
	_, err = f.WriteAt(buffer(t, pageSize, 1), half)
	heal()
	if err == nil {
		t.Fatal("the write did not fail")
	}
	if _, err := r.FS.Open(name, aio.ReadWrite); !errors.Is(err, aio.ErrPoisoned) {
		t.Errorf("open of the poisoned file: %v", err)
	}
	if err := errors.Join(f.Close(), r.FS.Remove(name), r.FS.Create(name, fileSize, nil)); err != nil {
		t.Fatal(err)
	}
	if f, err = r.FS.Open(name, aio.ReadWrite); err != nil {
		t.Fatalf("open of the new file: %v", err)
	}
	if _, err := f.WriteAt(buffer(t, pageSize, 1), half); err != nil {
		t.Errorf("write to the new file: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
