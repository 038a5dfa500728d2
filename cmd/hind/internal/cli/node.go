package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hindmq/hind/broker"
	"github.com/hindmq/hind/broker/ha"
)

// nodeReport is what `hind check node` says.
type nodeReport struct {
	Admin string `json:"admin"`
	Ready bool   `json:"ready"`
	*broker.Status
}

func newCheckNode(w World) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Ask a running broker for its role, its partner, and what a failure would do now",
		Long: `Ask a running broker, over its admin port, for its role and epoch, who is in sync, how far the backup is behind, and
what would happen to clients if either side failed now.

Exit code 0: ready, which means that it serves clients or stands by in sync. Exit code 1: not ready, or nobody answers.`,
		Example: "  hind check node\n  hind check node --admin 127.0.0.1:63617 --json",
		Args:    cobra.NoArgs,
	}
	admin, asJSON := adminFlag(cmd), jsonFlag(cmd)
	cmd.RunE = action(func(cmd *cobra.Command, _ []string) error {
		st, err := adminPort{*admin}.status(cmd.Context())
		if err != nil {
			return err
		}
		r := nodeReport{Admin: *admin, Ready: isReady(st), Status: st}
		if *asJSON {
			err = printJSON(w.Out, r)
		} else {
			err = r.write(w.Out)
		}
		if err == nil && !r.Ready {
			err = fmt.Errorf("%s is not ready: its role is %s", st.Name, st.Role)
		}
		return err
	})
	return cmd
}

// isReady is the rule of /readyz: the broker does what its role asks for.
func isReady(st *broker.Status) bool { return st.Serving || st.Role == ha.RoleStandby.String() }

// write prints the report for people.
func (r *nodeReport) write(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(what, format string, args ...any) { fmt.Fprintf(t, what+"\t"+format+"\n", args...) }
	clients := "serves no clients"
	if r.Serving {
		clients = "serves clients"
	}
	line("broker", "%s", r.Name)
	line("role", "%s, %s", r.Role, clients)
	line("epoch", "%d", r.Epoch)
	line("node id", "%s", r.NodeID)
	line("active", "%s", orUnknown(r.Owner))
	line("in-sync set", "%s", orUnknown(strings.Join(r.InSyncSet, ", ")))
	for _, p := range r.Peers {
		line("other broker", "%s", describePeer(p))
	}
	if len(r.Peers) > 0 && r.Serving { // only the active knows
		line("lag", "%d bytes", r.LagBytes)
	}
	line("log", "end %s, durable %s, stable %s", orUnknown(r.LogEnd), orUnknown(r.Durable), orUnknown(r.Stable))
	line("messages", "%d in %d queues, %d of them at consumers", r.Queues.Messages, r.Queues.Queues, r.Queues.Delivering)
	if r.Fenced != "" {
		line("fenced", "%s", r.Fenced)
	}
	if r.Blocked != "" {
		line("confirms wait", "%s", r.Blocked)
	}
	if r.Overdue {
		line("disk", "a journal write is overdue")
	}
	if r.Question != "" {
		line("question", "%s; see hind activation list", r.Question)
	}
	line("if this broker fails now", "%s", r.IfThisFails)
	if len(r.Peers) > 0 {
		line("if the other one fails now", "%s", r.IfOther)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// describePeer says in one line what is known of another broker.
func describePeer(p broker.Peer) string {
	s := p.Target
	if p.Name != "" {
		s = p.Name + " at " + p.Target
	}
	switch {
	case p.InSync:
		s += ", connected and in sync"
	case p.Connected:
		s += ", connected"
	default:
		s += ", not connected"
	}
	if p.Says != "" && !p.InSync { // of one in sync that word is old
		s += fmt.Sprintf(", last said %q", p.Says)
	}
	return s
}
