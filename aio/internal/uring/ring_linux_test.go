package uring

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// script answers calls of enter that submit with these errnos, in turn, before they reach the kernel; with takes set the
// kernel takes the requests all the same, as an interrupted call may.
type script struct {
	mu    sync.Mutex
	errs  []unix.Errno
	takes bool
	calls int
	asked []uint32
}

func (s *script) enter(fd int, submit, wait, flags uint32) (int, unix.Errno) {
	if submit == 0 {
		return enter(fd, submit, wait, flags)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	s.asked = append(s.asked, submit)
	if len(s.errs) == 0 {
		return enter(fd, submit, wait, flags)
	}
	e := s.errs[0]
	if s.errs = s.errs[1:]; s.takes {
		if _, real := enter(fd, submit, wait, flags); real != 0 {
			panic(real)
		}
	}
	return -1, e
}

func newTestRing(t *testing.T, s *script) (*Ring, *os.File) {
	t.Helper()
	r, err := New(8)
	if err != nil {
		t.Fatal(err)
	}
	r.enter = s.enter
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(f.Close(), r.Close()); err != nil {
			t.Error(err)
		}
	})
	return r, f
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

// collect waits for n results.
func collect(t *testing.T, r *Ring, n int) map[uint64]int {
	t.Helper()
	got := make(map[uint64]int)
	for len(got) < n {
		if err := r.Wait(func(user uint64, res int) { got[user] = res }); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

func mustNotFail(t *testing.T) func(uint64, error) {
	return func(user uint64, err error) { t.Errorf("request %d: %v", user, err) }
}

// TestInterruptedSubmission: nothing waits for ever when the call was interrupted before it took anything, and nothing
// is submitted twice when it was interrupted afterwards.
func TestInterruptedSubmission(t *testing.T) {
	for _, takes := range []bool{false, true} {
		for _, errno := range []unix.Errno{unix.EINTR, unix.EAGAIN, unix.EBUSY} {
			s := &script{errs: []unix.Errno{errno, errno}, takes: takes}
			r, f := newTestRing(t, s)
			for i := range 3 {
				r.Write(int(f.Fd()), memory(t, strings.Repeat(string(rune('a'+i)), 10)), int64(i)*10, uint64(i))
			}
			r.Flush(mustNotFail(t))
			for user, res := range collect(t, r, 3) {
				if res != 10 {
					t.Errorf("request %d: %d", user, res)
				}
			}
			want := 3 // the call that goes through
			if takes {
				want = 1 // the first one took all
			}
			if s.calls != want {
				t.Errorf("%v, taken %v: %d calls asked for %v", errno, takes, s.calls, s.asked)
			}
			if p, err := os.ReadFile(f.Name()); err != nil || string(p) != "aaaaaaaaaabbbbbbbbbbcccccccccc" {
				t.Errorf("%v: file is %q, %v", errno, p, err)
			}
		}
	}
}

// TestRefusedSubmission: what the kernel never took is given back, once each, and the ring goes on.
func TestRefusedSubmission(t *testing.T) {
	s := &script{errs: []unix.Errno{unix.EINTR, unix.ENOMEM}}
	r, f := newTestRing(t, s)
	r.Write(int(f.Fd()), memory(t, "lost"), 0, 1)
	r.Write(int(f.Fd()), memory(t, "lost"), 0, 2)
	var failed []uint64
	r.Flush(func(user uint64, err error) {
		failed = append(failed, user)
		if !errors.Is(err, unix.ENOMEM) {
			t.Error(err)
		}
	})
	if len(failed) != 2 || failed[0] != 1 || failed[1] != 2 {
		t.Fatalf("failed: %v", failed)
	}
	r.Write(int(f.Fd()), memory(t, "kept"), 0, 3)
	r.Flush(mustNotFail(t))
	if got := collect(t, r, 1); got[3] != 4 {
		t.Errorf("results %v", got)
	}
	if p, err := os.ReadFile(f.Name()); err != nil || string(p) != "kept" {
		t.Errorf("file is %q, %v", p, err)
	}
}

func TestKernelWithoutMemoryForALongTime(t *testing.T) {
	s := &script{errs: make([]unix.Errno, triesMax+1)}
	for i := range s.errs {
		s.errs[i] = unix.EAGAIN
	}
	r, f := newTestRing(t, s)
	r.Write(int(f.Fd()), memory(t, "x"), 0, 1)
	failures := 0
	r.Flush(func(user uint64, err error) {
		failures++
		if user != 1 || !errors.Is(err, unix.EAGAIN) {
			t.Errorf("%d: %v", user, err)
		}
	})
	if failures != 1 {
		t.Errorf("%d failures", failures)
	}
}

func TestErrorsOfRequests(t *testing.T) {
	r, f := newTestRing(t, &script{})
	ro, err := os.Open(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	p := memory(t, "read")
	r.Write(int(ro.Fd()), memory(t, "none"), 0, 1)
	r.Read(int(f.Fd()), p, 0, 2) // an empty file
	r.Datasync(int(f.Fd()), 3)
	r.Datasync(1<<20, 4)
	r.Flush(mustNotFail(t))
	got := collect(t, r, 4)
	want := map[uint64]int{1: -int(unix.EBADF), 2: 0, 3: 0, 4: -int(unix.EBADF)}
	for user, res := range want {
		if got[user] != res {
			t.Errorf("request %d: %d, want %d", user, got[user], res)
		}
	}
	if err := ro.Close(); err != nil {
		t.Error(err)
	}
}

func TestManyFlushersAndStop(t *testing.T) {
	const each = 200
	s := &script{}
	r, f := newTestRing(t, s)
	var wg sync.WaitGroup
	places := make(chan struct{}, 8) // the ring's entries
	got := make(map[uint64]int)
	ended := make(chan error)
	go func() {
		for {
			if err := r.Wait(func(user uint64, res int) { got[user] += res; <-places }); err != nil {
				ended <- err
				return
			}
		}
	}()
	for w := range 4 {
		data := memory(t, string(rune(w)))
		wg.Go(func() {
			for i := range each {
				places <- struct{}{}
				r.Write(int(f.Fd()), data, int64(w*each+i), uint64(w*each+i))
				r.Flush(mustNotFail(t))
			}
		})
	}
	wg.Wait()
	for range cap(places) { // all are answered once every place is free
		places <- struct{}{}
	}
	r.Stop()
	if err := <-ended; !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	if len(got) != 4*each {
		t.Fatalf("%d results", len(got))
	}
	for user, n := range got {
		if n != 1 {
			t.Errorf("request %d: sum of results %d", user, n)
		}
	}
	t.Logf("%d requests in %d calls", 4*each, s.calls)
}

func TestTooManyRequestsPanic(t *testing.T) {
	r, f := newTestRing(t, &script{})
	defer func() {
		if recover() == nil {
			t.Error("the ring took more than it holds")
		}
		r.Flush(mustNotFail(t))
		collect(t, r, 16)
	}()
	data := memory(t, "x")
	for i := range 1000 {
		r.Write(int(f.Fd()), data, 0, uint64(i))
	}
}

func TestSetupRefused(t *testing.T) {
	if _, err := New(1 << 20); !errors.Is(err, unix.EINVAL) {
		t.Errorf("a ring of a million entries: %v", err)
	}
}
