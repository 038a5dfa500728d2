package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/broker"
	"github.com/hindmq/hind/broker/clock"
	"github.com/hindmq/hind/broker/config"
	"github.com/hindmq/hind/broker/ha"
	"github.com/hindmq/hind/net/core"
	"github.com/hindmq/hind/net/replication"
	"github.com/hindmq/hind/net/transport"
)

// Options of a server.
type Options struct {
	Config    *config.Config
	Init      bool          // found a pair without its backup (--init)
	Admin     string        // host:port of the admin port; empty: none
	Transport string        // "gnet" or "plain"; empty: gnet
	Engine    string        // overrides the configuration's; empty: as configured
	Lease     time.Duration // 0: the role machine's default
	Log       *slog.Logger
	Progress  func(done, total int64) // of zero-filling the journal; may be nil
}

// Server is one broker of this process.
type Server struct {
	o         Options
	log       *slog.Logger
	node      *broker.Node
	transport transport.Transport
	port      *replication.PairPort
	listening transport.Acceptor // of the pair port
	engine    aio.Engine
	choice    *aio.Choice
	pool      *aio.Pool
	board     core.Board
	env       *env
	admin     *admin
	halted    chan struct{}
}

// Open binds the pair port and the admin port and makes the node. Run then starts it. Close a server that is not run.
func Open(o Options) (s *Server, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s = &Server{o: o, log: o.Log, halted: make(chan struct{})}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	kind := o.Transport
	if kind == "" {
		kind = "gnet"
	}
	if s.transport, err = transport.Open(kind, transport.Options{Log: o.Log}); err != nil {
		return s, err
	}
	s.env = newEnv(s)
	if err := s.openDisk(); err != nil {
		return s, err
	}
	options, err := s.nodeOptions()
	if err != nil {
		return s, err
	}
	if s.node, err = broker.New(options); err != nil {
		return s, err
	}
	// The node is there before a peer can reach it; it reads the journal only when it runs.
	if err := s.openPairPort(); err != nil {
		return s, err
	}
	if o.Admin != "" {
		if s.admin, err = openAdmin(s, o.Admin); err != nil {
			return s, err
		}
	}
	return s, nil
}

// openPairPort binds the pair port of a broker that has a partner, before anything else happens.
func (s *Server) openPairPort() error {
	c := s.o.Config
	if c.HA.Policy != config.Replication {
		return nil
	}
	key, err := replication.DeriveKey(c.Cluster.User, c.Cluster.Password)
	if err != nil {
		return err
	}
	var process replication.ProcessID
	if _, err := rand.Read(process[:]); err != nil {
		return fmt.Errorf("random bytes: %w", err)
	}
	if s.port, err = replication.New(replication.Options{Transport: s.transport, Key: key, Name: c.Name, Process: process, Log: s.log}); err != nil {
		return err
	}
	s.listening, err = s.port.Listen(c.PairListen().String(), func() replication.LinkHandler { return s.env.newLink(ha.Accepted) })
	return err
}

// openDisk chooses the engine and makes the buffers.
func (s *Server) openDisk() error {
	c := s.o.Config
	fs := aio.NewOS(aio.OSOptions{})
	dir := c.JournalDir()
	if err := fs.MkdirAll(dir); err != nil {
		return fmt.Errorf("journal directory: %w", err)
	}
	name := s.o.Engine
	if name == "" {
		name = string(c.Journal.Engine)
	}
	begun := time.Now()
	var err error
	s.engine, s.choice, err = aio.Choose(name, aio.ChooseOptions{FS: fs, Dir: dir, Clock: func() time.Duration { return time.Since(begun) }})
	if err != nil {
		return fmt.Errorf("I/O engine: %w", err)
	}
	s.log.Info("I/O engine", "choice", s.choice.String())
	journal := journalOptions(c)
	s.pool, err = aio.NewPool(aio.PoolOptions{Size: max(journal.WriteMax, 1<<20), Count: poolBuffers})
	if err != nil {
		return fmt.Errorf("journal buffers: %w", err)
	}
	return nil
}

// poolBuffers bounds the journal's memory outside the Go heap at 64 MiB: four writes in flight, the open pages, and what
// the link to the backup may still hold.
const poolBuffers = 64

// Node is the broker itself.
func (s *Server) Node() *broker.Node { return s.node }

// AdminAddr is where the admin port listens, empty if there is none.
func (s *Server) AdminAddr() string {
	if s.admin == nil {
		return ""
	}
	return s.admin.addr()
}

// Run starts the node and returns when it has ended: after an orderly stop (Stop), or because it cannot go on. ctx ends it
// with an orderly stop; handOver lets the backup take over first.
func (s *Server) Run(ctx context.Context, handOver bool) error {
	defer s.Close()
	done := make(chan struct{})
	defer close(done)
	go func() { // owner: Run; ends with it
		select {
		case <-ctx.Done():
			s.Stop(handOver)
		case <-done:
		}
	}()
	why, err := s.node.Run(readClocks, s.o.Progress)
	if err != nil {
		return err
	}
	s.log.Info("the broker has ended", "why", why)
	return nil
}

// Stop asks for an orderly end. handOver lets the backup take over first.
func (s *Server) Stop(handOver bool) { s.node.Post(ha.Stop{HandOver: handOver}) }

// Close releases everything. It is idempotent.
func (s *Server) Close() {
	select {
	case <-s.halted:
		return
	default:
		close(s.halted)
	}
	if s.admin != nil {
		s.admin.close()
	}
	if s.env != nil {
		s.env.close()
	}
	var errs []error
	if s.listening != nil {
		errs = append(errs, s.listening.Close())
	}
	if s.transport != nil {
		errs = append(errs, s.transport.Close())
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Close())
	}
	if s.pool != nil {
		errs = append(errs, s.pool.Close())
	}
	if err := errors.Join(errs...); err != nil {
		s.log.Warn("close", "error", err)
	}
}

// readClocks reads both clocks. A kernel without CLOCK_BOOTTIME does not exist on Linux; elsewhere the fallback never fails.
func readClocks() clock.Instant {
	boot, err := aio.BootTime()
	if err != nil {
		panic(fmt.Sprintf("the kernel has no boot clock: %v", err))
	}
	return clock.Instant{Boot: boot, Wall: time.Now().UnixMilli()}
}
