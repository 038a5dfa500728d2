package shard

import "github.com/hindmq/hind/broker/queue"

// QueueStats are the figures of one queue; a copy.
type QueueStats struct {
	Name, Address string
	Durable       bool
	Messages      int64 // in every state
	Delivering    int64 // with consumers, or in open transactions
	Consumers     int
	Counters      queue.Counters
}

// AddressStats are the figures of one address; a copy.
type AddressStats struct {
	Name            string
	Bytes, Messages int64
	Full            bool // its producers wait
	Queues          []QueueStats
}

// Stats are the figures of a shard; a copy.
type Stats struct {
	Mode      Mode
	Addresses []AddressStats // by name
	Bytes     int64          // of all messages in memory
	Unsafe    int            // answers and messages that wait to become safe
}

// Stats makes a copy of the figures. It is the owner's: others post a Work that calls it.
func (s *Shard) Stats() Stats {
	st := Stats{Mode: s.mode, Bytes: s.store.Office.Bytes(), Unsafe: s.release.count}
	for _, a := range s.store.Office.Addresses() {
		as := AddressStats{Name: a.Name, Bytes: a.Bytes(), Messages: a.Messages(), Full: a.Full()}
		for _, q := range a.Queues() {
			as.Queues = append(as.Queues, QueueStats{Name: q.Name, Address: q.Address, Durable: q.Durable(),
				Messages: q.Messages(), Delivering: q.Delivering(), Consumers: q.Consumers(), Counters: q.Counters})
		}
		st.Addresses = append(st.Addresses, as)
	}
	return st
}
