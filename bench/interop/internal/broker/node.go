package broker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/proc"
)

// Credentials that every configuration of the harness knows.
const (
	User     = "admin"
	Password = "admin"
)

const (
	pollEvery = 20 * time.Millisecond
	tailLines = 25
)

// State is what can be seen of a broker from outside.
type State struct {
	Active bool   // serves clients
	InSync bool   // passive: able to take over without loss; active: its backup is, as far as it can be asked
	Epoch  uint64 // the role epoch, where the brand has one
	Text   string // the brand's own words, for messages
}

// Brand is a product.
type Brand interface {
	// Name is how flags and reports call it.
	Name() string
	// Prepare fills n.Dir, with configuration xml, so that Spec can be started in it.
	Prepare(ctx context.Context, n *Node, xml string) error
	// FoundsAlone tells whether a primary serves before it has ever seen its backup.
	FoundsAlone() bool
	// Spec is how to start the broker; Log and Lines are set by the Node.
	Spec(n *Node) proc.Spec
	// Mark folds an output line into the state; it returns s itself when the line says nothing.
	Mark(s State, line string) State
	// Poll asks the broker; ok is false when it does not answer, or when the brand only has Mark.
	Poll(ctx context.Context, n *Node) (s State, ok bool)
}

// Rig is what brokers are made with.
type Rig struct {
	Super  *proc.Supervisor
	Ports  *Ports
	Brand  Brand
	Config Config
}

// Node is one broker. Its methods are for one goroutine; reading output goes on beside them.
type Node struct {
	Name  string
	Dir   string
	Port  int // clients
	Admin int // admin port, for brands that have one

	brand   Brand
	super   *proc.Supervisor
	process *proc.Process

	mu      sync.Mutex
	state   State
	tail    []string
	changed chan struct{}
	run     int // counts starts; a line of an earlier run changes nothing
}

func newNode(r Rig, name, dir string) (*Node, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("broker: %s: %w", name, err)
	}
	n := &Node{Name: name, Dir: dir, brand: r.Brand, super: r.Super, changed: make(chan struct{})}
	for _, port := range []*int{&n.Port, &n.Admin} {
		var err error
		if *port, err = r.Ports.Take(); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// Address is the client port as host:port.
func (n *Node) Address() string { return fmt.Sprintf("127.0.0.1:%d", n.Port) }

// LogFile is where the broker's output goes.
func (n *Node) LogFile() string { return filepath.Join(n.Dir, "broker.log") }

// Start starts the process; it does not wait for service.
func (n *Node) Start() error {
	n.mu.Lock()
	n.run++
	run := n.run
	n.state = State{}
	n.tail = nil
	n.mu.Unlock()
	spec := n.brand.Spec(n)
	spec.Log = n.LogFile()
	spec.Lines = func(line string) { n.line(run, line) }
	p, err := n.super.Start(spec)
	if err != nil {
		return err
	}
	n.process = p
	return nil
}

func (n *Node) line(run int, line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if run != n.run {
		return
	}
	n.tail = append(n.tail, line)
	if len(n.tail) > tailLines {
		n.tail = n.tail[1:]
	}
	n.set(n.brand.Mark(n.state, line))
}

// set replaces the state and wakes waiters; the caller holds mu.
func (n *Node) set(s State) {
	if s == n.state {
		return
	}
	n.state = s
	close(n.changed)
	n.changed = make(chan struct{})
}

// Kill ends the broker with SIGKILL and waits until the kernel has let go of it.
func (n *Node) Kill() { n.process.Kill() }

// Stop asks the broker to end with SIGTERM, waits for it and returns its exit code, -1 if a signal ended it.
func (n *Node) Stop(ctx context.Context) (code int, err error) {
	if err := n.process.Stop(ctx); err != nil {
		return 0, err
	}
	return n.process.ExitCode(), nil
}

// Pause freezes the broker with SIGSTOP; Resume thaws it.
func (n *Node) Pause() { n.process.Pause() }

// Resume thaws a paused broker.
func (n *Node) Resume() { n.process.Resume() }

// Running tells whether the process lives.
func (n *Node) Running() bool { return n.process != nil && n.process.Running() }

// State returns what is known now, after asking the broker where the brand can be asked.
func (n *Node) State(ctx context.Context) State {
	if !n.Running() {
		return State{Text: "not running"}
	}
	s, ok := n.brand.Poll(ctx, n)
	n.mu.Lock()
	defer n.mu.Unlock()
	if ok {
		n.set(s)
	}
	return n.state
}

// Await waits until the state satisfies cond.
func (n *Node) Await(ctx context.Context, what string, cond func(State) bool) (State, error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		n.mu.Lock()
		changed := n.changed
		n.mu.Unlock()
		if s := n.State(ctx); cond(s) {
			return s, nil
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-n.process.Done():
			return State{}, fmt.Errorf("broker: %s ended (%v) while waiting until it is %s; %s", n.Name, n.process.Err(), what, n.Tail())
		case <-ctx.Done():
			return State{}, fmt.Errorf("broker: %s is not %s but %+v: %w; %s", n.Name, what, n.State(context.WithoutCancel(ctx)), ctx.Err(), n.Tail())
		}
	}
}

// AwaitActive waits until the broker serves clients.
func (n *Node) AwaitActive(ctx context.Context) error {
	_, err := n.Await(ctx, "active", func(s State) bool { return s.Active })
	return err
}

// Tail returns the last output lines and where the rest is.
func (n *Node) Tail() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return fmt.Sprintf("last output (all of it in %s):\n    %s", n.LogFile(), strings.Join(n.tail, "\n    "))
}
