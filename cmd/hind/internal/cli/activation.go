package cli

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hindmq/hind/broker"
	"github.com/hindmq/hind/broker/ha"
)

// handOver is the word that is not the answer to a question: an active broker gives its role to its backup.
const handOver = "hand-over"

func newActivation(w World) *cobra.Command {
	return newGroup("activation", "See and answer what a pair cannot decide by itself", newActivationList(w), newActivationSet(w))
}

// activationReport is what `hind activation list` says.
type activationReport struct {
	Broker   string             `json:"broker"`
	Role     string             `json:"role"`
	Question string             `json:"question"`
	Choices  []activationChoice `json:"choices"`
}

// activationChoice is one answer, what it costs, and what has to be done before it is given.
type activationChoice struct {
	Decision string   `json:"decision"`
	Loses    string   `json:"loses"`
	First    []string `json:"first"`
}

func newActivationList(w World) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show the broker's open question, and what each answer would lose",
		Long: `Show what the broker asks a human because no rule decides it, the answers it would take now, what each of them would
lose in the worst case, and which other broker must be fenced (kept from running) or wiped before.

Without a question nothing has to be decided.`,
		Example: "  hind activation list\n  hind activation list --admin 127.0.0.1:63617 --json",
		Args:    cobra.NoArgs,
	}
	admin, asJSON := adminFlag(cmd), jsonFlag(cmd)
	cmd.RunE = action(func(cmd *cobra.Command, _ []string) error {
		st, err := adminPort{*admin}.status(cmd.Context())
		if err != nil {
			return err
		}
		r := activationOf(st)
		if *asJSON {
			return printJSON(w.Out, r)
		}
		return r.write(w.Out, *admin)
	})
	return cmd
}

// activationOf takes the question out of a status.
func activationOf(st *broker.Status) activationReport {
	r := activationReport{Broker: st.Name, Role: st.Role, Question: st.Question, Choices: []activationChoice{}}
	for _, c := range st.Choices {
		r.Choices = append(r.Choices, activationChoice{c.Decision, c.Loses, firstSteps(c.Decision, st.Peers)})
	}
	return r
}

// firstSteps are what must be done to the other brokers before this one goes on without them.
func firstSteps(decision string, peers []broker.Peer) []string {
	steps := []string{}
	if decision != ha.DecideActivate.String() && decision != ha.DecideMemberDead.String() {
		return steps
	}
	for _, p := range peers {
		steps = append(steps, "fence or wipe "+describePeer(p))
	}
	return steps
}

// write prints the question for people.
func (r *activationReport) write(out io.Writer, admin string) error {
	if r.Question == "" {
		_, err := fmt.Fprintf(out, "%s (%s) asks nothing\n", r.Broker, r.Role)
		return err
	}
	s := fmt.Sprintf("%s (%s) asks: %s\n", r.Broker, r.Role, r.Question)
	for _, c := range r.Choices {
		s += c.text() + fmt.Sprintf("  command  hind activation set %s --admin %s\n", c.Decision, admin)
	}
	if len(r.Choices) == 0 {
		s += "there is nothing to choose: it waits\n"
	}
	_, err := io.WriteString(out, s)
	return err
}

func (c *activationChoice) text() string {
	s := fmt.Sprintf("\n%s\n  loses    %s\n", c.Decision, c.Loses)
	for _, f := range c.First {
		s += fmt.Sprintf("  first    %s\n", f)
	}
	return s
}

func newActivationSet(w World) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set DECISION",
		Short: "Give the broker an answer to its question",
		Long: `Give the broker one of the answers that hind activation list shows: activate, member-dead or discard-tail. It is said
again what the answer may lose, and the answer has to be typed once more; --yes does without.

A wrong answer here is the one thing that can lose a confirmed message. What has to be fenced or wiped, fence or wipe
first.

hand-over is no answer but a request: an active broker gives its role to its backup. Nothing is lost by it.`,
		Example: "  hind activation set activate\n  hind activation set hand-over --yes",
		Args:    cobra.ExactArgs(1),
	}
	admin, yes := adminFlag(cmd), cmd.Flags().Bool("yes", false, "do not ask again")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		port := adminPort{*admin}
		st, err := port.status(cmd.Context())
		if err != nil {
			return err
		}
		c, err := choose(st, args[0])
		if err != nil {
			return err
		}
		fmt.Fprintf(w.Err, "%s (%s)%s", st.Name, st.Role, c.text())
		if !*yes {
			if err := confirmed(cmd.InOrStdin(), w.Err, c.Decision); err != nil {
				return err
			}
		}
		answer, err := port.decide(cmd.Context(), c.Decision)
		if err == nil {
			_, err = fmt.Fprintln(w.Out, answer)
		}
		return err
	})
	return cmd
}

// choose finds the choice of that name among those that the broker would take now.
func choose(st *broker.Status, decision string) (activationChoice, error) {
	if decision == handOver {
		if !st.Serving || !st.InSync {
			return activationChoice{}, fmt.Errorf("%s cannot hand over: it needs to serve clients (role now: %s) and a backup in sync; see hind check node", st.Name, st.Role)
		}
		return activationChoice{Decision: handOver, Loses: "nothing; clients move to the backup"}, nil
	}
	names := []string{}
	for _, c := range activationOf(st).Choices {
		if c.Decision == decision {
			return c, nil
		}
		names = append(names, c.Decision)
	}
	if len(names) == 0 {
		return activationChoice{}, fmt.Errorf("%s has no question that %q would answer; see hind activation list", st.Name, decision)
	}
	return activationChoice{}, fmt.Errorf("%s does not take %q now, but %s; see hind activation list", st.Name, decision, strings.Join(names, " or "))
}

// confirmed has the decision typed once more.
func confirmed(in io.Reader, out io.Writer, decision string) error {
	fmt.Fprintf(out, "Type %s to go on: ", decision)
	typed, err := bufio.NewReader(io.LimitReader(in, 256)).ReadString('\n')
	if err != nil && err != io.EOF {
		return fmt.Errorf("read the confirmation: %w", err)
	}
	if strings.TrimSpace(typed) != decision {
		return fmt.Errorf("nothing was done: %q was to be typed; --yes does without", decision)
	}
	return nil
}
