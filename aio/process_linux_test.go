package aio_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hindmq/hind/aio"
)

// The test binary runs itself as another process when helperEnv says what to be.
const (
	helperEnv    = "HIND_AIO_TEST_HELPER"
	helperLock   = "lock"
	helperCreate = "create"
	createSize   = 24 << 20
)

func TestMain(m *testing.M) {
	kind, name, _ := strings.Cut(os.Getenv(helperEnv), ":")
	switch kind {
	case "":
		os.Exit(m.Run())
	case helperLock:
		if _, err := aio.NewOS(aio.OSOptions{}).Lock(name); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("locked")
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent ends it
	case helperCreate:
		err := aio.NewOS(aio.OSOptions{}).Create(name, createSize, func(done int64) { fmt.Println(done) })
		fmt.Println("created", err)
	}
	os.Exit(0)
}

// helper is the test binary as another process.
type helper struct {
	cmd *exec.Cmd
	out *bufio.Scanner
	in  io.WriteCloser
}

func startHelper(t *testing.T, kind, name string) *helper {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := &helper{cmd: exec.Command(exe)}
	h.cmd.Env = append(os.Environ(), helperEnv+"="+kind+":"+name)
	h.cmd.Stderr = os.Stderr
	out, err := h.cmd.StdoutPipe()
	if err == nil {
		h.in, err = h.cmd.StdinPipe()
	}
	if err == nil {
		err = h.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	h.out = bufio.NewScanner(out)
	t.Cleanup(h.kill)
	return h
}

func (h *helper) line() string {
	h.out.Scan()
	return h.out.Text()
}

// kill ends the process as kill -9 does, and waits for its end.
func (h *helper) kill() {
	_ = h.cmd.Process.Kill() // it may have ended
	_ = h.cmd.Wait()
}

func TestLockBetweenProcesses(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	fsys := aio.NewOS(aio.OSOptions{})
	h := startHelper(t, helperLock, name)
	if s := h.line(); s != "locked" {
		t.Fatal(s)
	}
	_, err := fsys.Lock(name)
	if !errors.Is(err, aio.ErrLocked) || !strings.Contains(err.Error(), name) ||
		!strings.Contains(err.Error(), fmt.Sprintf("process %d", h.cmd.Process.Pid)) {
		t.Fatalf("lock that another process holds: %v", err)
	}
	h.kill()
	l, err := fsys.Lock(name)
	if err != nil {
		t.Fatalf("lock after its holder was killed: %v", err)
	}
	if s := startHelper(t, helperLock, name).line(); !strings.Contains(s, aio.ErrLocked.Error()) {
		t.Errorf("the other process got %q", s)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if s := startHelper(t, helperLock, name).line(); s != "locked" {
		t.Errorf("after release the other process got %q", s)
	}
}

// TestKilledCreate: killed after any part of the zeros, no file is there under its name; the next create succeeds.
func TestKilledCreate(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "slot")
	fsys := aio.NewOS(aio.OSOptions{})
	partial := 0
	for k := range 6 {
		h := startHelper(t, helperCreate, name)
		for range 1 + 4*k {
			if s := h.line(); strings.Contains(s, "created") {
				t.Fatalf("%s before it could be killed", s)
			}
		}
		h.kill()
		switch st, err := os.Stat(name); {
		case errors.Is(err, fs.ErrNotExist):
			partial++
			if names, err := fsys.List(dir); err != nil || len(names) != 0 {
				t.Fatalf("list shows %v, %v", names, err)
			}
		case err != nil || st.Size() != createSize:
			t.Fatalf("the file is there and not whole: %v", err)
		default: // it was faster than the kill
			if err := fsys.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if partial == 0 {
		t.Error("no create was interrupted")
	}
	if err := fsys.Create(name, 1<<20, nil); err != nil {
		t.Fatalf("create over the remains: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("remains: %v, %v", entries, err)
	}
}
