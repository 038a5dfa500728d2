package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hindmq/hind/net/client"
)

// consumerReport is what `hind consumer` says at its end.
type consumerReport struct {
	Destination  string  `json:"destination"`
	Received     int64   `json:"received"`
	Acknowledged int64   `json:"acknowledged"`
	Unsure       int64   `json:"unsure"` // their acknowledgement has no answer, and they did not come again
	Again        int64   `json:"again"`  // received with a delivery count above 1
	Bytes        int64   `json:"bytes"`  // of received bodies
	Seconds      float64 `json:"seconds"`
	PerSecond    float64 `json:"perSecond"`
	Losses       int     `json:"losses"` // connections lost and found again
	Problem      string  `json:"problem,omitempty"`

	unsure map[int64]bool // by message id; each loss adds one at most
}

type consumerFlags struct {
	clientFlags
	timeout time.Duration
	window  int
}

func newConsumer(w World) *cobra.Command {
	var f consumerFlags
	cmd := &cobra.Command{
		Use:   "consumer",
		Short: "Receive messages from a queue and acknowledge each",
		Long: `Receive messages from a queue and acknowledge each, waiting until the broker says that the acknowledgement is safe.

With --ha a lost broker is looked for. A message whose acknowledgement was under way may then come again: it is counted
once more as received, and under "again". If it does not, its acknowledgement was done without an answer: "unsure".

Exit code 0: --message-count messages were acknowledged, or unsure; with --message-count 0, none came for --timeout, or SIGINT. 1: it
was less; the counts are printed all the same.`,
		Example: "  hind consumer --message-count 10\n  hind consumer --message-count 0 --timeout 2s --json",
		Args:    cobra.NoArgs,
	}
	f.add(cmd)
	fl := cmd.Flags()
	fl.Int64Var(&f.count, "message-count", 1000, "messages to acknowledge; 0: until none comes for --timeout")
	fl.DurationVar(&f.timeout, "timeout", 0, "how long to wait for a message; 0: for ever")
	fl.IntVar(&f.window, "window", 1<<20, "bytes of messages that may wait here")
	cmd.RunE = action(func(cmd *cobra.Command, _ []string) error {
		queue, err := f.queue()
		if err == nil {
			err = f.check()
		}
		if err != nil {
			return err
		}
		if f.window <= 0 || f.window > 1<<30 {
			return fail(exitUsage, fmt.Errorf("--window %d is not between 1 and %d bytes", f.window, 1<<30))
		}
		ctx, stop := untilSignal(cmd.Context())
		defer stop()
		r, err := consume(ctx, w, &f, queue)
		if r == nil {
			return err
		}
		if perr := r.print(w, *f.json); perr != nil {
			return perr
		}
		return err
	})
	return cmd
}

// consume receives. The report is nil if nothing could be begun.
func consume(ctx context.Context, w World, f *consumerFlags, queue string) (*consumerReport, error) {
	c, s, err := f.open(ctx, queue)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	k, err := s.NewConsumer(ctx, queue, client.ConsumerOptions{Window: f.window})
	if err != nil {
		return nil, err
	}
	r := &consumerReport{Destination: "queue://" + queue, unsure: map[int64]bool{}}
	pace := newPace(w, "acknowledged", &f.clientFlags)
	for err == nil && (f.count == 0 || r.Acknowledged+r.Unsure < f.count) {
		if err = pace.wait(ctx, r.Received); err == nil {
			err = r.next(ctx, k, f.timeout)
		}
		pace.tell(r.Acknowledged)
	}
	took := time.Since(pace.begun)
	r.Seconds, r.PerSecond, r.Losses = took.Seconds(), perSecond(r.Acknowledged, took), c.Losses()
	if f.count == 0 && (errors.Is(err, errNoMore) || ctx.Err() != nil) {
		err = nil
	}
	if err != nil {
		r.Problem = err.Error()
		err = fmt.Errorf("%d messages were acknowledged: %w", r.Acknowledged, err)
	}
	return r, err
}

var errNoMore = errors.New("no message came for --timeout")

// next receives one message and acknowledges it. An acknowledgement that may not have arrived is no error: the message
// comes again.
func (r *consumerReport) next(ctx context.Context, k *client.Consumer, timeout time.Duration) error {
	waiting, cancel := ctx, func() {}
	if timeout > 0 {
		waiting, cancel = context.WithTimeout(ctx, timeout)
	}
	m, err := k.Receive(waiting)
	cancel()
	switch {
	case err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		return errNoMore
	case err != nil:
		return err
	}
	r.Received++
	r.Bytes += int64(len(m.Body()))
	if m.DeliveryCount > 1 {
		r.Again++
	}
	err = r.settle(m.ID(), k.Ack(ctx, m))
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// settle counts what became of an acknowledgement, and returns an error that ends the run. A message that is unsure and comes
// again was not acknowledged the first time.
func (r *consumerReport) settle(id int64, err error) error {
	delete(r.unsure, id)
	switch {
	case err == nil:
		r.Acknowledged++
	case errors.Is(err, client.ErrUnanswered):
		r.unsure[id] = true
	case !errors.Is(err, client.ErrStale): // that one comes again for certain
		return err
	}
	r.Unsure = int64(len(r.unsure))
	return nil
}

func (r *consumerReport) print(w World, asJSON bool) error {
	if asJSON {
		return printJSON(w.Out, r)
	}
	_, err := fmt.Fprintf(w.Out, "%s: %d messages received, %d acknowledged, %d unsure, %d not for the first time, %d bytes, in %.3f s (%.0f/s); connections lost and found again: %d\n",
		r.Destination, r.Received, r.Acknowledged, r.Unsure, r.Again, r.Bytes, r.Seconds, r.PerSecond, r.Losses)
	return err
}
