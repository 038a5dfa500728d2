package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/broker"
	"github.com/hindmq/hind/bench/interop/internal/clients"
	"github.com/hindmq/hind/bench/interop/internal/proc"
	"github.com/hindmq/hind/bench/interop/internal/scenario"
)

// options are the flags of all commands.
type options struct {
	root     string
	brand    string
	binary   string
	clients  string
	journal  string
	failback bool
	forget   bool
	keep     bool
	large    string
	seed     uint64
	kills    int
	pauses   int
	lease    time.Duration
	timeout  time.Duration
	pace     time.Duration
	urlExtra string
	load     scenario.Load
	rates    scenario.RatePlan
}

func parse(name string, args []string) (*options, error) {
	o := &options{load: scenario.DefaultLoad()}
	f := flag.NewFlagSet("interop "+name, flag.ContinueOnError)
	f.StringVar(&o.root, "root", "", "the repository's `folder`; found from the working directory when empty")
	f.StringVar(&o.brand, "broker", "hind", "`hind` or artemis; rates takes both, separated by a comma, in turns")
	f.StringVar(&o.binary, "binary", "", "hind's `program`; bin/hind of the repository when empty")
	f.StringVar(&o.clients, "clients", "", "client `names`, separated by commas, or smallest or all; by default smallest for fetch and matrix, else the newest")
	f.StringVar(&o.journal, "journal", "NIO", "journal `type` in broker.xml: NIO or ASYNCIO")
	f.BoolVar(&o.failback, "failback", true, "the primary takes its role back when it returns")
	f.BoolVar(&o.forget, "forgetful", false, "turn the broker's persistence off: single must then fail, which proves that it can")
	f.BoolVar(&o.keep, "keep", false, "keep logs and histories of a run that passed")
	f.Uint64Var(&o.seed, "seed", 0, "`seed` of all choices; from the clock when 0")
	f.DurationVar(&o.timeout, "timeout", 15*time.Minute, "the longest `time` for the whole command")
	switch name {
	case "matrix":
		f.StringVar(&o.large, "large", "", "expect large messages `carried` or refused; by default what the broker's release does")
	case "single":
		f.IntVar(&o.kills, "kills", 100, "`number` of kill -9 and restarts")
		loadFlags(f, &o.load)
	case "pair":
		f.IntVar(&o.kills, "kills", 30, "`number` of kill -9 of the active")
		f.IntVar(&o.pauses, "pauses", 10, "`number` of SIGSTOPs of the active")
		f.DurationVar(&o.lease, "lease", 2*time.Second, "the pair's lease; a pause lasts at least twice that `time`")
		loadFlags(f, &o.load)
	case "gap":
		f.IntVar(&o.kills, "kills", 20, "`number` of kill -9 of the active")
		f.DurationVar(&o.pace, "pace", time.Millisecond, "`time` between a confirm and the next send")
		f.StringVar(&o.urlExtra, "url", "", "further URL `options`, such as &callTimeout=2000")
	case "rates":
		f.BoolVar(&o.rates.Alone, "alone", true, "measure one broker")
		f.BoolVar(&o.rates.Replicated, "replicated", true, "measure a pair")
		f.IntVar(&o.rates.Rounds, "rounds", 1, "`number` of rounds")
		f.DurationVar(&o.rates.Warmup, "warmup", 5*time.Second, "`time` before measuring, whole seconds")
		f.DurationVar(&o.rates.Measure, "measure", 8*time.Second, "`time` measured, whole seconds")
		f.IntVar(&o.rates.Consumers, "consumers", 0, "`number` of consumers beside 64 producers")
		f.IntVar(&o.rates.Size, "size", 1024, "body `bytes`")
	}
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("interop %s: unexpected %q", name, f.Args())
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixMilli() % 1e9)
	}
	if o.clients == "" {
		o.clients = "jakarta-2.56.0"
		if name == "matrix" || name == "fetch" {
			o.clients = "smallest"
		}
	}
	return o, nil
}

func loadFlags(f *flag.FlagSet, l *scenario.Load) {
	f.IntVar(&l.Rate, "rate", l.Rate, "sends per second and producer")
	f.IntVar(&l.Producers, "producers", l.Producers, "`number` of producers that send one message at a time")
	f.IntVar(&l.Tx, "tx", l.Tx, "`number` of transacted producers")
	f.IntVar(&l.Queues, "queues", l.Queues, "`number` of queues with one consumer each")
	f.IntVar(&l.Size, "size", l.Size, "body `bytes`")
}

func (o *options) chosen() ([]clients.Client, error) {
	all := clients.All()
	switch o.clients {
	case "all":
		return all, nil
	case "smallest":
		return all[:clients.Smallest], nil
	}
	var got []clients.Client
	for name := range strings.SplitSeq(o.clients, ",") {
		c, err := clients.Named(name)
		if err != nil {
			return nil, err
		}
		got = append(got, c)
	}
	return got, nil
}

// env makes what scenarios run with; the reference broker is fetched when it is asked for.
func (o *options) env(ctx context.Context, super *proc.Supervisor, name, brandName string) (*scenario.Env, error) {
	if o.root == "" {
		var err error
		if o.root, err = root(); err != nil {
			return nil, err
		}
	}
	chosen, err := o.chosen()
	if err != nil {
		return nil, err
	}
	k := kit(super, o.root)
	brand, err := o.brandOf(ctx, k, name, brandName)
	if err != nil {
		return nil, err
	}
	runs := filepath.Join(k.Cache, "runs")
	if err := os.MkdirAll(runs, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(runs, name+"-"+brandName+"-")
	if err != nil {
		return nil, err
	}
	rig := broker.Rig{Super: super, Ports: new(broker.Ports), Brand: brand, Config: broker.Config{Journal: o.journal, Failback: o.failback, Forgetful: o.forget}}
	return &scenario.Env{Rig: rig, Kit: k, Clients: chosen, Dir: dir, Out: os.Stdout, Seed: o.seed}, nil
}

func (o *options) brandOf(ctx context.Context, k *clients.Kit, name, brandName string) (broker.Brand, error) {
	switch brandName {
	case "artemis":
		home, err := k.Distribution(ctx)
		return &broker.Artemis{Home: home}, err
	case "hind":
		binary := o.binary
		if binary == "" {
			binary = filepath.Join(o.root, "bin", "hind")
		}
		binary, err := filepath.Abs(binary)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(binary); err != nil && name != "fetch" {
			return nil, fmt.Errorf("interop: %w: run make first, or name the program with -binary", err)
		}
		return &broker.Hind{Binary: binary}, nil
	}
	return nil, fmt.Errorf("interop: no broker %q; there are hind and artemis", brandName)
}

func (o *options) largeExpected() scenario.Large {
	switch {
	case o.large != "":
		return scenario.Large(o.large)
	case o.brand == "hind":
		return scenario.LargeRefused
	}
	return scenario.LargeCarried
}
