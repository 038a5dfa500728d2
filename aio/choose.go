package aio

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ChooseOptions of Choose.
type ChooseOptions struct {
	Engine EngineOptions
	// FS and Dir say where the journal will be: the probe writes there.
	FS  *OS
	Dir string
	// Clock is a monotonic clock; only differences are used.
	Clock func() time.Duration
	// Budget is about how long the probe may take. 0: probeBudget.
	Budget time.Duration
}

const (
	probeBudget  = 300 * time.Millisecond
	probeRounds  = 5
	probeDepth   = 4
	probeSingles = 12 // writes of one round, one at a time
	probeBatch   = 24 // writes of one round, probeDepth at once
	probeSize    = 4 << 20
	probeWrite   = 16 << 10 // a small page: what a lone confirm waits for
)

// EngineProbe is what the probe found about one engine.
type EngineProbe struct {
	Name string
	// Err says why the engine was not probed, or what failed.
	Err error
	// Latency is the median of one durable write at a time; Rate is writes per second with several in flight.
	Latency time.Duration
	Rate    float64
}

// score compares engines: half latency, half rate.
func (p EngineProbe) score() float64 {
	if p.Err != nil || p.Latency <= 0 {
		return 0
	}
	return math.Sqrt(p.Rate / p.Latency.Seconds())
}

// Choice says which engine was chosen and why. Log its String once: the engine never changes later.
type Choice struct {
	Asked, Chosen string
	Dir           string
	File          Description
	FileSystem    FileSystem
	Probes        []EngineProbe // in the order of preference; empty if an engine was forced
	// Note says why there was no probe.
	Note string
}

// Choose makes the engine of that name, or for "auto" the one that a short probe of real writes in Dir finds best: the
// order differs between disks, so a rank would be a guess. A forced engine that is not available is an error.
func Choose(name string, o ChooseOptions) (Engine, *Choice, error) {
	c := &Choice{Asked: name, Chosen: name, Dir: o.Dir, FileSystem: DetectFS(o.Dir)}
	if name != EngineAuto {
		if !slices.Contains(engineNames(), name) && name != EngineMapped {
			return nil, c, fmt.Errorf("I/O engine %q: %w: choose one of %s", name, ErrUnavailable,
				strings.Join(engineNames(), ", "))
		}
		e, err := OpenEngine(name, o.Engine)
		c.Note = "asked for by name"
		return e, c, err
	}
	for _, info := range Engines() {
		c.Probes = append(c.Probes, EngineProbe{Name: info.Name, Err: info.Err})
	}
	if err := c.probe(o); err != nil {
		c.Note = "no probe: " + err.Error()
	}
	c.Chosen = c.best()
	e, err := OpenEngine(c.Chosen, o.Engine)
	return e, c, err
}

// best is the engine with the highest score; equal within noise, or not probed: the first that works.
func (c *Choice) best() string {
	const noise = 1.03
	best := -1
	for i, p := range c.Probes {
		if p.Err == nil && (best < 0 || p.score() > noise*c.Probes[best].score()) {
			best = i
		}
	}
	if best < 0 {
		return EnginePwrite // the others were refused, and it cannot be
	}
	return c.Probes[best].Name
}

// probe measures the engines in turn, several rounds, on one file that is removed afterwards.
func (c *Choice) probe(o ChooseOptions) (err error) {
	name := filepath.Join(o.Dir, Temporary("engine-probe"))
	if err := o.FS.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := o.FS.Create(name, probeSize, nil); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.FS.Remove(name)) }()
	f, err := o.FS.Open(name, ReadWrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	c.File, _ = Describe(f)
	pool, err := NewPool(PoolOptions{Size: probeWrite, Count: 1})
	if err != nil {
		return err
	}
	b := pool.TryGet()
	defer func() { b.Release(); err = errors.Join(err, pool.Close()) }()
	return c.rounds(o, f, b.Bytes())
}

func (c *Choice) rounds(o ChooseOptions, f File, page []byte) error {
	budget := o.Budget
	if budget == 0 {
		budget = probeBudget
	}
	start := o.Clock()
	samples := make([]probeSamples, len(c.Probes))
	for round := 0; round < probeRounds && (round == 0 || o.Clock()-start < budget); round++ {
		for i := range c.Probes {
			// Each round starts with another engine, so that none always runs after the same one.
			k := (i + round) % len(c.Probes)
			if p := &c.Probes[k]; p.Err == nil {
				p.Err = samples[k].measure(p.Name, o.Clock, f, page)
			}
		}
	}
	for i := range c.Probes {
		c.Probes[i].Latency, c.Probes[i].Rate = samples[i].result()
	}
	return nil
}

// probeSamples are the measurements of one engine.
type probeSamples struct {
	singles []time.Duration
	batches []float64 // writes per second
}

func (s *probeSamples) measure(name string, clock func() time.Duration, f File, page []byte) error {
	e, err := OpenEngine(name, EngineOptions{Depth: probeDepth})
	if err != nil {
		return err
	}
	done := make(chan error, probeDepth)
	e.Start(func(cs []Completion) {
		for _, c := range cs {
			done <- c.Err
		}
	})
	err = s.run(e, clock, f, page, done)
	return errors.Join(err, e.Close())
}

func (s *probeSamples) run(e Engine, clock func() time.Duration, f File, page []byte, done <-chan error) error {
	at := int64(0)
	write := func() error {
		op := Op{Kind: OpWrite, File: f, Data: page, Off: at}
		at = (at + probeWrite) % probeSize
		return e.Submit(op)
	}
	for range probeSingles {
		start := clock()
		if err := write(); err != nil {
			return err
		}
		if err := <-done; err != nil {
			return err
		}
		s.singles = append(s.singles, clock()-start)
	}
	start := clock()
	var failed error
	for i := range probeBatch + probeDepth {
		if i >= probeDepth {
			failed = errors.Join(failed, <-done)
		}
		if i < probeBatch {
			if err := write(); err != nil {
				return errors.Join(failed, err) // Close waits for what is in flight; done has room for it
			}
		}
	}
	s.batches = append(s.batches, probeBatch/max(clock()-start, 1).Seconds())
	return failed
}

func (s *probeSamples) result() (time.Duration, float64) {
	if len(s.singles) == 0 || len(s.batches) == 0 {
		return 0, 0
	}
	slices.Sort(s.singles)
	slices.Sort(s.batches)
	return s.singles[len(s.singles)/2], s.batches[len(s.batches)/2]
}

// String is one line for the log.
func (c *Choice) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "I/O engine %s", c.Chosen)
	if c.Note != "" {
		fmt.Fprintf(&b, " (%s)", c.Note)
	}
	fmt.Fprintf(&b, " for %s on %s", c.Dir, c.FileSystem)
	switch {
	case c.File.Direct:
		fmt.Fprintf(&b, ", O_DIRECT with alignment %d, %s", c.File.Align, c.File.Sync)
	case c.File.Reason != "":
		fmt.Fprintf(&b, ", buffered with %s: %s", c.File.Sync, c.File.Reason)
	}
	for _, p := range c.Probes {
		switch {
		case p.Err != nil:
			fmt.Fprintf(&b, "; %s: %v", p.Name, p.Err)
		case p.Latency > 0:
			fmt.Fprintf(&b, "; %s: %d us a write, %.0f/s at depth %d", p.Name, p.Latency.Microseconds(), p.Rate, probeDepth)
		}
	}
	for _, w := range c.FileSystem.Warnings {
		fmt.Fprintf(&b, "; warning: %s", w)
	}
	return b.String()
}
