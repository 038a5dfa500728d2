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

// Table says which settings an address has. It is immutable, and may be used from any goroutine.
type Table struct {
	resolve func(name string) Settings
}

// Resolved is the table of settings that somebody else puts together, as the configuration does: of is pure.
func Resolved(of func(name string) Settings) *Table { return &Table{resolve: of} }

// Of returns the settings of one address; without a table those of Defaults.
func (t *Table) Of(name string) Settings {
	if t == nil {
		return Defaults()
	}
	return t.resolve(name)
}
