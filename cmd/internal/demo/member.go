package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/hindmq/hind/broker"
)

// starter starts processes from one thread that lives as long as the run: the kernel watches threads, not processes, for
// the signal that a child gets when its parent is gone.
type starter struct {
	work chan func()
	done chan struct{}
}

func newStarter() *starter {
	s := &starter{work: make(chan func()), done: make(chan struct{})}
	go func() { // owner: Run; ends at close, which waits
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		defer close(s.done)
		for f := range s.work {
			f()
		}
	}()
	return s
}

func (s *starter) start(cmd *exec.Cmd) error {
	result := make(chan error)
	s.work <- func() { result <- cmd.Start() }
	return <-result
}

func (s *starter) close() {
	close(s.work)
	<-s.done
}

// member is one broker of the pair: a place, and the process that runs there now.
type member struct {
	place
	dir        string
	executable string
	flags      []string // of hind run, beside those that place it
	starter    *starter
	web        *http.Client

	cmd   *exec.Cmd
	ended chan struct{} // closed when the process is gone
}

func (m *member) logPath() string { return filepath.Join(m.dir, m.Name+".log") }

// start runs the process; its log is appended to that of its forerunners.
func (m *member) start() error {
	log, err := os.OpenFile(m.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the child has its own
	args := append([]string{"run", "--config", filepath.Join(m.dir, m.Name, "etc", "broker.xml"), "--admin", m.adminAddr()}, m.flags...)
	m.cmd = exec.Command(m.executable, args...)
	m.cmd.Stdout, m.cmd.Stderr, m.cmd.SysProcAttr = log, log, childAttr()
	if err := m.starter.start(m.cmd); err != nil {
		return fmt.Errorf("start %s: %w", m.Name, err)
	}
	cmd, ended := m.cmd, make(chan struct{})
	m.ended = ended
	go func() { // owner: member; ends with the process, which kill and stop wait for
		defer close(ended)
		_ = cmd.Wait() // how it ended is in its log
	}()
	return nil
}

// kill is kill -9, and waits until the process is gone.
func (m *member) kill() error {
	if err := m.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill %s: %w", m.Name, err)
	}
	<-m.ended
	return nil
}

// stop asks the process to end, and kills it if it does not within limit.
func (m *member) stop(limit time.Duration) {
	if m.cmd == nil {
		return
	}
	_ = m.cmd.Process.Signal(os.Interrupt) // gone already, or killed below
	over := time.NewTimer(limit)
	defer over.Stop()
	select {
	case <-m.ended:
	case <-over.C:
		_ = m.cmd.Process.Kill()
		<-m.ended
	}
}

// status asks the admin port.
func (m *member) status(ctx context.Context) (broker.Status, error) {
	var st broker.Status
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.adminAddr()+"/status", nil)
	if err != nil {
		return st, err
	}
	answer, err := m.web.Do(r)
	if err != nil {
		return st, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return st, fmt.Errorf("%s: /status: %s", m.Name, answer.Status)
	}
	return st, json.NewDecoder(answer.Body).Decode(&st)
}

// lastWords are the last lines of the log.
func (m *member) lastWords() string {
	text, err := os.ReadFile(m.logPath())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}
