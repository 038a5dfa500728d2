package replication

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/datafile"
)

// SenderOptions of NewSender; zero fields take the default.
type SenderOptions struct {
	TapMax     int64 // bytes of buffers that live pages may pin; beyond it files are read again. 16 MiB
	UnackedMax int   // bytes of pages sent and not acknowledged. 8 MiB
	ReadMax    int   // bytes of one run read from a file. 256 KiB
}

func (o SenderOptions) withDefaults() SenderOptions {
	if o.TapMax <= 0 {
		o.TapMax = 16 << 20
	}
	if o.UnackedMax <= 0 {
		o.UnackedMax = 8 << 20
	}
	if o.ReadMax <= 0 {
		o.ReadMax = 256 << 10
	}
	return o
}

// phase of a conversation, as the sender sees it.
type phase uint8

const (
	phaseManifest phase = iota // waits for the follower's manifest
	phaseCommon                // the common page must be found
	phaseFetch                 // waits for Fetch
	phaseFiles                 // reads files
	phaseLive                  // takes from the tap
)

// Sender is the active side of one conversation. One owner, the driver's; no goroutine, no clock, no I/O but the driver's
// reads.
type Sender struct {
	d      *journal.Driver
	epoch  uint32
	o      SenderOptions
	phase  phase
	theirs []journal.FileInfo
	common journal.Position

	reader *journal.PageReader
	held   *Message // pages that the list of files goes before
	tap    tapped
	sent   journal.Position // end of the last page sent
	safe   journal.Position // last said
	caught journal.Position // at the first CaughtUp
	ack    acknowledged
	closed bool
}

// tapped is what the driver sealed since the tap was set.
type tapped struct {
	on   bool
	lost bool
	from journal.Position // end of the log when it was set: the files are to be read up to here
	runs []*journal.Sealed
}

// acknowledged is the account of what was sent and is not durable there.
type acknowledged struct {
	at   journal.Position
	free int
	open []sentRun
	size int
}

type sentRun struct {
	end  journal.Position
	size int
}

// NewSender begins a conversation about d's log in an epoch. It takes d's tap.
func NewSender(d *journal.Driver, epoch uint32, o SenderOptions) *Sender {
	return &Sender{d: d, epoch: epoch, o: o.withDefaults(), ack: acknowledged{free: -1}}
}

// CaughtUp is the position that the follower must acknowledge to hold everything: the end of the log when the first copy
// was complete. ok is false before.
func (s *Sender) CaughtUp() (journal.Position, bool) { return s.caught, s.caught != journal.Position{} }

// Acked is the position up to which everything is on the follower's disk, as part of a log that it can open.
func (s *Sender) Acked() journal.Position { return s.ack.at }

// PeerFree is the number of the follower's free slots; negative: not known.
func (s *Sender) PeerFree() int { return s.ack.free }

// Close ends the conversation and gives back what it pins. Messages that Next gave keep their pages until released.
func (s *Sender) Close() {
	if s.closed {
		return
	}
	s.closed = true
	s.endTap()
	s.endReader()
}

func (s *Sender) endReader() {
	if s.reader != nil {
		s.reader.Close()
		s.reader = nil
	}
}

func (s *Sender) endTap() {
	if s.tap.on && !s.tap.lost {
		s.d.Tap(nil, nil, 0)
	}
	for _, r := range s.tap.runs {
		r.Release()
	}
	s.tap = tapped{}
}

// Receive takes a message of the follower. An error ends the conversation.
func (s *Sender) Receive(m Message) error {
	switch {
	case s.closed:
		return journal.ErrClosed
	case m.Epoch != s.epoch:
		return fmt.Errorf("%w: %s of epoch %d in epoch %d", ErrMessage, m.Kind, m.Epoch, s.epoch)
	case m.Kind == KindManifest && s.phase == phaseManifest:
		return s.manifest(&m)
	case m.Kind == KindFetch && s.phase == phaseFetch:
		if m.At != s.common {
			return fmt.Errorf("%w: Fetch from %s, the last common page ends at %s", ErrMessage, m.At, s.common)
		}
		s.phase, s.sent = phaseFiles, m.At
		return nil
	case (m.Kind == KindAck || m.Kind == KindProgress) && s.phase >= phaseFetch: // it may overtake Fetch
		return s.acknowledge(&m)
	}
	return fmt.Errorf("%w: %s is not due", ErrMessage, m.Kind)
}

func (s *Sender) manifest(m *Message) error {
	if own := s.d.Options().Geometry; m.Geometry != own {
		return fmt.Errorf("%w: the follower's slots have %d blocks of %d bytes, here %d of %d; prepare its journal with the same sizes",
			ErrMessage, m.Geometry.Capacity, 1<<min(m.Geometry.BlockShift, 31), own.Capacity, own.BlockSize())
	}
	s.theirs, s.ack.free, s.phase = m.Files, m.Free, phaseCommon
	return nil
}

func (s *Sender) acknowledge(m *Message) error {
	if s.sent.Less(m.At) {
		return fmt.Errorf("%w: %s is acknowledged, sent is %s", ErrMessage, m.At, s.sent)
	}
	a := &s.ack
	a.free = m.Free
	if m.Kind == KindAck && a.at.Less(m.At) {
		a.at = m.At
	}
	n := 0
	for n < len(a.open) && !m.At.Less(a.open[n].end) {
		a.size -= a.open[n].size
		n++
	}
	a.open = slices.Delete(a.open, 0, n)
	return nil
}

// Next is the next message to send. ok is false if there is none now; call again after the driver or the follower moved on.
// It blocks in reads of files. An error ends the conversation.
func (s *Sender) Next() (Message, bool, error) {
	if s.closed {
		return Message{}, false, journal.ErrClosed
	}
	if held := s.held; held != nil {
		s.held = nil
		return *held, true, nil
	}
	switch s.phase {
	case phaseCommon:
		return s.findCommon()
	case phaseFiles:
		if m, ok, err := s.fromFiles(); ok || err != nil {
			return m, ok, err
		}
	case phaseLive:
		if m, ok := s.fromTap(); ok {
			return m, true, nil
		}
		if s.phase == phaseFiles { // the tap was lost
			return s.Next()
		}
	default:
		return Message{}, false, nil
	}
	return s.sayStable()
}

// findCommon looks for the newest page that both logs have: in the newest file that both have, at the lower of both ends.
func (s *Sender) findCommon() (Message, bool, error) {
	readable := s.d.Readable()
	at := journal.Position{}
	for _, t := range slices.Backward(s.theirs) {
		i := slices.IndexFunc(readable, func(f journal.FileInfo) bool { return f.Name == t.Name && f.Kind == datafile.Log })
		if i < 0 || t.End == 0 {
			continue
		}
		end := min(t.End, readable[i].End)
		pos := journal.Position{File: t.Name.ID, Block: end}
		hash, ok, err := s.d.PageEnding(t.Name, end)
		switch {
		case err != nil:
			return Message{}, false, err
		case !ok && s.d.Durable().Less(pos):
			return Message{}, false, nil // it is still being written here
		case !ok || end == t.End && hash != t.TailHash:
			continue
		}
		if complete(s.d.Required(pos), s.theirs, t.Name.ID) {
			at = pos
		}
		break
	}
	s.phase, s.common, s.sent = phaseFetch, at, at
	return Message{Kind: KindCommon, Epoch: s.epoch, At: at, Files: readable, Epochs: s.d.Epochs()}, true, nil
}

// complete says that the follower has every required file that is older than id, to its end.
func complete(required, theirs []journal.FileInfo, id uint64) bool {
	for i := range required {
		own := &required[i]
		if own.Name.ID < id && !slices.ContainsFunc(theirs, func(t journal.FileInfo) bool {
			return t.Name == own.Name && t.End == own.End && t.TailHash == own.TailHash
		}) {
			return false
		}
	}
	return true
}

// full says that the follower must acknowledge first.
func (s *Sender) full() bool { return s.ack.size >= s.o.UnackedMax }

// fromFiles reads the next run, or finds that the files are read up to where the tap began.
func (s *Sender) fromFiles() (Message, bool, error) {
	switch {
	case s.tap.lost:
		s.endTap()
	case s.tap.on && !s.sent.Less(s.tap.from):
		return s.goLive(), true, nil
	}
	if s.full() {
		return Message{}, false, nil
	}
	if s.reader == nil {
		r, err := s.d.ReadPages(s.sent)
		if errors.Is(err, journal.ErrBusy) {
			return Message{}, false, nil
		}
		if err != nil {
			return Message{}, false, err
		}
		s.reader = r
	}
	last := s.sent
	run, ok, err := s.reader.Next(s.o.ReadMax)
	if err != nil {
		return Message{}, false, err
	}
	if ok {
		run.Data = bytes.Clone(run.Data)
		s.upToTap(&run)
		m := s.pages(&run, PageRun{Data: run.Data})
		if jump := run.Block == 0 && run.File.ID != last.File+1; jump && last.File != 0 {
			s.held = &m
			if s.tap.on {
				s.tap.from = s.d.End() // what makes up for the files that are left out lies before it
			}
			return Message{Kind: KindFiles, Epoch: s.epoch, Files: s.d.Readable()}, true, nil
		}
		return m, true, nil
	}
	if !s.tap.on {
		s.startTap()
	}
	if s.tap.on && !s.sent.Less(s.tap.from) {
		return s.goLive(), true, nil
	}
	return Message{}, false, nil
}

// upToTap shortens a run that reaches beyond the point from which the tap has everything.
func (s *Sender) upToTap(run *journal.Sealed) {
	if from := s.tap.from; s.tap.on && run.End.File == from.File && from.Less(run.End) {
		run.Data = run.Data[:int(from.Block-run.Block)<<s.d.Options().Geometry.BlockShift]
		run.End = from
		s.endReader() // it is ahead: should the tap be lost, files are read from here
	}
}

// goLive ends the catch-up.
func (s *Sender) goLive() Message {
	s.endReader()
	s.phase = phaseLive
	n := 0
	for n < len(s.tap.runs) && !s.sent.Less(s.tap.runs[n].End) { // the reader left out files that retired, and went beyond
		s.tap.runs[n].Release()
		n++
	}
	s.tap.runs = slices.Delete(s.tap.runs, 0, n)
	if s.caught == (journal.Position{}) {
		s.caught = s.sent
	}
	return Message{Kind: KindCaughtUp, Epoch: s.epoch, At: s.sent}
}

// startTap has the driver hand over what it seals from now on. Before a new file counts it does not.
func (s *Sender) startTap() {
	if !s.d.Opened() {
		return
	}
	s.tap = tapped{on: true, from: s.d.End()}
	s.d.Tap(func(w *journal.Sealed) {
		w.Retain()
		run := *w
		s.tap.runs = append(s.tap.runs, &run)
	}, func() { s.tap.lost = true }, s.o.TapMax)
}

// fromTap is the oldest live run. If the tap was lost, or does not continue what was sent, files are read again.
func (s *Sender) fromTap() (Message, bool) {
	if len(s.tap.runs) == 0 {
		if s.tap.lost || s.d.End() != s.sent {
			s.fallBack()
		}
		return Message{}, false
	}
	if s.full() {
		return Message{}, false
	}
	run := s.tap.runs[0]
	if !s.continues(run) {
		s.fallBack()
		return Message{}, false
	}
	s.tap.runs = slices.Delete(s.tap.runs, 0, 1)
	return s.pages(run, PageRun{Live: true, Data: run.Data, Release: run.Release}), true
}

func (s *Sender) continues(run *journal.Sealed) bool {
	if run.File.ID == s.sent.File {
		return run.Block == s.sent.Block
	}
	return run.Block == 0 && run.File.ID == s.sent.File+1
}

func (s *Sender) fallBack() {
	s.endTap()
	s.phase = phaseFiles
}

// pages makes a message of a run and puts it on the account.
func (s *Sender) pages(run *journal.Sealed, p PageRun) Message {
	p.File, p.Kind, p.Block = run.File, datafile.Log, run.Block
	s.sent = run.End
	s.ack.open = append(s.ack.open, sentRun{run.End, len(p.Data)})
	s.ack.size += len(p.Data)
	return Message{Kind: KindPages, Epoch: s.epoch, At: run.End, Pages: p}
}

// sayStable tells how far the follower may apply, when that moved.
func (s *Sender) sayStable() (Message, bool, error) {
	at := s.d.Stable()
	if s.sent.Less(at) {
		at = s.sent
	}
	if !s.safe.Less(at) {
		return Message{}, false, nil
	}
	s.safe = at
	return Message{Kind: KindSafe, Epoch: s.epoch, At: at}, true, nil
}
