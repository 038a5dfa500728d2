package libaio

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// step is the answer to one io_submit: an errno instead of the kernel's, or at most take requests.
type step struct {
	errno unix.Errno
	take  int
}

func newTestContext(t *testing.T, steps ...step) (*Context, *os.File) {
	t.Helper()
	c, err := New(8)
	if err != nil {
		t.Fatal(err)
	}
	c.submit = func(id uintptr, list []*iocb) (int, unix.Errno) {
		if len(steps) == 0 {
			return submit(id, list)
		}
		s := steps[0]
		if steps = steps[1:]; s.errno != 0 {
			return -1, s.errno
		}
		return submit(id, list[:s.take])
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(f.Close(), c.Close()); err != nil {
			t.Error(err)
		}
	})
	return c, f
}

// memory is s outside the Go heap and stacks: what the kernel works on must neither move nor be collected.
func memory(t *testing.T, s string) []byte {
	t.Helper()
	m, err := unix.Mmap(-1, 0, len(s), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(m); err != nil {
			t.Error(err)
		}
	})
	copy(m, s)
	return m
}

func collect(t *testing.T, c *Context, n int) map[uint64]int {
	t.Helper()
	got := make(map[uint64]int)
	for len(got) < n {
		if err := c.Wait(func(user uint64, res int) { got[user] = res }); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

// TestPartialSubmission: interrupted, without memory, two taken, interrupted, the rest.
func TestPartialSubmission(t *testing.T) {
	c, f := newTestContext(t, step{errno: unix.EINTR}, step{errno: unix.EAGAIN}, step{take: 2}, step{errno: unix.EINTR})
	for i := range 5 {
		c.Write(int(f.Fd()), memory(t, string(rune('a'+i))), int64(i), uint64(i))
	}
	c.Flush(func(user uint64, err error) { t.Errorf("request %d: %v", user, err) })
	for user, res := range collect(t, c, 5) {
		if res != 1 {
			t.Errorf("request %d: %d", user, res)
		}
	}
	if p, err := os.ReadFile(f.Name()); err != nil || string(p) != "abcde" {
		t.Errorf("file is %q, %v", p, err)
	}
}

// TestRefusedSubmission: the request that the kernel refuses is given back alone; the others go on.
func TestRefusedSubmission(t *testing.T) {
	c, f := newTestContext(t)
	c.Write(int(f.Fd()), memory(t, "a"), 0, 0)
	c.Datasync(1<<20, 1) // io_submit itself says EBADF
	c.Write(int(f.Fd()), memory(t, "c"), 1, 2)
	var failed []uint64
	c.Flush(func(user uint64, err error) {
		if failed = append(failed, user); !errors.Is(err, unix.EBADF) {
			t.Error(err)
		}
	})
	if len(failed) != 1 || failed[0] != 1 {
		t.Errorf("failed: %v", failed)
	}
	if got := collect(t, c, 2); got[0] != 1 || got[2] != 1 {
		t.Errorf("results %v", got)
	}
}

func TestKernelWithoutMemoryForALongTime(t *testing.T) {
	steps := make([]step, triesMax+1)
	for i := range steps {
		steps[i].errno = unix.EAGAIN
	}
	c, f := newTestContext(t, steps...)
	c.Write(int(f.Fd()), memory(t, "x"), 0, 0)
	failures := 0
	c.Flush(func(_ uint64, err error) {
		if failures++; !errors.Is(err, unix.EAGAIN) {
			t.Error(err)
		}
	})
	if failures != 1 {
		t.Errorf("%d failures", failures)
	}
}

func TestManyFlushersAndStop(t *testing.T) {
	const each = 200
	c, f := newTestContext(t)
	free := make(chan uint64, 8)
	for i := range cap(free) {
		free <- uint64(i)
	}
	results, ended := 0, make(chan error)
	go func() {
		for {
			if err := c.Wait(func(user uint64, res int) { results += res; free <- user }); err != nil {
				ended <- err
				return
			}
		}
	}()
	var wg sync.WaitGroup
	data := memory(t, "x")
	for range 4 {
		wg.Go(func() {
			for range each {
				c.Write(int(f.Fd()), data, 0, <-free)
				c.Flush(func(user uint64, err error) { t.Errorf("request %d: %v", user, err) })
			}
		})
	}
	wg.Wait()
	for range cap(free) {
		<-free
	}
	c.Stop()
	if err := <-ended; !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	if results != 4*each {
		t.Errorf("%d of %d writes succeeded", results, 4*each)
	}
}

func TestSetupRefused(t *testing.T) {
	if _, err := New(1 << 30); err == nil {
		t.Error("a context of a billion entries was made")
	}
}
