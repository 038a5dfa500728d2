package core

import (
	"slices"
	"sync"

	"github.com/hindmq/hind/net/core/wire"
)

// Member is one entry of the topology: a node id and how to reach its two brokers.
type Member struct {
	NodeID string // UUID text; a backup that took over keeps the id of its primary
	// EventUID orders the announcements about a node: milliseconds, growing, above whatever was announced before. Clients
	// ignore smaller ones.
	EventUID int64
	// Primary is the active broker and Backup the one that stands by, as seen now: after a failover the two change places.
	// Both null: a broker on its own, clients go on using the address they already have.
	Primary, Backup wire.Optional[wire.Connector]
	// BackupGroup is the pair's group name, empty for none.
	BackupGroup string
}

// Snapshot is the topology at one moment. It always holds the broker's own node.
type Snapshot struct {
	Members []Member
	// Gone are nodes that left since the last snapshot, with the event id of their leaving. Only subscribers look.
	Gone []Member
}

// Topology is where the server learns the topology from; the broker's node feeds it.
type Topology interface {
	// Snapshot is the present state. Any goroutine; does not block.
	Snapshot() Snapshot
	// Subscribe calls changed after each later change, one call at a time, from any goroutine; changed does not block.
	// cancel waits for a call in progress; it must not be called from changed.
	Subscribe(changed func(Snapshot)) (cancel func())
}

// Board is the Topology that a broker writes on. The zero value is empty; any goroutine may use it.
type Board struct {
	// telling keeps the subscribers' calls in the order of the changes. It is taken before mu and never the other way
	// round; subscribers may call Snapshot.
	telling sync.Mutex
	mu      struct {
		sync.Mutex
		snapshot    Snapshot
		subscribers []*func(Snapshot)
	}
}

// Publish replaces the topology and tells the subscribers, in the order in which they came.
func (b *Board) Publish(s Snapshot) {
	b.telling.Lock()
	defer b.telling.Unlock()
	b.mu.Lock()
	b.mu.snapshot = Snapshot{Members: slices.Clone(s.Members)}
	told := slices.Clone(b.mu.subscribers)
	b.mu.Unlock()
	for _, changed := range told {
		(*changed)(s)
	}
}

// Snapshot implements Topology.
func (b *Board) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.snapshot
}

// Subscribe implements Topology.
func (b *Board) Subscribe(changed func(Snapshot)) (cancel func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.subscribers = append(b.mu.subscribers, &changed)
	return func() {
		b.telling.Lock() // wait for a round in progress
		defer b.telling.Unlock()
		b.mu.Lock()
		defer b.mu.Unlock()
		b.mu.subscribers = slices.DeleteFunc(b.mu.subscribers, func(f *func(Snapshot)) bool { return f == &changed })
	}
}
