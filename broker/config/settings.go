package config

import "time"

// AddressSetting is one address-setting of the file: what it assigns to the addresses that match. Resolve with
// Config.SettingsFor.
type AddressSetting struct {
	At     Place
	Match  string // words separated by '.', '*' stands for one word, '#' for any number of words
	Values []Assignment
}

// Assignment is one element of an address-setting as it was written.
type Assignment struct {
	Name, Value string
}

// AddressSettings are the settings of one address, complete.
type AddressSettings struct {
	DeadLetterAddress   string // empty: a message that used up its attempts is dropped
	ExpiryAddress       string // empty: an expired message is dropped
	MaxDeliveryAttempts int    // -1: no limit

	AutoCreateQueues      bool
	AutoDeleteQueues      bool
	AutoDeleteQueuesDelay time.Duration // that an unused auto-created queue stays
	AutoCreateAddresses   bool
	AutoDeleteAddresses   bool

	MaxSize     int64 // bytes of messages in memory at which producers are blocked; -1: the global limit only
	MaxMessages int64 // the same, counted in messages; -1: no limit
	IDCacheSize int   // duplicate ids remembered

	DefaultQueueRouting   Routing // of an auto-created queue
	DefaultRouting        Routing // of an auto-created address
	DefaultMaxConsumers   int     // of a queue that states none; -1: no limit
	DefaultPurge          bool    // such a queue loses its messages with its last consumer
	DefaultExclusive      bool    // such a queue delivers to one consumer at a time
	DefaultConsumerWindow int     // bytes, told to clients that ask; -1: they use their own
}
