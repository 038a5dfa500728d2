package journal

import (
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/hindmq/hind/journal/datafile"
)

// checkpointWriter writes one checkpoint at a time, piece by piece, between the records of clients.
type checkpointWriter struct {
	due     bool   // one must begin
	writing bool   // START is appended, END is not
	data    []byte // whole, as of START
	sent    int
	hash    uint64
	start   datafile.Place
}

// rolled says that a file was closed, which the next checkpoint should cover. In reserve mode one that is being written
// is given up: only a later START lets that file go.
func (c *checkpointWriter) rolled(low bool) {
	c.due = true
	if low {
		c.writing = false
	}
}

// upkeepDue says that a RETIRE or a checkpoint waits to be appended.
func (m *Machine) upkeepDue() bool {
	return m.cp.due || m.cp.writing || m.retirableCount() > 0
}

func (m *Machine) retirableCount() int {
	n := 0
	for _, f := range m.l.files {
		if f.live == 0 && !f.retiring && m.l.covered(f) {
			n++
		}
	}
	return n
}

// Upkeep appends what is due: RETIRE first, then a checkpoint, whose blob snapshot gives. Beside traffic it appends one
// part per call; in reserve mode, where clients wait for it, all. It says whether it appended anything.
func (m *Machine) Upkeep(snapshot func() []byte) (bool, error) {
	if m.err != nil {
		return false, m.err
	}
	if m.spent() && m.Quiet() {
		m.reopen()
	}
	if m.vouchDue() && m.Mark() {
		return true, nil
	}
	did := false
	for {
		more, err := m.upkeepStep(snapshot)
		m.space.stuck = errors.Is(err, ErrFull)
		if m.space.stuck || errors.Is(err, ErrBusy) {
			return did, nil // again after the next completion
		}
		if err != nil {
			m.Fail(err)
			return did, m.err
		}
		did = did || more
		if !more || m.cp.writing && !m.Low() {
			return did, nil
		}
	}
}

func (m *Machine) upkeepStep(snapshot func() []byte) (bool, error) {
	switch {
	case m.retirableCount() > 0:
		return true, m.appendRetires()
	case m.cp.writing:
		return true, m.appendPart()
	case m.cp.due && m.tailsKnown():
		return true, m.appendStart(snapshot)
	}
	return false, nil
}

func (m *Machine) internal(kind Kind, body []byte) error {
	recs := [1]Record{{Kind: kind, Body: body}}
	raw := recs[0].raw()
	_, _, err := m.append(classInternal, raw.Size(), recs[:])
	return err
}

func (m *Machine) appendRetires() error {
	files := m.l.retirable(nil)
	files = files[:min(len(files), m.retireNamesMax())]
	return m.internal(kindRetire, appendRetire(nil, files))
}

// tailsKnown: every file but the current one is sealed to its end, so that the table can name its last page.
func (m *Machine) tailsKnown() bool {
	for _, f := range m.l.files {
		if f != m.l.current && !f.closed {
			return false
		}
	}
	return true
}

func (m *Machine) appendStart(snapshot func() []byte) error {
	// START goes into the current file or rolls; either way its data is what the ledger is now, but a roll changes the
	// ledger: make room first.
	p, err := m.place(64)
	if err != nil {
		return err
	}
	if p.roll {
		if err := m.admit(classInternal, p, nil); err != nil {
			return err
		}
		if err := m.makeRoom(p); err != nil {
			return err
		}
		return nil // the old file's tail must be known first
	}
	var blob []byte
	if snapshot != nil {
		blob = snapshot()
	}
	if len(blob) > m.o.BlobMax {
		return fmt.Errorf("the host's part of a checkpoint has %d bytes, at most %d are possible", len(blob), m.o.BlobMax)
	}
	data := m.l.snapshot(m.cp.data[:0], blob)
	hash := xxhash.Sum64(data)
	m.cp.data = data
	if err := m.internal(kindStart, appendStart(nil, len(data), hash)); err != nil {
		return err
	}
	m.cp = checkpointWriter{writing: true, data: data, hash: hash, start: m.l.begun}
	return nil
}

func (m *Machine) appendPart() error {
	c := &m.cp
	if c.sent < len(c.data) {
		n := min(len(c.data)-c.sent, partSizeMax(m.o.PageMax))
		if err := m.internal(kindPart, c.data[c.sent:c.sent+n]); err != nil {
			return err
		}
		if c.writing { // the part's own roll may have given the checkpoint up
			c.sent += n
		}
		return nil
	}
	if err := m.internal(kindEnd, appendEnd(nil, c.start, len(c.data), c.hash)); err != nil {
		return err
	}
	c.writing = false
	m.stats.Checkpoints++
	return nil
}

// sequencesMax is how many ids an incarnation gives out before the next open raises it; some are kept back for upkeep.
const sequencesMax = 1<<40 - 1<<24

// incarnationMax is the last one that fits a RecordID.
const incarnationMax = 1<<24 - 1

var errIncarnations = errors.New("the journal was opened too often: its incarnations are used up; copy it to a new directory")

func (m *Machine) spent() bool { return m.l.next.Sequence() > sequencesMax }
