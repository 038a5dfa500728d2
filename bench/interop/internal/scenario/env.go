package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/broker"
	"github.com/hindmq/hind/bench/interop/internal/clients"
	"github.com/hindmq/hind/bench/interop/internal/history"
	"github.com/hindmq/hind/bench/interop/internal/worker"
)

// ErrViolated says that a scenario ran to its end and a rule was broken; what and where was printed.
var ErrViolated = errors.New("scenario: rules were broken")

// Env is what a scenario runs with.
type Env struct {
	Rig     broker.Rig
	Kit     *clients.Kit
	Clients []clients.Client
	Dir     string // a fresh folder for this run; kept when something failed
	Out     io.Writer
	Seed    uint64
}

func (e *Env) printf(format string, args ...any) { fmt.Fprintf(e.Out, format+"\n", args...) }

func (e *Env) rand() *rand.Rand { return rand.New(rand.NewPCG(e.Seed, 0x9e3779b97f4a7c15)) }

// folder makes a folder of that name below the run's.
func (e *Env) folder(name string) (string, error) {
	dir := filepath.Join(e.Dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("scenario: %w", err)
	}
	return dir, nil
}

// java returns a way to run probes with a client, in a folder of its own.
func (e *Env) java(ctx context.Context, c clients.Client, name string) (worker.Java, error) {
	cp, err := e.Kit.ClassPath(ctx, c)
	if err != nil {
		return worker.Java{}, err
	}
	dir, err := e.folder(name)
	if err != nil {
		return worker.Java{}, err
	}
	return worker.Java{Super: e.Rig.Super, ClassPath: cp, Dir: dir}, nil
}

// url is what clients connect with: one broker, or a pair that is followed on failover.
func url(options string, nodes ...*broker.Node) string {
	if len(nodes) == 1 {
		return "tcp://" + nodes[0].Address() + "?" + options
	}
	all := make([]string, len(nodes))
	for i, n := range nodes {
		all[i] = "tcp://" + n.Address()
	}
	return "(" + strings.Join(all, ",") + ")?ha=true&" + options
}

// judge checks a history, prints the report and turns violations into an error.
func (e *Env) judge(events []history.Event, opts history.Options) error {
	r := history.Check(events, opts)
	fmt.Fprint(e.Out, r.String())
	if !r.OK() {
		return ErrViolated
	}
	return nil
}

// times is a set of measured durations in milliseconds.
type times []float64

func (t *times) add(d time.Duration) { *t = append(*t, float64(d)/float64(time.Millisecond)) }

func (t times) String() string {
	if len(t) == 0 {
		return "none"
	}
	s := slices.Sorted(slices.Values(t))
	at := func(q float64) float64 { return s[min(len(s)-1, int(math.Ceil(q*float64(len(s))))-1)] }
	return fmt.Sprintf("n=%d min=%.0f median=%.0f p90=%.0f max=%.0f ms", len(s), s[0], at(0.5), at(0.9), s[len(s)-1])
}

// stage bounds one wait inside a scenario, so that a hang is reported where it happens.
func stage(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, limit)
}
