package broker

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hindmq/hind/bench/interop/internal/proc"
)

// Artemis is the reference broker from an unpacked distribution.
type Artemis struct {
	Home string
}

// Name implements Brand.
func (a *Artemis) Name() string { return "artemis" }

// Prepare creates an instance with the distribution's own command and puts the configuration in its place.
func (a *Artemis) Prepare(ctx context.Context, n *Node, xml string) error {
	args := []string{"create", n.Dir, "--force", "--silent", "--user", User, "--password", Password, "--require-login", "--host", "127.0.0.1",
		"--default-port", fmt.Sprint(n.Port), "--no-web", "--no-amqp-acceptor", "--no-mqtt-acceptor", "--no-stomp-acceptor",
		"--no-hornetq-acceptor", "--no-autotune"}
	p, err := n.super.Start(proc.Spec{Path: filepath.Join(a.Home, "bin", "artemis"), Args: args, Dir: filepath.Dir(n.Dir), Log: n.Dir + "-create.log"})
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("broker: create an instance in %s: %w", n.Dir, ctx.Err())
	}
	if p.Err() != nil {
		return fmt.Errorf("broker: create an instance in %s: %w; see %s-create.log", n.Dir, p.Err(), n.Dir)
	}
	if err := writeConfig(filepath.Join(n.Dir, "etc"), xml); err != nil {
		return fmt.Errorf("broker: configure %s: %w", n.Name, err)
	}
	return nil
}

// Spec implements Brand: the script execs java, so the process is the broker.
func (a *Artemis) Spec(n *Node) proc.Spec {
	return proc.Spec{Path: filepath.Join(n.Dir, "bin", "artemis"), Args: []string{"run"}, Dir: n.Dir}
}

// FoundsAlone implements Brand.
func (a *Artemis) FoundsAlone() bool { return true }

// Mark reads the log's message codes.
func (a *Artemis) Mark(s State, line string) State {
	switch {
	case strings.Contains(line, "AMQ221007"): // Server is now active
		return State{Active: true, InSync: true, Text: "AMQ221007"} // its backup's log must say the rest
	case strings.Contains(line, "AMQ221109"), strings.Contains(line, "AMQ221039"): // backup started, or restarting as backup
		return State{Text: "passive"}
	case strings.Contains(line, "AMQ221024"): // synchronized with its primary
		// The primary logs the same code for its backup and stays what it is.
		if !s.Active {
			return State{InSync: true, Text: "AMQ221024"}
		}
	case strings.Contains(line, "AMQ221066"), strings.Contains(line, "AMQ221037"): // backup is becoming active
		return State{Text: "becoming active"}
	}
	return s
}

// Poll implements Brand: all there is to see is in the log.
func (a *Artemis) Poll(context.Context, *Node) (State, bool) { return State{}, false }
