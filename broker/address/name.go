package address

import "strings"

// Routing says who gets a message sent to an address.
type Routing int8

// The numbers are those of the CORE protocol.
const (
	RoutingNone Routing = -1 // not said: the address or its settings decide
	Multicast   Routing = 0  // every queue gets it
	Anycast     Routing = 1  // one queue gets it
)

func (r Routing) String() string {
	switch r {
	case Multicast:
		return "MULTICAST"
	case Anycast:
		return "ANYCAST"
	}
	return "none"
}

// RoutingSet is the set of routing types that an address supports.
type RoutingSet uint8

// SetOf makes a set; RoutingNone adds nothing.
func SetOf(routings ...Routing) RoutingSet {
	var s RoutingSet
	for _, r := range routings {
		s = s.With(r)
	}
	return s
}

// With returns the set with r added.
func (s RoutingSet) With(r Routing) RoutingSet {
	if r != Multicast && r != Anycast {
		return s
	}
	return s | 1<<uint8(r)
}

// Has says whether r is in the set.
func (s RoutingSet) Has(r Routing) bool {
	return (r == Multicast || r == Anycast) && s&(1<<uint8(r)) != 0
}

// separator stands between address and queue in a fully qualified queue name.
const separator = "::"

// Split takes a fully qualified queue name apart. Without "::" the whole name is the address and queue is empty.
func Split(name string) (addr, queue string) {
	if i := strings.Index(name, separator); i >= 0 {
		return name[:i], name[i+len(separator):]
	}
	return name, ""
}

// QueueName is the part of a queue's name behind "::", or the name as it is.
func QueueName(name string) string {
	if _, q := Split(name); q != "" {
		return q
	}
	return name
}

// NameSizeMax limits names of addresses and queues, in bytes of UTF-8.
const NameSizeMax = 4096
