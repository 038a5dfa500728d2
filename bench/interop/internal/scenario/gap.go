package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/broker"
	"github.com/hindmq/hind/bench/interop/internal/history"
	"github.com/hindmq/hind/bench/interop/internal/worker"
)

const stallTime = 100 * time.Second // the client's call time-out is 30 s, and may strike more than once

// Gap measures how long one producer's confirmed sends pause when the active broker is killed.
func Gap(ctx context.Context, e *Env, kills int, pace time.Duration, extra string) error {
	dir, err := e.folder("gap")
	if err != nil {
		return err
	}
	client := e.Clients[0]
	e.printf("gap: %s, client %s, %d kills, retryInterval=20, one send per %v, failback %v, seed %d", e.Rig.Brand.Name(), client.Name, kills, pace,
		e.Rig.Config.Failback, e.Seed)
	p, err := broker.NewPair(ctx, e.Rig, dir)
	if err != nil {
		return err
	}
	j, err := e.java(ctx, client, "worker")
	if err != nil {
		return err
	}
	if err := p.Start(ctx); err != nil {
		return err
	}
	u := url("reconnectAttempts=-1&retryInterval=20"+extra, p.Nodes[0], p.Nodes[1])
	w, err := j.Start("GapProbe", false, u, broker.User, broker.Password, fmt.Sprintf("gap%d", e.Seed), fmt.Sprint(pace.Microseconds()))
	if err != nil {
		return err
	}
	defer w.Save()
	if _, err := w.Await(ctx, "first confirmed send", event("started")); err != nil {
		return err
	}
	var gaps times
	r := e.rand()
	for i := range kills {
		ms, err := oneGap(ctx, e, p, w, time.Duration(500+r.IntN(1500))*time.Millisecond)
		if err != nil {
			return fmt.Errorf("kill %d: %w", i+1, err)
		}
		gaps = append(gaps, ms)
	}
	e.printf("  longest gap between confirmed sends: %v", gaps)
	e.printf("  each: %.0f", []float64(gaps))
	return endGap(ctx, e, p, w)
}

func event(kind history.Kind) func(history.Event) bool {
	return func(e history.Event) bool { return e.E == kind }
}

// ask tells a command and waits for the event that answers it.
func ask(ctx context.Context, w *worker.Worker, command string, answer history.Kind) (history.Event, error) {
	if err := w.Tell(command); err != nil {
		return history.Event{}, err
	}
	return w.Await(ctx, string(answer), event(answer))
}

func oneGap(ctx context.Context, e *Env, p *broker.Pair, w *worker.Worker, calm time.Duration) (float64, error) {
	ctx, cancel := stage(ctx, serviceTime+stallTime)
	defer cancel()
	active, _, err := p.AwaitPaired(ctx)
	if err != nil {
		return 0, err
	}
	// The pair has just changed: let it calm down, and show that sends flow.
	if err := pass(ctx, calm); err != nil {
		return 0, err
	}
	if _, err := ask(ctx, w, "mark", "marked"); err != nil {
		return 0, err
	}
	before := history.Event{}
	for before.Confirmed < floor {
		if err := pass(ctx, 100*time.Millisecond); err != nil {
			return 0, fmt.Errorf("no load to measure a gap in: %w", err)
		}
		if before, err = ask(ctx, w, "report", "report"); err != nil {
			return 0, err
		}
	}
	active.Kill()
	after, err := settled(ctx, w)
	if err != nil {
		return 0, err
	}
	e.printf("  %s killed: gap %.0f ms (before: %.1f ms), %d send errors", active.Name, after.MS, before.MS, after.Errors-before.Errors)
	if err := active.Start(); err != nil {
		return 0, err
	}
	return after.MS, nil
}

// settled reports until sends have flowed for half a second without a new longest gap.
func settled(ctx context.Context, w *worker.Worker) (history.Event, error) {
	last, err := ask(ctx, w, "report", "report")
	if err != nil {
		return last, err
	}
	for calm := 0; calm < 5; {
		if err := pass(ctx, 100*time.Millisecond); err != nil {
			return last, fmt.Errorf("no service after the kill: %w", err)
		}
		now, err := ask(ctx, w, "report", "report")
		if err != nil {
			return last, err
		}
		if now.Confirmed > last.Confirmed && now.MS == last.MS {
			calm++
		} else {
			calm = 0
		}
		last = now
	}
	return last, nil
}

// pass lets time go by.
func pass(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func endGap(ctx context.Context, e *Env, p *broker.Pair, w *worker.Worker) error {
	fctx, cancel := stage(ctx, drainTime)
	defer cancel()
	if _, _, err := p.AwaitPaired(fctx); err != nil {
		return err
	}
	events, err := w.Finish(fctx)
	if err != nil {
		return err
	}
	for _, end := range events {
		if end.E != history.End {
			continue
		}
		e.printf("  sent %d, lost %d, doubled %d, send errors %d", end.Confirmed, end.Lost, end.Doubled, end.Errors)
		if end.Lost > 0 || end.Doubled > 0 {
			return ErrViolated
		}
		return stopCleanly(ctx, e, p.Nodes[1], p.Nodes[0])
	}
	return fmt.Errorf("scenario: the gap probe ended without its summary")
}
