package session

import "github.com/hindmq/hind/broker/address"

// SessionOptions say how a session behaves.
type SessionOptions struct {
	Name            string // unique in the broker; a living session of that name is closed first
	Channel         int64  // comes back in deliveries and events
	User            string
	Password        string
	ClientID        string
	DefaultAddress  string // for messages without an address
	XA              bool   // refused: CodeNotImplemented
	AutoCommitSends bool   // each send is final by itself
	AutoCommitAcks  bool   // each acknowledgement is final by itself
	PreAcknowledge  bool   // a message is settled before it is delivered
	ConfirmAll      bool   // answer silent requests too (Tag.Silent stays set), for protocols with confirmations
}

// QueueOptions are all attributes of a queue to be made. A nil pointer takes the default of the address settings.
// Attributes that are not built are refused unless they have their default value.
type QueueOptions struct {
	Address string
	Name    string // may be "address::queue"
	Filter  string // "": none
	Routing address.Routing
	Kind    QueueKind

	MaxConsumers       *int32 // -1: no limit
	PurgeOnNoConsumers *bool
	Exclusive          *bool
	AutoDelete         *bool
	AutoDeleteDelay    *int64 // ms
	AutoDeleteMessages *int64
	Unbuilt            Unbuilt
}

// QueueKind groups what excludes each other.
type QueueKind struct {
	Durable     bool
	Temporary   bool // goes with its connection
	AutoCreated bool
	Shared      bool // existing with the same address and filter is success; non-durable: goes with its last consumer
}

// Unbuilt are attributes that are refused unless they are nil or have their default value, named in the comments.
type Unbuilt struct {
	LastValue           *bool   // false
	LastValueKey        *string // ""
	NonDestructive      *bool   // false
	ConsumersBefore     *int32  // 0: consumers-before-dispatch
	DelayBefore         *int64  // -1: delay-before-dispatch
	GroupRebalance      *bool   // false
	GroupRebalancePause *bool   // false
	GroupBuckets        *int32  // -1
	GroupFirstKey       *string // ""
	RingSize            *int64  // -1
	Enabled             *bool   // true
}

// QueueInfo answers a queue query. For a queue that does not exist it has the name, the address part, and defaults.
type QueueInfo struct {
	Exists             bool
	Name               string
	Address            string
	Filter             string // "": none
	Kind               QueueKind
	Routing            address.Routing
	Consumers          int
	Messages           int64
	MaxConsumers       int32
	PurgeOnNoConsumers bool
	Exclusive          bool
	AutoDelete         bool
	AutoDeleteDelay    int64 // ms
	AutoDeleteMessages int64
	AutoCreateQueues   bool  // the address settings allow it
	DefaultWindow      int32 // default-consumer-window-size; -1: none given
}

// BindingInfo answers a binding query.
type BindingInfo struct {
	Exists              bool // the address does
	Queues              []string
	AutoCreateQueues    bool
	AutoCreateAddresses bool
	DefaultPurge        bool
	DefaultMaxConsumers int32
	DefaultExclusive    bool
	Multicast, Anycast  bool // what the address supports; false for a missing one
}
