package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Handshake is what a client sends once per TCP connection before its first frame. The server answers nothing.
const Handshake = "ARTEMIS"

const (
	// LengthSize is the size of the length field that starts a frame.
	LengthSize = 4
	// HeaderSize is the size of length, type and channel together.
	HeaderSize = 13
	// FrameSizeMaxDefault bounds one frame including its length field where the caller has no reason for another
	// bound: a full-size message body (100 KiB), its properties, and room for clients that set a larger chunk size.
	FrameSizeMaxDefault = 1 << 20
)

// ErrMalformed is wrapped by every error about bytes that are not what the protocol says.
var ErrMalformed = errors.New("malformed CORE frame")

// Frame is one undecoded packet. Fields aliases the input.
type Frame struct {
	Type    Type
	Channel int64
	Fields  []byte
}

// Size is the number of bytes of the whole frame on the wire; consumer credits count it.
func (f Frame) Size() int { return HeaderSize + len(f.Fields) }

// Split cuts the first frame off buf. size is the number of bytes it takes, 0 when buf does not hold a whole frame yet;
// need is then how many bytes buf must hold before another call can succeed. A declared length below the header's or
// above sizeMax is an error at once, before the bytes have come.
func Split(buf []byte, sizeMax int) (f Frame, size, need int, err error) {
	if len(buf) < LengthSize {
		return Frame{}, 0, LengthSize, nil
	}
	declared := int32(binary.BigEndian.Uint32(buf))
	if declared < HeaderSize-LengthSize {
		return Frame{}, 0, 0, fmt.Errorf("%w: length field says %d, the shortest frame has %d", ErrMalformed, declared, HeaderSize-LengthSize)
	}
	if int64(declared)+LengthSize > int64(sizeMax) {
		return Frame{}, 0, 0, fmt.Errorf("%w: length field says %d, a frame may have %d bytes here", ErrMalformed, declared, sizeMax-LengthSize)
	}
	size = int(declared) + LengthSize
	if len(buf) < size {
		return Frame{}, 0, size, nil
	}
	return Frame{
		Type:    Type(int8(buf[4])),
		Channel: int64(binary.BigEndian.Uint64(buf[5:])),
		Fields:  buf[HeaderSize:size:size],
	}, size, 0, nil
}
