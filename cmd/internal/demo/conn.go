package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/hindmq/hind/net/core/wire"
)

// conn is one connection with one session that commits by itself: as little of the protocol as the demonstration needs.
// One goroutine uses it.
type conn struct {
	nc      net.Conn
	in      *bufio.Reader
	frame   []byte
	out     []byte
	number  int64 // of the latest send
	release func() bool
}

const (
	channelConnection = 1
	channelSession    = 10

	frameSizeMax = 512 << 10
	dialWait     = time.Second
	answerWait   = 10 * time.Second // a broker that says nothing that long is left
)

// refusal is an EXCEPTION of the broker.
type refusal struct {
	code wire.Code
	text string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("refused by the broker: %s (code %d)", r.text, r.code)
}

// dial opens the connection and its session. When ctx ends the connection is closed under whoever uses it.
func dial(ctx context.Context, addr, name string) (*conn, error) {
	d := net.Dialer{Timeout: dialWait}
	nc, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &conn{nc: nc, in: bufio.NewReaderSize(nc, 64<<10)}
	c.release = context.AfterFunc(ctx, func() { _ = nc.Close() })
	c.out = append(c.out, wire.Handshake...)
	c.add(0, &wire.Ping{TTL: -1}) // the broker shall not part from a client that has nothing to say
	c.add(channelConnection, &wire.CreateSession{Name: name, Channel: channelSession, Version: wire.VersionMax, AutoCommitSends: true,
		AutoCommitAcks: true, ConfirmationWindow: -1})
	if err := c.await(func(p wire.Packet) bool { _, ok := p.(*wire.CreateSessionResponse); return ok }); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *conn) close() {
	c.release()
	_ = c.nc.Close() // nothing is expected of it any more
}

// add puts a packet into the outbound buffer.
func (c *conn) add(channel int64, p wire.Packet) {
	c.out = wire.Append(c.out, channel, p, wire.VersionMax)
}

func (c *conn) flush() error {
	_, err := c.nc.Write(c.out)
	c.out = c.out[:0]
	return err
}

// read waits for the next packet; what it returns is good until the next read.
func (c *conn) read() (wire.Packet, error) {
	head, err := c.in.Peek(wire.LengthSize)
	if err != nil {
		return nil, err
	}
	_, _, need, err := wire.Split(head, frameSizeMax)
	if err != nil {
		return nil, err
	}
	if cap(c.frame) < need { // need is at most frameSizeMax
		c.frame = make([]byte, need)
	}
	c.frame = c.frame[:need]
	if _, err := io.ReadFull(c.in, c.frame); err != nil {
		return nil, err
	}
	f, _, _, err := wire.Split(c.frame, frameSizeMax)
	if err != nil {
		return nil, err
	}
	p, err := wire.Decode(f, wire.VersionMax)
	if e, ok := p.(*wire.Exception); ok {
		return nil, &refusal{e.Code, e.Message.Value}
	}
	if _, ok := p.(*wire.Disconnect); ok {
		return nil, errors.New("the broker ends the connection")
	}
	return p, err
}

// await flushes and reads until done says yes.
func (c *conn) await(done func(wire.Packet) bool) error {
	if err := c.nc.SetDeadline(time.Now().Add(answerWait)); err != nil {
		return err
	}
	if err := c.flush(); err != nil {
		return err
	}
	for {
		p, err := c.read()
		if err != nil {
			return err
		}
		if done(p) {
			return c.nc.SetDeadline(time.Time{})
		}
	}
}

// send sends a message and waits until the broker has confirmed it. That the broker has its duplicate id already is a
// confirm too: an earlier attempt succeeded.
func (c *conn) send(encoded []byte) error {
	c.number++
	c.add(channelSession, &wire.Send{Message: encoded, RequiresResponse: true, Correlation: c.number})
	err := c.await(func(p wire.Packet) bool {
		r, ok := p.(*wire.NullResponse)
		return ok && r.Correlation == c.number
	})
	var r *refusal
	if errors.As(err, &r) && r.code == wire.CodeDuplicateID {
		return nil
	}
	return err
}

// subscribe starts a consumer without a limit.
func (c *conn) subscribe(queue string) error {
	c.add(channelSession, &wire.CreateConsumer{ID: 0, Queue: queue, RequiresResponse: true})
	if err := c.await(func(p wire.Packet) bool { _, ok := p.(*wire.QueueQueryResponse); return ok }); err != nil {
		return err
	}
	c.add(channelSession, &wire.Start{})
	c.add(channelSession, &wire.ConsumerCredits{Consumer: 0, Credits: -1})
	return c.flush()
}

// acknowledge puts an acknowledgement into the outbound buffer; its answer is a NullResponse, in order.
func (c *conn) acknowledge(id int64) {
	c.add(channelSession, &wire.Acknowledge{Consumer: 0, Message: id, RequiresResponse: true})
}

// idle says that nothing more can be read without waiting.
func (c *conn) idle() bool { return c.in.Buffered() == 0 }
