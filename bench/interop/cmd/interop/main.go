// Command interop runs unmodified Artemis clients against real brokers: hind, or Artemis itself as the oracle.
//
//	interop fetch                          get clients, compile probes (with -broker artemis: the reference broker too)
//	interop matrix|single|pair|gap|rates   run one scenario
//
// It exits with 0 when all rules held, 1 when one was broken or a scenario could not run, 2 on wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/broker"
	"github.com/hindmq/hind/bench/interop/internal/clients"
	"github.com/hindmq/hind/bench/interop/internal/proc"
	"github.com/hindmq/hind/bench/interop/internal/scenario"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// command is a scenario's name and what runs it.
type command struct {
	name string
	run  func(ctx context.Context, e *scenario.Env, o *options) error
	// several runs with one environment per brand; nil when the command takes one brand only.
	several func(ctx context.Context, all []*scenario.Env, o *options) error
}

func commands() []command {
	return []command{
		{name: "fetch", run: fetch},
		{name: "matrix", run: func(ctx context.Context, e *scenario.Env, o *options) error {
			return scenario.Matrix(ctx, e, o.largeExpected())
		}},
		{name: "single", run: func(ctx context.Context, e *scenario.Env, o *options) error {
			return scenario.Single(ctx, e, o.kills, o.load)
		}},
		{name: "pair", run: func(ctx context.Context, e *scenario.Env, o *options) error {
			return scenario.Pair(ctx, e, scenario.PairPlan{Kills: o.kills, Pauses: o.pauses, Lease: o.lease, Load: o.load})
		}},
		{name: "gap", run: func(ctx context.Context, e *scenario.Env, o *options) error {
			return scenario.Gap(ctx, e, o.kills, o.pace, o.urlExtra)
		}},
		{name: "rates", several: func(ctx context.Context, all []*scenario.Env, o *options) error {
			return scenario.Rates(ctx, all, o.rates)
		}},
	}
}

func run(ctx context.Context, args []string) int {
	all := commands()
	var names []string
	for _, c := range all {
		names = append(names, c.name)
	}
	if len(args) > 0 {
		for _, c := range all {
			if c.name == args[0] {
				return runCommand(ctx, c, args[1:])
			}
		}
	}
	fmt.Fprintf(os.Stderr, "usage: interop %s [flags]\n", strings.Join(names, "|"))
	return 2
}

func runCommand(ctx context.Context, c command, args []string) int {
	o, err := parse(c.name, args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	super := proc.NewSupervisor()
	defer super.Close()
	dirs, err := execute(ctx, super, c, o)
	if err != nil {
		fmt.Printf("FAILED %s: %v\n", c.name, err)
		fmt.Printf("logs and histories are in %s; run again with -seed %d\n", strings.Join(dirs, ", "), o.seed)
		return 1
	}
	fmt.Printf("PASSED %s\n", c.name)
	if o.keep {
		return 0
	}
	super.Close()
	for _, dir := range dirs {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

// execute runs the command and returns the folders that it used.
func execute(ctx context.Context, super *proc.Supervisor, c command, o *options) (dirs []string, err error) {
	brands := strings.Split(o.brand, ",")
	if len(brands) > 1 && c.several == nil {
		return nil, fmt.Errorf("%s runs with one broker, not with %s", c.name, o.brand)
	}
	var all []*scenario.Env
	for _, brand := range brands {
		e, err := o.env(ctx, super, c.name, brand)
		if err != nil {
			return dirs, err
		}
		all = append(all, e)
		dirs = append(dirs, e.Dir)
	}
	start := time.Now()
	if c.several != nil {
		err = c.several(ctx, all, o)
	} else {
		err = c.run(ctx, all[0], o)
	}
	fmt.Printf("%s: %.1f s\n", c.name, time.Since(start).Seconds())
	return dirs, err
}

func fetch(ctx context.Context, e *scenario.Env, o *options) error {
	for _, c := range e.Clients {
		cp, err := e.Kit.ClassPath(ctx, c)
		if err != nil {
			return err
		}
		fmt.Printf("client %s: %s\n", c.Name, cp)
	}
	if a, ok := e.Rig.Brand.(*broker.Artemis); ok {
		fmt.Printf("broker: %s\n", a.Home)
	}
	return nil
}

// root finds the repository's root: the folder of the module that holds this one.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for d := dir; ; d = filepath.Dir(d) {
		b, err := os.ReadFile(filepath.Join(d, "go.mod"))
		if err == nil && strings.HasPrefix(string(b), "module github.com/hindmq/hind\n") {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("interop: %s is not inside the repository: name its root with -root", dir)
		}
	}
}

func kit(super *proc.Supervisor, rootDir string) *clients.Kit {
	return &clients.Kit{Cache: filepath.Join(rootDir, ".cache", "interop"), Out: os.Stdout, Super: super}
}
