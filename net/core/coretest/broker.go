package coretest

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hindmq/hind/broker/clock"
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/net/core"
	"github.com/hindmq/hind/net/transport"
)

// Options of a Broker; the zero value is a broker on a free port of the loopback that lets everybody in.
type Options struct {
	Address   string            // "": 127.0.0.1:0
	NodeID    string            // "": a fixed one
	Transport string            // "gnet", "plain"; "": plain
	Authority session.Authority // nil: session.Everyone
	Shard     *shard.Options    // nil: shard.DefaultOptions
	Log       *slog.Logger      // nil: discarded
}

// Broker is a running broker.
type Broker struct {
	// Topology is what its clients are told; a test may publish something else.
	Topology *core.Board
	// Server is its protocol side.
	Server *core.Server

	transport *transport.Sockets
	acceptor  transport.Acceptor
	shard     *shard.Shard
	mailbox   *shard.Mailbox
	wake      chan struct{}
	stop      chan struct{}
	stopped   chan struct{}
}

// stepPeriod is how often the shard is stepped without a reason, for what depends on time.
const stepPeriod = 100 * time.Millisecond

// Start runs a broker until Close.
func Start(o Options) (*Broker, error) {
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	if o.NodeID == "" {
		o.NodeID = "0d6f1e5a-5b1c-4f6e-9a53-2f0c6b1d9e77"
	}
	if o.Transport == "" {
		o.Transport = "plain"
	}
	if o.Authority == nil {
		o.Authority = session.Everyone{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Shard == nil {
		defaults := shard.DefaultOptions()
		o.Shard = &defaults
	}
	b := &Broker{Topology: new(core.Board), wake: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{})}
	b.mailbox = shard.NewMailbox(16<<20, b.awake)
	b.shard = shard.New(b.mailbox, *o.Shard)
	host := session.NewHost(b.shard, o.Authority, session.DefaultOptions())
	b.Topology.Publish(core.Snapshot{Members: []core.Member{{NodeID: o.NodeID, EventUID: time.Now().UnixMilli()}}})
	b.Server = core.New(core.Options{Log: o.Log, Host: host, Topology: b.Topology})
	if err := b.shard.Activate(NewMemoryLog(), now()); err != nil {
		return nil, err
	}
	return b, b.open(o)
}

func (b *Broker) open(o Options) (err error) {
	if b.transport, err = transport.Open(o.Transport, transport.Options{Log: o.Log}); err != nil {
		return err
	}
	go b.run() // ends with Close, which waits for it
	limits := core.TransportLimits(transport.Limits{}, session.DefaultOptions())
	b.acceptor, err = b.transport.Listen(o.Address, transport.AcceptOptions{Accept: b.Server.Accept, Limits: limits})
	if err != nil {
		return errors.Join(fmt.Errorf("test broker: %w", err), b.Close())
	}
	return nil
}

// Addr is the host:port to connect to.
func (b *Broker) Addr() string { return b.acceptor.Addr() }

// Close cuts every connection off, as a broker that dies does, and ends the broker.
func (b *Broker) Close() error {
	if b.acceptor != nil {
		_ = b.acceptor.Close() // it is on its way out
	}
	b.Server.Close(core.FarewellAbort, transport.ErrShutdown)
	err := b.transport.Close()
	close(b.stop)
	<-b.stopped
	return err
}

func (b *Broker) awake() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// run is the shard's owner.
func (b *Broker) run() {
	defer close(b.stopped)
	tick := time.NewTicker(stepPeriod)
	defer tick.Stop()
	for {
		for b.shard.Step(now()) {
		}
		select {
		case <-b.wake:
		case <-tick.C:
		case <-b.stop:
			b.mailbox.Close()
			return
		}
	}
}

// now reads the clocks: a test broker is a run loop of its own.
func now() clock.Instant {
	t := time.Now()
	return clock.Instant{Boot: time.Duration(t.UnixNano()), Wall: t.UnixMilli()}
}
