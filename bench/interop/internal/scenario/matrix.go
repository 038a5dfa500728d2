package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/broker"
	"github.com/hindmq/hind/bench/interop/internal/clients"
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
		bad, err := flows(ctx, e, n, c, large)
		if err != nil {
			return err
		}
		failed += bad
	}
	if !n.Running() {
		return fmt.Errorf("scenario: the broker ended during the matrix; %s", n.Tail())
	}
	if err := stopCleanly(ctx, e, n); err != nil {
		return err
	}
	if failed > 0 {
		e.printf("matrix: %d demanded flows failed", failed)
		return ErrViolated
	}
	return nil
}

// tally counts what one run of the flows prints.
type tally struct {
	e        *Env
	group    string
	passed   map[string]int
	failed   map[string]int
	verdicts int
	large    Large
}

func (t *tally) line(line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "GROUP":
		t.group = rest
		return
	case "PASS":
		t.passed[t.group]++
		t.verdicts++
		if t.group == "large" {
			t.large = LargeCarried
		}
		return
	case "REFUSED":
		t.verdicts++
		t.large = LargeRefused
	case "FAIL":
		t.failed[t.group]++
		t.verdicts++
		if t.group == "more" {
			line = "NOT YET " + rest
		}
	case "CLIENT":
	default:
		if !strings.HasPrefix(line, "   at ") {
			return // the client's own log, which the log file has
		}
	}
	t.e.printf("  %s", line)
}

// flows runs all groups with one client and returns how many demanded flows failed.
func flows(ctx context.Context, e *Env, n *broker.Node, c clients.Client, large Large) (int, error) {
	j, err := e.java(ctx, c, "flows-"+c.Name)
	if err != nil {
		return 0, err
	}
	j.JVM = []string{"-XX:TieredStopAtLevel=1"} // short runs: compile fast
	t := &tally{e: e, passed: make(map[string]int), failed: make(map[string]int)}
	start := time.Now()
	ctx, cancel := stage(ctx, 5*time.Minute)
	defer cancel()
	end := j.Output(ctx, "Flows", t.line, url("callTimeout=10000", n), broker.User, broker.Password, "core,large,more")
	if ctx.Err() != nil || t.verdicts == 0 {
		return 0, errors.Join(errors.New("scenario: the flows came to no end"), end)
	}
	failed := t.failed["core"] + t.failed["large"]
	if end != nil && failed+t.failed["more"] == 0 {
		return 0, end // it failed for a reason that no verdict tells
	}
	if t.large != large && t.failed["large"] == 0 {
		e.printf("  FAIL large message: %q, expected %q", t.large, large)
		failed++
	}
	e.printf("  core %d passed, %d failed; large message %s; more (reported, not demanded) %d passed, %d failed; %.1f s", t.passed["core"],
		t.failed["core"], t.large, t.passed["more"], t.failed["more"], time.Since(start).Seconds())
	return failed, nil
}
