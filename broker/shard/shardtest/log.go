package shardtest

import (
	"errors"
	"slices"

	"github.com/hindmq/hind/journal"
)

// Log is a shard.Log in memory. Fields may be set between calls.
type Log struct {
	Hold    bool   // nothing becomes safe by Flush
	Refuse  error  // what Append answers; journal.ErrFull still lets through what drains the log
	Left    int    // Appends before Refuse, if Refuse is set
	Small   int    // Refuse lets groups through whose bodies have fewer bytes
	Flushes int    // calls of Flush
	OnFlush func() // called at the start of Flush, as a checkpoint would be

	records     []journal.Record
	pages       []uint32 // of records
	incarnation uint64
	sequence    uint64
	page        uint32 // the open page; sealed pages are below it
	open        bool   // something is in the open page
	safe        uint32 // pages below it are safe
	mark        *mark
}

// mark is a complete checkpoint.
type mark struct {
	blob  []byte
	start int // index into records
}

// New makes an empty log.
func New() *Log { return &Log{incarnation: 1, page: 1, safe: 1} }

func (l *Log) next() journal.RecordID {
	l.sequence++
	return journal.RecordID(l.incarnation<<40 | l.sequence)
}

// Append is shard.Log's.
func (l *Log) Append(recs ...journal.Record) (journal.RecordID, journal.Position, error) {
	if l.Refuse != nil && size(recs) >= l.Small && !(errors.Is(l.Refuse, journal.ErrFull) && drains(recs)) {
		if l.Left == 0 {
			return 0, journal.Position{}, l.Refuse
		}
		l.Left--
	}
	var first journal.RecordID
	for i, r := range recs {
		r.ID = l.next()
		if i == 0 {
			first = r.ID
		}
		r.Meta, r.Body = slices.Clone(r.Meta), slices.Clone(r.Body)
		l.records = append(l.records, r)
		l.pages = append(l.pages, l.page)
	}
	l.open = true
	return first, journal.Position{File: 1, Block: l.page + 1}, nil
}

func size(recs []journal.Record) int {
	sum := 0
	for _, r := range recs {
		sum += len(r.Body)
	}
	return sum
}

// drains says whether a full journal takes the records: they add nothing that lives.
func drains(recs []journal.Record) bool {
	for _, r := range recs {
		if r.Kind == journal.KindAdd || r.Kind == journal.KindUpdate {
			return false
		}
	}
	return true
}

// Flush seals the open page.
func (l *Log) Flush(journal.Now) error {
	if l.OnFlush != nil {
		l.OnFlush()
	}
	l.Flushes++
	if l.open {
		l.page++
		l.open = false
	}
	if !l.Hold {
		l.SafeAll()
	}
	return nil
}

// SafeAll makes everything that was sealed safe; SafeNext the next page.
func (l *Log) SafeAll() { l.safe = l.page }

// SafeNext makes the next sealed page safe and says whether there was one.
func (l *Log) SafeNext() bool {
	if l.safe >= l.page {
		return false
	}
	l.safe++
	return true
}

// Safe is shard.Log's.
func (l *Log) Safe() journal.Position { return journal.Position{File: 1, Block: l.safe} }

// SafeCount is how many records are safe.
func (l *Log) SafeCount() int {
	n := 0
	for n < len(l.pages) && l.pages[n] < l.safe {
		n++
	}
	return n
}

// Records are all records so far; shared.
func (l *Log) Records() []journal.Record { return l.records }

// Checkpoint notes a complete checkpoint that starts here, with the host's blob.
func (l *Log) Checkpoint(blob []byte) {
	l.mark = &mark{blob: slices.Clone(blob), start: len(l.records)}
}

// Crash gives what a restart finds: all safe pages and the given number of pages beyond them. Ids of what is lost are not
// given out again. A checkpoint that is lost is as if it never was.
func (l *Log) Crash(beyond uint32) *Log {
	n := &Log{incarnation: l.incarnation + 1, page: l.page + 1, safe: l.page + 1}
	keep := 0
	for keep < len(l.records) && l.pages[keep] < l.safe+beyond {
		keep++
	}
	n.records, n.pages = slices.Clone(l.records[:keep]), slices.Clone(l.pages[:keep])
	if l.mark != nil && l.mark.start <= keep {
		n.mark = l.mark
	}
	return n
}

// Load gives the records to a loader as the journal does: the checkpoint's blob, what lived at its start, and the rest;
// then, as an open does, the rollback of each transaction that is neither prepared nor decided.
func (l *Log) Load(to journal.Loader) error {
	start := 0
	var blob []byte
	if l.mark != nil {
		start, blob = l.mark.start, l.mark.blob
	}
	if err := to.Snapshot(blob); err != nil {
		return err
	}
	live, held := liveAt(l.records[:start])
	for _, r := range l.records[:start] {
		if !live[r.ID] && !held[r.ID] {
			continue
		}
		if !held[r.ID] {
			r.Tx = 0 // decided before: it takes effect by itself
		}
		if err := to.Live(r); err != nil {
			return err
		}
	}
	for _, r := range l.records[start:] {
		if err := to.Replay(r); err != nil {
			return err
		}
	}
	for _, tx := range openAt(l.records) {
		r := journal.Record{ID: l.next(), Kind: journal.KindRollback, Tx: tx}
		l.records, l.pages = append(l.records, r), append(l.pages, l.safe-1) // it is in the new file's first page
		if err := to.Replay(r); err != nil {
			return err
		}
	}
	return nil
}
