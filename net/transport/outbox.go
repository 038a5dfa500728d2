package transport

import "sync"

// blockSize is the unit in which copied output is kept. Small enough that an idle connection with a little queued
// output costs little, large enough that a burst of small frames leaves in few vectors.
const blockSize = 16 << 10

// partCost limits how finely lent output may be cut: one queued part per partCost bytes of Limits.Outbound, so that
// the bookkeeping of many tiny parts is bounded too.
const partCost = 64

// blocks recycles output blocks among the connections of one transport.
type blocks struct{ pool sync.Pool }

type block struct {
	refs int // chunks that lie in it, plus one while it is the outbox's open block
	used int
	data [blockSize]byte
}

func (b *blocks) get() *block {
	if blk, ok := b.pool.Get().(*block); ok {
		blk.refs, blk.used = 0, 0
		return blk
	}
	return new(block)
}

// chunk is a run of bytes waiting to leave: a piece of a block, or lent.
type chunk struct {
	data    []byte
	home    *block // nil: lent
	release func() // of the last part of a Writev; nil otherwise
}

// outbox is the bounded queue of one connection's output. It has no lock: the connection's guards it. The bytes that
// peek returned may be read without the lock, until advance or drop.
type outbox struct {
	pool   *blocks
	limit  int
	chunks []chunk // chunks[head:] are queued
	head   int
	size   int    // bytes queued
	open   *block // where the next copied byte goes; nil: none
}

// full says whether n more bytes in the given number of parts pass the limit.
func (o *outbox) full(n, parts int) bool {
	return n > o.limit-o.size || len(o.chunks)-o.head+parts > o.limit/partCost+16
}

// put copies p. The caller asked full first.
func (o *outbox) put(p []byte) {
	o.size += len(p)
	for len(p) > 0 {
		if o.open == nil || o.open.used == blockSize {
			o.unref(o.open)
			o.open = o.pool.get()
			o.open.refs = 1
		}
		b := o.open
		start := b.used
		n := copy(b.data[start:], p)
		b.used += n
		p = p[n:]
		if last := len(o.chunks) - 1; last >= o.head && o.chunks[last].home == b {
			// The last chunk ends where this piece starts: make it longer. Whoever is sending its older bytes holds a
			// slice of his own.
			c := &o.chunks[last]
			c.data = c.data[:len(c.data)+n]
			continue
		}
		b.refs++
		// Full capacity up to the block's end, so that the chunk can be made longer in place.
		o.push(chunk{data: b.data[start:b.used], home: b})
	}
}

// lend queues parts without copying; release goes with the last byte.
func (o *outbox) lend(release func(), parts [][]byte) {
	last := len(parts) - 1
	for last >= 0 && len(parts[last]) == 0 {
		last--
	}
	for i, p := range parts[:last+1] {
		if len(p) == 0 {
			continue
		}
		c := chunk{data: p}
		if i == last {
			c.release = release
		}
		o.size += len(p)
		o.push(c)
	}
}

func (o *outbox) push(c chunk) {
	if o.head > 32 && o.head*2 > len(o.chunks) {
		n := copy(o.chunks, o.chunks[o.head:])
		clear(o.chunks[n:])
		o.chunks, o.head = o.chunks[:n], 0
	}
	o.chunks = append(o.chunks, c)
}

// peek appends the first queued vectors to dst, at most cap(dst) of them and about max bytes.
func (o *outbox) peek(dst [][]byte, max int) [][]byte {
	for i := o.head; i < len(o.chunks) && len(dst) < cap(dst) && max > 0; i++ {
		dst = append(dst, o.chunks[i].data)
		max -= len(o.chunks[i].data)
	}
	return dst
}

// advance takes n bytes off the front. It appends to done the releases that are due; the caller calls them without
// the lock.
func (o *outbox) advance(n int, done []func()) []func() {
	o.size -= n
	for o.head < len(o.chunks) {
		c := &o.chunks[o.head]
		if n < len(c.data) {
			c.data = c.data[n:]
			break
		}
		n -= len(c.data)
		done = o.pop(c, done)
	}
	if o.head == len(o.chunks) {
		o.chunks, o.head = o.chunks[:0], 0
		if o.open != nil && o.open.refs == 1 {
			o.unref(o.open)
			o.open = nil
		}
		if cap(o.chunks) > 1024 {
			o.chunks = nil
		}
	}
	return done
}

// drop forgets everything queued and returns the releases that are due.
func (o *outbox) drop() (done []func()) {
	for o.head < len(o.chunks) {
		done = o.pop(&o.chunks[o.head], done)
	}
	o.unref(o.open)
	o.chunks, o.head, o.size, o.open = nil, 0, 0, nil
	return done
}

func (o *outbox) pop(c *chunk, done []func()) []func() {
	o.unref(c.home)
	if c.release != nil {
		done = append(done, c.release)
	}
	*c = chunk{}
	o.head++
	return done
}

func (o *outbox) unref(b *block) {
	if b == nil {
		return
	}
	if b.refs--; b.refs == 0 {
		o.pool.pool.Put(b)
	}
}
