package shard

import (
	"errors"
	"fmt"
	"time"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/clock"
	"github.com/hindmq/hind/broker/fault"
	"github.com/hindmq/hind/broker/postoffice"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/broker/storage"
	"github.com/hindmq/hind/journal"
)

// Options of a shard.
type Options struct {
	Settings *address.Table // nil: defaults for every address

	UnsafeMax      int           // bytes that may wait to become safe before no more client work is taken
	DispatchBudget int           // references looked at in one step
	ReapPeriod     time.Duration // how often auto-created queues and addresses are looked at
	ReapGrace      time.Duration // after an activation none are deleted for so long: clients must have time to return
	Office         postoffice.Options
}

// DefaultOptions are those of a broker that is not told otherwise.
func DefaultOptions() Options {
	return Options{
		UnsafeMax:      32 << 20,
		DispatchBudget: 4096,
		ReapPeriod:     30 * time.Second,
		ReapGrace:      2 * time.Minute,
		Office:         postoffice.Options{GlobalMaxBytes: 1 << 30, DuplicatesMax: 300_000, QueuesMax: 100_000},
	}
}

// Mode says what the shard may do.
type Mode uint8

const (
	Passive Mode = iota // takes records, serves nobody
	Active              // serves
	Ended               // was active, or failed: to go on, a new shard is loaded
)

func (m Mode) String() string { return [...]string{"passive", "active", "ended"}[m] }

// Shard is the owner's state.
type Shard struct {
	mailbox *Mailbox
	options Options
	store   *storage.Store
	log     Log // nil while passive
	mode    Mode
	cause   error // why it ended
	now     clock.Instant
	ender   Ender

	gate     gate
	release  releases
	work     work
	dispatch dispatching
	upkeep   upkeep
	parcel   Parcel // reused by Route
}

// gate is what holds answers back.
type gate struct {
	confirms   bool // answers may go out
	deliveries bool // the lease allows deliveries, and answers to what is in no record
	safe       journal.Position
	appended   journal.Position // of the last record
	dirty      bool             // appended since the last Flush
	committing bool             // a transaction is half appended: nothing else may append
}

// work is what was taken out of the mailbox.
type work struct {
	own     []Work
	clients []item
	next    int // clients[:next] is done
	size    int // of those, not yet told to the mailbox
}

// dispatching lists who has something to do at the end of the step.
type dispatching struct {
	marked  []*queue.Queue
	other   []*queue.Queue // the list's other half
	touched []Flusher
}

// Flusher is told at the end of the step in which it was touched.
type Flusher interface{ FlushStep() }

// Ender is told that the shard ends: all connections are to be closed.
type Ender interface{ End(reason *fault.Error) }

// New makes a passive shard without state. Give it the records of the log (it is a journal.Loader), then Activate it or
// let it follow.
func New(mailbox *Mailbox, o Options) *Shard {
	return &Shard{
		mailbox: mailbox, options: o,
		store: storage.New(postoffice.New(o.Settings, o.Office)),
		gate:  gate{confirms: true, deliveries: true},
	}
}

// Mailbox is where others leave work.
func (s *Shard) Mailbox() *Mailbox { return s.mailbox }

// Snapshot is journal.Loader's: the host's part of the last checkpoint.
func (s *Shard) Snapshot(blob []byte) error { return s.store.Restore(blob) }

// Live is journal.Loader's: one record of the checkpoint.
func (s *Shard) Live(r journal.Record) error { return s.store.Live(&r) }

// Replay is journal.Loader's: one record of the log, on load and, on a standby, as records become safe.
func (s *Shard) Replay(r journal.Record) error { return s.store.Replay(&r) }

// Checkpoint makes the host's part of a checkpoint, as of all records appended so far: what Snapshot takes on load.
func (s *Shard) Checkpoint() []byte { return s.store.Snapshot() }

// Digest is a hash of the durable state; brokers with the same records have the same. It walks everything.
func (s *Shard) Digest() uint64 { return s.store.Digest() }

// Mode of the shard, and why it ended.
func (s *Shard) Mode() (Mode, error) { return s.mode, s.cause }

// Activate makes the shard serve. The state must be complete. What a former process delivered is ready again, in order,
// with the delivery counts that the log has; its unprepared transactions are undone.
func (s *Shard) Activate(log Log, now clock.Instant) error {
	if s.mode != Passive {
		return fmt.Errorf("shard: it is %s and cannot be activated; load it anew", s.mode)
	}
	if _, prepared := s.store.Undecided(); len(prepared) > 0 {
		return fmt.Errorf("shard: the log holds %d prepared transactions, which this version cannot serve", len(prepared))
	}
	s.store.Activate()
	s.log, s.mode, s.now = log, Active, now
	s.gate.safe = log.Safe()
	s.upkeep.reapAt = now.Boot + s.options.ReapGrace
	return nil
}

// Deactivate ends a serving shard: all connections are told and closed, nothing more is answered. The state in memory may
// be ahead of the log that counts; to go on, load a new shard.
func (s *Shard) Deactivate(reason string) { s.end(nil, fault.New(fault.CodeShutdown, "%s", reason)) }

// fail ends the shard because of its log.
func (s *Shard) fail(err error) {
	s.end(err, fault.New(fault.CodeIO, "the broker's journal failed: %v", err))
}

func (s *Shard) end(cause error, reason *fault.Error) {
	if s.mode == Ended {
		return
	}
	s.mode = Ended
	s.cause = cause
	s.release.clear()
	s.dropWork()
	if s.ender != nil {
		s.ender.End(reason)
	}
	s.flushTouched()
}

// SetEnder says who closes the connections when the shard ends.
func (s *Shard) SetEnder(e Ender) { s.ender = e }

// SetConfirms lets answers out, or holds them all while records still go into the log (a blocked pair that holds).
func (s *Shard) SetConfirms(on bool) { s.gate.confirms = on }

// SetDeliveries says whether the lease allows deliveries, and answers to what is in no record.
func (s *Shard) SetDeliveries(on bool) {
	if on && !s.gate.deliveries {
		for _, a := range s.store.Office.Addresses() {
			for _, q := range a.Queues() {
				s.MarkQueue(q)
			}
		}
	}
	s.gate.deliveries = on
}

// Active says that the shard serves.
func (s *Shard) Active() bool { return s.mode == Active }

// Now is the time of the current step.
func (s *Shard) Now() clock.Instant { return s.now }

// Office is the table of addresses and queues, for reading.
func (s *Shard) Office() *postoffice.Office { return s.store.Office }

// VolatileID gives an id for what is in no record.
func (s *Shard) VolatileID() int64 { return int64(s.store.VolatileID()) }

// Touch has f flushed at the end of the step. The caller sees to it that it is touched once.
func (s *Shard) Touch(f Flusher) { s.dispatch.touched = append(s.dispatch.touched, f) }

// MarkQueue has the queue dispatched in this step.
func (s *Shard) MarkQueue(q *queue.Queue) {
	if !q.Marked {
		q.Marked = true
		s.dispatch.marked = append(s.dispatch.marked, q)
	}
}

// Errors of the operations beside *fault.Error.
var (
	// ErrBusy: nothing changed; try again in the next step.
	ErrBusy = errors.New("shard: the log is busy")
	// ErrEnded: the shard ended while the operation ran; there will be no answer.
	ErrEnded = errors.New("shard: it has ended")
)

// fullRetry is how long producers wait before it is tried again whether the journal has room.
const fullRetry = time.Second

// append hands records to the log, all or none. Errors: ErrBusy, ErrEnded, a fault that says that the journal is full.
func (s *Shard) append(recs ...journal.Record) (journal.RecordID, journal.Position, error) {
	if s.mode != Active {
		return 0, journal.Position{}, ErrEnded
	}
	id, pos, err := s.log.Append(recs...)
	switch {
	case err == nil:
		s.gate.appended, s.gate.dirty = pos, true
		return id, pos, nil
	case errors.Is(err, journal.ErrBusy):
		return 0, pos, ErrBusy
	case errors.Is(err, journal.ErrFull):
		s.store.Office.Stop(true)
		s.upkeep.retryAt = s.now.Boot + fullRetry
		return 0, pos, fault.New(fault.CodeAddressFull,
			"the broker's journal is full: nothing was stored; consume messages or enlarge the journal")
	case errors.Is(err, journal.ErrTooLarge):
		return 0, pos, fault.New(fault.CodeNotImplemented, "too large for one record: %v", err)
	}
	s.fail(err)
	return 0, pos, ErrEnded
}
