package journal

import "fmt"

// RecordID names one record for ever: incarnation(24) | sequence(40). Ids are dense within an incarnation, assigned at
// Append and not changed by compaction; ids of a lost tail are never given out again. 0 is no record.
type RecordID uint64

// Incarnation is the upper 24 bits: it rises with every open for writing.
func (id RecordID) Incarnation() uint32 { return uint32(id >> 40) }

// Sequence is the lower 40 bits, counted from 1 within the incarnation.
func (id RecordID) Sequence() uint64 { return uint64(id) & (1<<40 - 1) }

func (id RecordID) String() string { return fmt.Sprintf("%d.%d", id.Incarnation(), id.Sequence()) }

// TxID names a transaction; the host chooses it. 0 is none.
type TxID uint64

// Position is the end of a page of a log file: one name for each point of the log. The zero Position is before the
// first file. The start of a log file is called the end of its predecessor.
type Position struct {
	File  uint64 // id of the log file, monotonic
	Block uint32 // block in which the next page starts
}

// Compare orders positions of one log: negative if p is before q.
func (p Position) Compare(q Position) int {
	switch {
	case p.File != q.File:
		if p.File < q.File {
			return -1
		}
		return 1
	case p.Block < q.Block:
		return -1
	case p.Block > q.Block:
		return 1
	}
	return 0
}

// Less says that p is before q.
func (p Position) Less(q Position) bool { return p.Compare(q) < 0 }

func (p Position) String() string { return fmt.Sprintf("%d:%d", p.File, p.Block) }

// Kind is what a record does to the journal's own state. The host's meaning is in Type, Meta and Body.
type Kind uint8

const (
	KindAdd      Kind = 1 + iota // a new record with an id; live until deleted
	KindUpdate                   // replaces the last update of Target; an update of a dead target is born dead
	KindDelete                   // kills Target and its update; idempotent
	KindPrepare                  // transaction Tx is prepared; Body is the host's data (for XA the xid)
	KindCommit                   // the adds, updates and deletes of Tx take effect here
	KindRollback                 // they never do
	KindEvent                    // of the host, born dead: replayed in order, never live (counters, duplicate ids, pauses)
	KindRole                     // role record of the pair (broker/ha); Body is opaque to the journal
)

// Record is one entry of the log as the host sees it. On Append the journal sets ID; Meta and Body are copied.
// On load Meta and Body are valid during the callback only.
type Record struct {
	ID     RecordID
	Kind   Kind
	Type   uint8    // host's type, opaque to the journal
	Tx     TxID     // 0: takes effect by itself
	Target RecordID // of KindUpdate and KindDelete: an add that is committed, or that the same transaction holds
	Meta   []byte   // at most MetaSizeMax bytes, copied into the index so that queues are rebuilt without bodies
	Body   []byte
}

// MetaSizeMax limits Record.Meta.
const MetaSizeMax = 64

// Loader receives the state on load, and on a follower the records that became safe.
type Loader interface {
	// Snapshot is called once, first, with the host's blob from the last complete checkpoint (nil: there is none).
	Snapshot(blob []byte) error
	// Live is called for each record that was live at that checkpoint's START, in id order: adds and updates (those of
	// undecided transactions too, with Tx set) and, with KindDelete and KindPrepare, what else an undecided transaction
	// held.
	Live(Record) error
	// Replay is called for every record after START in log order, also for those that are dead by now; their targets may
	// be records that Live did not give, because a file in which nothing lives any more is not read. Where a process opened
	// the log, Replay gets a KindRollback without an ID for each transaction that was not prepared, and a KindRole without
	// an ID if its first page holds a role record.
	Replay(Record) error
}
