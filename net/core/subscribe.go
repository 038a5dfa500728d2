package core

import "github.com/hindmq/hind/net/core/wire"

// subscribe tells the client the whole topology; the last packet says so, and the client's connection creation waits for
// that. From now on it also hears of changes.
func (c *conn) subscribe() error {
	c.tc.Established()
	c.subscribed.Store(true) // before the snapshot: a change in between is told twice rather than not at all
	members := c.server.options.Topology.Snapshot().Members
	for i, m := range members {
		if err := c.send(channelPing, m.packet(i == len(members)-1)); err != nil {
			return err
		}
	}
	return nil
}

// topologyChanged tells every subscribed client.
func (s *Server) topologyChanged(t Snapshot) {
	for _, c := range s.subscribedConns() {
		for _, m := range t.Gone {
			c.tell(&wire.ClusterTopology{Exit: true, NodeID: m.NodeID, EventID: m.EventUID, BackupGroup: m.group()})
		}
		for _, m := range t.Members {
			c.tell(m.packet(false))
		}
	}
}

// tell sends one change. A client that does not read its socket misses it here and is dropped by the transport soon.
func (c *conn) tell(p *wire.ClusterTopology) {
	if err := c.send(channelPing, p); err != nil {
		c.log.Debug("a change of the topology could not be told", "error", err.Error())
	}
}

// packet is the announcement of m. It carries the server's version, which tells the client what it may use.
func (m *Member) packet(last bool) *wire.ClusterTopology {
	return &wire.ClusterTopology{
		NodeID: m.NodeID, EventID: m.EventUID, Primary: m.Primary, Backup: m.Backup, Last: last,
		BackupGroup: m.group(), ServerVersion: wire.VersionMax,
	}
}

func (m *Member) group() wire.Optional[string] {
	if m.BackupGroup == "" {
		return wire.Optional[string]{}
	}
	return wire.Some(m.BackupGroup)
}
