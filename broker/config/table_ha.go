package config

import (
	"strconv"
	"strings"
	"time"
)

// haPolicy reads <ha-policy>: nothing, primary-only, or replication in either vocabulary.
func (l *loader) haPolicy(n *node) {
	l.attrs(n, nil, nil)
	l.cfg.HA.At = n.at
	if len(n.children) > 1 {
		l.fail(n.children[1].at, "keep one of them", "<ha-policy> holds <%s> and <%s>; a broker has one policy",
			n.children[0].name, n.children[1].name)
		return
	}
	alone := once(func(c *node) { l.attrs(c, nil, nil); l.children(c, l.scaleDownOnly()) })
	t := table{
		"primary-only": alone, "live-only": alone,
		"replication": once(l.replication),
	}
	l.later(t, "shared-store")
	l.children(n, t)
}

func (l *loader) scaleDownOnly() table {
	t := table{}
	l.later(t, "scale-down")
	return t
}

func (l *loader) replication(n *node) {
	l.attrs(n, nil, nil)
	l.cfg.HA.Policy = Replication
	primary := once(func(c *node) { l.role(c, Primary, l.primaryTable()) })
	backup := once(func(c *node) { l.role(c, Backup, l.backupTable()) })
	t := table{"primary": primary, "master": primary, "live": primary, "backup": backup, "slave": backup}
	l.later(t, "colocated", "manager")
	l.children(n, t)
	if len(n.children) == 0 {
		l.fail(n.at, "add <primary/> or <backup/>", "<replication> does not say whether this broker is the primary or the backup")
	}
}

// role takes one of the two roles. Old and new words for the same role are different elements, so a repetition is looked
// for here.
func (l *loader) role(n *node, r Role, t table) {
	l.attrs(n, nil, nil)
	if l.cfg.HA.Role != "" {
		l.fail(n.at, "keep one of them", "<%s> follows another role; a broker is configured as primary or as backup", n.name)
		return
	}
	l.cfg.HA.Role = r
	l.children(n, t)
}

// bothTable holds what a primary and a backup share. A pair decides by rules H1 to H12 of docs/ha.md and holds no vote,
// so that settings of votes either fit the rules or are refused.
func (l *loader) bothTable() table {
	h := &l.cfg.HA
	const (
		tied   = "the pair is tied by its static-connectors"
		noVote = "one pair holds no vote; both brokers decide by the rules of docs/ha.md"
	)
	t := table{
		"cluster-name":                     l.clusterName(),
		"initial-replication-sync-timeout": l.millis(&h.SyncTimeout, time.Second),
		"max-saved-replicated-journals-size": l.instead("nothing is saved aside: the end of a log that differs is cut, unless it " +
			"may hold what only this broker confirmed; then the broker asks"),
		"group-name":             l.instead(tied),
		"retry-replication-wait": l.instead("retry-interval of the cluster-connection is used"),
		"vote-retries":           l.instead(noVote),
		"vote-retry-wait":        l.instead(noVote),
		"quorum-vote-wait":       l.instead(noVote),
		"quorum-size":            l.quorumSize(noVote),
		"vote-on-replication-failure": l.onlyElse("false", "one pair holds no vote; a primary that lost its backup does not go on "+
			"alone, it holds its confirmations until the backup is back or an operator decides"),
	}
	l.later(t, "manager")
	return t
}

func (l *loader) primaryTable() table {
	h := &l.cfg.HA
	t := l.bothTable()
	ask := l.value(func(s string) (err error) { h.AskFailback, err = parseBool(s); return err })
	check := once(func(n *node) {
		ask.apply(n)
		if !h.AskFailback {
			l.notice(n.at, "<%s>%s</%s>: a starting primary looks for an active broker in any case; false only means that it "+
				"does not ask for its role back", n.name, n.text, n.name)
		}
	})
	t["check-for-active-server"], t["check-for-live-server"] = check, check
	l.later(t, "coordination-id")
	return t
}

func (l *loader) backupTable() table {
	t := l.bothTable()
	t["allow-failback"] = l.boolean(&l.cfg.HA.AllowFailback)
	t["allow-fail-back"] = t["allow-failback"]
	t["restart-backup"] = l.onlyElse("true", "a broker that gave the role back goes on as a backup in any case")
	t["failback-delay"] = l.instead("a primary gets its role back once it is in sync; nothing is waited for beyond that")
	l.later(t, "scale-down")
	return t
}

// clusterName must name the one cluster connection; Validate compares.
func (l *loader) clusterName() rule {
	return once(func(n *node) {
		if s, ok := l.leaf(n); ok {
			l.cfg.HA.cluster, l.cfg.HA.clusterAt = s, n.at
		}
	})
}

// quorumSize refuses what would let less than a majority decide; -1 means a majority.
func (l *loader) quorumSize(text string) rule {
	return once(func(n *node) {
		s, ok := l.leaf(n)
		if !ok {
			return
		}
		size, err := strconv.Atoi(strings.TrimSpace(s))
		switch {
		case err != nil || size < -1:
			l.fail(n.at, "write -1 or remove it", "<%s> is %.40q; -1 or a number of brokers is expected", n.name, s)
		case size == 0:
			l.fail(n.at, "write -1 or remove it", "<%s>0</%s> would let less than a majority decide", n.name, n.name)
		case size > 0:
			l.notice(n.at, "<%s>%s</%s>: %s", n.name, s, n.name, text)
		}
	})
}
