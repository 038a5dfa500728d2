package broker

import (
	"github.com/hindmq/hind/broker/ha"
	"github.com/hindmq/hind/journal"
)

// Look is what the owner of a node sees of it between two steps, or in a call of the Env or of an outlet: for simulators,
// which have one goroutine and cannot wait for a Report.
type Look struct {
	Role    ha.Role
	Epoch   uint64           // owned or followed now or last
	Serving bool             // clients are let in
	Quiet   bool             // nothing waits to be written or is being written
	End     journal.Position // of the log, on an active broker and on one that follows
	Applied journal.Position // up to here the memory covers the log: End on an active broker
}

// Look looks. Only the owner may call it.
func (n *Node) Look() Look {
	l := Look{Role: n.machine.Role(), Epoch: n.machine.Epoch(), Serving: n.domain.serving}
	switch s := &n.store; {
	case s.driver != nil:
		l.Quiet, l.End = s.driver.Quiet(), s.driver.End()
		l.Applied = l.End
	case s.follower != nil:
		l.Quiet, l.End, l.Applied = s.follower.Quiet(), s.follower.Tip(), s.follower.Applied()
	}
	return l
}

// Status is the Report for the owner of the node, who cannot wait for himself.
func (n *Node) Status() Status { return n.status() }

// Digest is a hash of the durable state in memory, equal on both brokers of a pair that have applied the same log. It walks
// everything. Only the owner may call it.
func (n *Node) Digest() uint64 { return n.domain.shard.Digest() }
