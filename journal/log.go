package journal

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/hindmq/hind/aio"
)

// Log is the journal as a library: many goroutines append, each call returns when its records are durable. A caller that
// finds no write in flight writes at once; those that come meanwhile share the next write. There is no timer and no
// goroutine of its own: work is done by callers and by the engine's sink.
type Log struct {
	engine aio.Engine
	now    func() Now
	mu     struct {
		sync.Mutex
		d       *Driver
		waiters waiters
		failed  error
		closed  bool
		// gathering says that a caller is about to flush: others only append.
		gathering bool
	}
}

// LogOptions are what OpenLog needs beside the journal's own options.
type LogOptions struct {
	Options
	Engine   aio.Engine // the log starts it and closes it
	Pool     *aio.Pool
	Snapshot func() []byte // host's part of checkpoints, called with the log's lock held; may be nil
	Instance Member        // random, for a new directory
	Salt     uint64        // random and secret
	Now      func() Now    // the host's clocks
}

// OpenLog prepares, loads and activates the journal in dir. It returns when the open counts.
func OpenLog(fs aio.FS, dir string, opts LogOptions, loader Loader) (*Log, error) {
	if err := Prepare(fs, dir, opts.Options, opts.Instance, nil); err != nil {
		return nil, err
	}
	image, err := Load(fs, dir, opts.Options, loader)
	if err != nil {
		if image != nil {
			_ = image.Close()
		}
		return nil, err
	}
	l := &Log{engine: opts.Engine, now: opts.Now}
	// Completions may come before Activate returns: the sink waits for the lock.
	l.mu.Lock()
	opts.Engine.Start(l.sink)
	var host Host
	if opts.Snapshot != nil {
		host = snapshotFunc(opts.Snapshot)
	}
	l.mu.d, err = image.Activate(ActivateOptions{Epoch: image.Epoch(), Engine: opts.Engine, Pool: opts.Pool, Host: host,
		Salt: opts.Salt, Now: opts.Now()})
	if err != nil {
		l.mu.closed = true
		l.mu.Unlock()
		return nil, errors.Join(err, image.Close())
	}
	begin := l.mu.d.Begin()
	l.mu.Unlock()
	if err := l.Wait(context.Background(), begin); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

type snapshotFunc func() []byte

func (f snapshotFunc) Snapshot() []byte { return f() }

// sink runs on a goroutine of the engine.
func (l *Log) sink(cs []aio.Completion) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.d == nil {
		return
	}
	l.mu.d.Complete(cs)
	if !l.mu.closed {
		l.flush()
	}
	l.wake()
}

// flush seals and submits; the lock is held.
func (l *Log) flush() {
	if err := l.mu.d.Flush(l.now()); err != nil && l.mu.failed == nil {
		l.mu.failed = err
	}
}

// wake lets those go whose position is durable, or all if the journal failed; the lock is held.
func (l *Log) wake() {
	if l.mu.failed == nil {
		l.mu.failed = l.mu.d.Err()
	}
	l.mu.waiters.release(l.mu.d.Durable(), l.mu.failed)
}

// Append adds records, all or none, and waits until they are durable. While the journal is busy it waits for its turn.
// If ctx ends first, the records may become durable all the same. See Driver.Append for errors.
func (l *Log) Append(ctx context.Context, recs ...Record) (RecordID, error) {
	for {
		id, pos, err := l.Submit(recs...)
		if errors.Is(err, ErrBusy) {
			if err = l.next(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			return 0, err
		}
		return id, l.Wait(ctx, pos)
	}
}

// Submit adds records without waiting: wait for the position, or compare it with Durable.
func (l *Log) Submit(recs ...Record) (RecordID, Position, error) {
	l.mu.Lock()
	if err := l.refuse(); err != nil {
		l.mu.Unlock()
		return 0, Position{}, err
	}
	id, pos, err := l.mu.d.Append(recs...)
	if err != nil {
		l.flush() // upkeep may be what it waits for
		l.mu.Unlock()
		return 0, Position{}, err
	}
	writes, _ := l.mu.d.m.Pending()
	if writes > 0 || l.mu.gathering {
		// The sink seals what gathered when the write in flight completes; or another caller is about to.
		l.mu.Unlock()
		return id, pos, nil
	}
	l.mu.gathering = true
	l.mu.Unlock()
	runtime.Gosched() // let those that are ready to append come along
	l.mu.Lock()
	l.mu.gathering = false
	if !l.mu.closed {
		l.flush()
		l.wake()
	}
	l.mu.Unlock()
	return id, pos, nil
}

func (l *Log) refuse() error {
	switch {
	case l.mu.failed != nil:
		return l.mu.failed
	case l.mu.closed:
		return ErrClosed
	}
	return nil
}

// Wait returns when pos is durable.
func (l *Log) Wait(ctx context.Context, pos Position) error {
	l.mu.Lock()
	if !l.mu.d.Durable().Less(pos) {
		l.mu.Unlock()
		return nil
	}
	if l.mu.failed != nil {
		defer l.mu.Unlock()
		return l.mu.failed
	}
	w := l.mu.waiters.add(pos)
	l.mu.Unlock()
	select {
	case err := <-w.done:
		l.mu.waiters.recycle(w)
		return err
	case <-ctx.Done():
		return fmt.Errorf("wait for %s: %w", pos, context.Cause(ctx))
	}
}

// next waits until anything completed, so that a busy journal may have room.
func (l *Log) next(ctx context.Context) error {
	l.mu.Lock()
	if err := l.refuse(); err != nil {
		l.mu.Unlock()
		return err
	}
	if l.mu.d.m.Quiet() {
		l.mu.Unlock()
		return nil // nothing is in flight: it has made room already
	}
	w := l.mu.waiters.add(Position{}) // the next completion, whatever it is
	l.mu.Unlock()
	select {
	case err := <-w.done:
		l.mu.waiters.recycle(w)
		return err
	case <-ctx.Done():
		return fmt.Errorf("wait for the journal: %w", context.Cause(ctx))
	}
}

// Durable is the position up to which everything is on disk.
func (l *Log) Durable() Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.d.Durable()
}

// Read returns a record by id. It holds the log's lock while it reads.
func (l *Log) Read(id RecordID) (Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.d.Read(id)
}

// Stats are figures for people.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.d.Stats()
}

// Oldest is the age of the oldest write in flight; 0 if there is none. A growing one is a hung disk.
func (l *Log) Oldest() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.d.OldestWrite(l.now())
}

// Close refuses new records, writes what is pending and a MARK, and closes journal and engine.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.mu.closed {
		l.mu.Unlock()
		return nil
	}
	l.mu.closed = true
	err := l.drain()
	l.mu.Unlock()
	err = errors.Join(err, l.engine.Close()) // completes what is in flight; the sink takes it
	l.mu.Lock()
	defer l.mu.Unlock()
	err = errors.Join(err, l.mu.d.Close())
	if l.mu.failed == nil {
		l.mu.failed = ErrClosed
	}
	l.mu.waiters.release(l.mu.d.Durable(), l.mu.failed)
	return err
}

// drain writes until nothing is pending, then the MARK; the lock is held, and given up while it waits.
func (l *Log) drain() error {
	marked := false
	for l.mu.failed == nil {
		l.flush()
		l.wake()
		if l.mu.d.m.Quiet() {
			if marked {
				return nil
			}
			marked = true
			if err := l.mu.d.Idle(l.now()); err != nil {
				return err
			}
			continue
		}
		w := l.mu.waiters.add(Position{})
		l.mu.Unlock()
		<-w.done
		l.mu.Lock()
	}
	return l.mu.failed
}
