package shardtest

import (
	"slices"

	"github.com/hindmq/hind/journal"
)

// state is the liveness of records, kept the slow and obvious way.
type state struct {
	live    map[journal.RecordID]bool
	updates map[journal.RecordID]journal.RecordID
	txs     map[journal.TxID][]journal.Record
}

// liveAt says which records live after the given ones, and which an undecided transaction holds.
func liveAt(records []journal.Record) (live, held map[journal.RecordID]bool) {
	s := replay(records)
	held = map[journal.RecordID]bool{}
	for _, list := range s.txs {
		for _, r := range list {
			held[r.ID] = true
		}
	}
	return s.live, held
}

// openAt lists transactions that are neither prepared nor decided.
func openAt(records []journal.Record) []journal.TxID {
	s := replay(records)
	var open []journal.TxID
	for tx, held := range s.txs {
		if !slices.ContainsFunc(held, func(r journal.Record) bool { return r.Kind == journal.KindPrepare }) {
			open = append(open, tx)
		}
	}
	slices.Sort(open)
	return open
}

func replay(records []journal.Record) *state {
	s := &state{live: map[journal.RecordID]bool{}, updates: map[journal.RecordID]journal.RecordID{},
		txs: map[journal.TxID][]journal.Record{}}
	for _, r := range records {
		switch {
		case r.Kind == journal.KindCommit:
			for _, held := range s.txs[r.Tx] {
				s.apply(held)
			}
			delete(s.txs, r.Tx)
		case r.Kind == journal.KindRollback:
			delete(s.txs, r.Tx)
		case r.Tx != 0:
			s.txs[r.Tx] = append(s.txs[r.Tx], r)
		default:
			s.apply(r)
		}
	}
	return s
}

func (s *state) apply(r journal.Record) {
	switch r.Kind {
	case journal.KindAdd:
		s.live[r.ID] = true
	case journal.KindUpdate:
		if s.live[r.Target] {
			delete(s.live, s.updates[r.Target])
			s.updates[r.Target] = r.ID
			s.live[r.ID] = true
		}
	case journal.KindDelete:
		delete(s.live, s.updates[r.Target])
		delete(s.updates, r.Target)
		delete(s.live, r.Target)
	}
}
