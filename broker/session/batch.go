package session

import (
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/shard"
)

// command is one request as it waits in a batch. Which fields are used, the method that makes it says.
type command struct {
	op      Op
	flag    bool
	session *Session // nil: of the connection
	tag     Tag
	id      int64 // consumer
	number  int64
	text    string
	text2   string
	message *message.Message
	queue   *QueueOptions
	refusal *Error
}

// batch is what a connection gathered in one read callback.
type batch struct {
	conn     *Conn
	commands []command
	next     int // commands[:next] have run
}

func (h *Host) newBatch(c *Conn) *batch {
	b, ok := h.batches.Get().(*batch)
	if !ok {
		b = &batch{}
	}
	b.conn = c
	return b
}

// batchKeptMax is the largest batch, in commands, that is kept for reuse.
const batchKeptMax = 4096

func (h *Host) recycle(b *batch) {
	if cap(b.commands) > batchKeptMax {
		return
	}
	clear(b.commands)
	b.commands, b.conn, b.next = b.commands[:0], nil, 0
	h.batches.Put(b)
}

// roomWaiter passes the mailbox's word on to the outlet.
type roomWaiter struct{ conn *Conn }

func (w roomWaiter) Room() { w.conn.room() }

// writable, gone: see Conn.Writable and Conn.Close.
type (
	writable struct{ conn *Conn }
	gone     struct{ conn *Conn }
)

var (
	_ shard.Work = (*batch)(nil)
	_ shard.Work = writable{}
	_ shard.Work = gone{}
)
