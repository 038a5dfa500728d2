package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hindmq/hind/net/core/wire"
	"github.com/hindmq/hind/net/transport"
)

// keep holds a connection up until the Client ends.
func (c *Client) keep(l *link) {
	defer close(c.kept)
	for {
		c.watch(l)
		if c.closing.Err() != nil {
			return
		}
		c.options.Log.Warn("connection lost", "address", l.target, "reason", l.reason)
		next, err := c.reconnect(l)
		if err != nil {
			c.end(fmt.Errorf("%w: %w; it was %w", ErrLost, err, l.reason))
			return
		}
		l = next
		c.mu.Lock()
		c.mu.losses++
		c.mu.Unlock()
		c.options.Log.Info("connected again", "address", l.target)
	}
}

// watch pings until the connection has ended.
func (c *Client) watch(l *link) {
	ticks := time.NewTicker(c.options.Silence / 3)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			_ = l.post(channelPing, l.pingPacket()) // no room: the peer does not read, and the transport ends that
		case <-l.done:
			return
		}
	}
}

// reconnect tries all addresses in rounds until one answers or the time is over.
func (c *Client) reconnect(lost *link) (*link, error) {
	if c.options.Reconnect <= 0 {
		return nil, errors.New("reconnection is off")
	}
	ctx, cancel := context.WithTimeout(c.closing, c.options.Reconnect)
	defer cancel()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		l, err := c.round(ctx, c.targets(lost.target))
		if err == nil {
			return l, nil
		}
		pause.Reset(c.options.Interval)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("tried for %v: %w", c.options.Reconnect, err)
		}
	}
}

// targets are the addresses to try after a loss: first those that are not the lost one.
func (c *Client) targets(lost string) []string {
	var all []string
	add := func(address string) {
		if address != "" && !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	if c.options.HA {
		for _, m := range c.Topology() {
			add(m.Primary)
			add(m.Backup)
		}
	}
	for _, address := range c.initial {
		add(address)
	}
	if i := slices.Index(all, lost); i >= 0 {
		all = append(slices.Delete(all, i, i+1), lost)
	}
	return all
}

// round tries each address once and puts the first connection in force.
func (c *Client) round(ctx context.Context, targets []string) (*link, error) {
	var errs []error
	for _, target := range targets {
		l, err := c.connect(ctx, target)
		if err == nil {
			return l, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", target, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// connect makes one connection and puts it in force, with all sessions and consumers open on it.
func (c *Client) connect(ctx context.Context, target string) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Connect)
	defer cancel()
	l := newLink(c, target)
	abort := c.transport.Dial(target, transport.DialOptions{
		Handler: l, Timeout: c.options.Connect, Failed: l.failed,
		Limits: transport.Limits{Inbound: wire.FrameSizeMaxDefault + 64<<10, Handshake: c.options.Connect, Idle: c.options.Silence},
	})
	err := l.start(ctx)
	if err == nil {
		err = c.reopen(ctx, l)
	}
	if err == nil {
		err = c.publish(l)
	}
	if err != nil {
		abort()
		l.abort(err)
		<-l.done
		return nil, err
	}
	return l, nil
}

// start waits until the broker has said who it is and the login was taken.
func (l *link) start(ctx context.Context) error {
	select {
	case <-l.hello:
	case <-l.done:
		return l.reason
	case <-ctx.Done():
		return fmt.Errorf("the broker did not introduce itself: %w", ctx.Err())
	}
	// A session of the Client's own: without one a connection stays a stranger's, and a wrong password would be noticed
	// late.
	return l.openSession(ctx, channelOwn, newID(), "")
}

// openSession opens a session on a channel. old is the name it had on the connection before, if any: if that broker still
// has it, it is closed first, so that what only one session may hold is free.
func (l *link) openSession(ctx context.Context, channel int64, name, old string) error {
	if old != "" {
		if _, err := l.ask(ctx, channelSession, &wire.ReattachSession{Name: old, LastConfirmedCommandID: -1}); err != nil {
			return err
		}
	}
	o := &l.client.options
	create := &wire.CreateSession{Name: name, Channel: channel, Version: wire.VersionMax, LargeMessageSizeMin: chunkSize,
		AutoCommitSends: true, AutoCommitAcks: true, ConfirmationWindow: -1}
	if o.User != "" {
		create.Username, create.Password = wire.Some(o.User), wire.Some(o.Password)
	}
	p, err := l.ask(ctx, channelSession, create)
	if err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	answer, ok := p.(*wire.CreateSessionResponse)
	if !ok {
		return fmt.Errorf("%w: CREATESESSION was answered with %T", errProtocol, p)
	}
	l.announced(answer.ServerVersion)
	return nil
}

// reopen makes the sessions and consumers anew. While the Client is down nobody adds to them.
func (c *Client) reopen(ctx context.Context, l *link) error {
	c.mu.Lock()
	sessions := slices.Clone(c.mu.sessions)
	c.mu.Unlock()
	for _, s := range sessions {
		if err := s.open(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// publish puts a connection in force, unless it or the Client has ended meanwhile.
func (c *Client) publish(l *link) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.mu.err != nil:
		return c.mu.err
	case l.ended:
		return l.reason
	}
	l.published = true
	c.mu.link = l
	c.mu.topology = slices.Clone(l.members)
	c.mu.changed.ring()
	return nil
}
