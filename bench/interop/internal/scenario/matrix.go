package scenario

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/broker"
)

// Large says what a broker is expected to do with a large message.
type Large string

// The expectations.
const (
	LargeCarried Large = "carried"
	LargeRefused Large = "refused"
)

// Matrix runs every flow with every client against one broker.
func Matrix(ctx context.Context, e *Env, large Large) error {
	dir, err := e.folder("matrix")
	if err != nil {
		return err
	}
	n, err := broker.NewSingle(ctx, e.Rig, dir)
	if err != nil {
		return err
	}
	if err := n.Start(); err != nil {
		return err
	}
	if err := n.AwaitActive(ctx); err != nil {
		return err
	}
	failed := 0
	for _, c := range e.Clients {
		e.printf("matrix: %s, client %s", e.Rig.Brand.Name(), c.Name)
		for _, group := range []string{"core", "large", "more"} {
			ok, err := flows(ctx, e, n, c.Name, group, large)
			if err != nil {
				return err
			}
			if !ok && group != "more" {
				failed++
			}
		}
	}
	if !n.Running() {
		return fmt.Errorf("scenario: the broker ended during the matrix; %s", n.Tail())
	}
	if err := stopCleanly(ctx, e, n); err != nil {
		return err
	}
	if failed > 0 {
		e.printf("matrix: %d of %d demanded groups failed", failed, 2*len(e.Clients))
		return ErrViolated
	}
	return nil
}

func flows(ctx context.Context, e *Env, n *broker.Node, client, group string, large Large) (bool, error) {
	c := e.Clients[0]
	for _, k := range e.Clients {
		if k.Name == client {
			c = k
		}
	}
	j, err := e.java(ctx, c, "flows-"+c.Name)
	if err != nil {
		return false, err
	}
	j.JVM = []string{"-XX:TieredStopAtLevel=1"} // short runs: compile fast
	passed, refused, verdicts := 0, 0, 0
	lines := func(line string) {
		switch {
		case strings.HasPrefix(line, "PASS "):
			passed++
			verdicts++
		case strings.HasPrefix(line, "REFUSED "):
			refused++
			verdicts++
			e.printf("  %s", line)
		case strings.HasPrefix(line, "FAIL "):
			verdicts++
			e.printf("  %s", line)
		case strings.HasPrefix(line, "CLIENT "), strings.HasPrefix(line, "   at "):
			e.printf("  %s", line)
		}
	}
	start := time.Now()
	ctx, cancel := stage(ctx, 5*time.Minute)
	defer cancel()
	end := j.Output(ctx, "Flows", lines, url("callTimeout=10000", n), broker.User, broker.Password, group)
	if ctx.Err() != nil {
		return false, end
	}
	note := ""
	if group == "more" {
		note = " (reported, not demanded)"
	}
	e.printf("  %s: %d of %d flows passed, %d refused, %.1f s%s", group, passed, verdicts, refused, time.Since(start).Seconds(), note)
	if verdicts == 0 {
		return false, fmt.Errorf("scenario: flows printed no verdict: %w", end)
	}
	if group == "large" && end == nil {
		got := LargeCarried
		if refused > 0 {
			got = LargeRefused
		}
		if got != large {
			e.printf("  FAIL large message: %s, expected %s", got, large)
			return false, nil
		}
	}
	return end == nil, nil
}
