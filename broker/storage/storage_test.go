package storage

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/postoffice"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/journal"
)

func newStore() *Store { return New(postoffice.New(nil, postoffice.Options{})) }

func TestSpecsRoundTrip(t *testing.T) {
	a := AddressSpec{Name: "grüße", Routings: address.SetOf(address.Anycast, address.Multicast), AutoCreated: true}
	rec := AddressRecord(&a, 0)
	if got, err := decodeAddress(&rec); err != nil || got != a {
		t.Errorf("%+v, %v", got, err)
	}
	q := QueueSpec{Name: "q", Address: "a", Attributes: queue.Attributes{Routing: address.Anycast, Durable: true, AutoCreated: true,
		PurgeOnNoConsumers: true, Exclusive: true, AutoDelete: true, AutoDeleteDelay: 5, AutoDeleteMessages: -1, MaxConsumers: -1,
		Filter: "a = 'b'"}}
	rec = QueueRecord(&q)
	if got, err := decodeQueue(&rec); err != nil || got != q {
		t.Errorf("%+v, %v", got, err)
	}
	for n := range rec.Body {
		short := rec
		short.Body = rec.Body[:n]
		if _, err := decodeQueue(&short); !errors.Is(err, ErrRecord) {
			t.Errorf("%d bytes of a queue: %v", n, err)
		}
	}
}

// Routes of few queues lie in Meta, of many in the body: either way they come back.
func TestRoutes(t *testing.T) {
	m, _ := message.New(&message.Header{Address: "a", Durable: true}, []byte("body"), nil)
	for _, count := range []int{1, 7, 8, 9, 10, 200} {
		s := newStore()
		var queues []*queue.Queue
		a := s.AddAddress(&AddressSpec{Name: "a"}, 1)
		for i := range count {
			spec := QueueSpec{Name: fmt.Sprint(i), Address: "a", Attributes: queue.Attributes{Durable: true}}
			queues = append(queues, s.AddQueue(&spec, nil, journal.RecordID(5<<40+i)))
		}
		rec, ok := s.MessageRecord(m, queues, true)
		if !ok || len(rec.Meta) > journal.MetaSizeMax {
			t.Fatalf("%d queues: meta of %d bytes, %t", count, len(rec.Meta), ok)
		}
		raw, duplicate, ids, err := decodeMessage(&rec, nil)
		if err != nil || !duplicate || !bytes.Equal(raw, m.Raw()) || len(ids) != count || ids[count-1] != queues[count-1].ID {
			t.Errorf("%d queues: %d ids, %v", count, len(ids), err)
		}
		rec.ID = 9 << 40
		rec.Meta, rec.Body = bytes.Clone(rec.Meta), bytes.Clone(rec.Body)
		if err := s.Replay(&rec); err != nil {
			t.Fatal(err)
		}
		if a.Messages() != 1 || queues[count-1].Messages() != 1 {
			t.Errorf("%d queues: %d messages", count, a.Messages())
		}
	}
}

// A prepared transaction stays undecided, a commit carries it out, a rollback forgets it.
func TestTransactions(t *testing.T) {
	s := newStore()
	spec := AddressSpec{Name: "a"}
	for id, tx := range []journal.TxID{7, 8, 9} {
		spec.Name = fmt.Sprint("a", tx)
		rec := AddressRecord(&spec, 0)
		rec.ID, rec.Tx = journal.RecordID(id+1), tx
		if err := s.Replay(&rec); err != nil {
			t.Fatal(err)
		}
	}
	for _, rec := range []journal.Record{{Kind: journal.KindPrepare, Tx: 7}, {Kind: journal.KindCommit, Tx: 8}, {Kind: journal.KindCommit, Tx: 99}} {
		if err := s.Replay(&rec); err != nil {
			t.Fatal(err)
		}
	}
	open, prepared := s.Undecided()
	if len(open) != 1 || open[0] != 9 || len(prepared) != 1 || prepared[0] != 7 {
		t.Errorf("open %v, prepared %v", open, prepared)
	}
	if s.Office.Address("a8") == nil || s.Office.Address("a7") != nil {
		t.Error("the commit did not do its work alone")
	}
	if err := s.Replay(&journal.Record{Kind: journal.KindRollback, Tx: 7}); err != nil {
		t.Fatal(err)
	}
	if s.NextTx() != 100 {
		t.Error("ids of transactions are used again")
	}
}

// A message of a queue that is gone is no error, and swept once the store is active.
func TestOrphan(t *testing.T) {
	s := newStore()
	m, _ := message.New(&message.Header{Address: "a", Durable: true}, nil, nil)
	gone := queue.New(77, "gone", "a", queue.Attributes{Durable: true}, nil)
	for id := journal.RecordID(3); id > 0; id-- {
		rec, _ := s.MessageRecord(m, []*queue.Queue{gone}, false)
		rec.ID = id
		if err := s.Live(&rec); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Replay(&journal.Record{ID: 9, Kind: journal.KindDelete, Target: 2})
	s.Activate()
	if got := s.Orphans(10); len(got) != 2 || got[0] != 1 || got[1] != 3 {
		t.Errorf("orphans %v", got)
	}
	if err := s.Replay(&journal.Record{ID: 10}); err == nil {
		t.Error("an active store takes records")
	}
}

func TestUnknownRecords(t *testing.T) {
	for _, rec := range []journal.Record{
		{Kind: journal.KindAdd, Type: 99}, {Kind: 77}, {Kind: journal.KindAdd, Type: TypeAddress, Body: []byte{2}},
		{Kind: journal.KindAdd, Type: TypeQueue}, {Kind: journal.KindAdd, Type: TypeMessage},
		{Kind: journal.KindAdd, Type: TypeMessage, Meta: []byte{0, 0}, Body: []byte("junk")},
	} {
		if err := newStore().Replay(&rec); !errors.Is(err, ErrRecord) {
			t.Errorf("%+v: %v", rec, err)
		}
	}
	if err := newStore().Restore([]byte{9}); !errors.Is(err, ErrRecord) {
		t.Errorf("blob: %v", err)
	}
}

func FuzzReplay(f *testing.F) {
	a := AddressRecord(&AddressSpec{Name: "a"}, 0)
	q := QueueRecord(&QueueSpec{Name: "q", Address: "a", Attributes: queue.Attributes{Filter: "a=1"}})
	m, _ := message.New(&message.Header{Address: "a", Durable: true}, []byte("x"), nil)
	f.Add(uint8(a.Kind), a.Type, []byte(nil), a.Body, uint64(0))
	f.Add(uint8(q.Kind), q.Type, []byte(nil), q.Body, uint64(0))
	f.Add(uint8(journal.KindAdd), TypeMessage, []byte{1, 1, 1}, m.Raw(), uint64(0))
	f.Add(uint8(journal.KindUpdate), TypeMessage, []byte(nil), []byte{1, 1, 1, 5}, uint64(2))
	f.Add(uint8(journal.KindDelete), uint8(1), []byte(nil), []byte(nil), uint64(1))
	f.Fuzz(func(t *testing.T, kind, typ uint8, meta, body []byte, target uint64) {
		s := newStore()
		s.AddAddress(&AddressSpec{Name: "a"}, 3)
		s.passive.addresses[3] = s.Office.Address("a")
		s.passive.queues[1] = s.AddQueue(&QueueSpec{Name: "q0", Address: "a", Attributes: queue.Attributes{Durable: true}}, nil, 1)
		add, _ := s.MessageRecord(m, []*queue.Queue{s.passive.queues[1]}, false)
		add.ID = 2
		if err := s.Replay(&add); err != nil {
			t.Fatal(err)
		}
		rec := journal.Record{ID: 4, Kind: journal.Kind(kind), Type: typ, Meta: meta, Body: body, Target: journal.RecordID(target)}
		if err := s.Replay(&rec); err != nil && !errors.Is(err, ErrRecord) {
			t.Fatalf("error %v", err)
		}
		blob := s.Snapshot()
		if err := newStore().Restore(blob); err != nil {
			t.Fatalf("own blob: %v", err)
		}
		_ = newStore().Restore(body)
		_ = s.Digest()
	})
}
