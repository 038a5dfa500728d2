package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/broker/clock"
	"github.com/hindmq/hind/broker/ha"
	"github.com/hindmq/hind/broker/session"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/journal"
)

// Options of a node. Sizes and times have the defaults of their packages where DefaultOptions says nothing.
type Options struct {
	Name string // of the broker, for people
	HA   ha.Config

	FS      aio.FS
	Dir     string // of the journal
	Journal journal.Options
	Engine  aio.Engine // Start is called by New; the owner of the node closes it after the node has ended
	Pool    *aio.Pool

	Shard     shard.Options
	Session   session.Options
	Authority session.Authority
	Declared  []session.QueueOptions // addresses and queues that exist from the first activation on
	Mailbox   int                    // bytes of client work that may wait

	OverdueAfter time.Duration // age at which a journal write counts as overdue (rule H12)
	IdleAfter    time.Duration // without an append, after which the journal is marked
	TapMax       int64         // bytes of pages kept in memory for the follower before it must read files
	Env          Env
}

// DefaultOptions are those of a broker that is not told otherwise; fill in the rest.
func DefaultOptions() Options {
	return Options{
		HA:           ha.DefaultConfig(),
		Shard:        shard.DefaultOptions(),
		Session:      session.DefaultOptions(),
		Authority:    session.Everyone{},
		Mailbox:      32 << 20,
		OverdueAfter: 10 * time.Second,
		IdleAfter:    50 * time.Millisecond,
		TapMax:       16 << 20,
	}
}

// Node is one broker. Post, LinkUp, LinkDown, Receive, LinkDrained and Query may be called from any goroutine; Start, Step,
// Next and Done belong to its owner.
type Node struct {
	o       Options
	env     Env
	log     *slog.Logger
	now     clock.Instant
	inbox   inbox
	mailbox *shard.Mailbox
	woken   chan struct{}

	machine *ha.Machine
	domain  domain
	store   store
	pair    pair
	end     ending

	items []item
	done  []aio.Completion
}

// domain is the shard of the present activation, or the one that takes records.
type domain struct {
	shard    *shard.Shard
	host     *session.Host
	serving  bool  // between OpenClients and CloseClients
	eventUID int64 // of the last topology
}

// ending is how far the end has come.
type ending struct {
	wanted bool // the role machine said Exit
	why    string
	done   bool
}

// New makes a node that has not begun. It starts the engine.
func New(o Options) (*Node, error) {
	if err := o.HA.Validate(); err != nil {
		return nil, err
	}
	switch {
	case o.Env == nil, o.FS == nil, o.Engine == nil, o.Pool == nil:
		return nil, errors.New("broker: a node needs an environment, a file system, an engine and a pool")
	case o.Mailbox <= 0, o.OverdueAfter <= 0, o.IdleAfter <= 0, o.TapMax <= 0:
		return nil, errors.New("broker: mailbox, overdue-after, idle-after and tap limit must be positive")
	}
	n := &Node{o: o, env: o.Env, log: o.Env.Log(), woken: make(chan struct{}, 1)}
	n.inbox.wake = n.wake
	n.mailbox = shard.NewMailbox(o.Mailbox, n.wake)
	o.Engine.Start(n.inbox.completed)
	return n, nil
}

func (n *Node) wake() {
	select {
	case n.woken <- struct{}{}:
	default:
	}
}

// Post reports an event to the role machine: a refused dial, an operator's word, a wish to stop.
func (n *Node) Post(e ha.Event) { n.inbox.post(item{event: e}) }

// LinkUp reports a proven connection of the pair port. Links are numbered by the Env, none twice.
func (n *Node) LinkUp(link ha.Link, peer ha.Peer) { n.Post(ha.LinkUp{Link: link, Peer: peer}) }

// LinkDown reports its end. Nothing of the link may be reported afterwards.
func (n *Node) LinkDown(link ha.Link) { n.Post(ha.LinkDown{Link: link}) }

// Receive reports a frame of a link. release is called exactly once when head and body are no longer used; the Env pauses
// the peer while too much is unreleased.
func (n *Node) Receive(link ha.Link, f Frame) {
	if !n.inbox.post(item{frame: &received{link, f.Lane, f.Head, f.Body, f.Release}}) && f.Release != nil {
		f.Release()
	}
}

// LinkDrained reports that a link that was full takes bulk frames again.
func (n *Node) LinkDrained(link ha.Link) { n.inbox.post(item{drained: link}) }

// Start prepares and loads the journal and begins the role machine. It blocks for as long as zero-filling and reading
// take; progress may be nil. An error means that nothing can be done with this directory; damage is no such error: the node
// is fenced by it.
func (n *Node) Start(now clock.Instant, progress func(done, total int64)) error {
	n.now = now
	var instance journal.Member
	for k := 0; k < len(instance); k += 8 {
		v := n.env.Random()
		for j := range 8 {
			instance[k+j] = byte(v >> (8 * j))
		}
	}
	if err := journal.Prepare(n.o.FS, n.o.Dir, n.o.Journal, instance, progress); err != nil {
		return fmt.Errorf("prepare the journal: %w%s", err, n.nextStep(err))
	}
	loaded, err := n.load()
	if err != nil {
		return err
	}
	state := n.store.image.State()
	local := ha.LocalState{}
	if len(state.Promises) > 0 {
		if local, err = ha.DecodeLocalState(state.Promises); err != nil {
			return err
		}
	}
	n.store.copying = state.Copying
	n.machine = ha.New(now.Boot, n.o.HA, ha.Identity{Name: n.o.Name, Instance: ha.Instance(state.Instance)}, local)
	n.act()
	n.feed(loaded)
	return nil
}

// feed gives the role machine an event and does what it asks for.
func (n *Node) feed(e ha.Event) {
	if n.log.Enabled(context.Background(), slog.LevelDebug) {
		n.log.Debug("role event", "event", e.String())
	}
	n.machine.Step(n.now.Boot, e)
	n.act()
}

// Step does what there is to do. It blocks only while a journal is opened or read again. again: there is more to do at
// once; otherwise call it when something was posted and no later than Next.
func (n *Node) Step(now clock.Instant) (again bool) {
	n.now = now
	n.items, n.done = n.inbox.take(n.items, n.done)
	n.completions()
	for i := range n.items {
		n.handle(&n.items[i])
	}
	if at, ok := n.machine.NextTick(); ok && at <= now.Boot {
		n.feed(ha.Tick{})
	}
	n.watchDisk()
	n.closeDoomed()
	again = n.domain.shard.Step(now)
	n.flush()
	n.replicate()
	n.checkEnd()
	return again || n.inbox.waiting()
}

func (n *Node) handle(it *item) {
	switch {
	case it.event != nil:
		n.feed(it.event)
		if down, ok := it.event.(ha.LinkDown); ok {
			n.pair.forget(down.Link)
		}
	case it.frame != nil:
		n.receive(it.frame)
		if it.frame.release != nil {
			it.frame.release()
		}
	case it.drained != 0:
		n.pair.full = false
	case it.call != nil:
		it.call(n)
	}
}

// Next is the boot time at which Step should be called even if nothing happens.
func (n *Node) Next() time.Duration {
	next := n.now.Boot + time.Second
	if at, ok := n.machine.NextTick(); ok {
		next = min(next, at)
	}
	for _, d := range n.pair.doomed {
		next = min(next, d.at)
	}
	if n.store.busy() {
		next = min(next, n.now.Boot+n.o.IdleAfter)
	}
	return next
}

// Done says that the node has ended, and why.
func (n *Node) Done() (why string, done bool) { return n.end.why, n.end.done }

// Run starts the node and steps it until it ends. clk reads the clocks. It returns why the node ended.
func (n *Node) Run(clk func() clock.Instant, progress func(done, total int64)) (string, error) {
	defer n.inbox.close()
	defer n.mailbox.Close()
	if err := n.Start(clk(), progress); err != nil {
		return "", err
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		again := n.Step(clk())
		if why, done := n.Done(); done {
			return why, nil
		}
		if again {
			continue
		}
		timer.Reset(max(0, n.Next()-clk().Boot))
		select {
		case <-n.woken:
		case <-timer.C:
		}
	}
}

// Query runs f on the owner's goroutine and waits for it: f may read the node, and must not block.
func (n *Node) Query(ctx context.Context, f func(*Node)) error {
	ran := make(chan struct{})
	if !n.inbox.post(item{call: func(n *Node) { f(n); close(ran) }}) {
		return errors.New("broker: it has ended")
	}
	select {
	case <-ran:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
