package config

// HostPort is where something listens or is dialled.
type HostPort struct {
	Host string // empty: all interfaces
	Port int
}

// String joins both as net.Dial and net.Listen take them.
func (h HostPort) String() string { return hostPort(h.Host, h.Port) }

// Peer is another broker as the configuration knows it.
type Peer struct {
	Name   string   // of its connector
	Client HostPort // where clients reach it
	Pair   HostPort // where its pair link listens
}

// Peers are the brokers of static-connectors, in the order of the file.
func (c *Config) Peers() []Peer {
	var all []Peer
	for _, name := range c.Cluster.Static {
		if k, ok := c.Connector(name); ok {
			all = append(all, Peer{Name: name, Client: HostPort{k.Host, k.Port}, Pair: HostPort{k.Host, pairPortOf(k.Port, k.PairPort)}})
		}
	}
	return all
}

// Self is how clients and the other broker reach this broker, from the connector-ref of the cluster-connection; without
// one, from the first acceptor.
func (c *Config) Self() HostPort {
	if k, ok := c.Connector(c.Cluster.ConnectorRef); ok {
		return HostPort{k.Host, k.Port}
	}
	if len(c.Acceptors) == 0 {
		return HostPort{}
	}
	return HostPort{c.Acceptors[0].Host, c.Acceptors[0].Port}
}

// PairListen is where this broker's own pair link listens: beside the acceptor that its connector leads to, or else
// beside the first one.
func (c *Config) PairListen() HostPort {
	if len(c.Acceptors) == 0 {
		return HostPort{}
	}
	own := c.Acceptors[0]
	for _, a := range c.Acceptors {
		if a.Port == c.Self().Port {
			own = a
			break
		}
	}
	return HostPort{own.Host, pairPortOf(own.Port, own.PairPort)}
}
