package broker

import (
	"errors"
	"fmt"
	"math"
	"syscall"
	"time"

	"github.com/hindmq/hind/broker/ha"
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/journal"
)

// store is the journal's side of the node. At most one of image, driver and follower is not nil.
type store struct {
	image    *journal.Image
	driver   *journal.Driver
	follower *journal.Follower

	opening  *ha.WriteRecord // waits for a quiet follower, or for the new file's first pages
	records  []recordWrite   // role records that are not durable yet, in order
	settling bool            // waits until nothing is being written
	overdue  bool
	failed   bool          // the role machine was told
	copying  bool          // the mark in the state file
	appended journal.Stats // at the last look, to see whether the journal is idle
	quietAt  time.Duration // since when nothing was appended
	marked   bool
}

// recordWrite is a role record on its way to the disk.
type recordWrite struct {
	seq uint64
	at  journal.Position
}

// nodeLog is the journal as the shard sees it.
type nodeLog struct{ n *Node }

var _ shard.Log = nodeLog{}

func (l nodeLog) Append(recs ...journal.Record) (journal.RecordID, journal.Position, error) {
	return l.n.store.driver.Append(recs...)
}

func (l nodeLog) Flush(now journal.Now) error { return l.n.store.driver.Flush(now) }

// Safe is what may be acknowledged at this moment: durable here and, where another member is recorded or required,
// acknowledged by it; nothing if the role or the epoch is no longer the one that wrote.
func (l nodeLog) Safe() journal.Position {
	c, ok := l.n.machine.Confirm()
	d := l.n.store.driver
	if !ok || d == nil || !d.Opened() || uint64(d.Epoch()) != c.Epoch {
		return journal.Position{}
	}
	safe := d.Durable()
	if c.Needs && c.Acked.Less(safe) {
		safe = c.Acked
	}
	return safe
}

// Snapshot is the host's part of a checkpoint.
func (l nodeLog) Snapshot() []byte { return l.n.domain.shard.Checkpoint() }

func (n *Node) journalNow() journal.Now {
	return journal.Now{Mono: n.now.Boot, Wall: n.now.Wall * int64(time.Millisecond)}
}

// newShard begins a domain without state.
func (n *Node) newShard() {
	d := &n.domain
	d.shard = shard.New(n.mailbox, n.o.Shard)
	d.host = session.NewHost(d.shard, n.o.Authority, n.o.Session)
	d.serving = false
}

// load reads the journal into a new shard and says what the role machine is to be told.
func (n *Node) load() (ha.Event, error) {
	n.newShard()
	image, err := journal.Load(n.o.FS, n.o.Dir, n.o.Journal, n.domain.shard)
	n.store.image = image
	switch {
	case errors.Is(err, journal.ErrDamaged) && image.State() != nil && image.State().Copying:
		// A copy was cut short: what is there is no log of anybody's. It gives no right, and is copied again.
		n.log.Warn("the copy of the other broker's log is unfinished; it begins anew", "found", err)
		n.newShard()
		return ha.Loaded{}, nil
	case errors.Is(err, journal.ErrDamaged):
		n.log.Error("the journal is damaged", "error", err)
		return ha.LoadFailed{Reason: err.Error()}, nil
	case err != nil:
		return nil, fmt.Errorf("load the journal: %w%s", err, n.nextStep(err))
	}
	if torn := image.Torn(); torn.Pages > 0 {
		n.log.Warn("the journal had a torn tail, which was never acknowledged", "case", torn.Label, "pages", torn.Pages, "bytes", torn.Bytes)
	}
	facts, err := factsOf(image)
	if err != nil {
		return ha.LoadFailed{Reason: err.Error()}, nil
	}
	return ha.Loaded{Facts: facts}, nil
}

// nextStep is what an operator can do about a journal that cannot be opened, to stand behind the error; empty where the
// error says so itself.
func (n *Node) nextStep(err error) string {
	switch {
	case errors.Is(err, journal.ErrLocked):
		return ""
	case errors.Is(err, syscall.ENOSPC):
		return "; make room there and start again, what is filled already is kept"
	}
	return fmt.Sprintf("; files that exist are left as they are: hind journal verify %s tells what is wrong; restore them or name another directory", n.o.Dir)
}

func factsOf(image *journal.Image) (ha.Facts, error) {
	f := ha.Facts{End: image.Tip()}
	role, ok := image.Role()
	if !ok {
		return f, nil
	}
	var err error
	f.Record, err = ha.DecodeRecord(role.Role)
	f.RecordAt = role.Position
	return f, err
}

// completions gives the journal what the disk did and reports what became durable.
func (n *Node) completions() {
	s := &n.store
	switch {
	case s.driver != nil:
		s.driver.Complete(n.done)
		n.openedOrFailed()
	case s.follower != nil:
		s.follower.Complete(n.done)
		if err := s.follower.Err(); err != nil {
			n.reportPoisoned(err)
		}
	}
	n.done = n.done[:0]
	if s.settling {
		n.settle()
	}
	if s.opening != nil && s.driver == nil {
		n.activate()
	}
}

// reportPoisoned tells the role machine once that the journal failed for good.
func (n *Node) reportPoisoned(err error) {
	if n.store.failed || errors.Is(err, journal.ErrClosed) {
		return
	}
	n.store.failed = true
	n.feed(ha.Poisoned{Reason: err.Error()})
}

// openedOrFailed reports the role records that are durable now.
func (n *Node) openedOrFailed() {
	s := &n.store
	if err := s.driver.Err(); err != nil {
		n.reportPoisoned(err)
		return
	}
	if s.opening != nil && s.driver.Opened() && !s.driver.Durable().Less(s.driver.Begin()) {
		seq := s.opening.Seq
		s.opening = nil
		n.feed(ha.RecordDurable{Seq: seq, At: s.driver.Begin()})
	}
	for len(s.records) > 0 && s.driver != nil && !s.driver.Durable().Less(s.records[0].at) {
		r := s.records[0]
		s.records = s.records[1:]
		n.feed(ha.RecordDurable{Seq: r.seq, At: r.at})
	}
}

// writeRecord carries out a WriteRecord.
func (n *Node) writeRecord(a ha.WriteRecord) {
	s := &n.store
	if a.NewEpoch {
		n.stopFollowing()
		s.opening = &a
		n.activate()
		return
	}
	at, err := s.driver.WriteRole(a.Record.Encode())
	if err != nil {
		n.poisoned(fmt.Errorf("write a role record: %w", err))
		return
	}
	s.records = append(s.records, recordWrite{a.Seq, at})
}

// activate opens the new epoch's file once nothing is being written.
func (n *Node) activate() {
	s := &n.store
	if s.follower != nil && !s.follower.Quiet() {
		return
	}
	a := s.opening
	if a.Record.Epoch > math.MaxUint32 {
		s.opening = nil
		n.poisoned(fmt.Errorf("open epoch %d: pages name epochs up to %d", a.Record.Epoch, uint32(math.MaxUint32)))
		return
	}
	o := journal.ActivateOptions{Epoch: uint32(a.Record.Epoch), Role: a.Record.Encode(), Engine: n.o.Engine, Pool: n.o.Pool,
		Host: nodeLog{n}, Salt: n.env.Random(), Now: n.journalNow()}
	var err error
	if s.follower != nil {
		s.driver, err = s.follower.Activate(o)
	} else {
		s.driver, err = s.image.Activate(o)
	}
	if err != nil {
		s.opening = nil
		n.poisoned(fmt.Errorf("open epoch %d: %w", a.Record.Epoch, err))
		return
	}
	s.image, s.follower, s.copying = nil, nil, false
}

// poisoned reports, once, a failure that was met outside a completion: behind the present action, not inside it.
func (n *Node) poisoned(err error) {
	if !n.store.failed {
		n.store.failed = true
		n.Post(ha.Poisoned{Reason: err.Error()})
	}
}

// persist carries out a Persist; it blocks for two small writes.
func (n *Node) persist(a ha.Persist) {
	if err := n.saveState(a.State.Encode(), n.store.copying || a.State.Copying > n.pair.copied); err != nil {
		n.poisoned(fmt.Errorf("save the local state: %w", err))
		return
	}
	n.pair.copied = max(n.pair.copied, a.State.Copying)
	n.Post(ha.Persisted{Seq: a.Seq})
}

// saveState writes the state file.
func (n *Node) saveState(promises []byte, copying bool) error {
	s := &n.store
	var err error
	switch {
	case s.driver != nil:
		state := s.driver.State()
		state.Promises, state.Copying = promises, false
		err = s.driver.Save(state)
	case s.follower != nil:
		state := s.follower.State()
		state.Promises, state.Copying = promises, copying
		err = s.follower.Save(state)
	default:
		state := *s.image.State()
		state.Promises, state.Copying = promises, copying
		err = s.image.Save(state)
	}
	if err == nil {
		s.copying = copying && s.driver == nil
	}
	return err
}

// settle reads the log again once nothing is being written.
func (n *Node) settle() {
	s := &n.store
	switch {
	case s.driver != nil:
		if s.driver.Stats().InFlight > 0 {
			return
		}
		n.ignore(s.driver.Close())
	case s.follower != nil:
		if !s.follower.Quiet() {
			return
		}
		n.ignore(s.follower.Close())
	case s.image != nil:
		n.ignore(s.image.Close())
	}
	s.settling, s.image, s.driver, s.follower = false, nil, nil, nil
	s.opening, s.records, s.failed = nil, nil, false
	loaded, err := n.load()
	if err != nil {
		loaded = ha.LoadFailed{Reason: err.Error()}
	}
	n.feed(loaded)
}

// ignore logs an error that changes nothing any more.
func (n *Node) ignore(err error) {
	if err != nil {
		n.log.Warn("close the journal", "error", err)
	}
}

// watchDisk tells the role machine when a write takes too long, and when none does any more.
func (n *Node) watchDisk() {
	s := &n.store
	var age time.Duration
	switch {
	case s.driver != nil:
		age = s.driver.OldestWrite(n.journalNow())
	case s.follower != nil:
		age = s.follower.OldestWrite(n.journalNow())
	}
	if overdue := age > n.o.OverdueAfter; overdue != s.overdue {
		s.overdue = overdue
		if overdue {
			n.feed(ha.Overdue{})
		} else {
			n.feed(ha.Cleared{})
		}
	}
}

// busy says that the journal wants to be looked at soon: for its mark, or because a write may become overdue.
func (s *store) busy() bool {
	return s.settling || s.opening != nil || s.driver != nil && (!s.marked || !s.driver.Quiet())
}

// flush submits what the step appended beside the shard's work, and marks an idle journal.
func (n *Node) flush() {
	s := &n.store
	switch {
	case s.driver != nil && !s.settling:
		n.flushDriver()
	case s.follower != nil:
		if err := s.follower.Flush(n.journalNow()); err != nil {
			n.poisoned(err)
		}
	}
}

func (n *Node) flushDriver() {
	s := &n.store
	if err := s.driver.Flush(n.journalNow()); err != nil {
		return // the next completions report it
	}
	st := s.driver.Stats()
	if st.Appended != s.appended.Appended || st.InFlight > 0 {
		s.appended, s.quietAt, s.marked = st, n.now.Boot, false
		return
	}
	if !s.marked && n.now.Boot-s.quietAt >= n.o.IdleAfter && s.driver.Opened() {
		s.marked = true
		n.ignore(s.driver.Idle(n.journalNow()))
	}
}
