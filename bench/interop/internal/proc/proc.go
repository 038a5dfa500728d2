package proc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// ErrClosed is returned by Start after Close.
var ErrClosed = errors.New("proc: supervisor is closed")

// Spec says what to start.
type Spec struct {
	Path  string            // the program
	Args  []string          // its arguments, without its name
	Dir   string            // its working directory
	Env   []string          // added to this process's environment
	Log   string            // file that gets standard error and standard output; appended to
	Lines func(line string) // gets every line of both outputs
	// Private keeps standard output out of the log file, and standard error out of Lines.
	Private bool
}

// Process is one running child.
type Process struct {
	spec  Spec
	cmd   *exec.Cmd
	stdin io.WriteCloser
	log   *os.File
	done  chan struct{}
	err   error // set before done is closed
}

// Supervisor starts processes and ends them all. It is safe for concurrent use.
type Supervisor struct {
	requests chan func()
	mu       sync.Mutex
	alive    map[*Process]bool
	closed   bool
	wg       sync.WaitGroup
}

// NewSupervisor returns a Supervisor whose starter thread runs until Close.
func NewSupervisor() *Supervisor {
	s := &Supervisor{requests: make(chan func()), alive: make(map[*Process]bool)}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread must not end before the children
		for f := range s.requests {
			f()
		}
	}()
	return s
}

// Start starts a process. The caller waits with Process.Done.
func (s *Supervisor) Start(spec Spec) (*Process, error) {
	p := &Process{spec: spec, done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	result := make(chan error, 1)
	s.requests <- func() { result <- p.start(&s.wg) }
	if err := <-result; err != nil {
		return nil, fmt.Errorf("proc: start %s in %s: %w", spec.Path, spec.Dir, err)
	}
	s.alive[p] = true
	s.wg.Go(func() {
		<-p.done
		s.mu.Lock()
		delete(s.alive, p)
		s.mu.Unlock()
	})
	return p, nil
}

// Close kills every process that still runs, waits for all of them and ends the starter thread.
func (s *Supervisor) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	for p := range s.alive {
		p.signal(syscall.SIGKILL)
	}
	s.mu.Unlock()
	s.wg.Wait()
	close(s.requests)
}

func (p *Process) start(wg *sync.WaitGroup) error {
	log, err := os.OpenFile(p.spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	p.log = log
	cmd := exec.Command(p.spec.Path, p.spec.Args...)
	cmd.Dir = p.spec.Dir
	cmd.Env = append(os.Environ(), p.spec.Env...)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return errors.Join(err, log.Close())
	}
	if !p.spec.Private {
		cmd.Stderr = cmd.Stdout // one stream, so that Lines and the log file have both in order
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return errors.Join(err, log.Close())
	}
	if err := cmd.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	p.cmd, p.stdin = cmd, in
	wg.Go(func() { p.read(out) })
	return nil
}

// read pumps standard output until it ends and then reaps the child.
func (p *Process) read(out io.Reader) {
	r := bufio.NewReaderSize(out, 64<<10)
	for {
		line, err := r.ReadString('\n')
		if n := len(line); n > 0 {
			if !p.spec.Private {
				_, _ = p.log.WriteString(line) // a full disk must not stop the child's output
			}
			if line[n-1] == '\n' {
				line = line[:n-1]
			}
			if p.spec.Lines != nil {
				p.spec.Lines(line)
			}
		}
		if err != nil {
			break
		}
	}
	p.err = p.cmd.Wait()
	_ = p.log.Close()
	close(p.done)
}

func (p *Process) signal(sig syscall.Signal) {
	// ESRCH says that the group is gone already, which is what a caller of Kill wants.
	_ = syscall.Kill(-p.cmd.Process.Pid, sig)
}

// Pid returns the process id, which is also its group's.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended and all its output was handed on.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err returns how the process ended; nil means exit code 0. Valid once Done is closed.
func (p *Process) Err() error { return p.err }

// ExitCode returns the exit code, or -1 when a signal ended the process. Valid once Done is closed.
func (p *Process) ExitCode() int { return p.cmd.ProcessState.ExitCode() }

// Running tells whether the process has not been reaped yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Kill sends SIGKILL to the group and waits until the process is reaped.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// Pause stops the group with SIGSTOP, Resume lets it go on with SIGCONT.
func (p *Process) Pause() { p.signal(syscall.SIGSTOP) }

// Resume lets a paused group go on.
func (p *Process) Resume() { p.signal(syscall.SIGCONT) }

// Stop asks with SIGTERM and waits until the process has ended. When ctx ends first the group is killed and that is an error.
func (p *Process) Stop(ctx context.Context) error {
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("proc: %s (pid %d) did not end on SIGTERM: %w; see %s", p.spec.Path, p.Pid(), ctx.Err(), p.spec.Log)
	}
}

// Tell writes one command line to the process's standard input.
func (p *Process) Tell(line string) error {
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		return fmt.Errorf("proc: tell pid %d %q: %w; see %s", p.Pid(), line, err, p.spec.Log)
	}
	return nil
}
