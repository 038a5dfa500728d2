package message

import (
	"encoding/binary"
	"fmt"
)

// propertyNameMax is the fewest bytes that one property takes: an empty key, a kind. It bounds a declared count.
const propertySizeMin = 5

// rawProperty is one property as it lies in the bytes.
type rawProperty struct {
	key        []byte // UTF-16 little-endian
	value      Value
	start, end int // offsets of the whole property in the reader's bytes
}

// cursor walks an encoded property set.
type cursor struct {
	r    reader
	left uint32
}

// newCursor reads the head of a property set: the mark and the count.
func newCursor(b []byte) cursor {
	c := cursor{r: reader{buf: b}}
	switch c.r.u8("properties' mark") {
	case 0:
	case 1:
		c.left = c.r.u32("property count")
		if int64(c.left)*propertySizeMin > int64(len(b)-c.r.at) {
			c.r.fail(fmt.Sprintf("a count of %d properties does not fit", c.left))
			c.left = 0
		}
	default:
		c.r.fail("properties have a mark other than 0 and 1")
	}
	return c
}

// next returns false at the end and after a failure (c.r.err).
func (c *cursor) next(p *rawProperty) bool {
	if c.left == 0 || c.r.err != nil {
		return false
	}
	c.left--
	p.start = c.r.at
	p.key = c.r.sstr("property name")
	p.value = readValue(&c.r)
	p.end = c.r.at
	return c.r.err == nil
}

func readValue(r *reader) Value {
	v := Value{Kind: Kind(r.u8("property kind"))}
	switch v.Kind {
	case KindNull:
	case KindBool:
		if r.u8("boolean") != 0 {
			v.bits = 1
		}
	case KindByte:
		v.bits = uint64(int64(int8(r.u8("byte"))))
	case KindBytes:
		v.data = r.sized("bytes")
	case KindShort:
		v.bits = uint64(int64(int16(r.u16("short"))))
	case KindChar:
		v.bits = uint64(r.u16("char"))
	case KindInt:
		v.bits = uint64(int64(int32(r.u32("int"))))
	case KindFloat:
		v.bits = uint64(r.u32("float"))
	case KindLong, KindDouble:
		v.bits = r.u64("long or double")
	case KindString:
		v.data = r.sstr("string")
	default:
		r.fail(fmt.Sprintf("property kind %d is unknown", v.Kind))
	}
	return v
}

// DecodeProperties decodes a property set that fills b up to the returned size. Values alias b.
func DecodeProperties(b []byte) (props []Property, size int, err error) {
	c := newCursor(b)
	var p rawProperty
	for c.next(&p) {
		props = append(props, Property{Name: DecodeText(p.key), Value: p.value})
	}
	if c.r.err != nil {
		return nil, 0, c.r.err
	}
	return props, c.r.at, nil
}

// AppendProperties appends the encoding of a property set; none is the single byte 0.
func AppendProperties(dst []byte, props []Property) []byte {
	if len(props) == 0 {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(props)))
	for i := range props {
		dst = AppendSimple(dst, props[i].Name)
		dst = AppendValue(dst, props[i].Value)
	}
	return dst
}

// AppendValue appends the kind and the value.
func AppendValue(dst []byte, v Value) []byte {
	dst = append(dst, byte(v.Kind))
	switch v.Kind {
	case KindBool, KindByte:
		return append(dst, byte(v.bits))
	case KindShort, KindChar:
		return binary.BigEndian.AppendUint16(dst, uint16(v.bits))
	case KindInt, KindFloat:
		return binary.BigEndian.AppendUint32(dst, uint32(v.bits))
	case KindLong, KindDouble:
		return binary.BigEndian.AppendUint64(dst, v.bits)
	case KindBytes, KindString:
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(v.data)))
		return append(dst, v.data...)
	}
	return dst
}
