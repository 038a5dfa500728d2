package remoting

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hindmq/hind/net/transport"
)

// PrefixMax is how many first bytes a protocol may ask to see.
const PrefixMax = 64

// ErrUnknownProtocol closes a connection whose first bytes belong to none of the acceptor's protocols.
var ErrUnknownProtocol = errors.New("the first bytes belong to no protocol of this acceptor")

// Verdict is what a protocol says about the first bytes of a connection.
type Verdict uint8

const (
	No   Verdict = iota // another protocol's
	More                // cannot tell yet
	Yes                 // mine
)

// Protocol is one that an acceptor offers. Its functions are called from the loops of connections, several at a time.
type Protocol struct {
	Name string
	// Match looks at the first bytes (at least one). More counts as No once PrefixMax bytes are there.
	Match func(first []byte) Verdict
	// Accept makes the handler of a connection whose first bytes match; nil refuses it.
	Accept func(c transport.Conn) transport.Handler
	// Farewell, if set, parts from all the protocol's connections, of whatever Door. Close calls it once no new ones can
	// come.
	Farewell func(reason error)
}

// Prefix returns a Match for protocols that begin with a fixed text.
func Prefix(text string) func(first []byte) Verdict {
	return func(first []byte) Verdict {
		switch n := min(len(first), len(text)); {
		case string(first[:n]) != text[:n]:
			return No
		case n < len(text):
			return More
		}
		return Yes
	}
}

// detect asks the protocols in order; the first Yes wins, but not before those ahead of it have decided.
func detect(protocols []Protocol, first []byte) (*Protocol, Verdict) {
	full := len(first) >= PrefixMax
	for i := range protocols {
		switch protocols[i].Match(first[:min(len(first), PrefixMax)]) {
		case Yes:
			return &protocols[i], Yes
		case More:
			if !full {
				return nil, More
			}
		}
	}
	return nil, No
}

// connection is the handler of a client's connection. It stands between the transport and the protocol until the
// protocol is known, and keeps the Door's book afterwards.
type connection struct {
	door     *Door
	acceptor *acceptor
	conn     transport.Conn
	inner    transport.Handler // nil until detected
}

// Opened implements transport.Handler.
func (c *connection) Opened(conn transport.Conn) {
	c.conn = conn
	c.door.add(c)
}

// Received implements transport.Handler.
func (c *connection) Received(conn transport.Conn, data []byte) int {
	if c.inner != nil {
		return c.inner.Received(conn, data)
	}
	p, verdict := detect(c.acceptor.options.Protocols, data)
	if verdict == More {
		return 0
	}
	if verdict == No {
		conn.Close(fmt.Errorf("%s: %w: it begins with %q; this acceptor speaks %s", conn.RemoteAddr(),
			ErrUnknownProtocol, data[:min(len(data), 16)], c.acceptor.speaks()))
		return len(data)
	}
	inner := p.Accept(conn)
	if inner == nil {
		conn.Close(fmt.Errorf("%s: %w: protocol %s takes no connections now", conn.RemoteAddr(), ErrClosing, p.Name))
		return len(data)
	}
	c.door.named(c, p.Name)
	c.inner = inner
	inner.Opened(conn)
	return inner.Received(conn, data)
}

// Drained implements transport.Drainer.
func (c *connection) Drained(conn transport.Conn) {
	if d, ok := c.inner.(transport.Drainer); ok {
		d.Drained(conn)
	}
}

// Closed implements transport.Handler.
func (c *connection) Closed(conn transport.Conn, err error) {
	// The book first, so that a panicking protocol cannot leave an entry behind; what waits for the book to be empty
	// is told last.
	defer c.door.gone(c)
	if c.inner != nil {
		c.inner.Closed(conn, err)
		return
	}
	if errors.Is(err, ErrUnknownProtocol) || errors.Is(err, transport.ErrHandshakeTimeout) {
		c.acceptor.unknown.log(c.door.log, c.acceptor.options.Name, err)
	}
}

func (a *acceptor) speaks() string {
	names := make([]string, len(a.options.Protocols))
	for i, p := range a.options.Protocols {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}
