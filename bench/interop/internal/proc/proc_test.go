package proc

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// lines collects output and tells when a given line came.
type lines struct {
	mu   sync.Mutex
	all  []string
	seen chan string
}

func newLines() *lines { return &lines{seen: make(chan string, 100)} }

func (l *lines) add(s string) {
	l.mu.Lock()
	l.all = append(l.all, s)
	l.mu.Unlock()
	l.seen <- s
}

func (l *lines) next(t *testing.T) string {
	t.Helper()
	select {
	case s := <-l.seen:
		return s
	case <-time.After(10 * time.Second):
		t.Fatal("no line within 10 s")
		return ""
	}
}

func shell(t *testing.T, script string, f func(string)) Spec {
	t.Helper()
	dir := t.TempDir()
	return Spec{Path: "/bin/sh", Args: []string{"-c", script}, Dir: dir, Log: filepath.Join(dir, "log"), Lines: f}
}

func TestOutputReachesLinesAndLog(t *testing.T) {
	s := NewSupervisor()
	defer s.Close()
	l := newLines()
	spec := shell(t, "echo one; read x; echo got $x >&2; printf tail", l.add)
	p, err := s.Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	if got := l.next(t); got != "one" {
		t.Fatalf("first line %q", got)
	}
	if err := p.Tell("word"); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if p.Err() != nil {
		t.Fatal(p.Err())
	}
	if got := strings.Join(l.all, "|"); got != "one|got word|tail" {
		t.Fatalf("lines %q", got)
	}
	b, err := os.ReadFile(spec.Log)
	if err != nil || string(b) != "one\ngot word\ntail" {
		t.Fatalf("log %q, %v", b, err)
	}
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	if errors.Is(err, syscall.ESRCH) {
		return false
	}
	// A zombie that nobody reaps yet is dead all the same.
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func waitDead(t *testing.T, pid int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(10 * time.Second)
	for alive(pid) {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("process %d still lives", pid)
		}
	}
}

func TestCloseKillsTheWholeGroup(t *testing.T) {
	s := NewSupervisor()
	l := newLines()
	p, err := s.Start(shell(t, "sleep 1000 & echo $!; wait", l.add))
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(l.next(t))
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if p.Running() {
		t.Fatal("the process runs after Close")
	}
	waitDead(t, child)
	if _, err := s.Start(shell(t, "true", nil)); !errors.Is(err, ErrClosed) {
		t.Fatalf("Start after Close: %v", err)
	}
}

func TestStopAsksFirstAndKillsAtTheEnd(t *testing.T) {
	s := NewSupervisor()
	defer s.Close()
	l := newLines()
	p, err := s.Start(shell(t, "trap 'echo bye; exit 0' TERM; echo up; while :; do read x; done", l.add))
	if err != nil {
		t.Fatal(err)
	}
	l.next(t)
	if err := p.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := l.next(t); got != "bye" {
		t.Fatalf("line %q", got)
	}
	p, err = s.Start(shell(t, "trap '' TERM; echo up; while :; do read x || sleep 1000; done", l.add))
	if err != nil {
		t.Fatal(err)
	}
	l.next(t)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := p.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Stop of a deaf process: %v", err)
	}
	if p.Running() {
		t.Fatal("a deaf process runs after Stop")
	}
}

func TestPausedProcessSaysNothingUntilResumed(t *testing.T) {
	s := NewSupervisor()
	defer s.Close()
	l := newLines()
	p, err := s.Start(shell(t, "echo up; while read x; do echo $x; done", l.add))
	if err != nil {
		t.Fatal(err)
	}
	l.next(t)
	p.Pause()
	if err := p.Tell("hello"); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-l.seen:
		t.Fatalf("a paused process said %q", got)
	case <-time.After(100 * time.Millisecond):
	}
	p.Resume()
	if got := l.next(t); got != "hello" {
		t.Fatalf("line %q", got)
	}
}

// TestKilledHarnessLeavesNothing starts itself as a harness with a child, kills the harness and looks for the child.
func TestKilledHarnessLeavesNothing(t *testing.T) {
	if os.Getenv("PROC_TEST_HARNESS") == "1" {
		s := NewSupervisor()
		l := newLines()
		if _, err := s.Start(shell(t, "echo $$; exec sleep 1000", l.add)); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("child " + l.next(t) + "\n")
		select {}
	}
	harness := exec.Command(os.Args[0], "-test.run=^TestKilledHarnessLeavesNothing$")
	harness.Env = append(os.Environ(), "PROC_TEST_HARNESS=1")
	out, err := harness.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := harness.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 200)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(string(buf[:n])), "child "))
	if err != nil {
		t.Fatalf("harness said %q", buf[:n])
	}
	if !alive(pid) {
		t.Fatal("the child is dead before the harness was killed: this proves nothing")
	}
	if err := harness.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = harness.Wait() // "signal: killed" is what was asked for
	waitDead(t, pid)
}
