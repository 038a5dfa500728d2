package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/net/client"
)

// producerReport is what `hind producer` says at its end.
type producerReport struct {
	Destination  string  `json:"destination"`
	Acknowledged int64   `json:"acknowledged"`
	Unknown      int64   `json:"unknown"` // sent, and no answer came
	Bytes        int64   `json:"bytes"`   // of acknowledged bodies
	Seconds      float64 `json:"seconds"`
	PerSecond    float64 `json:"perSecond"`
	LongestMs    float64 `json:"longestMs"` // the longest wait for one acknowledgement
	Losses       int     `json:"losses"`    // connections lost and found again
	Problem      string  `json:"problem,omitempty"`
}

type producerFlags struct {
	clientFlags
	size    int
	noDisk  bool
	noDupID bool
}

func newProducer(w World) *cobra.Command {
	var f producerFlags
	cmd := &cobra.Command{
		Use:   "producer",
		Short: "Send messages to a queue, each after the broker has acknowledged the one before",
		Long: `Send messages to a queue. Each is sent when the broker has acknowledged the one before: what is counted as
acknowledged is on the broker's disk, and with a backup in sync on both.

With --ha a lost broker is looked for, and every message has a duplicate id: a send without an answer is repeated, and the
message is there once. Without, the run ends at a loss, and the message under way counts as unknown.

Exit code 0: all were acknowledged. 1: not all; the counts are printed all the same, also after SIGINT.`,
		Example: "  hind producer --message-count 10 --message-size 1000\n  hind producer --ha --url tcp://a:61616,tcp://b:61616 --destination queue://orders --rate 100",
		Args:    cobra.NoArgs,
	}
	f.add(cmd)
	fl := cmd.Flags()
	fl.Int64Var(&f.count, "message-count", 1000, "messages to send")
	fl.IntVar(&f.size, "message-size", 100, fmt.Sprintf("bytes of each body, at most %d", message.BodySizeMax))
	fl.BoolVar(&f.noDisk, "non-persistent", false, "send messages that do not survive the broker")
	fl.BoolVar(&f.noDupID, "no-duplicate-ids", false, "with --ha: no duplicate ids; the run ends at a send without an answer")
	cmd.RunE = action(func(cmd *cobra.Command, _ []string) error {
		queue, err := f.queue()
		if err == nil {
			err = f.check()
		}
		if err != nil {
			return err
		}
		if f.size < 0 || f.size > message.BodySizeMax {
			return fail(exitUsage, fmt.Errorf("--message-size %d is not between 0 and %d; larger bodies are not supported yet", f.size, message.BodySizeMax))
		}
		ctx, stop := untilSignal(cmd.Context())
		defer stop()
		r, err := produce(ctx, w, &f, queue)
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

// produce sends. The report is nil if nothing could be begun.
func produce(ctx context.Context, w World, f *producerFlags, queue string) (*producerReport, error) {
	c, s, err := f.open(ctx, queue)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	p := s.NewProducer(queue, client.ProducerOptions{DuplicateIDs: f.ha && !f.noDupID})
	r := &producerReport{Destination: "queue://" + queue}
	pace := newPace(w, "acknowledged", &f.clientFlags)
	body := pattern(f.size)
	for r.Acknowledged < f.count {
		if err = pace.wait(ctx, r.Acknowledged); err != nil {
			break
		}
		sent := time.Now()
		err = p.Send(ctx, &client.Outgoing{Body: body, Type: message.TypeBytes, Durable: !f.noDisk, Priority: message.PriorityDefault, Timestamp: sent.UnixMilli()})
		r.LongestMs = max(r.LongestMs, float64(time.Since(sent).Microseconds())/1000)
		if errors.Is(err, client.ErrUnanswered) {
			r.Unknown++
		}
		if err != nil {
			break
		}
		r.Acknowledged++
		r.Bytes += int64(len(body))
		pace.tell(r.Acknowledged)
	}
	took := time.Since(pace.begun)
	r.Seconds, r.PerSecond, r.Losses = took.Seconds(), perSecond(r.Acknowledged, took), c.Losses()
	if err != nil {
		r.Problem = err.Error()
		err = fmt.Errorf("%d of %d messages were acknowledged: %w", r.Acknowledged, f.count, err)
	}
	return r, err
}

// pattern is a body that is no run of zeros.
func pattern(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(' ' + i%95)
	}
	return b
}

func (r *producerReport) print(w World, asJSON bool) error {
	if asJSON {
		return printJSON(w.Out, r)
	}
	_, err := fmt.Fprintf(w.Out, "%s: %d messages acknowledged, %d without an answer, %d bytes, in %.3f s (%.0f/s); longest wait %.1f ms; connections lost and found again: %d\n",
		r.Destination, r.Acknowledged, r.Unknown, r.Bytes, r.Seconds, r.PerSecond, r.LongestMs, r.Losses)
	return err
}
