package core

import (
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core/wire"
)

// A client with a confirmation window keeps what it sent until the server says that it was processed. The loop counts
// the packets of a channel as they come; the next request that has an answer carries the count to the shard, and when
// that answer comes, what it carried has been processed: answers keep the order of requests, and those to durable work
// wait until it is safe.

// A note is the count in a session.Tag: packets and bytes, and one mark.
const (
	noteQuiet     = 1 << 62 // the client wants no response, but we want to hear of a failure
	notePackets   = 40      // the number of packets is above the number of bytes
	noteBytesMask = 1<<notePackets - 1
	notePacketMax = 1<<21 - 1
)

// count is packets that no request has carried yet.
type count struct {
	packets, bytes int64
}

func (c *count) add(size int) {
	if c.packets < notePacketMax { // a client that sends millions of packets that ask for nothing gets them confirmed late
		c.packets++
		c.bytes = min(c.bytes+int64(size), noteBytesMask)
	}
}

// take is the count as a note.
func (c *count) take() int64 {
	note := c.packets<<notePackets | c.bytes
	*c = count{}
	return note
}

// confirmation is the shard's side of a channel with a window.
type confirmation struct {
	window int64 // bytes after which the client hears of it
	bytes  int64 // processed and not confirmed
	last   int32 // id of the last packet processed, from 0; -1 before
}

// processed takes the packets that came with an answer. It says whether the window is reached.
func (c *confirmation) processed(note int64) bool {
	c.last += int32(note >> notePackets & notePacketMax)
	c.bytes += note & noteBytesMask
	return c.bytes >= c.window && c.bytes > 0
}

// confirm counts the packets that an answer stands for and confirms them when it is time. It comes after the answer:
// a client takes a confirmed send for done.
func (o *outlet) confirm(a *session.Answer) {
	c := o.confirmations[a.Tag.Channel]
	if c == nil || a.Op == session.OpOpenSession {
		return
	}
	if a.Op == session.OpCloseSession {
		delete(o.confirmations, a.Tag.Channel)
		return
	}
	if c.processed(a.Tag.Note) {
		o.tellConfirmed(a.Tag.Channel, c)
	}
}

func (o *outlet) tellConfirmed(channel int64, c *confirmation) {
	c.bytes = 0
	o.append(channel, &wire.PacketsConfirmed{CommandID: c.last})
}

// confirmRest confirms what came before the end of the session.
func (o *outlet) confirmRest(channel int64) {
	if c := o.confirmations[channel]; c != nil && c.bytes > 0 {
		o.tellConfirmed(channel, c)
	}
}
