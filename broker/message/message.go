package message

import (
	"encoding/binary"
	"fmt"
)

// Type says what kind of body a message has.
type Type int8

const (
	TypeDefault Type = 0
	TypeObject  Type = 2
	TypeText    Type = 3
	TypeBytes   Type = 4
	TypeMap     Type = 5
	TypeStream  Type = 6
)

const (
	// bodyRelic is what the encoding adds to the length of the body: once the position behind a packet's header.
	bodyRelic = 13

	// BodySizeMax is the largest body that one record holds; larger ones are large messages.
	BodySizeMax = 100 << 10

	// EncodeSizeMax is the largest whole encoding: the body, and 28 KiB for headers and properties.
	EncodeSizeMax = 128 << 10

	// PriorityMax and PriorityDefault: a byte outside 0..9 is read as the nearest.
	PriorityMax     = 9
	PriorityDefault = 4
)

// Header has the fixed fields of a message.
type Header struct {
	ID         int64  // 0 from producers
	Address    string // "" if HasAddress is false
	HasAddress bool
	UserID     [16]byte
	HasUserID  bool
	Type       Type
	Durable    bool
	Expiration int64 // wall clock, ms; 0: never
	Timestamp  int64 // wall clock, ms
	Priority   uint8 // 0..9
}

// Message is one message in its CORE encoding. Immutable.
type Message struct {
	raw       []byte
	bodyEnd   int // the headers, and so the id, start here
	typeAt    int // offset of the type byte; durable, expiration, timestamp and priority follow at fixed distances
	addressAt int // offset of the address' UTF-16 bytes, 0: null
	addressTo int
	known     known
}

// Parse takes ownership of b, which must be exactly one encoded message, and checks every byte of it. The error wraps
// ErrMalformed and names the field and the byte.
func Parse(b []byte) (*Message, error) {
	m := &Message{raw: b}
	r := reader{buf: b}
	end := int32(r.u32("body's end"))
	if r.err == nil && end < bodyRelic {
		r.fail(fmt.Sprintf("body's end is %d, below %d,", end, bodyRelic))
	}
	r.take(int(end)-bodyRelic, "body")
	m.bodyEnd = r.at
	r.u64("message id")
	if text, ok := r.nsstr("address"); ok {
		m.addressAt, m.addressTo = r.at-len(text), r.at
	}
	switch r.u8("user id") {
	case 0:
	case 1:
		r.take(16, "user id")
	default:
		r.fail("user id has a null mark other than 0 and 1")
	}
	m.typeAt = r.at
	r.take(1+1+8+8+1, "type, durable, expiration, timestamp, priority")
	if r.err != nil {
		return nil, r.err
	}
	c := newCursor(b[r.at:])
	var p rawProperty
	for c.next(&p) {
		m.known.note(&p, r.at)
	}
	if c.r.err != nil {
		return nil, c.r.err
	}
	if c.r.at != len(b)-r.at {
		return nil, fmt.Errorf("%w: %d bytes behind the properties", ErrMalformed, len(b)-r.at-c.r.at)
	}
	return m, nil
}

// Raw is the encoding, shared: do not change it.
func (m *Message) Raw() []byte { return m.raw }

// EncodeSize is what the message costs a producer in credits, in bytes.
func (m *Message) EncodeSize() int { return len(m.raw) }

// Body is the body, shared.
func (m *Message) Body() []byte { return m.raw[4:m.bodyEnd] }

// ID is the id in the bytes: 0 from producers. The broker's id is with the queue's reference, not here.
func (m *Message) ID() int64 { return int64(binary.BigEndian.Uint64(m.raw[m.bodyEnd:])) }

// AddressText is the address in UTF-16 little-endian, shared; nil is null. For comparing without allocating.
func (m *Message) AddressText() []byte {
	if m.addressAt == 0 {
		return nil
	}
	return m.raw[m.addressAt:m.addressTo]
}

// Address is the address as sent, perhaps "address::queue"; "" is null.
func (m *Message) Address() string {
	if m.addressAt == 0 {
		return ""
	}
	return DecodeText(m.raw[m.addressAt:m.addressTo])
}

// UserID is the 16 bytes of the user id (JMSMessageID), if there is one.
func (m *Message) UserID() (id [16]byte, ok bool) {
	at := m.bodyEnd + 8 + 1 // behind the id and the address' null mark
	if m.addressAt != 0 {
		at = m.addressTo
	}
	if m.raw[at] == 0 {
		return id, false
	}
	copy(id[:], m.raw[at+1:])
	return id, true
}

// Type is the kind of body.
func (m *Message) Type() Type { return Type(m.raw[m.typeAt]) }

// Durable says whether the message survives a restart in durable queues.
func (m *Message) Durable() bool { return m.raw[m.typeAt+1] != 0 }

// Expiration is the wall clock in ms after which the message is not delivered; 0: never.
func (m *Message) Expiration() int64 { return int64(binary.BigEndian.Uint64(m.raw[m.typeAt+2:])) }

// Timestamp is the wall clock in ms that the producer set.
func (m *Message) Timestamp() int64 { return int64(binary.BigEndian.Uint64(m.raw[m.typeAt+10:])) }

// Priority is 0..9; bytes outside are read as the nearest.
func (m *Message) Priority() uint8 {
	p := int8(m.raw[m.typeAt+18])
	return uint8(min(max(p, 0), PriorityMax))
}

// propertiesAt is where the property set starts.
func (m *Message) propertiesAt() int { return m.typeAt + 19 }

// Header decodes all fixed fields.
func (m *Message) Header() Header {
	h := Header{
		ID: m.ID(), Address: m.Address(), HasAddress: m.addressAt != 0, Type: m.Type(), Durable: m.Durable(),
		Expiration: m.Expiration(), Timestamp: m.Timestamp(), Priority: m.Priority(),
	}
	h.UserID, h.HasUserID = m.UserID()
	return h
}

// Property returns the value of one property. It walks the bytes; values alias them.
func (m *Message) Property(name string) (Value, bool) {
	c := newCursor(m.raw[m.propertiesAt():])
	var p rawProperty
	for c.next(&p) {
		if textEqual(p.key, name) {
			return p.value, true
		}
	}
	return Value{}, false
}

// Properties decodes all properties; values alias the message.
func (m *Message) Properties() []Property {
	props, _, _ := DecodeProperties(m.raw[m.propertiesAt():]) // Parse has checked them
	return props
}

// AppendDelivery appends the encoding with the broker's message id in it: what a consumer gets.
func (m *Message) AppendDelivery(dst []byte, id int64) []byte {
	at := len(dst) + m.bodyEnd
	dst = append(dst, m.raw...)
	binary.BigEndian.PutUint64(dst[at:], uint64(id))
	return dst
}
