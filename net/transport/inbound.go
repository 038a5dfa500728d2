package transport

// readBufferSize is how much one read takes from the kernel at most.
const readBufferSize = 64 << 10

// inbound keeps what a handler did not consume. It belongs to the connection's loop.
type inbound struct {
	rest  []byte
	limit int
}

// offer returns everything that waits, data last. data itself is returned if nothing else waits, so a handler that
// consumes whole reads costs no copy.
func (in *inbound) offer(data []byte) []byte {
	if len(in.rest) == 0 {
		return data
	}
	in.rest = append(in.rest, data...)
	return in.rest
}

// keep stores what is left of offered after consumed bytes, and says whether it still may.
func (in *inbound) keep(offered []byte, consumed int, paused bool) error {
	left := offered[consumed:]
	if consumed == 0 && !paused && len(left) >= in.limit || len(left) >= in.limit+2*readBufferSize {
		in.rest = nil
		return ErrInboundFull
	}
	switch {
	case len(left) == 0 && cap(in.rest) > readBufferSize:
		in.rest = nil // a large frame passed: do not hold its memory for ever
	case len(in.rest) == 0:
		in.rest = append(in.rest[:0], left...)
	default: // offered is rest
		in.rest = in.rest[:copy(in.rest, left)]
	}
	return nil
}
