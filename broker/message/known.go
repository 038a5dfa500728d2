package message

// Names of properties that mean something to the broker.
const (
	PropRoutingType     = "_AMQ_ROUTING_TYPE"
	PropDuplicateID     = "_AMQ_DUPL_ID"
	PropGroupID         = "_AMQ_GROUP_ID"
	PropLastValue       = "_AMQ_LVQ_NAME"
	PropScheduled       = "_AMQ_SCHED_DELIVERY"
	PropOrigAddress     = "_AMQ_ORIG_ADDRESS"
	PropOrigQueue       = "_AMQ_ORIG_QUEUE"
	PropOrigMessageID   = "_AMQ_ORIG_MESSAGE_ID"
	PropOrigRoutingType = "_AMQ_ORIG_ROUTING_TYPE"
	PropActualExpiry    = "_AMQ_ACTUAL_EXPIRY"
)

// known is what Parse notes while it walks the properties, so that a send does not walk them again.
type known struct {
	duplicateAt, duplicateTo int // the id's bytes in raw; 0, 0: none
	scheduled                int64
	routing                  int8 // 1 + the routing type; 0: not given
	grouped                  bool
	lastValue                bool
}

// note looks at one property; base is the offset of the property set in the message.
func (k *known) note(p *rawProperty, base int) {
	if len(p.key) < 2*len("_AMQ_") || p.key[0] != '_' || p.key[2] != 'A' {
		return
	}
	switch {
	case textEqual(p.key, PropRoutingType):
		if p.value.Kind == KindByte && (p.value.bits == 0 || p.value.bits == 1) {
			k.routing = 1 + int8(p.value.bits)
		}
	case textEqual(p.key, PropDuplicateID):
		if p.value.Kind == KindBytes || p.value.Kind == KindString {
			k.duplicateTo = base + p.end
			k.duplicateAt = k.duplicateTo - len(p.value.data)
		}
	case textEqual(p.key, PropScheduled):
		if p.value.Kind == KindLong {
			k.scheduled = int64(p.value.bits)
		}
	case textEqual(p.key, PropGroupID):
		k.grouped = p.value.Kind != KindNull
	case textEqual(p.key, PropLastValue):
		k.lastValue = p.value.Kind != KindNull
	}
}

// DuplicateID is the duplicate id's bytes (a string id in UTF-16 little-endian), shared; nil: none.
func (m *Message) DuplicateID() []byte {
	if m.known.duplicateTo == 0 {
		return nil
	}
	return m.raw[m.known.duplicateAt:m.known.duplicateTo]
}

// RoutingType is the routing type that the producer asked for: 0 multicast, 1 anycast, -1 not said.
func (m *Message) RoutingType() int8 { return m.known.routing - 1 }

// ScheduledAt is the wall clock in ms before which the producer wants no delivery; 0: at once.
func (m *Message) ScheduledAt() int64 { return m.known.scheduled }

// Grouped says that the message belongs to a message group.
func (m *Message) Grouped() bool { return m.known.grouped }

// LastValue says that the message has a last-value key.
func (m *Message) LastValue() bool { return m.known.lastValue }
