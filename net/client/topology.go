package client

import (
	"fmt"
	"net"
	"slices"

	"github.com/hindmq/hind/net/core/wire"
)

// membersMax bounds what a broker can make a client remember.
const membersMax = 64

// Member is one pair, or one broker alone, as the topology has it.
type Member struct {
	NodeID          string
	Primary, Backup string // host:port; empty: none is told
	event           int64
}

// tell takes one word of the topology, under the mutex. Older words than the one known are left out.
func (l *link) tell(p *wire.ClusterTopology) error {
	i := slices.IndexFunc(l.members, func(m Member) bool { return m.NodeID == p.NodeID })
	switch {
	case i >= 0 && p.EventID < l.members[i].event: // out of date
	case p.Exit && i >= 0:
		l.members = slices.Delete(l.members, i, i+1)
	case p.Exit:
	case i < 0 && len(l.members) == membersMax:
		return fmt.Errorf("%w: its topology has more than %d members", errProtocol, membersMax)
	default:
		m := Member{NodeID: p.NodeID, Primary: addressIn(p.Primary), Backup: addressIn(p.Backup), event: p.EventID}
		if i < 0 {
			l.members = append(l.members, m)
		} else {
			l.members[i] = m
		}
	}
	if p.ServerVersion > 0 {
		l.version = wire.EffectiveVersion(p.ServerVersion, l.version)
	}
	if l.published && l.client.mu.link == l {
		l.client.mu.topology = slices.Clone(l.members)
	}
	if p.Last && !l.told {
		l.told = true
		close(l.hello)
	}
	return nil
}

// addressIn takes host:port out of a connector; empty if there is none that can be dialled.
func addressIn(o wire.Optional[wire.Connector]) string {
	var host, port string
	for _, p := range o.Value.Params {
		switch {
		case p.Key == "host" && p.Kind == wire.ParamString:
			host = p.Text
		case p.Key == "port" && p.Kind == wire.ParamString:
			port = p.Text
		case p.Key == "port" && (p.Kind == wire.ParamInt || p.Kind == wire.ParamLong):
			port = fmt.Sprint(p.Number)
		}
	}
	if !o.Set || host == "" || !isPort(port) {
		return ""
	}
	return net.JoinHostPort(host, port)
}
