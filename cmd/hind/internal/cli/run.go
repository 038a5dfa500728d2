package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/hindmq/hind/broker/config"
	"github.com/hindmq/hind/cmd/internal/server"
)

// runFlags are those of `hind run`.
type runFlags struct {
	config    string
	data      string
	admin     string
	transport string
	engine    string
	lease     time.Duration
	init      bool
	noHand    bool
	jsonLog   bool
	verbose   bool
}

func newRun(w World) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run a broker in the foreground",
		Long: `Run a broker in the foreground until SIGINT or SIGTERM.

Without --config the embedded defaults are used: journal in ./data, clients on 127.0.0.1:61616, no login. With a
broker.xml of Apache Artemis the broker is what that says; ` + "`hind check config`" + ` shows it without starting one.

A stop of the active broker of a pair hands over to its backup first. A second signal ends the process at once; nothing
acknowledged is lost by that.

The first broker of a fresh pair waits for its backup once. --init founds the pair without it.`,
		Example: "  hind run\n  hind run --config /srv/primary/etc/broker.xml",
		Args:    cobra.NoArgs,
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.config, "config", "c", "", "broker.xml; empty: embedded defaults")
	fl.StringVar(&f.data, "data", "", "directory that holds the journal, in place of the configured one")
	fl.StringVar(&f.admin, "admin", adminAuto, "loopback address of the admin port (/status /metrics /healthz /readyz); auto: 127.0.0.1, client port + 2000; 127.0.0.1:0 picks a port; empty: none")
	fl.BoolVar(&f.init, "init", false, "found a pair in an empty journal without waiting for its backup")
	fl.StringVar(&f.transport, "transport", "gnet", "socket implementation: gnet or plain")
	fl.StringVar(&f.engine, "engine", "", "I/O engine in place of the configured one: auto, pwrite, io_uring, libaio")
	fl.DurationVar(&f.lease, "lease", 0, "silence after which the other broker counts as gone; 0: 2s")
	fl.BoolVar(&f.noHand, "no-handover", false, "on SIGTERM stop without handing over to the backup")
	fl.BoolVar(&f.jsonLog, "json", false, "log as JSON lines")
	fl.BoolVarP(&f.verbose, "verbose", "v", false, "log the role machine's events and actions too")
	cmd.RunE = action(func(cmd *cobra.Command, _ []string) error { return runBroker(w, &f) })
	return cmd
}

// The admin port stands beside the client port, so that two brokers on one machine do not meet.
const (
	adminAuto   = "auto"
	adminOffset = 2000
)

func adminOf(clientPort int) string { return fmt.Sprintf("127.0.0.1:%d", clientPort+adminOffset) }

// newLog makes the log of a broker.
func newLog(out io.Writer, asJSON, verbose bool) *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if verbose {
		o.Level = slog.LevelDebug
	}
	if asJSON {
		return slog.New(slog.NewJSONHandler(out, o))
	}
	return slog.New(slog.NewTextHandler(out, o))
}

func runBroker(w World, f *runFlags) error {
	c, notices, err := config.Load(f.config)
	if err != nil {
		return fail(exitConfig, err)
	}
	if f.data != "" {
		if c.Journal.Dir, err = filepath.Abs(filepath.Join(f.data, "journal")); err != nil {
			return err
		}
	}
	log := newLog(w.Err, f.jsonLog, f.verbose)
	for _, n := range notices {
		log.Info("configuration", "notice", n.String())
	}
	if f.admin == adminAuto {
		f.admin = adminOf(c.Acceptors[0].Port)
	}
	if f.init && c.HA.Policy != config.Replication {
		return fail(exitUsage, errors.New("--init founds a pair; this broker has no ha-policy, so it needs none"))
	}
	s, err := server.Open(server.Options{Config: c, Init: f.init, Admin: f.admin, Transport: f.transport, Engine: f.engine, Lease: f.lease,
		Log: log, Progress: fillProgress(log)})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	go func() { // ends with the process: the first signal asks, and gives the second back to the kernel
		<-ctx.Done()
		stop()
	}()
	return s.Run(ctx, !f.noHand)
}

// fillProgress logs the zero-filling of a new journal every second or so.
func fillProgress(log *slog.Logger) func(done, total int64) {
	var last time.Time
	return func(done, total int64) {
		if now := time.Now(); now.Sub(last) >= time.Second || done == total {
			last = now
			log.Info("filling the journal with zeros", "done", fmt.Sprintf("%d of %d MiB", done>>20, total>>20))
		}
	}
}
