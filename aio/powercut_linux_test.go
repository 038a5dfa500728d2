//go:build powercut

// These tests mount file systems on loop devices and cut them off, which needs root. Run them with
//
//	go test -tags powercut -run PowerCut ./aio
package aio_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest/conformance"
)

// volume is a file system on a loop device.
type volume struct {
	t     *testing.T
	image string
	dir   string
}

func newVolume(t *testing.T, kind string, size int64) *volume {
	t.Helper()
	base := t.TempDir()
	v := &volume{t: t, image: filepath.Join(base, "image"), dir: filepath.Join(base, "mnt")}
	if err := errors.Join(os.WriteFile(v.image, nil, 0o600), os.Truncate(v.image, size), os.Mkdir(v.dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	v.command("mkfs."+kind, v.image)
	v.mount()
	t.Cleanup(v.unmount)
	return v
}

func (v *volume) command(name string, args ...string) {
	v.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		v.t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

func (v *volume) mount()   { v.command("mount", "-o", "loop", v.image, v.dir) }
func (v *volume) unmount() { v.command("umount", v.dir) }

// cut stops the file system without writing its log, as a power cut would, and mounts it again.
func (v *volume) cut() {
	v.t.Helper()
	const shutdown, noLogFlush = 0x8004587D, 2
	d, err := os.Open(v.dir)
	if err != nil {
		v.t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(d.Fd()), shutdown, noLogFlush); err != nil {
		v.t.Fatalf("shutdown ioctl: %v", err)
	}
	if err := d.Close(); err != nil {
		v.t.Fatal(err)
	}
	v.unmount()
	v.mount()
}

// TestPowerCut: created files are there and whole, confirmed pages hold, removed files stay away; the control, a file
// that nobody synced, is gone, which proves that the cut took something.
func TestPowerCut(t *testing.T) {
	for _, kind := range []string{"ext4", "xfs"} {
		for _, engine := range []string{aio.EnginePwrite, aio.EngineUring, aio.EngineLibaio} {
			for _, opts := range []aio.OSOptions{{}, {Sync: aio.SyncFdatasync}, {Buffered: true}} {
				if kind == "xfs" && (engine != aio.EngineUring || opts.Buffered) {
					continue // one engine is enough there
				}
				t.Run(fmt.Sprintf("%s/%s/%s/buffered=%v", kind, engine, opts.Sync, opts.Buffered), func(t *testing.T) {
					v := newVolume(t, kind, 320<<20)
					for round := range 3 {
						v.round(engine, opts, round)
					}
				})
			}
		}
	}
}

func (v *volume) round(engine string, opts aio.OSOptions, round int) {
	t := v.t
	t.Helper()
	const size, pages = 1 << 20, 64
	fsys := aio.NewOS(opts)
	dir := filepath.Join(v.dir, fmt.Sprintf("deep%d", round), "journal")
	slot, gone := filepath.Join(dir, "slot"), filepath.Join(dir, "gone")
	if err := errors.Join(fsys.MkdirAll(dir), fsys.Create(slot, size, nil), fsys.Create(gone, 4096, nil)); err != nil {
		t.Fatal(err)
	}
	f, err := fsys.Open(slot, aio.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	e, err := aio.OpenEngine(engine, aio.EngineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	confirmed := 0
	e.Start(func(cs []aio.Completion) {
		for _, c := range cs {
			if c.Err != nil {
				t.Error(c.Err)
			}
			confirmed++
		}
	})
	pool, err := aio.NewPool(aio.PoolOptions{Size: 4096, Count: pages})
	if err != nil {
		t.Fatal(err)
	}
	var buffers []*aio.Buffer
	for i := range pages {
		b := pool.TryGet()
		buffers = append(buffers, b)
		copy(b.Bytes(), bytes.Repeat([]byte{byte(1 + i)}, 4096))
		if err := e.Submit(aio.Op{File: f, Data: b.Bytes(), Off: int64(i) * 4096}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(e.Close(), f.Close(), fsys.Remove(gone)); err != nil {
		t.Fatal(err)
	}
	for _, b := range buffers {
		b.Release()
	}
	control := filepath.Join(dir, "control")
	if err := os.WriteFile(control, []byte("never synced"), 0o600); err != nil {
		t.Fatal(err)
	}
	v.cut()
	if p, err := os.ReadFile(control); err == nil && len(p) > 0 {
		t.Errorf("the control survived: %q", p)
	}
	if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the removed file is back: %v", err)
	}
	p, err := os.ReadFile(slot)
	if err != nil || len(p) != size || confirmed != pages {
		t.Fatalf("slot: %d bytes, %v; %d confirmed", len(p), err, confirmed)
	}
	for i := range pages {
		if !bytes.Equal(p[i*4096:(i+1)*4096], bytes.Repeat([]byte{byte(1 + i)}, 4096)) {
			t.Errorf("confirmed page %d is damaged", i)
		}
	}
}

// TestPowerCutNames cuts right after each call that changes names, before anything else could have written them out.
func TestPowerCutNames(t *testing.T) {
	for _, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			v := newVolume(t, kind, 320<<20)
			fsys := aio.NewOS(aio.OSOptions{})
			dir := filepath.Join(v.dir, "a", "b")
			if err := fsys.MkdirAll(dir); err != nil {
				t.Fatal(err)
			}
			v.cut()
			if st, err := os.Stat(dir); err != nil || !st.IsDir() {
				t.Fatalf("the directory is gone: %v", err)
			}
			for _, size := range []int64{1 << 20, 1<<20 + 5} { // zero-filled direct, and buffered
				name := filepath.Join(dir, fmt.Sprint("slot", size))
				if err := fsys.Create(name, size, nil); err != nil {
					t.Fatal(err)
				}
				v.cut()
				p, err := os.ReadFile(name)
				if err != nil || int64(len(p)) != size || bytes.Count(p, []byte{0}) != len(p) {
					t.Fatalf("the created file: %d of %d bytes, %v", len(p), size, err)
				}
				if err := fsys.Remove(name); err != nil {
					t.Fatal(err)
				}
				v.cut()
				if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
					t.Fatalf("the removed file is back: %v", err)
				}
			}
			lock, err := fsys.Lock(filepath.Join(dir, "lock"))
			if err != nil {
				t.Fatal(err)
			}
			if err := lock.Close(); err != nil {
				t.Fatal(err)
			}
			v.cut()
			if _, err := os.Stat(filepath.Join(dir, "lock")); err != nil {
				t.Errorf("the lock file is gone: %v", err)
			}
		})
	}
}

func TestPowerCutVolumeFull(t *testing.T) {
	v := newVolume(t, "ext4", 16<<20)
	fsys := aio.NewOS(aio.OSOptions{})
	name := filepath.Join(v.dir, "slot")
	err := fsys.Create(name, 64<<20, nil)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "free space") {
		t.Errorf("create on a full disk: %v", err)
	}
	if names, err := os.ReadDir(v.dir); err != nil || len(names) != 1 || names[0].Name() != "lost+found" {
		t.Errorf("remains: %v, %v", names, err)
	}
	if err := fsys.Create(name, 4<<20, nil); err != nil {
		t.Errorf("create of what fits: %v", err)
	}
}

// TestPowerCutReadOnlyMount: errors say so, and tools can still read.
func TestPowerCutReadOnlyMount(t *testing.T) {
	v := newVolume(t, "ext4", 16<<20)
	fsys := aio.NewOS(aio.OSOptions{})
	name := filepath.Join(v.dir, "slot")
	if err := fsys.Create(name, 8192, nil); err != nil {
		t.Fatal(err)
	}
	v.command("mount", "-o", "remount,ro", v.dir)
	_, openErr := fsys.Open(name, aio.ReadWrite)
	_, lockErr := fsys.Lock(filepath.Join(v.dir, "lock"))
	for _, err := range []error{openErr, lockErr, fsys.Create(name+"2", 1, nil), fsys.MkdirAll(v.dir + "/d")} {
		if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), "read-only") {
			t.Errorf("on a read-only mount: %v", err)
		}
	}
	f, err := fsys.Open(name, aio.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestPowerCutFileSystems runs the suites on other file systems than the one that tests happen to be on.
func TestPowerCutFileSystems(t *testing.T) {
	for _, kind := range []string{"ext4", "xfs", "btrfs"} {
		t.Run(kind, func(t *testing.T) {
			v := newVolume(t, kind, 320<<20)
			if d := aio.DetectFS(v.dir); d.Type != kind || d.Mount != v.dir || (len(d.Warnings) > 0) != (kind == "btrfs") {
				t.Errorf("detected %+v", d)
			}
			for _, engine := range []string{aio.EnginePwrite, aio.EngineUring, aio.EngineLibaio} {
				conformance.Engine(t, kernelRig(engine, aio.OSOptions{}, v.dir))
			}
			conformance.FS(t, kernelRig(aio.EnginePwrite, aio.OSOptions{}, v.dir))
		})
	}
	t.Run("tmpfs", func(t *testing.T) {
		const dir = "/dev/shm"
		if d := aio.DetectFS(dir); d.Type != "tmpfs" || len(d.Warnings) != 1 {
			t.Errorf("detected %+v", d)
		}
		conformance.Engine(t, kernelRig(aio.EngineUring, aio.OSOptions{}, dir))
		conformance.FS(t, kernelRig(aio.EngineUring, aio.OSOptions{}, dir))
	})
	t.Run("ramfs refuses O_DIRECT", func(t *testing.T) {
		dir := t.TempDir()
		if err := unix.Mount("ramfs", dir, "ramfs", 0, ""); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := unix.Unmount(dir, 0); err != nil {
				t.Error(err)
			}
		}()
		fsys, name := aio.NewOS(aio.OSOptions{}), filepath.Join(dir, "f")
		if err := fsys.Create(name, 8192, nil); err != nil {
			t.Fatal(err)
		}
		f, err := fsys.Open(name, aio.ReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		d, _ := aio.Describe(f)
		if d.Direct || d.Sync != aio.SyncFdatasync || d.Align != 1 || !strings.Contains(d.Reason, "refuses O_DIRECT") {
			t.Errorf("fallback is %+v", d)
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			t.Error(err)
		}
		conformance.Engine(t, kernelRig(aio.EngineLibaio, aio.OSOptions{}, dir))
	})
}
