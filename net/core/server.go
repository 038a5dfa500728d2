package core

import (
	"log/slog"
	"sync"

	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core/wire"
	"github.com/hindmq/hind/net/remoting"
	"github.com/hindmq/hind/net/transport"
)

// Options are what a Server needs.
type Options struct {
	// Log gets a line for each connection that is closed for cause. Required.
	Log *slog.Logger
	// Host is the broker's side of sessions. Required.
	Host *session.Host
	// Topology is what clients are told about the pair. Required.
	Topology Topology
	// FrameSizeMax bounds one frame of an authenticated client, in bytes; 0 is wire.FrameSizeMaxDefault. The transport's
	// inbound limit must not be smaller.
	FrameSizeMax int
	// BatchSizeMax bounds what one connection gathers before it hands it over, in bytes; 0 is FrameSizeMax.
	BatchSizeMax int
	// SessionsMax bounds the sessions of one connection; 0 is SessionsMaxDefault. One more is refused.
	SessionsMax int
}

// SessionsMaxDefault is the number of sessions that one connection may have open. Pooled clients use some dozens.
const SessionsMaxDefault = 1000

// Server serves the CORE protocol on connections that an acceptor hands to Accept. Its methods may be called from any
// goroutine.
type Server struct {
	options Options
	log     *slog.Logger
	cancel  func() // ends the subscription to the topology

	mu struct {
		sync.Mutex
		conns  map[*conn]struct{}
		closed bool
	}
}

// New makes a server that is ready for Accept.
func New(options Options) *Server {
	if options.FrameSizeMax <= 0 {
		options.FrameSizeMax = wire.FrameSizeMaxDefault
	}
	if options.BatchSizeMax <= 0 {
		options.BatchSizeMax = options.FrameSizeMax
	}
	if options.SessionsMax <= 0 {
		options.SessionsMax = SessionsMaxDefault
	}
	s := &Server{options: options, log: options.Log}
	s.mu.conns = map[*conn]struct{}{}
	s.cancel = options.Topology.Subscribe(s.topologyChanged)
	return s
}

// Match says, for an acceptor that offers several protocols, whether a connection's first bytes are those of a CORE client.
func Match(first []byte) remoting.Verdict { return remoting.Prefix(wire.Handshake)(first) }

// Accept makes the handler of a new connection; nil after Close.
func (s *Server) Accept(transport.Conn) transport.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed {
		return nil
	}
	return &conn{server: s, channels: map[int64]*channel{}}
}

// Farewell is how a server parts from its clients.
type Farewell int

const (
	// FarewellSilent closes the sockets. Clients look for the other broker at once and keep what they know of this node.
	// It is the way of a handover: a DISCONNECT makes clients forget the node as of their own clock, and announcements
	// with the servers' clocks could then be ignored.
	FarewellSilent Farewell = iota
	// FarewellShutDown sends DISCONNECT first: the broker stops and says so.
	FarewellShutDown
	// FarewellAbort closes the sockets and drops what was still to be sent: of a broker that lost its role and must not
	// say another word.
	FarewellAbort
)

// Close parts from all clients and takes no new ones. reason is for the log and the transport. It does not wait for
// the connections' ends; their sessions are closed as those come.
func (s *Server) Close(how Farewell, reason error) {
	s.mu.Lock()
	already := s.mu.closed
	s.mu.closed = true
	conns := make([]*conn, 0, len(s.mu.conns))
	for c := range s.mu.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	if !already {
		s.cancel()
	}
	nodeID := s.nodeID()
	for _, c := range conns {
		switch how {
		case FarewellAbort:
			c.tc.Abort(reason)
			continue
		case FarewellShutDown:
			c.disconnect(nodeID)
		}
		c.tc.Close(reason)
	}
}

// Connections is how many connections are open.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mu.conns)
}

// nodeID is the broker's own node id: the first member's.
func (s *Server) nodeID() string {
	if members := s.options.Topology.Snapshot().Members; len(members) > 0 {
		return members[0].NodeID
	}
	return ""
}

// disconnect sends the last packet of a connection. A client whose handler meets a null node id there breaks, so a
// server that does not know its own sends none.
func (c *conn) disconnect(nodeID string) {
	if nodeID == "" {
		return
	}
	if err := c.send(channelPing, &wire.Disconnect{NodeID: nodeID, Reason: wire.DisconnectShutDown}); err != nil {
		c.log.Debug("no room for the DISCONNECT", "error", err.Error())
	}
}

func (s *Server) add(c *conn) {
	s.mu.Lock()
	closed := s.mu.closed
	s.mu.conns[c] = struct{}{}
	s.mu.Unlock()
	if closed { // Close came between Accept and Opened
		c.tc.Close(transport.ErrShutdown)
	}
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mu.conns, c)
}

// subscribedConns are the connections that want to hear of the topology.
func (s *Server) subscribedConns() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var conns []*conn
	for c := range s.mu.conns {
		if c.subscribed.Load() {
			conns = append(conns, c)
		}
	}
	return conns
}
