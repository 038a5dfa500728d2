package config

import (
	"fmt"
	"sort"
	"strings"
)

// addressSettings reads <address-settings>. What is assigned is kept as written and applied by SettingsFor, because the
// settings of an address are put together from all matches.
func (l *loader) addressSettings(n *node) {
	l.attrs(n, nil, nil)
	l.children(n, table{"address-setting": many(l.addressSetting)})
}

func (l *loader) addressSetting(n *node) {
	if !l.attrs(n, []string{"match"}, nil) {
		return
	}
	s := AddressSetting{At: n.at}
	s.Match, _ = n.attr("match")
	if err := checkPattern(s.Match); err != nil {
		l.fail(n.at, "correct the match", "the match %q %v", s.Match, err)
		return
	}
	if !l.unique("address-setting", s.Match, n.at) {
		return
	}
	l.children(n, l.settingTable(&s))
	l.cfg.AddressSettings = append(l.cfg.AddressSettings, s)
}

// settingTable is the schema of one <address-setting>: assignments that take effect, and the rest of Artemis' elements.
func (l *loader) settingTable(s *AddressSetting) table {
	t := l.settingRest()
	for name, set := range assignments() {
		t[name] = l.value(func(text string) error {
			if err := set(&AddressSettings{}, text); err != nil {
				return err
			}
			s.Values = append(s.Values, Assignment{Name: name, Value: text})
			return nil
		})
	}
	t["address-full-policy"] = once(func(n *node) {
		v, ok := l.leaf(n)
		switch {
		case !ok || v == "BLOCK":
		case v == "PAGE":
			l.notice(n.at, "<address-full-policy>PAGE</address-full-policy> for %q: paging is not built yet; a full address blocks "+
				"its producers (BLOCK)", s.Match)
		case v == "DROP" || v == "FAIL":
			l.fail(n.at, "write BLOCK", "<address-full-policy>%s</address-full-policy> is not supported yet", v)
		default:
			l.fail(n.at, "write BLOCK", "<address-full-policy> is %.40q", v)
		}
	})
	return t
}

// settingRest holds the elements that are taken at one value, or with a notice, or not yet.
func (l *loader) settingRest() table {
	const (
		paging = "nothing is paged: a full address blocks its producers"
		none   = "what it tunes is not built yet"
		alone  = "the cluster is one pair, so there is no other broker to move messages to"
	)
	t := table{
		"redistribution-delay":      l.onlyElse("-1", alone),
		"slow-consumer-policy":      l.instead(none),
		"initial-queue-buffer-size": l.instead("queues grow with their messages"),
	}
	for name, want := range map[string]string{
		"auto-create-dead-letter-resources": "false", "auto-create-expiry-resources": "false", "no-expiry": "false",
		"expiry-delay": "-1", "min-expiry-delay": "-1", "max-expiry-delay": "-1", "redelivery-delay": "0",
		"page-limit-bytes": "-1", "page-limit-messages": "-1", "max-size-bytes-reject-threshold": "-1", "disk-full-policy": "BLOCK",
		"last-value-queue": "false", "default-last-value-queue": "false", "default-non-destructive": "false",
		"default-group-rebalance": "false", "default-group-rebalance-pause-dispatch": "false",
		"default-group-buckets": "-1", "default-consumers-before-dispatch": "0", "default-delay-before-dispatch": "-1",
		"send-to-dla-on-no-route": "false", "slow-consumer-threshold": "-1", "auto-delete-created-queues": "false",
		"auto-delete-queues-message-count": "0", "auto-delete-queues-skip-usage-check": "false",
		"auto-delete-addresses-delay": "0", "auto-delete-addresses-skip-usage-check": "false", "config-delete-queues": "OFF",
		"config-delete-addresses": "OFF", "config-delete-diverts": "OFF", "default-ring-size": "-1", "retroactive-message-count": "0",
		"enable-ingress-timestamp": "false", "enable-metrics": "true",
	} {
		t[name] = l.only(want)
	}
	for text, names := range map[string][]string{
		paging: {"page-size-bytes", "page-max-cache-size", "max-read-page-messages", "max-read-page-bytes",
			"prefetch-page-messages", "prefetch-page-bytes"},
		none: {"redelivery-delay-multiplier", "redelivery-collision-avoidance-factor", "max-redelivery-delay",
			"slow-consumer-threshold-measurement-unit", "slow-consumer-check-period", "message-counter-history-day-limit",
			"management-browse-page-size", "management-message-attribute-size-limit", "dead-letter-queue-prefix",
			"dead-letter-queue-suffix", "expiry-queue-prefix", "expiry-queue-suffix"},
	} {
		for _, name := range names {
			t[name] = l.instead(text)
		}
	}
	l.later(t, "page-full-policy", "default-last-value-key", "default-group-first-key",
		"auto-create-jms-queues", "auto-delete-jms-queues", "auto-create-jms-topics", "auto-delete-jms-topics")
	return t
}

// setters set one field each from the text of an element.
type setters map[string]func(s *AddressSettings, text string) error

// apply makes one assignment.
func (t setters) apply(s *AddressSettings, a Assignment) error {
	set, known := t[a.Name]
	if !known {
		return fmt.Errorf("is none that takes effect")
	}
	return set(s, a.Value)
}

// assignments are the elements of an address-setting that take effect, each with how its text becomes a value.
func assignments() setters {
	boolean := func(field func(*AddressSettings) *bool) func(*AddressSettings, string) error {
		return func(s *AddressSettings, text string) (err error) {
			*field(s), err = parseBool(text)
			return err
		}
	}
	number := func(field func(*AddressSettings) *int, min, max int) func(*AddressSettings, string) error {
		return func(s *AddressSettings, text string) (err error) {
			*field(s), err = parseInt(text, min, max)
			return err
		}
	}
	routing := func(field func(*AddressSettings) *Routing) func(*AddressSettings, string) error {
		return func(s *AddressSettings, text string) error {
			switch r := Routing(strings.ToUpper(text)); r {
			case Anycast, Multicast:
				*field(s) = r
				return nil
			}
			return fmt.Errorf("is %.40q; ANYCAST or MULTICAST is expected", text)
		}
	}
	return setters{
		"dead-letter-address":           func(s *AddressSettings, text string) error { s.DeadLetterAddress = text; return nil },
		"expiry-address":                func(s *AddressSettings, text string) error { s.ExpiryAddress = text; return nil },
		"max-delivery-attempts":         number(func(s *AddressSettings) *int { return &s.MaxDeliveryAttempts }, -1, 1<<30),
		"auto-create-queues":            boolean(func(s *AddressSettings) *bool { return &s.AutoCreateQueues }),
		"auto-delete-queues":            boolean(func(s *AddressSettings) *bool { return &s.AutoDeleteQueues }),
		"auto-create-addresses":         boolean(func(s *AddressSettings) *bool { return &s.AutoCreateAddresses }),
		"auto-delete-addresses":         boolean(func(s *AddressSettings) *bool { return &s.AutoDeleteAddresses }),
		"id-cache-size":                 number(func(s *AddressSettings) *int { return &s.IDCacheSize }, 0, 1<<24),
		"default-queue-routing-type":    routing(func(s *AddressSettings) *Routing { return &s.DefaultQueueRouting }),
		"default-address-routing-type":  routing(func(s *AddressSettings) *Routing { return &s.DefaultRouting }),
		"default-max-consumers":         number(func(s *AddressSettings) *int { return &s.DefaultMaxConsumers }, -1, 1<<20),
		"default-purge-on-no-consumers": boolean(func(s *AddressSettings) *bool { return &s.DefaultPurge }),
		"default-exclusive-queue":       boolean(func(s *AddressSettings) *bool { return &s.DefaultExclusive }),
		"default-consumer-window-size":  number(func(s *AddressSettings) *int { return &s.DefaultConsumerWindow }, -1, 1<<30),
		"auto-delete-queues-delay": func(s *AddressSettings, text string) (err error) {
			s.AutoDeleteQueuesDelay, err = parseMillis(text, 0)
			return err
		},
		"max-size-messages": func(s *AddressSettings, text string) error {
			n, err := parseInt(text, -1, 1<<40)
			s.MaxMessages = int64(n)
			return err
		},
		"max-size-bytes": func(s *AddressSettings, text string) (err error) {
			if strings.TrimSpace(text) == "-1" {
				s.MaxSize = -1
				return nil
			}
			s.MaxSize, err = parseSize(text, 1, 1<<50)
			return err
		},
	}
}

// SettingsFor puts together the settings of an address: the defaults, then the assignments of every match from the
// widest to the most specific, each overriding what came before. It costs a walk over all address settings; callers
// keep the result per address. Assignments that a program set by hand must have passed Validate.
func (c *Config) SettingsFor(address string) AddressSettings {
	s := c.settingsDefault()
	var found []*AddressSetting
	for i := range c.AddressSettings {
		if Matches(c.AddressSettings[i].Match, address) {
			found = append(found, &c.AddressSettings[i])
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return MoreSpecific(found[j].Match, found[i].Match) })
	set := assignments()
	for _, f := range found {
		for _, a := range f.Values {
			if err := set.apply(&s, a); err != nil {
				panic("config: assignment was not validated: " + err.Error())
			}
		}
	}
	return s
}

// settingsDefault are the settings of an address that nothing matches.
func (c *Config) settingsDefault() AddressSettings {
	return AddressSettings{
		MaxDeliveryAttempts: 10,
		AutoCreateQueues:    true,
		AutoDeleteQueues:    true,
		AutoCreateAddresses: true,
		AutoDeleteAddresses: true,
		MaxSize:             -1, MaxMessages: -1,
		IDCacheSize:         c.Duplicates.CacheSize,
		DefaultQueueRouting: Multicast,
		DefaultRouting:      Multicast,
		DefaultMaxConsumers: -1, DefaultConsumerWindow: -1,
	}
}
