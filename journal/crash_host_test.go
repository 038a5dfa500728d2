package journal

import (
	"fmt"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// ledgerHost is a host whose state is one number, so that millions of states can be compared. It is a Host and, through
// crashLoader, a Loader.
type ledgerHost struct {
	live    map[RecordID]hostEntry
	txs     map[TxID]*hostTx
	counter uint64 // chained over events: order counts
	role    uint64 // hash of the newest role record
}

type hostEntry struct{ body, update uint64 }

type hostTx struct {
	prepared bool
	recs     []hostRec
}

type hostRec struct {
	id, target RecordID
	kind       Kind
	body       uint64
}

func newLedgerHost() *ledgerHost {
	return &ledgerHost{live: map[RecordID]hostEntry{}, txs: map[TxID]*hostTx{}}
}

func mix(a, b uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 ^ b
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	return x ^ x>>32
}

func (h *ledgerHost) Snapshot() []byte { return fmt.Appendf(nil, "%d", h.counter) }

type crashLoader struct{ *ledgerHost }

func (l crashLoader) Snapshot(blob []byte) (err error) {
	if blob != nil {
		l.counter, err = strconv.ParseUint(string(blob), 10, 64)
	}
	return err
}
func (l crashLoader) Live(r Record) error   { l.take(&r); return nil }
func (l crashLoader) Replay(r Record) error { l.take(&r); return nil }

func (h *ledgerHost) take(r *Record) {
	switch r.Kind {
	case KindCommit, KindRollback:
		t := h.txs[r.Tx]
		delete(h.txs, r.Tx)
		if t != nil && r.Kind == KindCommit {
			for _, rec := range t.recs {
				h.effect(rec)
			}
		}
		return
	case KindRole:
		h.role = xxhash.Sum64(r.Body)
		return
	}
	rec := hostRec{r.ID, r.Target, r.Kind, xxhash.Sum64(r.Body) + uint64(r.Type)}
	if r.Tx == 0 {
		h.effect(rec)
		return
	}
	t := h.txs[r.Tx]
	if t == nil {
		t = &hostTx{}
		h.txs[r.Tx] = t
	}
	if r.Kind == KindPrepare {
		t.prepared = true
	}
	t.recs = append(t.recs, rec)
}

func (h *ledgerHost) effect(r hostRec) {
	switch r.kind {
	case KindAdd:
		h.live[r.id] = hostEntry{body: r.body}
	case KindUpdate:
		if e, ok := h.live[r.target]; ok {
			e.update = r.body
			h.live[r.target] = e
		}
	case KindDelete:
		delete(h.live, r.target)
	case KindEvent:
		h.counter = mix(h.counter+1, r.body)
	}
}

// digest of the state. Sums do not depend on the order of maps.
func (h *ledgerHost) digest() uint64 {
	d := mix(h.counter, h.role)
	for id, e := range h.live {
		d += mix(mix(uint64(id), e.body), e.update)
	}
	for id, t := range h.txs {
		x := uint64(id)
		if t.prepared {
			x = mix(x, 1)
		}
		for _, r := range t.recs {
			x = mix(x, mix(uint64(r.id), mix(uint64(r.target), r.body+uint64(r.kind))))
		}
		d += mix(x, 77)
	}
	return d
}
