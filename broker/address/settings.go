package address

import "time"

// Settings are the effective settings of one address.
type Settings struct {
	DeadLetterAddress     string // "": dead messages are dropped and counted
	ExpiryAddress         string // "": expired messages are dropped and counted
	MaxDeliveryAttempts   int    // deliveries before a message is dead; <= 0: no limit
	MaxSizeBytes          int64  // credits are withheld at or above it (policy BLOCK); -1: no limit
	MaxSizeMessages       int64  // the same, in messages; -1: no limit
	IDCacheSize           int    // duplicate ids remembered; 0 switches duplicate detection off
	AutoCreateQueues      bool
	AutoCreateAddresses   bool
	AutoDeleteQueues      bool          // auto-created queues go when they have no consumers and no messages
	AutoDeleteQueuesDelay time.Duration // how long they stay after that
	AutoDeleteAddresses   bool          // auto-created addresses go when they have no queues
	DefaultQueueRouting   Routing
	DefaultAddressRouting Routing
	DefaultMaxConsumers   int32 // -1: no limit
	DefaultPurge          bool  // default-purge-on-no-consumers
	DefaultExclusive      bool
	DefaultConsumerWindow int32 // bytes; -1: not given, clients use their own
}

// Defaults are the settings of an address that no rule matches.
func Defaults() Settings {
	return Settings{
		MaxDeliveryAttempts:   10,
		MaxSizeBytes:          -1,
		MaxSizeMessages:       -1,
		IDCacheSize:           20000,
		AutoCreateQueues:      true,
		AutoCreateAddresses:   true,
		AutoDeleteQueues:      true,
		AutoDeleteAddresses:   true,
		DefaultQueueRouting:   Multicast,
		DefaultAddressRouting: Multicast,
		DefaultMaxConsumers:   -1,
		DefaultConsumerWindow: -1,
	}
}

// Rule gives settings to the addresses that Match matches. Apply changes only the settings that the rule gives; it must
// be pure.
type Rule struct {
	Match string
	Apply func(*Settings)
}

// Table resolves the settings of addresses. It is immutable.
type Table struct {
	rules   []Rule                     // least specific first, so that the more specific override
	resolve func(name string) Settings // in place of rules
}

// Resolved is a table whose settings somebody else puts together: of is pure and may be called from any goroutine.
func Resolved(of func(name string) Settings) *Table { return &Table{resolve: of} }

// NewTable orders the rules by how specific they are: an exact name over a pattern, a longer literal prefix over a
// shorter, "*" over "#". Rules with the same Match apply in the given order.
func NewTable(rules []Rule) *Table {
	t := &Table{rules: append([]Rule(nil), rules...)}
	sortRules(t.rules)
	return t
}

// Of returns the settings of one address: the defaults, overridden by every rule that matches, the most specific last.
func (t *Table) Of(name string) Settings {
	s := Defaults()
	if t == nil {
		return s
	}
	if t.resolve != nil {
		return t.resolve(name)
	}
	for i := range t.rules {
		if Matches(t.rules[i].Match, name) {
			t.rules[i].Apply(&s)
		}
	}
	return s
}
