package config

import "time"

// clusterConnections reads <cluster-connections>, of which one is supported.
func (l *loader) clusterConnections(n *node) {
	l.attrs(n, nil, nil)
	t := table{"cluster-connection": many(func(c *node) {
		if !l.attrs(c, []string{"name"}, nil) {
			return
		}
		if l.cfg.Cluster.Name != "" {
			l.fail(c.at, "keep the one that leads to the other broker of the pair",
				"a second <cluster-connection> is not supported yet (first in line %d)", l.cfg.Cluster.At.Line)
			return
		}
		l.cfg.Cluster.At = c.at
		l.cfg.Cluster.Name, _ = c.attr("name")
		l.children(c, l.clusterTable())
	})}
	l.later(t, "cluster-connection-uri")
	l.children(n, t)
}

// clusterTable is the schema of one <cluster-connection>. What replicates and probes the other broker is set here; what
// moves messages between clustered brokers is not built yet and has no effect on a pair.
func (l *loader) clusterTable() table {
	c := &l.cfg.Cluster
	const (
		alone  = "the cluster is one pair, so there is no other broker to move messages to"
		pair   = "the link of the pair has its own rules"
		ever   = "attempts to reach the other broker never end"
		steady = "attempts to reach the other broker come every retry-interval, which does not grow"
	)
	t := table{
		"connector-ref":             l.text(&c.ConnectorRef),
		"static-connectors":         once(l.staticConnectors),
		"retry-interval":            l.millis(&c.RetryInterval, 10*time.Millisecond),
		"retry-interval-multiplier": l.onlyElse("1", steady),
		"max-retry-interval":        l.instead(steady),
		"connection-ttl":            l.millis(&c.TTL, 100*time.Millisecond),
		"check-period":              l.instead("the link is probed several times within connection-ttl"),
		"reconnect-attempts":        l.onlyElse("-1", ever),
		"initial-connect-attempts":  l.onlyElse("-1", ever),
		"message-load-balancing":    l.balancing(alone),
		"max-hops":                  l.onlyElse("0", alone),
		"address":                   l.instead(alone),
		"use-duplicate-detection":   l.instead(alone),
		"min-large-message-size":    l.instead(alone),
		"confirmation-window-size":  l.instead(alone),
		"producer-window-size":      l.instead(alone),
		"call-timeout":              l.instead(pair),
		"call-failover-timeout":     l.instead(pair),
		"notification-interval":     l.instead(pair),
		"notification-attempts":     l.instead(pair),
		"topology-scanner-attempts": l.instead(pair),
	}
	l.later(t, "discovery-group-ref", "scale-down-connector", "client-id")
	return t
}

func (l *loader) staticConnectors(n *node) {
	l.attrs(n, nil, []string{"allow-direct-connections-only"})
	l.children(n, table{"connector-ref": many(func(c *node) {
		if name, ok := l.leaf(c); ok && l.unique("static connector", name, c.at) {
			l.cfg.Cluster.Static = append(l.cfg.Cluster.Static, name)
		}
	})})
}

// balancing accepts the values of Artemis; none of them moves a message within one pair.
func (l *loader) balancing(text string) rule {
	return once(func(n *node) {
		s, ok := l.leaf(n)
		if !ok {
			return
		}
		switch s {
		case "OFF":
		case "STRICT", "ON_DEMAND", "OFF_WITH_REDISTRIBUTION":
			l.notice(n.at, "<%s>%s</%s>: %s", n.name, s, n.name, text)
		default:
			l.fail(n.at, "write OFF, STRICT, ON_DEMAND or OFF_WITH_REDISTRIBUTION", "<%s> is %.40q", n.name, s)
		}
	})
}
