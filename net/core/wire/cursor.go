package wire

import (
	"encoding/binary"
	"fmt"
)

// cursor walks the fields of one packet, reading or writing. Each packet lists its fields once, in wire order, in its
// layout method; the direction is the cursor's. The first error sticks: later fields are left as they are.
type cursor struct {
	version int32
	packet  Type
	writing bool

	in  []byte // reading: the fields; at is the next byte
	at  int
	out []byte // writing: grows

	err error
}

// fail records the first error.
func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: %v, byte %d of %d after the header: %s", ErrMalformed, c.packet, c.at, len(c.in), fmt.Sprintf(format, args...))
	}
}

// take is the next n bytes of the input, nil after an error. It never allocates.
func (c *cursor) take(n int, what string) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > len(c.in)-c.at {
		c.fail("%s needs %d bytes, %d are left", what, n, len(c.in)-c.at)
		return nil
	}
	b := c.in[c.at : c.at+n : c.at+n]
	c.at += n
	return b
}

// more says whether an optional group of fields follows: always when writing, while bytes remain when reading.
func (c *cursor) more() bool { return c.writing || (c.err == nil && c.at < len(c.in)) }

func (c *cursor) i8(v *int8) {
	if c.writing {
		c.out = append(c.out, byte(*v))
	} else if b := c.take(1, "a byte"); b != nil {
		*v = int8(b[0])
	}
}

// bool reads 0 as false and anything else as true, and writes 0xFF for true as the reference does.
func (c *cursor) bool(v *bool) {
	if c.writing {
		c.out = append(c.out, boolByte(*v))
	} else if b := c.take(1, "a boolean"); b != nil {
		*v = b[0] != 0
	}
}

func boolByte(v bool) byte {
	if v {
		return 0xFF
	}
	return 0
}

func (c *cursor) i32(v *int32) {
	if c.writing {
		c.out = binary.BigEndian.AppendUint32(c.out, uint32(*v))
	} else if b := c.take(4, "an int"); b != nil {
		*v = int32(binary.BigEndian.Uint32(b))
	}
}

func (c *cursor) i64(v *int64) {
	if c.writing {
		c.out = binary.BigEndian.AppendUint64(c.out, uint64(*v))
	} else if b := c.take(8, "a long"); b != nil {
		*v = int64(binary.BigEndian.Uint64(b))
	}
}

// present is the byte before a nullable field; it says whether the value follows.
func (c *cursor) present(set *bool) bool {
	if c.writing {
		if *set {
			c.out = append(c.out, 1)
		} else {
			c.out = append(c.out, 0)
		}
		return *set
	}
	if b := c.take(1, "a presence byte"); b != nil {
		*set = b[0] != 0
	}
	return *set && c.err == nil
}

func (c *cursor) nbool(v *Optional[bool]) {
	if c.present(&v.Set) {
		c.bool(&v.Value)
	}
}

func (c *cursor) ni32(v *Optional[int32]) {
	if c.present(&v.Set) {
		c.i32(&v.Value)
	}
}

func (c *cursor) ni64(v *Optional[int64]) {
	if c.present(&v.Set) {
		c.i64(&v.Value)
	}
}

func (c *cursor) nstr(v *Optional[string]) {
	if c.present(&v.Set) {
		c.str(&v.Value)
	}
}

func (c *cursor) nsstr(v *Optional[string]) {
	if c.present(&v.Set) {
		c.sstr(&v.Value)
	}
}

// blob is a length and that many bytes; reading aliases the input.
func (c *cursor) blob(v *[]byte) {
	n := int32(len(*v))
	c.i32(&n)
	if c.writing {
		c.out = append(c.out, *v...)
	} else if b := c.take(int(n), "a byte array"); b != nil {
		*v = b
	}
}

// allBut is every byte that is left except the last trailing ones; reading aliases the input.
func (c *cursor) allBut(trailing int, v *[]byte) {
	if c.writing {
		c.out = append(c.out, *v...)
	} else if b := c.take(len(c.in)-c.at-trailing, "the message"); b != nil {
		*v = b
	}
}

// count reads or writes the number of elements of a list. sizeMin is the least an element takes, so that a declared
// count beyond what the bytes can hold is refused before anything is built from it.
func (c *cursor) count(n int, sizeMin int) int {
	declared := int32(n)
	c.i32(&declared)
	if c.writing {
		return n
	}
	if c.err == nil && (declared < 0 || int64(declared)*int64(sizeMin) > int64(len(c.in)-c.at)) {
		c.fail("a list of %d elements cannot fit in the %d bytes left", declared, len(c.in)-c.at)
	}
	if c.err != nil {
		return 0
	}
	return int(declared)
}
