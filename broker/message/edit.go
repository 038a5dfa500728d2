package message

import (
	"bytes"
	"encoding/binary"
)

// Encode appends the encoding of a message from its parts.
func Encode(dst []byte, h *Header, body []byte, props []Property) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(body)+bodyRelic))
	dst = append(dst, body...)
	dst = appendHeader(dst, h)
	return AppendProperties(dst, props)
}

// New makes a message from its parts; it copies body.
func New(h *Header, body []byte, props []Property) (*Message, error) {
	return Parse(Encode(nil, h, body, props))
}

func appendHeader(dst []byte, h *Header) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.ID))
	if h.HasAddress || h.Address != "" {
		dst = AppendSimple(append(dst, 1), h.Address)
	} else {
		dst = append(dst, 0)
	}
	if h.HasUserID {
		dst = append(append(dst, 1), h.UserID[:]...)
	} else {
		dst = append(dst, 0)
	}
	dst = append(dst, byte(h.Type), 0)
	if h.Durable {
		dst[len(dst)-1] = 1
	}
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.Expiration))
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.Timestamp))
	return append(dst, h.Priority)
}

// Edit says what a changed copy differs in.
type Edit struct {
	Address    *string
	Expiration *int64
	Durable    *bool
	Set        []Property // added, or replacing those of the same name
	Remove     []string
}

// Edited makes a changed copy. What the edit does not name is copied byte by byte, with the properties' order kept; a
// key that is there twice is kept twice unless the edit names it. The copy's id is 0.
func (m *Message) Edited(e *Edit) *Message {
	h := m.Header()
	h.ID = 0
	if e.Address != nil {
		h.Address, h.HasAddress = *e.Address, true
	}
	if e.Expiration != nil {
		h.Expiration = *e.Expiration
	}
	if e.Durable != nil {
		h.Durable = *e.Durable
	}
	out := make([]byte, 0, len(m.raw)+len(h.Address)*2+32+sizeOfProperties(e.Set))
	out = append(out, m.raw[:m.bodyEnd]...)
	out = appendHeader(out, &h)
	out = m.appendEditedProperties(out, e)
	edited, err := Parse(out)
	if err != nil {
		panic("message: an edited copy of a checked message does not parse: " + err.Error()) // our mistake, not the peer's
	}
	return edited
}

func (m *Message) appendEditedProperties(out []byte, e *Edit) []byte {
	countAt := len(out) + 1
	out = append(out, 1, 0, 0, 0, 0)
	count := uint32(0)
	raw := m.raw[m.propertiesAt():]
	c := newCursor(raw)
	var p rawProperty
	for c.next(&p) {
		if !e.names(p.key) {
			out = append(out, raw[p.start:p.end]...)
			count++
		}
	}
	for i := range e.Set {
		out = AppendSimple(out, e.Set[i].Name)
		out = AppendValue(out, e.Set[i].Value)
		count++
	}
	if count == 0 {
		out[countAt-1] = 0
		return out[:countAt]
	}
	binary.BigEndian.PutUint32(out[countAt:], count)
	return out
}

// names says whether the edit replaces or removes the property.
func (e *Edit) names(key []byte) bool {
	for i := range e.Set {
		if textEqual(key, e.Set[i].Name) {
			return true
		}
	}
	for _, name := range e.Remove {
		if textEqual(key, name) {
			return true
		}
	}
	return false
}

func sizeOfProperties(props []Property) int {
	size := 0
	for i := range props {
		size += 4 + 2*len(props[i].Name) + 1 + 12 + len(props[i].Value.data)
	}
	return size
}

// SameBytes says whether two messages have the same encoding.
func SameBytes(a, b *Message) bool { return bytes.Equal(a.raw, b.raw) }
