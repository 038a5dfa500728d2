package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/hindmq/hind/bench/interop/internal/history"
	"github.com/hindmq/hind/bench/interop/internal/proc"
)

const keptErrors = 8

// Java says how to run a probe.
type Java struct {
	Super     *proc.Supervisor
	ClassPath string
	Dir       string   // working directory, and where logs and histories go
	JVM       []string // further JVM flags
}

func (j Java) spec(class string, args []string) (proc.Spec, error) {
	java, err := exec.LookPath("java")
	if err != nil {
		return proc.Spec{}, fmt.Errorf("worker: Java 17 is needed: %w", err)
	}
	all := append([]string{"-Xmx768m", "-XX:+UseSerialGC"}, j.JVM...)
	all = append(append(all, "-cp", j.ClassPath, "org.hindmq.interop."+class), args...)
	return proc.Spec{Path: java, Args: all, Dir: j.Dir, Log: filepath.Join(j.Dir, class+".log")}, nil
}

// Output runs a probe to its end, hands each line of its standard output to lines, and returns how it ended.
func (j Java) Output(ctx context.Context, class string, lines func(string), args ...string) error {
	spec, err := j.spec(class, args)
	if err != nil {
		return err
	}
	spec.Lines = lines
	spec.Private = true // what the client's log library says on standard error is no output of the probe
	p, err := j.Super.Start(spec)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("worker: %s: %w; see %s", class, ctx.Err(), spec.Log)
	}
	if p.Err() != nil {
		return fmt.Errorf("worker: %s: %w; see %s", class, p.Err(), spec.Log)
	}
	return nil
}

// Worker is a running probe that writes events. It is safe for concurrent use.
type Worker struct {
	process *proc.Process
	log     string
	file    *os.File
	out     *bufio.Writer

	mu        sync.Mutex
	events    []history.Event // all of them, when kept; else the ones that Await looks for
	keep      bool
	confirmed int64
	errors    []string // the last few
	broken    error    // a line that could not be read
	saved     bool     // the file is complete
	changed   chan struct{}
}

// Start starts a probe whose output is events. With keep the whole history is held for Finish and written to a file.
func (j Java) Start(class string, keep bool, args ...string) (*Worker, error) {
	spec, err := j.spec(class, args)
	if err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(j.Dir, strings.ToLower(class)+"-history.jsonl"))
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	w := &Worker{file: f, out: bufio.NewWriterSize(f, 1<<16), keep: keep, changed: make(chan struct{}), log: spec.Log}
	spec.Private = true
	spec.Lines = w.line
	if w.process, err = j.Super.Start(spec); err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return w, nil
}

func (w *Worker) line(text string) {
	e, err := history.Parse([]byte(text))
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		if w.broken == nil {
			w.broken = err
		}
		return
	}
	_, _ = w.out.WriteString(text + "\n") // the history in memory is the one that is judged
	w.take(e)
}

// take counts an event and wakes waiters; the caller holds mu.
func (w *Worker) take(e history.Event) {
	switch e.E {
	case history.SendOK:
		w.confirmed++
	case history.TxOK:
		w.confirmed += int64(len(e.IDs))
	}
	if e.Err != "" {
		w.errors = append(w.errors, fmt.Sprintf("%s %s%s: %s", e.E, e.C, e.P, e.Err))
		if len(w.errors) > keptErrors {
			w.errors = w.errors[1:]
		}
	}
	w.events = append(w.events, e)
	close(w.changed)
	w.changed = make(chan struct{})
}

// Record adds an event of the harness, stamped now.
func (w *Worker) Record(e history.Event) {
	e.T = Monotonic()
	b, err := json.Marshal(e)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		_, _ = w.out.Write(append(b, '\n'))
	}
	w.take(e)
}

// Confirmed returns how many sends were confirmed so far.
func (w *Worker) Confirmed() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.confirmed
}

// AwaitConfirmed waits until at least n sends were confirmed since the start.
func (w *Worker) AwaitConfirmed(ctx context.Context, n int64) error {
	return w.await(ctx, fmt.Sprintf("%d confirmed sends", n), func() bool { return w.confirmed >= n })
}

// Await waits for the next event that satisfies cond and drops everything up to it, unless the history is kept.
func (w *Worker) Await(ctx context.Context, what string, cond func(history.Event) bool) (history.Event, error) {
	var found history.Event
	seen := 0
	err := w.await(ctx, what, func() bool {
		for ; seen < len(w.events); seen++ {
			if cond(w.events[seen]) {
				found = w.events[seen]
				if !w.keep {
					w.events = w.events[seen+1:]
				}
				return true
			}
		}
		return false
	})
	return found, err
}

func (w *Worker) await(ctx context.Context, what string, cond func() bool) error {
	for {
		w.mu.Lock()
		ok, changed := cond(), w.changed
		w.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-w.process.Done():
			w.mu.Lock()
			ok = cond() // the last lines were handed on before Done
			w.mu.Unlock()
			if ok {
				return nil
			}
			return fmt.Errorf("worker: ended (%v) while %s were awaited%s; see %s", w.process.Err(), what, w.lastErrors(), w.log)
		case <-ctx.Done():
			return fmt.Errorf("worker: no %s: %w%s; see %s", what, ctx.Err(), w.lastErrors(), w.log)
		}
	}
}

func (w *Worker) lastErrors() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.errors) == 0 {
		return ""
	}
	return "; its last errors:\n    " + strings.Join(w.errors, "\n    ")
}

// Tell writes a command.
func (w *Worker) Tell(command string) error { return w.process.Tell(command) }

// Finish tells the worker to stop, waits until it has ended, and returns the history.
func (w *Worker) Finish(ctx context.Context) ([]history.Event, error) {
	if err := w.Tell("stop"); err != nil {
		return nil, err
	}
	select {
	case <-w.process.Done():
	case <-ctx.Done():
		w.process.Kill()
		return w.history(), fmt.Errorf("worker: did not drain and end: %w%s; see %s", ctx.Err(), w.lastErrors(), w.log)
	}
	events := w.history()
	if w.broken != nil {
		return events, fmt.Errorf("worker: unreadable output: %w", w.broken)
	}
	if w.process.Err() != nil {
		return events, fmt.Errorf("worker: %w%s; see %s", w.process.Err(), w.lastErrors(), w.log)
	}
	return events, nil
}

// Save ends the worker if it still runs and writes out its history file; it may be called again.
func (w *Worker) Save() {
	w.process.Kill()
	w.history()
}

// history flushes the file and returns what was recorded.
func (w *Worker) history() []history.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.saved {
		w.saved = true
		_ = w.out.Flush() // the history in memory is the one that is judged
		_ = w.file.Close()
	}
	return w.events
}
