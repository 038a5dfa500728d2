package broker

import (
	"errors"
	"log/slog"

	"github.com/hindmq/hind/broker/ha"
	"github.com/hindmq/hind/broker/session"
)

// Lane says how a frame travels on a link of the pair port: words and acknowledgements may overtake the others, which keep
// their order.
type Lane uint8

// The lanes.
const (
	LaneWord      Lane = 1 + iota // of the role machine
	LaneAck                       // of the follower
	LaneManifest                  // about files
	LaneControl                   // between pages
	LanePages                     // live pages
	LaneFilePages                 // pages read from files
)

// Frame is what the node sends. Body is lent until Release (may be nil), which is called exactly once, from any goroutine.
type Frame struct {
	Lane    Lane
	Head    []byte
	Body    []byte
	Release func()
}

// ErrLinkFull: the link takes no more bulk frames now; Node.LinkDrained follows.
var ErrLinkFull = errors.New("broker: the link is full")

// Env is what a node asks of the outside. The node's owner calls it; nothing here may block or call back into Step.
type Env interface {
	// Dial connects to a peer's pair port once; LinkUp, or Post of ha.Refused or ha.Unreachable, follows.
	Dial(peer ha.Peer)
	// Send queues a frame on a link. ErrLinkFull: not taken, Release is not called and the frame may be sent again. Any
	// other error: the link is ending, and Release is called.
	Send(link ha.Link, f Frame) error
	// CloseLink ends a link after what was sent before; LinkDown follows.
	CloseLink(link ha.Link, why string)

	// OpenClients opens the client acceptors, whose sessions are made by host. An error is told to the operator's log and
	// tried again by the Env, not by the node.
	OpenClients(host *session.Host)
	// CloseClients closes the acceptors and all client connections.
	CloseClients()
	// Topology publishes who serves and who stands by.
	Topology(t Topology)

	// Random gives 64 random bits that nobody can guess.
	Random() uint64
	// Log is where lines for people go.
	Log() *slog.Logger
}

// Topology is what clients are told: the active broker's place and, where the pair has another member, the other one's.
type Topology struct {
	NodeID   ha.NodeID
	EventUID int64 // rises with every change and over every activation
	Active   bool  // this broker serves
	Peer     bool  // another broker belongs to the pair: publish the configured one as backup
}
