package broker

import (
	"sync"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/broker/ha"
)

// inbox is what happened outside, in order. It has no limit of its own because its sources have one: links pause their
// peer while their frames wait here, the engine has as many completions as the journal has writes in flight.
type inbox struct {
	wake func()
	mu   struct {
		sync.Mutex
		closed bool
		items  []item
		done   []aio.Completion
	}
}

// item is one entry; exactly one of event, link frame and call is set.
type item struct {
	event   ha.Event
	frame   *received
	drained ha.Link
	call    func(*Node)
}

// received is a frame from the peer.
type received struct {
	link    ha.Link
	lane    Lane
	head    []byte
	body    []byte
	release func()
}

func (b *inbox) post(it item) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.closed {
		return false
	}
	b.mu.items = append(b.mu.items, it)
	b.wake()
	return true
}

// completed is the engine's sink.
func (b *inbox) completed(cs []aio.Completion) {
	b.mu.Lock()
	b.mu.done = append(b.mu.done, cs...)
	b.mu.Unlock()
	b.wake()
}

// take swaps what waits against emptied slices.
func (b *inbox) take(items []item, done []aio.Completion) ([]item, []aio.Completion) {
	clear(items)
	b.mu.Lock()
	defer b.mu.Unlock()
	items, b.mu.items = b.mu.items, items[:0]
	done, b.mu.done = b.mu.done, done[:0]
	return items, done
}

func (b *inbox) waiting() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.mu.items) > 0 || len(b.mu.done) > 0
}

// close refuses everything from now on and releases what waits.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.closed = true
	for _, it := range b.mu.items {
		if it.frame != nil && it.frame.release != nil {
			it.frame.release()
		}
	}
	b.mu.items = nil
}
