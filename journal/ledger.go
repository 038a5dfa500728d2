package journal

import (
	"fmt"
	"slices"
	"sort"

	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/record"
)

// Kinds of the journal's own records. They are born dead, and hosts may not append them.
const (
	kindStart   Kind = 32 + iota // a checkpoint begins: size and hash of its data
	kindPart                     // the next piece of its data
	kindEnd                      // it is complete: names its START
	kindRetire                   // these files hold nothing any more
	kindInstall                  // survivors lie in bulk files now (place kept for compaction)
	kindSeal                     // the index of a closed file is valid (place kept)
	kindChunk                    // piece of a large payload, in bulk files only (place kept)
)

// ledger is what a prefix of the log says: which files there are, which records live, what is undecided, the newest role
// record, the last complete checkpoint. The writer, recovery and the follower keep it with the same code, record by
// record, so they cannot disagree. It does no I/O.
type ledger struct {
	geometry datafile.Geometry
	files    []*file // ascending by id; log files' record ids ascend with it
	current  *file   // log file that is being extended; nil before the first
	next     RecordID
	epoch    uint32

	// updates maps a message to its current update, if that lives. Never iterated.
	updates map[RecordID]RecordID
	txs     map[TxID]*transaction
	txSize  int // upper bound for what the undecided lists take in a checkpoint

	role   RolePoint // zero Role: none
	roles  []RolePoint
	epochs []EpochPoint

	start   datafile.Place // START of the last complete checkpoint
	begun   datafile.Place // START seen, END not yet
	records int64
	live    int64
	retired int64

	// onRetire, if set, is told of each file that a RETIRE names.
	onRetire func(f *file)
}

func newLedger(g datafile.Geometry) *ledger {
	return &ledger{geometry: g, updates: map[RecordID]RecordID{}, txs: map[TxID]*transaction{}}
}

// file is one data file in the ledger.
type file struct {
	name        datafile.Name
	kind        datafile.Kind
	epoch       uint32
	incarnation uint32
	slot        int // -1: unknown
	first       RecordID
	count       uint64   // records so far
	bits        []uint64 // one per record: it lives
	live        uint64
	pred        datafile.Link
	start       datafile.Place // START of the last complete checkpoint when the file was begun
	end         uint32         // block after the last page that counts, as far as sealed
	tail        uint64         // hash of that page
	closed      bool           // end and tail are final
	counts      bool           // something in it counts: an open may not step over it
	retiring    bool           // a RETIRE names it
	unread      bool           // recovery knows that a RETIRE will name it, so it read none of it: updates in it keep their bit

	pages []pageMark // sparse: the first page at or after each stretch of pageStride bytes
}

// pageMark lets a point read begin near its record.
type pageMark struct {
	first RecordID
	block uint32
}

const pageStride = 64 << 10

func (f *file) has(id RecordID) bool { return id >= f.first && uint64(id-f.first) < f.count }

func (f *file) bit(id RecordID) bool {
	i := uint64(id - f.first)
	return f.bits[i/64]&(1<<(i%64)) != 0
}

// push adds the next record's bit.
func (f *file) push(live bool) {
	i := f.count
	if i/64 == uint64(len(f.bits)) {
		f.bits = append(f.bits, 0)
	}
	if live {
		f.bits[i/64] |= 1 << (i % 64)
		f.live++
	}
	f.count++
}

// mark remembers where a page begins.
func (f *file) mark(first RecordID, block uint32, blockShift uint8) {
	if n := len(f.pages); n > 0 && int(block-f.pages[n-1].block)<<blockShift < pageStride {
		return
	}
	f.pages = append(f.pages, pageMark{first, block})
}

// nearPage is the last mark at or before id.
func (f *file) nearPage(id RecordID) (uint32, bool) {
	i := sort.Search(len(f.pages), func(i int) bool { return f.pages[i].first > id })
	if i == 0 {
		return 0, false
	}
	return f.pages[i-1].block, true
}

// home is the log file that holds id, or nil.
func (l *ledger) home(id RecordID) *file {
	if f := l.current; f != nil && f.has(id) {
		return f
	}
	lo, hi := 0, len(l.files)
	for lo < hi {
		mid := (lo + hi) / 2
		if f := l.files[mid]; f.first <= id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	for i := lo - 1; i >= 0; i-- { // files without records share the first id of their successor
		if f := l.files[i]; f.kind == datafile.Log && f.count > 0 {
			if f.has(id) {
				return f
			}
			return nil
		}
	}
	return nil
}

func (l *ledger) alive(id RecordID) bool {
	f := l.home(id)
	return f != nil && f.bit(id)
}

// kill clears a bit; it is idempotent.
func (l *ledger) kill(id RecordID) {
	f := l.home(id)
	if f == nil || !f.bit(id) {
		return
	}
	i := uint64(id - f.first)
	f.bits[i/64] &^= 1 << (i % 64)
	f.live--
	l.live--
}

// enter makes the file that page 0 names the current one. The one before is closed where the link says; a writer that
// rolls does not know that yet and closes it when it seals page 0. A process that opened here rolls back what is not prepared: rolledBack is told of each such transaction, ascending.
func (l *ledger) enter(name datafile.Name, h *record.Header, first *datafile.First, slot int, rolledBack func(TxID) error) error {
	if pred := l.current; pred != nil && first.Pred.Name == pred.name && first.Pred.End > 0 {
		pred.end, pred.tail, pred.closed = first.Pred.End, first.Pred.TailHash, true
	}
	f := &file{name: name, kind: first.Kind, epoch: h.Epoch, incarnation: h.Incarnation, slot: slot,
		first: RecordID(h.FirstRecord), pred: first.Pred, start: l.start, end: 1, tail: h.Hash}
	l.files = append(l.files, f)
	l.current = f
	l.next = f.first
	if h.Epoch != l.epoch || len(l.epochs) == 0 || l.epochs[len(l.epochs)-1].Incarnation != h.Incarnation {
		l.epochs = append(l.epochs, EpochPoint{h.Epoch, h.Incarnation, Position{first.Pred.ID, first.Pred.End}, name})
		if len(l.epochs) > epochsMax {
			l.epochs = slices.Delete(l.epochs, 0, len(l.epochs)-epochsMax)
		}
	}
	l.epoch = h.Epoch
	if len(first.Role) > 0 {
		l.setRole(Position{name.ID, 1}, first.Role)
	}
	if !first.Opened {
		return nil
	}
	l.begun = datafile.Place{} // an open voids the checkpoint that was being written
	for _, id := range l.unprepared() {
		l.decide(id, false)
		if rolledBack != nil {
			if err := rolledBack(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// epochsMax limits the epoch table: opens older than that are of interest to nobody.
const epochsMax = 256

// rolesMax limits the list of role records seen since the last load.
const rolesMax = 256

func (l *ledger) setRole(at Position, role []byte) {
	l.role = RolePoint{Position: at, Epoch: l.epoch, Role: slices.Clone(role)}
	if len(l.roles) >= rolesMax {
		l.roles = slices.Delete(l.roles, 0, 1)
	}
	l.roles = append(l.roles, l.role)
}

// apply takes the next record of the current file. block is where its page starts. It keeps nothing of r's slices
// without copying. Errors are those of records that the journal wrote for itself.
func (l *ledger) apply(id RecordID, r *record.Record, block uint32) error {
	f := l.current
	f.push(l.born(id, r))
	l.records++
	l.next = id + 1
	kind := Kind(r.Kind)
	if kind != kindStart && kind != kindPart {
		f.counts = true
	}
	switch kind {
	case KindAdd:
		l.live++
		if r.Tx != 0 {
			l.hold(id, r)
		}
	case KindUpdate:
		l.applyUpdate(id, r)
	case KindDelete:
		if r.Tx != 0 {
			l.hold(id, r)
		} else {
			l.delete(RecordID(r.Target))
		}
	case KindPrepare:
		l.prepare(id, r)
	case KindCommit, KindRollback:
		l.decide(TxID(r.Tx), kind == KindCommit)
	case KindEvent:
		if r.Tx != 0 {
			l.hold(id, r)
		}
	case KindRole:
		// The position names the start of its page: the end is not known before the page is sealed.
		l.setRole(Position{f.name.ID, block + 1}, r.Body)
	case kindStart:
		l.begun = datafile.Place{File: f.name.ID, Block: block, Record: uint64(id)}
	case kindEnd:
		return l.applyEnd(r)
	case kindRetire:
		return l.applyRetire(r)
	}
	return nil
}

// born says whether a record starts live. Every record takes an id; only adds and updates start live, those of undecided
// transactions too.
func (l *ledger) born(id RecordID, r *record.Record) bool {
	switch Kind(r.Kind) {
	case KindAdd:
		return true
	case KindUpdate:
		return r.Tx != 0 || l.alive(RecordID(r.Target))
	}
	return false
}

func (l *ledger) applyUpdate(id RecordID, r *record.Record) {
	if !l.current.bit(id) {
		return // an update of a dead message is born dead
	}
	l.live++
	if r.Tx != 0 {
		l.hold(id, r)
		return
	}
	l.replace(RecordID(r.Target), id)
}

// replace makes id the current update of target, which lives.
func (l *ledger) replace(target, id RecordID) {
	if old, ok := l.updates[target]; ok {
		l.kill(old)
	}
	l.updates[target] = id
}

// delete ends a message and its current update.
func (l *ledger) delete(target RecordID) {
	if len(l.updates) > 0 {
		if u, ok := l.updates[target]; ok {
			l.kill(u)
			delete(l.updates, target)
		}
	}
	l.kill(target)
}

func (l *ledger) applyEnd(r *record.Record) error {
	at, _, _, err := parseEnd(r.Body)
	if err != nil {
		return err
	}
	if at != l.begun {
		return fmt.Errorf("%w: END names START %v, %v is open", ErrDamaged, at, l.begun)
	}
	l.start, l.begun = at, datafile.Place{}
	return nil
}

// covered says that the last complete checkpoint began after the file.
func (l *ledger) covered(f *file) bool { return f.closed && f.name.ID < l.start.File }

// retirable lists the files that hold nothing and lie before START of the last complete checkpoint.
func (l *ledger) retirable(dst []*file) []*file {
	for _, f := range l.files {
		if f.live == 0 && !f.retiring && l.covered(f) {
			dst = append(dst, f)
		}
	}
	return dst
}

func (l *ledger) find(name datafile.Name) *file {
	for _, f := range l.files {
		if f.name == name {
			return f
		}
	}
	return nil
}

// applyRetire takes the named files out of the table.
func (l *ledger) applyRetire(r *record.Record) error {
	names, err := parseRetire(r.Body)
	if err != nil {
		return err
	}
	for _, name := range names {
		f := l.find(name)
		if f == nil {
			continue // replayed twice, or given up before it was named
		}
		if f.live != 0 && !f.unread || f == l.current {
			return fmt.Errorf("%w: RETIRE names file %s, which holds %d live records", ErrDamaged, name, f.live)
		}
		f.retiring = true
		l.retired++
		l.records -= int64(f.count)
		l.live -= int64(f.live)
		l.files = slices.DeleteFunc(l.files, func(g *file) bool { return g == f })
		if l.onRetire != nil {
			l.onRetire(f)
		}
	}
	return nil
}

// manifest copies the file table.
func (l *ledger) manifest() []FileInfo {
	infos := make([]FileInfo, 0, len(l.files))
	for _, f := range l.files {
		infos = append(infos, f.info())
	}
	return infos
}

func (f *file) info() FileInfo {
	return FileInfo{Name: f.name, Kind: f.kind, Slot: f.slot, Epoch: f.epoch, Incarnation: f.incarnation,
		FirstRecord: f.first, Records: f.count, Live: f.live, Closed: f.closed, End: f.end, TailHash: f.tail, Pred: f.pred}
}
