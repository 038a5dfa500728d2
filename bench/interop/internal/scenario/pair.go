package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/broker"
	"github.com/hindmq/hind/bench/interop/internal/history"
	"github.com/hindmq/hind/bench/interop/internal/worker"
)

// PairPlan says what hits a pair.
type PairPlan struct {
	Kills  int           // kill -9 of the active, then a restart
	Pauses int           // SIGSTOP of the active, then SIGCONT once the other one serves
	Lease  time.Duration // a pause lasts at least twice that
	Load   Load
}

const (
	pairOptions  = "reconnectAttempts=-1&retryInterval=20&blockOnAcknowledge=true&callTimeout=10000"
	pauseOptions = "reconnectAttempts=-1&retryInterval=20&blockOnAcknowledge=true&clientFailureCheckPeriod=500&connectionTTL=2000&callTimeout=2000&callFailoverTimeout=10000"
)

// pairRun is one running scenario.
type pairRun struct {
	e *Env
	p *broker.Pair
	w *worker.Worker

	service       times // kill to the first confirmed sends
	takeover      times // freeze to the other one active
	thawed        times // thaw to the first confirmed sends
	insync        times // restart, or service after a thaw, to a pair in sync
	frozenService int   // pauses during which clients were served by the other one
}

// Pair kills and freezes the active broker of a pair under load.
func Pair(ctx context.Context, e *Env, plan PairPlan) error {
	dir, err := e.folder("pair")
	if err != nil {
		return err
	}
	client := e.Clients[0]
	e.printf("pair: %s, client %s, %d kills, %d pauses, failback %v, seed %d", e.Rig.Brand.Name(), client.Name, plan.Kills, plan.Pauses,
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
	options := pairOptions
	if plan.Pauses > 0 {
		options = pauseOptions
	}
	w, err := plan.Load.start(j, url(options, p.Nodes[0], p.Nodes[1]), fmt.Sprintf("p%d", e.Seed))
	if err != nil {
		return err
	}
	defer w.Save()
	run := &pairRun{e: e, p: p, w: w}
	if err := run.faults(ctx, plan); err != nil {
		return err
	}
	return run.finish(ctx)
}

func (r *pairRun) faults(ctx context.Context, plan PairPlan) error {
	rnd := r.e.rand()
	for i := range plan.Kills + plan.Pauses {
		if err := awaitMore(ctx, r.w, floor+rnd.Int64N(spread), serviceTime); err != nil {
			return fmt.Errorf("before fault %d: %w", i+1, err)
		}
		active, passive, err := r.paired(ctx)
		if err != nil {
			return fmt.Errorf("before fault %d: %w", i+1, err)
		}
		if i < plan.Kills {
			err = r.kill(ctx, active, passive)
		} else {
			err = r.pause(ctx, active, passive, plan.Lease)
		}
		if err != nil {
			return fmt.Errorf("fault %d on %s: %w", i+1, active.Name, err)
		}
	}
	_, _, err := r.paired(ctx)
	return err
}

func (r *pairRun) paired(ctx context.Context) (active, passive *broker.Node, err error) {
	ctx, cancel := stage(ctx, serviceTime)
	defer cancel()
	return r.p.AwaitPaired(ctx)
}

// served waits until the worker's sends are confirmed again.
func (r *pairRun) served(ctx context.Context, kind string, failed *broker.Node, confirmed int64, since time.Time, took *times) error {
	ctx, cancel := stage(ctx, serviceTime)
	defer cancel()
	if err := r.w.AwaitConfirmed(ctx, confirmed+afterHeal); err != nil {
		return fmt.Errorf("no service after the %s of %s: %w; %s", kind, failed.Name, err, failed.Tail())
	}
	took.add(time.Since(since))
	healed(r.w, kind, failed)
	return nil
}

func (r *pairRun) kill(ctx context.Context, active, passive *broker.Node) error {
	fault(r.w, "kill", active)
	start := time.Now()
	active.Kill()
	confirmed := r.w.Confirmed()
	if err := takenOver(ctx, passive); err != nil {
		return err
	}
	if err := r.served(ctx, "kill", active, confirmed, start, &r.service); err != nil {
		return err
	}
	return r.comeBack(ctx, active, active.Start)
}

// comeBack lets the failed broker return and waits until the pair is whole.
func (r *pairRun) comeBack(ctx context.Context, n *broker.Node, how func() error) error {
	fault(r.w, history.Return, n)
	start := time.Now()
	if err := how(); err != nil {
		return err
	}
	if _, _, err := r.paired(ctx); err != nil {
		return err
	}
	r.insync.add(time.Since(start))
	healed(r.w, history.Return, n)
	return nil
}

// pause freezes the active for longer than its lease and thaws it when the other one has taken over. The kernel goes on
// accepting connections for a frozen process, so a client that tries its old address first may be held there until the
// thaw: service is demanded from then on, and a confirm that the deposed broker still gives is lost, which the checker
// finds.
func (r *pairRun) pause(ctx context.Context, active, passive *broker.Node, lease time.Duration) error {
	fault(r.w, "pause", active)
	start := time.Now()
	active.Pause()
	confirmed := r.w.Confirmed()
	err := r.whileFrozen(ctx, passive, start, 2*lease)
	if r.w.Confirmed() >= confirmed+afterHeal {
		r.frozenService++
	}
	confirmed = r.w.Confirmed()
	thawed := time.Now()
	active.Resume()
	if err != nil {
		return err
	}
	if err := r.served(ctx, "pause", active, confirmed, thawed, &r.thawed); err != nil {
		return err
	}
	return r.comeBack(ctx, active, func() error { return r.wake(ctx, active) })
}

// takenOver waits until the successor is active.
func takenOver(ctx context.Context, successor *broker.Node) error {
	ctx, cancel := stage(ctx, serviceTime)
	defer cancel()
	return successor.AwaitActive(ctx)
}

// whileFrozen waits until the successor is active and the time is over.
func (r *pairRun) whileFrozen(ctx context.Context, successor *broker.Node, start time.Time, least time.Duration) error {
	if err := takenOver(ctx, successor); err != nil {
		return err
	}
	r.takeover.add(time.Since(start))
	return pass(ctx, least-time.Since(start))
}

// wake lets a thawed broker find its place. A deposed broker may end itself; whoever runs it starts it again.
func (r *pairRun) wake(ctx context.Context, n *broker.Node) error {
	if err := awaitMore(ctx, r.w, floor, serviceTime); err != nil {
		return fmt.Errorf("after %s woke up: %w", n.Name, err)
	}
	if n.Running() {
		return nil
	}
	r.e.printf("  %s ended when it woke up: restarting it", n.Name)
	return n.Start()
}

func (r *pairRun) finish(ctx context.Context) error {
	fctx, cancel := stage(ctx, drainTime)
	defer cancel()
	events, err := r.w.Finish(fctx)
	if err != nil {
		r.e.printf("  %v", err)
	}
	r.e.printf("  kill to %d confirmed sends: %v", afterHeal, r.service)
	if len(r.takeover) > 0 {
		r.e.printf("  freeze to the other one active: %v", r.takeover)
		r.e.printf("  thaw to %d confirmed sends: %v; clients were served before it: %d of %d", afterHeal, r.thawed, r.frozenService, len(r.takeover))
	}
	r.e.printf("  return to a pair in sync: %v", r.insync)
	if judged := r.e.judge(events, history.Options{Floor: floor}); judged != nil || err != nil {
		return ErrViolated
	}
	return stopCleanly(ctx, r.e, r.p.Nodes[1], r.p.Nodes[0])
}
