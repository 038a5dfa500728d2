package storage

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/postoffice"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/journal"
)

func splitAddress(name string) (addr, q string) { return address.Split(name) }

// Snapshot blob: u8 version | uvarint highest transaction | uvarint n | n x window | uvarint n | n x counters.
// Window: text address | uvarint n | n x 16 B key. Counters: uvarint queue record | 4 x uvarint.
const snapshotVersion = 1

// Snapshot is the host's part of a checkpoint: what no live record says.
func (s *Store) Snapshot() []byte {
	b := []byte{snapshotVersion}
	b = binary.AppendUvarint(b, uint64(s.txHigh))
	windows := s.Office.Windows()
	b = binary.AppendUvarint(b, uint64(len(windows)))
	for _, w := range windows {
		keys := w.Window.Keys()
		b = appendText(b, w.Address)
		b = binary.AppendUvarint(b, uint64(len(keys)))
		for i := range keys {
			b = append(b, keys[i][:]...)
		}
	}
	queues := s.durableQueues()
	b = binary.AppendUvarint(b, uint64(len(queues)))
	for _, q := range queues {
		c := &q.Counters
		b = binary.AppendUvarint(b, q.Record)
		for _, n := range [...]int64{c.Added, c.Acknowledged, c.Expired, c.Killed} {
			b = binary.AppendUvarint(b, uint64(n))
		}
	}
	return b
}

// durableQueues by id.
func (s *Store) durableQueues() []*queue.Queue {
	var list []*queue.Queue
	for _, a := range s.Office.Addresses() {
		for _, q := range a.Queues() {
			if q.Durable() {
				list = append(list, q)
			}
		}
	}
	slices.SortFunc(list, func(a, b *queue.Queue) int {
		if a.Record < b.Record {
			return -1
		}
		return 1
	})
	return list
}

// Restore takes a blob that Snapshot made into an empty store; nil is none.
func (s *Store) Restore(blob []byte) error {
	if len(blob) == 0 {
		return nil
	}
	d := decoder{buf: blob}
	if v := d.byte(); v != snapshotVersion {
		return fmt.Errorf("%w: checkpoint of version %d", ErrRecord, v)
	}
	s.txHigh = journal.TxID(d.uvarint())
	for n := d.uvarint(); n > 0 && !d.bad; n-- {
		addr := d.text()
		for keys := d.uvarint(); keys > 0 && !d.bad; keys-- {
			var k postoffice.Key
			if len(d.buf) < len(k) {
				d.bad = true
				break
			}
			d.buf = d.buf[copy(k[:], d.buf):]
			s.Office.Remember(addr, k)
		}
	}
	for n := d.uvarint(); n > 0 && !d.bad; n-- {
		record := journal.RecordID(d.uvarint())
		s.passive.counters[record] = queue.Counters{Added: int64(d.uvarint()), Acknowledged: int64(d.uvarint()),
			Expired: int64(d.uvarint()), Killed: int64(d.uvarint())}
	}
	if d.bad || len(d.buf) > 0 {
		return fmt.Errorf("%w: checkpoint blob of %d bytes", ErrRecord, len(blob))
	}
	return nil
}
