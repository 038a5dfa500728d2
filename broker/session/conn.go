package session

import (
	"sync"

	"github.com/hindmq/hind/broker/shard"
)

// Options limit what connections may do.
type Options struct {
	OutboundHighWater int // bytes queued in an outlet at which deliveries to it stop
	BatchSizeMax      int // bytes a connection gathers at most before it must post
	SessionsMax       int // of one connection
	ConsumersMax      int // of one session
	TransactionMax    int // bytes that one open transaction may hold
}

// DefaultOptions are the limits of a broker that is not told otherwise.
func DefaultOptions() Options {
	return Options{
		OutboundHighWater: 1 << 20,
		BatchSizeMax:      1 << 20,
		SessionsMax:       10_000,
		ConsumersMax:      10_000,
		TransactionMax:    64 << 20,
	}
}

// Host makes the connections of one broker. Connect may be called from any goroutine.
type Host struct {
	mailbox   *shard.Mailbox
	authority Authority
	options   Options
	batches   sync.Pool

	owner hostState // belongs to the shard's owner
}

// NewHost makes the host of a shard, which tells it when it ends. Call it before the shard steps.
func NewHost(sh *shard.Shard, authority Authority, o Options) *Host {
	h := &Host{mailbox: sh.Mailbox(), authority: authority, options: o}
	h.owner = hostState{shard: sh, sessions: map[string]*Session{}, metadata: map[metadata]int{}}
	sh.SetEnder(h)
	return h
}

// Conn is one connection of a client. Its methods belong to the connection's event loop.
type Conn struct {
	host   *Host
	outlet Outlet
	batch  *batch
	size   int // bytes gathered
	closed bool

	owner connState // belongs to the shard's owner
}

// Connect makes a connection whose answers go to outlet. Nothing is told to the shard yet.
func (h *Host) Connect(outlet Outlet) *Conn {
	c := &Conn{host: h, outlet: outlet}
	c.batch = h.newBatch(c)
	return c
}

// Session is one session of a connection, or, after a failed open, a name whose requests all fail. Its methods belong
// to the connection's event loop.
type Session struct {
	conn    *Conn
	options SessionOptions
	who     Identity // nil: the user was refused

	owner sessionState // belongs to the shard's owner
}

// OpenSession authenticates the user and asks for a session. The session may be used at once: its requests wait behind
// the open and fail if it fails.
func (c *Conn) OpenSession(o SessionOptions, tag Tag) *Session {
	s := &Session{conn: c, options: o}
	var refusal *Error
	who, err := c.host.authority.Authenticate(o.User, o.Password)
	s.options.Password = ""
	if err != nil {
		refusal = securityError(err)
	} else {
		s.who = who
	}
	c.add(command{op: OpOpenSession, session: s, tag: tag, refusal: refusal})
	return s
}

// CloseNamed closes the session of that name wherever its connection is, as after a failover when a client asks to
// reattach: the answer comes when its consumers, its exclusivity and its client id are free.
func (c *Conn) CloseNamed(name string, tag Tag) {
	c.add(command{op: OpCloseNamed, tag: tag, text: name})
}

// Pending is the size in bytes of what was gathered and not yet posted; at Options.BatchSizeMax the protocol should
// post before it decodes more.
func (c *Conn) Pending() int { return c.size }

// Post hands the gathered commands over; call it once at the end of a read callback. shard.ErrFull: the batch is kept;
// stop reading from the peer until Outlet.Notify brings EventRoom (on the owner's goroutine), then call Post again.
// shard.ErrClosed: the broker has ended; close the connection.
func (c *Conn) Post() error {
	if len(c.batch.commands) == 0 || c.closed {
		return nil
	}
	if err := c.host.mailbox.Post(c.batch, c.size, roomWaiter{c}); err != nil {
		return err
	}
	c.batch, c.size = c.host.newBatch(c), 0
	return nil
}

// Writable says that the outbound buffer, which had reached the high water, is low again: deliveries go on.
func (c *Conn) Writable() {
	if !c.closed {
		_ = c.host.mailbox.PostOwn(writable{c}) // closed: there is nobody to deliver
	}
}

// Close says that the peer is gone: what was gathered but not posted is dropped, all sessions are closed as failed
// (transactions rolled back, unacknowledged messages returned with their delivery counted), temporary queues deleted.
// The outlet is not called any more once the owner has run it. Calling it again does nothing.
func (c *Conn) Close() {
	if c.closed {
		return
	}
	c.closed = true
	c.host.recycle(c.batch)
	c.batch = nil
	_ = c.host.mailbox.PostAlways(gone{c}) // closed: the broker has ended, and the state with it
}

// add appends one command.
func (c *Conn) add(cmd command) {
	if c.closed {
		return
	}
	c.batch.commands = append(c.batch.commands, cmd)
	c.size += commandSize
	if cmd.message != nil {
		c.size += cmd.message.EncodeSize()
	}
}

// commandSize is about what a command without its message takes.
const commandSize = 128
