package config

import "strings"

// addresses reads <addresses>.
func (l *loader) addresses(n *node) {
	l.attrs(n, nil, nil)
	l.children(n, table{"address": many(l.address)})
}

func (l *loader) address(n *node) {
	if !l.attrs(n, []string{"name"}, nil) {
		return
	}
	a := Address{At: n.at}
	a.Name, _ = n.attr("name")
	if !l.unique("address", a.Name, n.at) {
		return
	}
	l.children(n, table{
		"anycast":   once(func(c *node) { a.Anycast = true; l.queues(c, &a, Anycast) }),
		"multicast": once(func(c *node) { a.Multicast = true; l.queues(c, &a, Multicast) }),
	})
	l.cfg.Addresses = append(l.cfg.Addresses, a)
}

func (l *loader) queues(n *node, a *Address, r Routing) {
	l.attrs(n, nil, nil)
	l.children(n, table{"queue": many(func(c *node) { l.queue(c, a, r) })})
}

// queue reads one queue.
func (l *loader) queue(n *node, a *Address, r Routing) {
	q := Queue{At: n.at, Routing: r, Durable: true, MaxConsumers: -1}
	set := map[string]func(string) error{
		"name":                  func(string) error { return nil }, // taken first, for the messages
		"max-consumers":         func(v string) (err error) { q.MaxConsumers, err = parseInt(v, -1, 1<<20); return err },
		"purge-on-no-consumers": func(v string) (err error) { q.Purge, err = parseBool(v); return err },
		"exclusive":             func(v string) (err error) { q.Exclusive, err = parseBool(v); return err },
	}
	only := map[string]string{
		"group-rebalance": "false", "group-rebalance-pause-dispatch": "false", "group-buckets": "-1", "last-value": "false",
		"non-destructive": "false", "consumers-before-dispatch": "0", "delay-before-dispatch": "-1", "enabled": "true",
		"ring-size": "-1", "user": "", "group-first-key": "", "last-value-key": "",
	}
	if !l.attrs(n, []string{"name"}, append(sortedKeys(only), sortedKeys(set)...)) {
		return
	}
	q.Name, _ = n.attr("name")
	for _, b := range n.attrs {
		if apply := set[b.name]; apply != nil {
			if err := apply(b.value); err != nil {
				l.fail(n.at, "correct the value", "%s of queue %q %v", b.name, q.Name, err)
			}
		} else if !strings.EqualFold(b.value, only[b.name]) {
			l.fail(n.at, "remove it", "%s=%q of queue %q is not supported yet", b.name, b.value, q.Name)
		}
	}
	l.queueChildren(n, &q)
	if l.unique("queue", q.Name, n.at) { // in the whole broker, whatever the address
		a.Queues = append(a.Queues, q)
	}
}

// queueChildren reads the elements that a queue may hold.
func (l *loader) queueChildren(n *node, q *Queue) {
	t := table{
		"durable": l.boolean(&q.Durable),
		"filter": once(func(c *node) {
			if l.attrs(c, []string{"string"}, nil) {
				l.children(c, table{})
				q.Filter, _ = c.attr("string")
			}
		}),
	}
	l.later(t, "user")
	l.children(n, t)
}
