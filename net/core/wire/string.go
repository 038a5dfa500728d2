package wire

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// The protocol has three encodings of text, all of them counted in UTF-16 units: big-endian units for the shortest
// strings, a variant of UTF-8 that encodes each half of a surrogate pair by itself for the middle, and little-endian
// units for long strings and for names ("simple strings"). A unit that is half a surrogate pair without the other half
// is refused: no Go string could carry it back.

const (
	shortStringUnits = 9    // below: big-endian units
	longStringUnits  = 4095 // from here on: a simple string
)

// sstr is a simple string: byte count, then UTF-16 little-endian.
func (c *cursor) sstr(v *string) {
	if c.writing {
		c.out = binary.BigEndian.AppendUint32(c.out, uint32(2*unitCount(*v)))
		c.appendUnits(*v, binary.LittleEndian)
		return
	}
	var size int32
	c.i32(&size)
	if c.err == nil && size%2 != 0 {
		c.fail("a simple string has an odd size of %d bytes", size)
	}
	if b := c.take(int(size), "a simple string"); b != nil {
		*v = c.unitString(b, binary.LittleEndian)
	}
}

// str is a Java string: unit count, then one of the three encodings, chosen by that count.
func (c *cursor) str(v *string) {
	if c.writing {
		c.appendStr(*v)
		return
	}
	var units int32
	c.i32(&units)
	switch {
	case c.err != nil:
	case units < 0:
		c.fail("a string of %d characters", units)
	case units < shortStringUnits:
		if b := c.take(int(units)*2, "a short string"); b != nil {
			*v = c.unitString(b, binary.BigEndian)
		}
	case units < longStringUnits:
		c.utf(int(units), v)
	default:
		c.longString(int(units), v)
	}
}

func (c *cursor) longString(units int, v *string) {
	start := c.at
	c.sstr(v)
	if c.err == nil && c.at-start-4 != 2*units {
		c.fail("a string of %d characters has %d bytes", units, c.at-start-4)
	}
}

func (c *cursor) appendStr(v string) {
	units := unitCount(v)
	c.out = binary.BigEndian.AppendUint32(c.out, uint32(units))
	switch {
	case units < shortStringUnits:
		c.appendUnits(v, binary.BigEndian)
	case units < longStringUnits:
		c.appendUTF(v)
	default:
		c.sstr(&v)
	}
}

// unitCount is how many UTF-16 units v takes. Invalid bytes of v count as one replacement character each, as a range
// over the string yields them.
func unitCount(v string) int {
	n := 0
	for _, r := range v {
		n += utf16.RuneLen(r)
	}
	return n
}

func (c *cursor) appendUnits(v string, order binary.AppendByteOrder) {
	for _, r := range v {
		if r < 0x10000 {
			c.out = order.AppendUint16(c.out, uint16(r))
			continue
		}
		high, low := utf16.EncodeRune(r)
		c.out = order.AppendUint16(c.out, uint16(high))
		c.out = order.AppendUint16(c.out, uint16(low))
	}
}

// unitString decodes UTF-16. b has an even size.
func (c *cursor) unitString(b []byte, order binary.ByteOrder) string {
	text := make([]byte, 0, len(b)) // at most 3 bytes per unit; mostly 1
	var high rune
	for i := 0; i < len(b); i += 2 {
		text = c.appendUnit(text, rune(order.Uint16(b[i:])), &high)
	}
	return c.endUnits(text, high)
}

// appendUnit adds one UTF-16 unit to text. high holds the first half of a pair between two calls, 0 if there is none.
func (c *cursor) appendUnit(text []byte, unit rune, high *rune) []byte {
	switch {
	case *high != 0:
		r := utf16.DecodeRune(*high, unit)
		if r == utf8.RuneError {
			c.fail("a string has half a surrogate pair, %#x", *high)
		}
		*high = 0
		return utf8.AppendRune(text, r)
	case unit >= 0xD800 && unit < 0xDC00:
		*high = unit
		return text
	case unit >= 0xDC00 && unit < 0xE000:
		c.fail("a string has half a surrogate pair, %#x", unit)
		return text
	}
	return utf8.AppendRune(text, unit)
}

func (c *cursor) endUnits(text []byte, high rune) string {
	if high != 0 {
		c.fail("a string ends in half a surrogate pair, %#x", high)
	}
	if c.err != nil {
		return ""
	}
	return string(text)
}

// appendUTF is the middle form: byte count, then each UTF-16 unit in one, two or three bytes.
func (c *cursor) appendUTF(v string) {
	sizeAt := len(c.out)
	c.out = append(c.out, 0, 0)
	for _, r := range v {
		if r < 0x10000 {
			c.out = appendUTFUnit(c.out, r)
			continue
		}
		high, low := utf16.EncodeRune(r)
		c.out = appendUTFUnit(appendUTFUnit(c.out, high), low)
	}
	binary.BigEndian.PutUint16(c.out[sizeAt:], uint16(len(c.out)-sizeAt-2))
}

func appendUTFUnit(b []byte, unit rune) []byte {
	switch {
	case unit < 0x80:
		return append(b, byte(unit))
	case unit < 0x800:
		return append(b, 0xC0|byte(unit>>6), 0x80|byte(unit&0x3F))
	}
	return append(b, 0xE0|byte(unit>>12), 0x80|byte(unit>>6&0x3F), 0x80|byte(unit&0x3F))
}

// utf reads the middle form; units is the declared number of UTF-16 units.
func (c *cursor) utf(units int, v *string) {
	size := c.take(2, "the size of a string")
	if size == nil {
		return
	}
	b := c.take(int(binary.BigEndian.Uint16(size)), "a string")
	if b == nil {
		return
	}
	text := make([]byte, 0, len(b))
	var high rune
	for len(b) > 0 && c.err == nil {
		unit, n := utfUnit(b)
		if n == 0 {
			c.fail("a string has a byte %#x that starts no character, or a cut one", b[0])
			return
		}
		text = c.appendUnit(text, unit, &high)
		b, units = b[n:], units-1
	}
	if c.err == nil && units != 0 {
		c.fail("a string has a character count that is wrong by %d", units)
	}
	*v = c.endUnits(text, high)
}

// utfUnit decodes one unit of the middle form and how many bytes it takes, 0 if the bytes are wrong.
func utfUnit(b []byte) (rune, int) {
	switch lead := b[0]; {
	case lead < 0x80:
		return rune(lead), 1
	case lead&0xE0 == 0xC0 && len(b) >= 2 && b[1]&0xC0 == 0x80:
		return rune(lead&0x1F)<<6 | rune(b[1]&0x3F), 2
	case lead&0xF0 == 0xE0 && len(b) >= 3 && b[1]&0xC0 == 0x80 && b[2]&0xC0 == 0x80:
		return rune(lead&0x0F)<<12 | rune(b[1]&0x3F)<<6 | rune(b[2]&0x3F), 3
	}
	return 0, 0
}
