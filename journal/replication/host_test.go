package replication

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/hindmq/hind/journal"
)

// host is a domain of which everything can be compared: what lives, what is undecided, a counter over events in order.
type host struct {
	live    map[journal.RecordID]message
	txs     map[journal.TxID][]journal.Record
	counter uint64
	sum     uint64 // over live, whatever the order
	role    string // not compared: a loader is not told of one that lies before START
}

type message struct{ body, update uint64 }

func mix(a, b uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 ^ b
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	return x ^ x>>32
}

func newHost() *host {
	return &host{live: map[journal.RecordID]message{}, txs: map[journal.TxID][]journal.Record{}}
}

// Snapshot is the host's part of a checkpoint.
func (h *host) Snapshot() []byte { return fmt.Appendf(nil, "%d", h.counter) }

// loader tells a host what a log holds.
type loader struct{ *host }

func (l loader) Snapshot(blob []byte) error {
	if blob == nil {
		return nil
	}
	_, err := fmt.Sscan(string(blob), &l.counter)
	return err
}

func (l loader) Live(r journal.Record) error   { l.take(r); return nil }
func (l loader) Replay(r journal.Record) error { l.take(r); return nil }

func (h *host) take(r journal.Record) {
	switch {
	case r.Kind == journal.KindRole:
		h.role = string(r.Body)
	case r.Kind == journal.KindCommit || r.Kind == journal.KindRollback:
		recs := h.txs[r.Tx]
		delete(h.txs, r.Tx)
		for i := range recs {
			if r.Kind == journal.KindCommit {
				h.effect(&recs[i])
			}
		}
	case r.Tx != 0:
		r.Body, r.Meta = slices.Clone(r.Body), nil
		h.txs[r.Tx] = append(h.txs[r.Tx], r)
	default:
		h.effect(&r)
	}
}

func (h *host) effect(r *journal.Record) {
	body := xxhash.Sum64(r.Body)
	switch r.Kind {
	case journal.KindAdd:
		h.set(r.ID, message{body: body})
	case journal.KindUpdate:
		if m, ok := h.live[r.Target]; ok {
			h.set(r.Target, message{m.body, body})
		}
	case journal.KindDelete:
		h.drop(r.Target)
	case journal.KindEvent:
		h.counter = mix(h.counter+1, body)
	}
}

func (h *host) set(id journal.RecordID, m message) {
	h.drop(id)
	h.live[id] = m
	h.sum += mix(uint64(id), mix(m.body, m.update))
}

func (h *host) drop(id journal.RecordID) {
	if m, ok := h.live[id]; ok {
		h.sum -= mix(uint64(id), mix(m.body, m.update))
		delete(h.live, id)
	}
}

func isPrepare(r journal.Record) bool { return r.Kind == journal.KindPrepare }

// digest of the state; opened leaves out the transactions that an open rolls back.
func (h *host) digest(opened bool) uint64 {
	d := mix(h.sum, h.counter)
	for id, recs := range h.txs {
		if opened && !slices.ContainsFunc(recs, isPrepare) {
			continue
		}
		x := uint64(id)
		for i := range recs {
			x = mix(x, mix(uint64(recs[i].ID)+uint64(recs[i].Kind), mix(uint64(recs[i].Target), xxhash.Sum64(recs[i].Body))))
		}
		d += x
	}
	return d
}

// String lists the state, in order.
func (h *host) String() string {
	s := fmt.Sprintf("counter %x", h.counter)
	for _, id := range slices.Sorted(maps.Keys(h.live)) {
		s += fmt.Sprintf(" %s=%x/%x", id, h.live[id].body>>48, h.live[id].update>>48)
	}
	for _, id := range slices.Sorted(maps.Keys(h.txs)) {
		s += fmt.Sprintf(" tx%d", id)
		for _, r := range h.txs[id] {
			s += fmt.Sprintf(":%d %s->%s", r.Kind, r.ID, r.Target)
		}
	}
	return s
}
