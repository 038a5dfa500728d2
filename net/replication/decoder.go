package replication

import (
	"fmt"
)

// Received is one frame that arrived. Head is valid during the callback only. Body is the receiver's until it calls
// Release (which is never nil); it is nil for a frame without a body.
type Received struct {
	Type    FrameType
	Head    []byte
	Body    []byte
	Release func()
}

// Allocate returns size bytes (1 to BodyMax) for the body of a frame of type t, best aligned for direct I/O, and what
// gives them back. ok false: none is free now; the link stops reading until ResumeReceive.
type Allocate func(t FrameType, size int) (body []byte, release func(), ok bool)

// heapBodies is the Allocate of those who do not care.
func heapBodies(_ FrameType, size int) ([]byte, func(), bool) {
	return make([]byte, size), func() {}, true
}

// decoder takes a stream of frames apart, whatever the pieces it comes in. It does no I/O, and holds at most one head
// and one body. After an error it must not be used again.
type decoder struct {
	allocate Allocate

	fixed   [HeaderSize]byte
	have    int    // bytes of fixed
	now     header // valid once have == HeaderSize
	head    []byte // bytes of the head so far
	headOK  bool   // the head is complete and its sum right
	body    []byte
	filled  int // bytes of body
	release func()
}

// feed consumes bytes of data and calls frame for each frame that is complete. It returns early, with fewer bytes
// consumed and no error, if a body found no memory or frame returned false; it goes on with the rest of data, later.
func (d *decoder) feed(data []byte, frame func(Received) bool) (consumed int, err error) {
	for {
		n, complete, err := d.step(data[consumed:])
		consumed += n
		if err != nil {
			return consumed, err
		}
		if complete {
			if !d.deliver(frame) {
				return consumed, nil
			}
			continue
		}
		if n == 0 {
			return consumed, nil
		}
	}
}

// step takes what the current part of the frame still needs.
func (d *decoder) step(data []byte) (n int, complete bool, err error) {
	switch {
	case d.have < HeaderSize:
		n = copy(d.fixed[d.have:], data)
		if d.have += n; d.have < HeaderSize {
			return n, false, nil
		}
		if d.now, err = decodeHeader(d.fixed[:]); err != nil {
			return n, false, err
		}
		d.head = d.head[:0]
		if d.now.head > 0 {
			return n, false, nil
		}
	case !d.headOK:
		n = min(d.now.head-len(d.head), len(data), headStepMax)
		d.head = append(d.head, data[:n]...)
	case d.body == nil:
		if len(data) == 0 {
			return 0, false, nil // memory only for a body that has begun to arrive
		}
		body, release, ok := d.allocate(d.now.kind, d.now.body)
		if !ok {
			return 0, false, nil
		}
		d.body, d.release, d.filled = body[:d.now.body], release, 0
		fallthrough
	default:
		n = copy(d.body[d.filled:], data)
		d.filled += n
		return n, d.filled == d.now.body, nil
	}
	if len(d.head) < d.now.head {
		return n, false, nil
	}
	if got := frameSum(d.fixed[:], d.head); got != d.now.sum {
		return n, false, fmt.Errorf("%w: %s frame says %08x, its bytes give %08x", ErrFrameSum, d.now.kind, d.now.sum, got)
	}
	d.headOK = true
	return n, d.now.body == 0, nil
}

func (d *decoder) deliver(frame func(Received) bool) bool {
	r := Received{Type: d.now.kind, Head: d.head, Body: d.body, Release: d.release}
	if r.Release == nil {
		r.Release = func() {}
	}
	d.have, d.headOK, d.body, d.release = 0, false, nil, nil
	more := frame(r)
	if cap(d.head) > headStepMax {
		d.head = nil
	}
	return more
}

// drop gives back a body that did not become complete.
func (d *decoder) drop() {
	if d.release != nil {
		d.release()
	}
	d.body, d.release = nil, nil
}
