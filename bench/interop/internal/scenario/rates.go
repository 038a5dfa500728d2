package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/broker"
)

// RatePlan says what is measured.
type RatePlan struct {
	Alone, Replicated bool
	Warmup, Measure   time.Duration // whole seconds
	Rounds            int
	Consumers         int // beside the 64 producers
	Size              int
}

// rate is what the rate probe prints.
type rate struct {
	Producers int     `json:"producers"`
	Rate      float64 `json:"rate"`
	Received  float64 `json:"received"`
	P50       float64 `json:"p50us"`
	P99       float64 `json:"p99us"`
	P999      float64 `json:"p999us"`
	Max       float64 `json:"maxus"`
}

// Rates measures confirmed durable sends with one producer and with 64, on fresh brokers each time. With several
// environments (one per brand) they take turns in every round, so that a busy machine is busy for all of them.
func Rates(ctx context.Context, all []*Env, plan RatePlan) error {
	for round := range plan.Rounds {
		for _, e := range all {
			if plan.Alone {
				if err := ratesOf(ctx, e, plan, fmt.Sprintf("alone-%d", round+1), alone); err != nil {
					return err
				}
			}
			if plan.Replicated {
				if err := ratesOf(ctx, e, plan, fmt.Sprintf("replicated-%d", round+1), replicated); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// setup starts brokers in a folder and returns where clients go.
type setup func(ctx context.Context, e *Env, dir string) (url string, nodes []*broker.Node, err error)

func alone(ctx context.Context, e *Env, dir string) (string, []*broker.Node, error) {
	n, err := broker.NewSingle(ctx, e.Rig, dir)
	if err != nil {
		return "", nil, err
	}
	if err := n.Start(); err != nil {
		return "", nil, err
	}
	return url("callTimeout=30000", n), []*broker.Node{n}, n.AwaitActive(ctx)
}

func replicated(ctx context.Context, e *Env, dir string) (string, []*broker.Node, error) {
	p, err := broker.NewPair(ctx, e.Rig, dir)
	if err != nil {
		return "", nil, err
	}
	u := url("callTimeout=30000&reconnectAttempts=-1&retryInterval=20", p.Nodes[0], p.Nodes[1])
	return u, []*broker.Node{p.Nodes[1], p.Nodes[0]}, p.Start(ctx)
}

func ratesOf(ctx context.Context, e *Env, plan RatePlan, name string, start setup) error {
	ctx, cancel := stage(ctx, 2*time.Minute+2*(plan.Warmup+plan.Measure))
	defer cancel()
	dir, err := e.folder(name)
	if err != nil {
		return err
	}
	u, nodes, err := start(ctx, e, dir)
	if err != nil {
		return err
	}
	j, err := e.java(ctx, e.Clients[0], name+"/worker")
	if err != nil {
		return err
	}
	for _, producers := range []int{1, 64} {
		consumers := 0
		if producers > 1 {
			consumers = plan.Consumers
		}
		load := loadAverage()
		var got rate
		var bad error
		lines := func(line string) {
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				bad = fmt.Errorf("scenario: rate probe printed %.200q: %w", line, err)
			}
		}
		err := j.Output(ctx, "RateProbe", lines, u, broker.User, broker.Password, fmt.Sprintf("rate%d", producers), fmt.Sprint(producers), fmt.Sprint(consumers),
			fmt.Sprint(plan.Size), fmt.Sprint(int(plan.Warmup.Seconds())), fmt.Sprint(int(plan.Measure.Seconds())))
		if err != nil {
			return err
		}
		if bad != nil || got.Producers != producers {
			return fmt.Errorf("scenario: no result of the rate probe: %w", bad)
		}
		// The load average says whether others had the cores too: then the figures are theirs as well.
		e.printf("rates: [load %s] %s %s, journal %s, client %s: %2d producers %d consumers %d B: %6.0f confirmed/s, p50 %.0f us, p99 %.0f us, p99.9 %.0f us, max %.0f us, received %.0f/s",
			load, e.Rig.Brand.Name(), name, e.Rig.Config.Journal, e.Clients[0].Name, producers, consumers, plan.Size, got.Rate, got.P50, got.P99, got.P999, got.Max, got.Received)
	}
	return stopCleanly(ctx, e, nodes...)
}

// loadAverage is the machine's, over the last minute, just before a measurement.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	load, _, _ := strings.Cut(string(b), " ")
	return load
}
