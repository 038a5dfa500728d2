package replication

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// FrameType says what a frame is, and thereby its lane and its limits. Values are part of the protocol.
type FrameType uint8

const (
	TypeWord      FrameType = 1 // words of the role machine, heartbeats among them; no body
	TypeAck       FrameType = 2 // what the passive broker has received and made durable; no body
	TypeManifest  FrameType = 3 // what a log consists of, and where the two agree
	TypeControl   FrameType = 4 // other messages about the copy that keep their place among the pages
	TypePages     FrameType = 5 // live pages, body = the pages as they go to the disk
	TypeFilePages FrameType = 6 // pages of catch-up and of bulk files, body likewise
)

func (t FrameType) String() string {
	switch t {
	case TypeWord:
		return "word"
	case TypeAck:
		return "ack"
	case TypeManifest:
		return "manifest"
	case TypeControl:
		return "control"
	case TypePages:
		return "pages"
	case TypeFilePages:
		return "file pages"
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// Bulk says that frames of this type go by the bulk lane; the others may overtake them.
func (t FrameType) Bulk() bool { return t >= TypeManifest }

// Limits of frames. They bound what a peer may make this process hold.
const (
	HeaderSize  = 16
	WordMax     = 16 << 10  // head of a word or an acknowledgement
	HeadMax     = 256 << 10 // head of any other frame
	BodyMax     = 1 << 20   // body: one write of the journal
	headStepMax = 64 << 10  // a head's buffer grows by what has arrived, in such steps
)

// limits returns the largest head and body of a type; false: there is no such type.
func (t FrameType) limits() (head, body int, known bool) {
	switch t {
	case TypeWord, TypeAck:
		return WordMax, 0, true
	case TypeManifest, TypeControl:
		return HeadMax, 0, true
	case TypePages, TypeFilePages:
		return HeadMax, BodyMax, true
	}
	return 0, 0, false
}

// Errors of the frame codec. They end the link.
var (
	ErrFrameType  = errors.New("unknown frame type")
	ErrFrameSize  = errors.New("frame is larger than its type allows")
	ErrFrameSum   = errors.New("frame header does not match its checksum")
	ErrFrameFlags = errors.New("frame uses flags that this version does not know")
)

// Frame is one frame to send. Head is copied by Send. Body is lent: its bytes must not change until Release, which is
// called exactly once, from any goroutine, possibly before Send returns: when the bytes are no longer needed, also if
// Send fails. The one exception is ErrBulkFull: then nothing was taken, Release is not called, and the same Frame may
// be sent again. Release must not block and must not call the Link.
type Frame struct {
	Type    FrameType
	Head    []byte
	Body    [][]byte
	Release func()
}

// size is what the frame costs in a queue.
func (f *Frame) size() int {
	n := HeaderSize + len(f.Head)
	for _, b := range f.Body {
		n += len(b)
	}
	return n
}

func (f *Frame) check() error {
	head, body, known := f.Type.limits()
	if !known {
		return fmt.Errorf("%w: %d", ErrFrameType, f.Type)
	}
	if n := f.size() - HeaderSize - len(f.Head); len(f.Head) > head || n > body {
		return fmt.Errorf("%w: %s with a head of %d bytes (at most %d) and a body of %d (at most %d)", ErrFrameSize,
			f.Type, len(f.Head), head, n, body)
	}
	return nil
}

// The header, little-endian:
//
//	+0  type      u8
//	+1  flags     u8   0
//	+2  reserved  u16  0
//	+4  head      u32  bytes of head
//	+8  body      u32  bytes of body
//	+12 sum       u32  CRC-32C of bytes 0..11 and of the head
//
// The body has no sum here: pages carry their own, which the receiving journal checks before it believes anything.

// appendFrame appends header and head, everything of a frame but its body, to dst.
func appendFrame(dst []byte, t FrameType, head []byte, body int) []byte {
	at := len(dst)
	dst = append(dst, byte(t), 0, 0, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(head)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(body))
	dst = binary.LittleEndian.AppendUint32(dst, frameSum(dst[at:at+12], head))
	return append(dst, head...)
}

func frameSum(header, head []byte) uint32 {
	castagnoli := crc32.MakeTable(crc32.Castagnoli) // the standard library makes it once
	return crc32.Update(crc32.Checksum(header[:12], castagnoli), castagnoli, head)
}

// header is a decoded frame header.
type header struct {
	kind FrameType
	head int
	body int
	sum  uint32
}

// decodeHeader checks everything but the sum, which needs the head.
func decodeHeader(b []byte) (header, error) {
	h := header{
		kind: FrameType(b[0]),
		head: int(binary.LittleEndian.Uint32(b[4:])),
		body: int(binary.LittleEndian.Uint32(b[8:])),
		sum:  binary.LittleEndian.Uint32(b[12:]),
	}
	headMax, bodyMax, known := h.kind.limits()
	switch {
	case !known:
		return header{}, fmt.Errorf("%w: %d", ErrFrameType, h.kind)
	case b[1]|b[2]|b[3] != 0:
		return header{}, fmt.Errorf("%w: %s frame with flags % x", ErrFrameFlags, h.kind, b[1:4])
	case h.head > headMax || h.body > bodyMax:
		return header{}, fmt.Errorf("%w: %s with a head of %d bytes (at most %d) and a body of %d (at most %d)",
			ErrFrameSize, h.kind, h.head, headMax, h.body, bodyMax)
	}
	return h, nil
}
