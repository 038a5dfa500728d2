package replication

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/hindmq/hind/journal"
)

// host is a domain of which everything can be compared: what lives, what is undecided, a counter over events in order.
type host struct {
	Live    map[journal.RecordID]string
	Updates map[journal.RecordID]string
	Txs     map[journal.TxID][]journal.Record
	Counter uint64
	Role    string `json:"-"` // a loader is not told of one that lies before START
	epoch   uint32
	log     []entry // what this life appended
}

// entry is the state after a record.
type entry struct {
	id     journal.RecordID
	at     journal.Position
	digest uint64
}

func newHost() *host {
	return &host{Live: map[journal.RecordID]string{}, Updates: map[journal.RecordID]string{}, Txs: map[journal.TxID][]journal.Record{}}
}

// Snapshot is the host's part of a checkpoint.
func (h *host) Snapshot() []byte { return fmt.Appendf(nil, "%d", h.Counter) }

// loader tells a host what a log holds.
type loader struct{ *host }

func (l loader) Snapshot(blob []byte) error {
	if blob == nil {
		return nil
	}
	_, err := fmt.Sscan(string(blob), &l.Counter)
	return err
}

func (l loader) Live(r journal.Record) error   { l.take(r); return nil }
func (l loader) Replay(r journal.Record) error { l.take(r); return nil }

func (h *host) take(r journal.Record) {
	r.Body, r.Meta = slices.Clone(r.Body), nil
	switch {
	case r.Kind == journal.KindRole:
		h.Role = string(r.Body)
	case r.Kind == journal.KindCommit || r.Kind == journal.KindRollback:
		recs := h.Txs[r.Tx]
		delete(h.Txs, r.Tx)
		for _, rec := range recs {
			if r.Kind == journal.KindCommit {
				h.effect(&rec)
			}
		}
	case r.Tx != 0:
		h.Txs[r.Tx] = append(h.Txs[r.Tx], r)
	default:
		h.effect(&r)
	}
}

func (h *host) effect(r *journal.Record) {
	switch r.Kind {
	case journal.KindAdd:
		h.Live[r.ID] = string(r.Body)
	case journal.KindUpdate:
		if _, ok := h.Live[r.Target]; ok {
			h.Updates[r.Target] = string(r.Body)
		}
	case journal.KindDelete:
		delete(h.Live, r.Target)
		delete(h.Updates, r.Target)
	case journal.KindEvent:
		h.Counter = (h.Counter+1)*31 + xxhash.Sum64(r.Body)
	}
}

// String lists the state, in order.
func (h *host) String() string {
	b, err := json.Marshal(h)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (h *host) digest() uint64 { return xxhash.Sum64String(h.String()) }
