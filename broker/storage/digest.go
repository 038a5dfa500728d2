package storage

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"github.com/hindmq/hind/broker/queue"
)

// Digest is a hash of the durable state: addresses, queues with their attributes, references in order with the delivery
// counts that the log knows, messages byte by byte, duplicate ids in order. Two brokers that applied the same records have
// the same. It walks everything: for tests, checks at agreed positions, and small states.
func (s *Store) Digest() uint64 {
	h := xxhash.New()
	w := digester{h: h}
	for _, a := range s.Office.Addresses() {
		if a.Record == 0 {
			continue
		}
		spec := SpecOf(a)
		w.number(a.Record)
		w.bytes(appendAddress(nil, &spec))
	}
	for _, q := range s.durableQueues() {
		w.number(q.Record)
		w.bytes(appendQueue(nil, &QueueSpec{Name: q.Name, Address: q.Address, Attributes: q.Attributes}))
		q.Each(func(r *queue.Reference) bool {
			if r.Persistent() {
				w.number(r.Entity.Record)
				w.number(uint64(r.Stored))
				w.bytes(r.Entity.Message.Raw())
			}
			return true
		})
	}
	for _, nw := range s.Office.Windows() {
		w.bytes([]byte(nw.Address))
		keys := nw.Window.Keys()
		w.number(uint64(len(keys)))
		for i := range keys {
			_, _ = h.Write(keys[i][:])
		}
	}
	return h.Sum64()
}

type digester struct {
	h   *xxhash.Digest
	buf [8]byte
}

func (d *digester) number(n uint64) {
	binary.LittleEndian.PutUint64(d.buf[:], n)
	_, _ = d.h.Write(d.buf[:])
}

func (d *digester) bytes(b []byte) {
	d.number(uint64(len(b)))
	_, _ = d.h.Write(b)
}
