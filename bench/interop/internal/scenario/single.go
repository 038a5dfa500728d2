package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/broker"
	"github.com/hindmq/hind/bench/interop/internal/history"
	"github.com/hindmq/hind/bench/interop/internal/worker"
)

// Single kills a broker that stands alone, again and again under load, and restarts it on its data.
func Single(ctx context.Context, e *Env, kills int, load Load) error {
	dir, err := e.folder("single")
	if err != nil {
		return err
	}
	n, err := broker.NewSingle(ctx, e.Rig, dir)
	if err != nil {
		return err
	}
	client := e.Clients[0]
	e.printf("single: %s, client %s, %d kills, seed %d", e.Rig.Brand.Name(), client.Name, kills, e.Seed)
	j, err := e.java(ctx, client, "worker")
	if err != nil {
		return err
	}
	if err := n.Start(); err != nil {
		return err
	}
	if err := n.AwaitActive(ctx); err != nil {
		return err
	}
	w, err := load.start(j, url("reconnectAttempts=-1&retryInterval=20&blockOnAcknowledge=true&callTimeout=10000", n), fmt.Sprintf("k%d", e.Seed))
	if err != nil {
		return err
	}
	defer w.Save()
	var ready, service times
	r := e.rand()
	for i := range kills {
		if err := awaitMore(ctx, w, floor+r.Int64N(spread), serviceTime); err != nil {
			return fmt.Errorf("before kill %d: %w", i+1, err)
		}
		if err := killAndRestart(ctx, n, w, &ready, &service); err != nil {
			return fmt.Errorf("kill %d: %w", i+1, err)
		}
	}
	if err := awaitMore(ctx, w, floor, serviceTime); err != nil {
		return err
	}
	fctx, cancel := stage(ctx, drainTime)
	defer cancel()
	events, err := w.Finish(fctx)
	if err != nil {
		e.printf("  %v", err)
	}
	e.printf("  restart to active: %v", ready)
	e.printf("  kill to %d confirmed sends: %v", afterHeal, service)
	if judged := e.judge(events, history.Options{Floor: floor}); judged != nil || err != nil {
		return ErrViolated
	}
	return stopCleanly(ctx, e, n)
}

func killAndRestart(ctx context.Context, n *broker.Node, w *worker.Worker, ready, service *times) error {
	ctx, cancel := stage(ctx, serviceTime)
	defer cancel()
	fault(w, "kill", n)
	n.Kill()
	confirmed := w.Confirmed() // a confirm on its way to the worker may still come, so service takes a few
	killed := time.Now()
	if err := n.Start(); err != nil {
		return err
	}
	if err := n.AwaitActive(ctx); err != nil {
		return err
	}
	ready.add(time.Since(killed))
	if err := w.AwaitConfirmed(ctx, confirmed+afterHeal); err != nil {
		return fmt.Errorf("no service after the restart: %w; %s", err, n.Tail())
	}
	service.add(time.Since(killed))
	healed(w, "kill", n)
	return nil
}

// stopCleanly ends the brokers with SIGTERM: they must go by themselves.
func stopCleanly(ctx context.Context, e *Env, nodes ...*broker.Node) error {
	for _, n := range nodes {
		if !n.Running() {
			continue
		}
		sctx, cancel := stage(ctx, 20*time.Second)
		start := time.Now()
		code, err := n.Stop(sctx)
		cancel()
		if err != nil {
			return err
		}
		e.printf("  %s ended %d ms after SIGTERM, exit code %d", n.Name, time.Since(start).Milliseconds(), code)
	}
	return nil
}
