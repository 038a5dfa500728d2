package config

import "strings"

// configuration reads the root element.
func (l *loader) configuration(root *node) {
	if root.name != "configuration" {
		l.fail(root.at, "use a broker.xml", "the root element is <%s> where <configuration> is expected", root.name)
		return
	}
	l.attrs(root, nil, nil)
	core := false
	t := table{"core": once(func(n *node) {
		core = true
		l.attrs(n, nil, nil)
		l.children(n, l.coreTable())
	})}
	l.later(t, "jms")
	l.children(root, t)
	if !core && len(l.errs) == 0 {
		l.fail(root.at, `add <core xmlns="urn:activemq:core">`, "<configuration> holds no <core>")
	}
}

// coreTable is the schema of <core>: every element of Artemis' own is in one of its parts, so that what is left over is
// unknown and not merely unbuilt.
func (l *loader) coreTable() table {
	c := l.cfg
	t := table{
		"name":                l.text(&c.Name),
		"connectors":          once(l.connectors),
		"acceptors":           once(l.acceptors),
		"cluster-user":        l.text(&c.Cluster.User),
		"cluster-password":    l.clusterPassword(),
		"cluster-connections": once(l.clusterConnections),
		"ha-policy":           once(l.haPolicy),
		"security-enabled":    l.boolean(&c.Security.Enabled),
		"security-settings":   once(l.securitySettings),
		"addresses":           once(l.addresses),
		"address-settings":    once(l.addressSettings),
		"global-max-size":     l.globalMaxSize(),
		"id-cache-size":       l.integer(&c.Duplicates.CacheSize, 0, 1<<24),
		"persist-id-cache":    l.onlyElse("true", "duplicate ids are part of their message's record and survive a restart always"),
		"max-redelivery-records": l.instead("a delivery count is one small record that replaces the one before, so there is " +
			"nothing to limit"),
	}
	t.add(l.journalTable())
	t.add(l.threadsTable())
	l.onlyTable(t)
	l.later(t, "system-property-prefix", "internal-naming-prefix", "log-delegate-factory-class-name", "password-codec",
		"temporary-queue-namespace", "uuid-namespace", "management-address", "management-notification-address",
		"connection-ttl-override", "remoting-incoming-interceptors", "remoting-outgoing-interceptors", "broadcast-groups",
		"discovery-groups", "diverts", "queues", "lock-coordinators", "bridges", "federations", "broker-connections",
		"connection-routers", "connection-load-balancers", "balancers", "grouping-handler", "store", "literal-match-markers",
		"view-permission-method-match-pattern", "management-message-rbac", "management-rbac-prefix", "broker-plugins",
		"metrics-plugin", "metrics", "resource-limit-settings", "connector-services", "network-check-list",
		"network-check-URL-list", "network-check-period", "network-check-timeout", "network-check-NIC",
		"network-check-ping-command", "network-check-ping6-command", "wildcard-addresses", "journal-retention-directory",
		"node-manager-lock-directory", "journal-lock-monitor-timeout", "journal-lock-monitor-max-retries")
	return t
}

// onlyTable holds switches that are taken at the one value which is built.
func (l *loader) onlyTable(t table) {
	t["persistence-enabled"] = l.only("true")
	t["create-journal-dir"] = l.only("true")
	t["create-bindings-dir"] = l.only("true")
	t["mask-password"] = l.only("false")
	t["persist-delivery-count-before-delivery"] = l.only("false")
	t["populate-validated-user"] = l.only("false")
	t["reject-empty-validated-user"] = l.only("false")
	t["graceful-shutdown-enabled"] = l.only("false")
	t["wild-card-routing-enabled"] = l.only("false")
	t["message-counter-enabled"] = l.only("false")
	t["amqp-use-core-subscription-naming"] = l.only("false")
	t["log-journal-write-rate"] = l.only("false")
	t["global-max-messages"] = l.only("-1")
}

// threadsTable holds what tunes the Java implementation or a part of it that has no counterpart here.
func (l *loader) threadsTable() table {
	const (
		threads = "there are no thread pools to size; one goroutine owns the broker and event loops serve the connections"
		watch   = "the age of the oldest unfinished write of the log is watched instead, and a broker whose disk hangs " +
			"gives up its role"
		cache  = "logins and permissions are looked up in memory, there is no cache to size or to age"
		scan   = "a message is found to be expired, and a queue to be unused, when it is looked at; there is no scan to time"
		paging = "nothing is paged: a full address blocks its producers"
		disk   = "the log writes into files that were filled in advance; journal-max-files is its limit"
		jmx    = "there is no JMX here"
		none   = "what it tunes is not built yet"
	)
	t := table{}
	for text, names := range map[string][]string{
		threads: {"scheduled-thread-pool-max-size", "thread-pool-max-size", "async-connection-execution-enabled",
			"message-expiry-thread-priority", "connection-ttl-check-interval", "resolve-protocols"},
		watch: {"critical-analyzer", "critical-analyzer-timeout", "critical-analyzer-check-period", "critical-analyzer-policy"},
		cache: {"security-invalidation-interval", "authentication-cache-size", "authorization-cache-size"},
		scan:  {"message-expiry-scan-period", "address-queue-scan-period"},
		paging: {"page-max-concurrent-io", "read-whole-page", "purge-page-folders", "page-sync-timeout",
			"global-max-size-percent-of-jvm-max-memory"},
		disk: {"max-disk-usage", "min-disk-free", "disk-scan-period"},
		jmx:  {"jmx-management-enabled", "jmx-notification-enabled", "jmx-domain", "jmx-use-broker-name"},
		none: {"message-counter-sample-period", "message-counter-max-day-history", "graceful-shutdown-timeout",
			"mqtt-session-scan-interval", "mqtt-session-state-persistence-timeout", "mqtt-subscription-persistence-enabled",
			"transaction-timeout", "transaction-timeout-scan-period", "suppress-session-notifications", "server-dump-interval",
			"memory-warning-threshold", "memory-measure-interval", "mirror-ack-manager-queue-attempts",
			"mirror-ack-manager-page-attempts", "mirror-ack-manager-retry-delay", "mirror-ack-manager-warn-unacked",
			"mirror-page-transaction", "large-message-sync"},
	} {
		for _, name := range names {
			t[name] = l.instead(text)
		}
	}
	t["configuration-file-refresh-period"] = l.instead("the file is read once, at start")
	return t
}

// clusterPassword refuses a masked password: taken as it stands it would be a wrong one.
func (l *loader) clusterPassword() rule {
	return once(func(n *node) {
		s, ok := l.leaf(n)
		if ok && isHashed(s) {
			l.fail(n.at, "write the plain password, and make the file readable for its owner only",
				"a masked <%s> is not supported yet", n.name)
			return
		}
		if ok {
			l.cfg.Cluster.Password = s
		}
	})
}

// globalMaxSize keeps the default for -1, which in Artemis is half of the heap.
func (l *loader) globalMaxSize() rule {
	return once(func(n *node) {
		s, ok := l.leaf(n)
		if !ok {
			return
		}
		if strings.TrimSpace(s) == "-1" {
			l.notice(n.at, "<%s>-1</%s>: there is no heap to take half of; the limit is %d bytes", n.name, n.name, l.cfg.Memory.GlobalMax)
			return
		}
		size, err := parseSize(s, 1<<20, 1<<50)
		if err != nil {
			l.fail(n.at, "correct the value", "<%s> %v", n.name, err)
			return
		}
		l.cfg.Memory.GlobalMax = size
	})
}
