package journal

import (
	"context"

	"github.com/hindmq/hind/aio"
)

// Log is the journal as a library: many goroutines append, each call returns when its records are durable. A caller that
// finds no write in flight writes at once; those that come meanwhile share the next write. There is no timer.
type Log struct {
}

// LogOptions are what OpenLog needs beside the journal's own options.
type LogOptions struct {
	Options
	Engine   aio.Engine // the log starts it and closes it
	Pool     Pool
	Snapshot func() []byte // host's part of checkpoints; may be nil
	Instance Member        // random, for a new directory
	Salt     func() uint64 // random
	Now      func() Now
}

// OpenLog prepares, loads and activates the journal in dir.
func OpenLog(fs aio.FS, dir string, opts LogOptions, loader Loader) (*Log, error) { return nil, errUnfinished }

// Append adds records, all or none, and waits until they are durable. See Driver.Append.
func (l *Log) Append(ctx context.Context, recs ...Record) (RecordID, error) { return 0, errUnfinished }

// Submit adds records without waiting: compare the position with Durable, or wait for it.
func (l *Log) Submit(recs ...Record) (RecordID, Position, error) { return 0, Position{}, errUnfinished }

// Wait returns when pos is durable.
func (l *Log) Wait(ctx context.Context, pos Position) error { return errUnfinished }

// Durable is the position up to which everything is on disk.
func (l *Log) Durable() Position { return Position{} }

// Read returns a record by id.
func (l *Log) Read(id RecordID) (Record, error) { return Record{}, errUnfinished }

// Stats are figures for people.
func (l *Log) Stats() Stats { return Stats{} }

// Close writes what is pending, a MARK, and closes the journal.
func (l *Log) Close() error { return nil }
