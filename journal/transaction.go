package journal

import (
	"slices"

	"github.com/hindmq/hind/journal/record"
)

// transaction is one that is open or prepared.
type transaction struct {
	id       TxID
	prepared bool
	items    []txItem // in log order
}

// txItem is one record of an undecided transaction. Adds and updates are live records and stay in their file; everything
// else (deletes, events, the prepare) is born dead and would go with its file, so it is kept here whole.
type txItem struct {
	id     RecordID
	kind   Kind
	target RecordID
	raw    []byte // encoded record, if kind is neither add nor update
}

// size is an upper bound of what the item takes in a checkpoint.
func (i *txItem) size() int { return 1 + 10 + 10 + 5 + len(i.raw) }

const txFixedSize = 24

func (l *ledger) transaction(id TxID) *transaction {
	t := l.txs[id]
	if t == nil {
		t = &transaction{id: id}
		l.txs[id] = t
		l.txSize += txFixedSize
	}
	return t
}

// hold puts a record on its transaction's list: nothing happens before the decision.
func (l *ledger) hold(id RecordID, r *record.Record) {
	t := l.transaction(TxID(r.Tx))
	item := txItem{id: id, kind: Kind(r.Kind), target: RecordID(r.Target)}
	if item.kind != KindAdd && item.kind != KindUpdate {
		item.raw = record.Append(nil, uint64(id), r)
	}
	t.items = append(t.items, item)
	l.txSize += item.size()
}

func (l *ledger) prepare(id RecordID, r *record.Record) {
	l.hold(id, r)
	l.txs[TxID(r.Tx)].prepared = true
}

// decide ends a transaction. An unknown one is nothing: it held no records.
func (l *ledger) decide(id TxID, commit bool) {
	t := l.txs[id]
	if t == nil {
		return
	}
	for i := range t.items {
		item := &t.items[i]
		switch {
		case !commit:
			switch item.kind {
			case KindAdd:
				l.delete(item.id)
			case KindUpdate:
				l.kill(item.id)
			}
		case item.kind == KindUpdate:
			if l.alive(item.target) {
				l.replace(item.target, item.id)
			} else {
				l.kill(item.id)
			}
		case item.kind == KindDelete:
			l.delete(item.target)
		}
		l.txSize -= item.size()
	}
	l.txSize -= txFixedSize
	delete(l.txs, id)
}

// undecided are the ids of open and prepared transactions, ascending.
func (l *ledger) undecided() []TxID {
	ids := make([]TxID, 0, len(l.txs))
	for id := range l.txs {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// unprepared are those that an open rolls back.
func (l *ledger) unprepared() []TxID {
	return slices.DeleteFunc(l.undecided(), func(id TxID) bool { return l.txs[id].prepared })
}
