package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/datafile"
)

const (
	recordSize = 1 << 10
	slotBlocks = 4096 // 16 MiB
	slots      = 16
)

// appendCell is the journal with an engine under so many callers, each waiting for its record.
type appendCell struct {
	engine  string
	callers int
}

func (c appendCell) name() string { return fmt.Sprintf("append-%s-%d", c.engine, c.callers) }

// run opens a journal in a fresh folder below dir, warms it up and measures.
func (c appendCell) run(dir string, p plan) (s sample, err error) {
	dir, err = os.MkdirTemp(dir, c.name()+"-")
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	start := time.Now()
	fs := aio.NewOS(aio.OSOptions{})
	engine, choice, err := aio.Choose(c.engine, aio.ChooseOptions{FS: fs, Dir: dir, Clock: func() time.Duration { return time.Since(start) }})
	if err != nil {
		return s, err
	}
	s.Engine = choice.Chosen
	pool, err := aio.NewPool(aio.PoolOptions{Size: 1 << 20, Count: 32})
	if err != nil {
		return s, errors.Join(err, engine.Close())
	}
	var seed [24]byte
	_, _ = rand.Read(seed[:])
	log, err := journal.OpenLog(fs, dir, journal.LogOptions{
		Options: journal.Options{Slots: slots, Geometry: datafile.Geometry{BlockShift: 12, Capacity: slotBlocks}},
		Engine:  engine, Pool: pool, Instance: journal.Member(seed[:16]), Salt: binary.LittleEndian.Uint64(seed[16:]),
		Now: func() journal.Now { return journal.Now{Mono: time.Since(start), Wall: time.Now().UnixNano()} },
	}, nil)
	if err != nil {
		return s, errors.Join(err, pool.Close())
	}
	defer func() { err = errors.Join(err, log.Close(), pool.Close()) }()
	if _, err := c.load(log, p.warmup); err != nil {
		return s, err
	}
	stop, err := p.startProfiles(c.name())
	if err != nil {
		return s, err
	}
	before, cpu, began := log.Stats(), cpuTime(), time.Now()
	took, err := c.load(log, p.measure)
	elapsed := time.Since(began)
	after := log.Stats()
	s.CPU = float64(cpuTime()-cpu) / float64(elapsed)
	err = errors.Join(err, stop())
	if err != nil || len(took) == 0 {
		return s, errors.Join(err, fmt.Errorf("%s: %d records", c.name(), len(took)))
	}
	slices.Sort(took)
	s.Rate = float64(len(took)) / elapsed.Seconds()
	s.P50, s.P99 = micros(quantile(took, 50)), micros(quantile(took, 99))
	s.PerWrite = float64(len(took)) / float64(max(1, after.Writes-before.Writes))
	s.BytesPerRecord = float64(after.BytesWritten-before.BytesWritten) / float64(len(took))
	return s, nil
}

// load appends from all callers for a time and returns how long each Append took.
func (c appendCell) load(log *journal.Log, d time.Duration) ([]time.Duration, error) {
	var wg sync.WaitGroup
	took := make([][]time.Duration, c.callers)
	errs := make([]error, c.callers)
	end := time.Now().Add(d)
	for i := range c.callers {
		wg.Go(func() { took[i], errs[i] = appendUntil(log, end) })
	}
	wg.Wait()
	return slices.Concat(took...), errors.Join(errs...)
}

// appendUntil is one caller. Its last record is deleted at the end, so that nothing lives on.
func appendUntil(log *journal.Log, end time.Time) ([]time.Duration, error) {
	ctx, body := context.Background(), make([]byte, recordSize)
	took := make([]time.Duration, 0, 1<<13)
	recs := make([]journal.Record, 0, 2)
	var last journal.RecordID
	at := time.Now()
	for at.Before(end) {
		recs = append(recs[:0], journal.Record{Kind: journal.KindAdd, Body: body})
		if last != 0 {
			recs = append(recs, journal.Record{Kind: journal.KindDelete, Target: last})
		}
		id, err := log.Append(ctx, recs...)
		if err != nil {
			return took, err
		}
		last = id
		now := time.Now()
		took = append(took, now.Sub(at))
		at = now
	}
	if last == 0 {
		return took, nil
	}
	_, err := log.Append(ctx, journal.Record{Kind: journal.KindDelete, Target: last})
	return took, err
}

func quantile(sorted []time.Duration, percent int) time.Duration {
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)]
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// cpuTime is what this process used, user and system.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
