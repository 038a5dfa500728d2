package server

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hindmq/hind/broker"
	"github.com/hindmq/hind/broker/config"
	"github.com/hindmq/hind/broker/ha"
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/net/core"
	"github.com/hindmq/hind/net/core/wire"
	"github.com/hindmq/hind/net/remoting"
	"github.com/hindmq/hind/net/replication"
	"github.com/hindmq/hind/net/transport"
)

// env is the node's outside.
type env struct {
	s     *Server
	links atomic.Uint64
	doors *doors

	mu struct {
		sync.Mutex
		open map[ha.Link]*link
	}
}

var _ broker.Env = (*env)(nil)

func newEnv(s *Server) *env {
	e := &env{s: s}
	e.mu.open = map[ha.Link]*link{}
	e.doors = newDoors(s)
	return e
}

func (e *env) close() { e.doors.close() }

// Dial implements broker.Env.
func (e *env) Dial(peer ha.Peer) {
	target := e.s.o.Config.Peers()[peer]
	l := e.newLink(peer)
	e.s.port.Dial(target.Pair.String(), dialTimeout, l, func(err error) {
		e.s.log.Debug("the peer's pair port", "peer", target.Name, "error", err)
		if replication.Refused(err) {
			e.s.node.Post(ha.Refused{Peer: peer})
			return
		}
		e.s.node.Post(ha.Unreachable{Peer: peer})
	})
}

// dialTimeout bounds one attempt; the role machine repeats it.
const dialTimeout = time.Second

func (e *env) newLink(peer ha.Peer) *link { return &link{env: e, peer: peer} }

func (e *env) find(id ha.Link) *link {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mu.open[id]
}

var frameTypes = map[broker.Lane]replication.FrameType{
	broker.LaneWord: replication.TypeWord, broker.LaneAck: replication.TypeAck, broker.LaneManifest: replication.TypeManifest,
	broker.LaneControl: replication.TypeControl, broker.LanePages: replication.TypePages, broker.LaneFilePages: replication.TypeFilePages,
}

// Send implements broker.Env.
func (e *env) Send(id ha.Link, f broker.Frame) error {
	l := e.find(id)
	if l == nil {
		if f.Release != nil {
			f.Release()
		}
		return transport.ErrClosed
	}
	out := replication.Frame{Type: frameTypes[f.Lane], Head: f.Head}
	if len(f.Body) > 0 {
		out.Body = [][]byte{f.Body}
	}
	if f.Release == nil {
		return sent(l.out.Send(out))
	}
	// A link releases what it does not take; a frame that only found no room is the node's to send again.
	var state atomic.Int32
	out.Release = func() {
		if !state.CompareAndSwap(frameSending, frameReleased) {
			f.Release()
		}
	}
	err := sent(l.out.Send(out))
	if err != broker.ErrLinkFull && !state.CompareAndSwap(frameSending, frameTaken) {
		f.Release()
	}
	return err
}

// What became of a frame while it was being sent.
const (
	frameSending int32 = iota
	frameReleased
	frameTaken
)

func sent(err error) error {
	if errors.Is(err, replication.ErrBulkFull) {
		return broker.ErrLinkFull
	}
	return err
}

// CloseLink implements broker.Env.
func (e *env) CloseLink(id ha.Link, why string) {
	if l := e.find(id); l != nil {
		l.out.Close(errors.New(why))
	}
}

// Random implements broker.Env.
func (e *env) Random() uint64 {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(fmt.Sprintf("the kernel gives no random bytes: %v", err))
	}
	return binary.LittleEndian.Uint64(b[:])
}

// Log implements broker.Env.
func (e *env) Log() *slog.Logger { return e.s.log }

// OpenClients implements broker.Env.
func (e *env) OpenClients(host *session.Host) { e.doors.set(host) }

// CloseClients implements broker.Env. In a pair the acceptors are closed before it returns: the node ends its clients'
// sessions next, and a client that is cut off while an acceptor is open gets in again, to a broker that hangs up, and sits
// out its call time-out.
func (e *env) CloseClients() {
	if f := e.doors.take(); f != nil && e.s.o.Config.HA.Policy == config.Replication {
		f.door.CutOff(errNoService)
	}
	e.doors.set(nil)
}

// errNoService is what clients' connections end with.
var errNoService = errors.New("the broker no longer serves clients")

// Topology implements broker.Env.
func (e *env) Topology(t broker.Topology) {
	c := e.s.o.Config
	m := core.Member{NodeID: uuidText(t.NodeID), EventUID: t.EventUID}
	if t.Peer {
		self, peers := c.Self(), c.Peers()
		m.Primary = wire.Some(wire.TCPConnector("self", self.Host, strconv.Itoa(self.Port)))
		m.Backup = wire.Some(wire.TCPConnector(peers[0].Name, peers[0].Client.Host, strconv.Itoa(peers[0].Client.Port)))
	}
	e.s.board.Publish(core.Snapshot{Members: []core.Member{m}})
}

// uuidText writes a node id as Artemis does.
func uuidText(id ha.NodeID) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

// link hands what one connection of the pair port brings to the node.
type link struct {
	env  *env
	peer ha.Peer
	id   ha.Link
	out  *replication.Link
	held atomic.Int64 // bytes that the node has not released yet
}

// heldMax is how much of one link may wait for the node before the peer is paused.
const heldMax = 8 << 20

// LinkOpened implements replication.LinkHandler.
func (l *link) LinkOpened(out *replication.Link) {
	l.out, l.id = out, ha.Link(l.env.links.Add(1))
	l.env.mu.Lock()
	l.env.mu.open[l.id] = l
	l.env.mu.Unlock()
	l.env.s.node.LinkUp(l.id, l.peer)
}

var lanes = map[replication.FrameType]broker.Lane{
	replication.TypeWord: broker.LaneWord, replication.TypeAck: broker.LaneAck, replication.TypeManifest: broker.LaneManifest,
	replication.TypeControl: broker.LaneControl, replication.TypePages: broker.LanePages, replication.TypeFilePages: broker.LaneFilePages,
}

// FrameReceived implements replication.LinkHandler.
func (l *link) FrameReceived(out *replication.Link, f replication.Received) {
	size := int64(len(f.Head) + len(f.Body))
	if l.held.Add(size) > heldMax {
		out.PauseReceive()
		if l.held.Load() <= heldMax/2 { // the node was faster than the pause
			out.ResumeReceive()
		}
	}
	head := append(make([]byte, 0, len(f.Head)), f.Head...)
	l.env.s.node.Receive(l.id, broker.Frame{Lane: lanes[f.Type], Head: head, Body: f.Body, Release: func() {
		if f.Release != nil {
			f.Release()
		}
		if left := l.held.Add(-size); left <= heldMax/2 && left+size > heldMax/2 {
			out.ResumeReceive()
		}
	}})
}

// LinkDrained implements replication.LinkHandler.
func (l *link) LinkDrained(*replication.Link) {
	l.env.s.node.LinkDrained(l.id)
}

// LinkClosed implements replication.LinkHandler.
func (l *link) LinkClosed(_ *replication.Link, err error) {
	l.env.mu.Lock()
	delete(l.env.mu.open, l.id)
	l.env.mu.Unlock()
	l.env.s.log.Info("pair link closed", "link", uint64(l.id), "reason", err)
	l.env.s.node.LinkDown(l.id)
}

// doors opens and closes the client acceptors in the order in which the node asked, on a goroutine of its own, since
// binding and parting take time.
type doors struct {
	s    *Server
	wake chan struct{}
	done chan struct{}
	mu   struct {
		sync.Mutex
		want   *session.Host
		open   *front // what stands open, until somebody closes it
		closed bool
	}
}

func newDoors(s *Server) *doors {
	d := &doors{s: s, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go d.run() // owner: env; ends at close, which waits
	return d
}

// set says which host clients are to be served by; nil: none.
func (d *doors) set(host *session.Host) {
	d.mu.Lock()
	d.mu.want = host
	d.mu.Unlock()
	d.poke()
}

// take is what stands open; the caller begins to close it.
func (d *doors) take() *front {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.mu.open
	d.mu.open = nil
	return f
}

func (d *doors) poke() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *doors) close() {
	d.mu.Lock()
	d.mu.want, d.mu.closed = nil, true
	d.mu.Unlock()
	d.poke()
	<-d.done
}

// openRetry is how long after a failed opening the next attempt follows.
const openRetry = 200 * time.Millisecond

func (d *doors) run() {
	defer close(d.done)
	var door *front
	var served *session.Host
	retry := time.NewTimer(time.Hour)
	defer retry.Stop()
	for {
		d.mu.Lock()
		want, closed := d.mu.want, d.mu.closed
		d.mu.Unlock()
		if door != nil && want != served {
			d.take()
			d.part(door)
			door, served = nil, nil
		}
		if closed {
			return
		}
		if want != nil && door == nil {
			var err error
			if door, err = d.open(want); err != nil {
				d.s.log.Error("client acceptors cannot be opened; trying again", "error", err)
				retry.Reset(openRetry)
			} else {
				served = want
				d.mu.Lock()
				d.mu.open = door
				d.mu.Unlock()
			}
		}
		select {
		case <-d.wake:
		case <-retry.C:
		}
	}
}

// part ends the clients' connections. A broker without a partner says that it stops; one of a pair says nothing: its clients
// keep what they know of the node and look for the other broker.
func (d *doors) part(f *front) {
	if d.s.o.Config.HA.Policy != config.Replication {
		<-f.door.Close(errNoService, partGrace)
		return
	}
	ended := f.door.CutOff(errNoService) // the acceptors first: a client that is cut off must not get in again
	f.server.Close(core.FarewellAbort, errNoService)
	<-ended
}

const partGrace = time.Second

// front is one opening of the acceptors.
type front struct {
	door   *remoting.Door
	server *core.Server
}

func (d *doors) open(host *session.Host) (*front, error) {
	server := core.New(core.Options{Log: d.s.log, Host: host, Topology: &d.s.board})
	o := remoting.Options{Transport: d.s.transport, Log: d.s.log}
	for _, a := range d.s.o.Config.Acceptors {
		o.Acceptors = append(o.Acceptors, remoting.AcceptorOptions{Name: a.Name, Address: fmt.Sprintf("%s:%d", a.Host, a.Port),
			Limits: clientLimits(a.Transport), Protocols: []remoting.Protocol{coreProtocol(server)}})
	}
	door, err := remoting.Open(o)
	if err != nil {
		server.Close(core.FarewellAbort, err)
		return nil, err
	}
	for _, a := range d.s.o.Config.Acceptors {
		d.s.log.Info("clients may connect", "acceptor", a.Name, "address", door.Addr(a.Name))
	}
	return &front{door, server}, nil
}
