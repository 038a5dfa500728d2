package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hindmq/hind/cmd/internal/demo"
)

func newDemo(w World) *cobra.Command {
	return newGroup("demo", "Show what the broker does when things go wrong", newDemoFailover(w))
}

func newDemoFailover(w World) *cobra.Command {
	var o demo.Options
	cmd := &cobra.Command{
		Use:   "failover",
		Short: "Kill the active broker of a pair again and again, under load, and count",
		Long: `Start a pair of brokers on this machine (two processes of this program, on free ports of 127.0.0.1, with journals in a
directory of their own), let producers and a consumer work on it, and kill -9 whichever broker is active, again and
again. The killed one is restarted and brought in sync before the next kill.

Told are the failover time (from the last confirmed send before a kill to the first after it) and whether anything that
was acknowledged is lost, came twice or came out of order. If so, the exit code is 1 and journals and logs are kept.

Ctrl-C ends it early, with the figures until then.`,
		Example: "  hind demo failover\n  hind demo failover --kills 0 --duration 10m --producers 16\n  hind demo failover --json | jq .failover",
		Args:    cobra.NoArgs,
	}
	fl := cmd.Flags()
	fl.IntVar(&o.Kills, "kills", 10, "how many; 0: until --duration is over or Ctrl-C")
	fl.DurationVar(&o.Duration, "duration", 0, "time after which no further kill follows; 0: no limit")
	fl.IntVar(&o.Producers, "producers", 4, fmt.Sprintf("clients that send, each waiting for every confirm; 1 to %d", demo.ProducersMax))
	fl.IntVar(&o.Size, "size", 1024, fmt.Sprintf("bytes of a message body; %d to %d", demo.BodySizeMin, demo.SizeMax))
	fl.DurationVar(&o.Lease, "lease", 0, "lease of the brokers, as in hind run; 0: their default")
	fl.StringVar(&o.Dir, "dir", "", "where the directory for journals and logs is made; empty: that for temporary files")
	fl.BoolVar(&o.Keep, "keep", false, "leave journals and logs in any case")
	fl.BoolVarP(&o.Verbose, "verbose", "v", false, "let the brokers log their role machines' events and actions too")
	asJSON := jsonFlag(cmd)
	cmd.RunE = action(func(*cobra.Command, []string) error {
		if err := o.Validate(); err != nil {
			return fail(exitUsage, err)
		}
		var err error
		if o.Executable, err = os.Executable(); err != nil {
			return fmt.Errorf("the path of this program: %w", err)
		}
		if !*asJSON {
			o.Out = w.Out
		}
		return playDemo(w, o, *asJSON)
	})
	return cmd
}

// playDemo runs it, prints the result and says by its error whether that is a good one.
func playDemo(w World, o demo.Options, asJSON bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	go func() { // ends with stop: a second signal ends the process, and with it the brokers
		<-ctx.Done()
		stop()
	}()
	r, err := demo.Run(ctx, o)
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(w.Out, r)
	} else {
		r.Print(w.Out)
	}
	switch {
	case err != nil:
		return err
	case r.OK || r.Interrupted && r.Clean() && r.Error == "" && r.Acknowledged == 0:
		return nil // a run that was ended before it began shows nothing, and nothing bad
	}
	return errors.New("the failover demonstration failed; journals and logs are in " + r.Kept)
}
