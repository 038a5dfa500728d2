package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/hindmq/hind/net/client"
)

// clientFlags are what hind producer and hind consumer share.
type clientFlags struct {
	urls        []string
	destination string
	user        string
	password    string
	count       int64
	rate        float64
	ha          bool
	reconnect   time.Duration
	json        *bool
}

func (f *clientFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringSliceVar(&f.urls, "url", []string{fmt.Sprintf("tcp://127.0.0.1:%d", clientPortDefault)}, "broker, tcp://host:port; several: tried in turn")
	fl.StringVar(&f.destination, "destination", "queue://TEST", "queue://NAME or NAME; made as a durable queue if it is not there")
	fl.StringVar(&f.user, "user", "", "user to log in as; empty: no login")
	fl.StringVar(&f.password, "password", "", "password of the user")
	fl.Float64Var(&f.rate, "rate", 0, "messages per second at most; 0: no limit")
	fl.BoolVar(&f.ha, "ha", false, "after a loss look for the broker at all --url and at the members of its pair, for --reconnect")
	fl.DurationVar(&f.reconnect, "reconnect", client.ReconnectDefault, "with --ha: how long to look for a broker")
	f.json = jsonFlag(cmd)
}

// queue is the name of the destination's queue.
func (f *clientFlags) queue() (string, error) {
	scheme, name, given := strings.Cut(f.destination, "://")
	if !given {
		name = f.destination
	}
	switch {
	case given && scheme != "queue":
		return "", fail(exitUsage, fmt.Errorf("--destination %q: only queues are supported yet; give queue://NAME", f.destination))
	case name == "":
		return "", fail(exitUsage, fmt.Errorf("--destination %q has no name; give queue://NAME", f.destination))
	}
	return name, nil
}

func (f *clientFlags) check() error {
	switch {
	case f.count < 0:
		return fail(exitUsage, fmt.Errorf("--message-count %d is below 0", f.count))
	case f.rate < 0:
		return fail(exitUsage, fmt.Errorf("--rate %v is below 0", f.rate))
	case f.ha && f.reconnect <= 0:
		return fail(exitUsage, fmt.Errorf("--reconnect %v: with --ha it must be above 0", f.reconnect))
	}
	return nil
}

// open connects, and makes the queue unless it is there. The caller closes the client.
func (f *clientFlags) open(ctx context.Context, queue string) (*client.Client, *client.Session, error) {
	o := client.Options{User: f.user, Password: f.password, HA: f.ha}
	if f.ha {
		o.Reconnect = f.reconnect
	}
	c, err := client.Dial(ctx, f.urls, o)
	if err != nil {
		return nil, nil, fmt.Errorf("connect: %w", err)
	}
	s, err := c.NewSession(ctx)
	if err == nil {
		err = s.EnsureQueue(ctx, queue)
	}
	if err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	return c, s, nil
}

// untilSignal is a context that SIGINT and SIGTERM end: what was done until then is reported.
func untilSignal(ctx context.Context) (context.Context, func()) {
	return signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
}

// pace holds work to a rate, and tells of it about every second.
type pace struct {
	err   io.Writer
	verb  string
	total int64 // 0: without end
	rate  float64
	begun time.Time
	told  time.Time
	until int64 // done when it was told last
}

func newPace(w World, verb string, f *clientFlags) *pace {
	now := time.Now()
	return &pace{err: w.Err, verb: verb, total: f.count, rate: f.rate, begun: now, told: now}
}

// wait returns when the next of the messages is due after done of them.
func (p *pace) wait(ctx context.Context, done int64) error {
	if p.rate == 0 {
		return ctx.Err()
	}
	due := p.begun.Add(time.Duration(float64(done) / p.rate * float64(time.Second)))
	t := time.NewTimer(time.Until(due))
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tell says how far it is.
func (p *pace) tell(done int64) {
	now := time.Now()
	since := now.Sub(p.told)
	if since < time.Second {
		return
	}
	of := ""
	if p.total > 0 {
		of = fmt.Sprintf(" of %d", p.total)
	}
	fmt.Fprintf(p.err, "%d%s messages %s, %.0f/s\n", done, of, p.verb, float64(done-p.until)/since.Seconds())
	p.told, p.until = now, done
}

// perSecond is the rate of the whole run.
func perSecond(n int64, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(n) / took.Seconds()
}
