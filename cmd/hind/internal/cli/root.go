package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// World is what a call of hind gets from its surroundings.
type World struct {
	Version string
	Args    []string
	In      io.Reader // what an operator types; nil: standard input
	Out     io.Writer // results
	Err     io.Writer // errors, notices and progress
}

// Main runs one command line and returns the exit code.
func Main(w World) int {
	root := newRoot(w)
	err := root.Execute()
	if err != nil {
		fmt.Fprintf(w.Err, "hind: %v\n", err)
		if codeOf(err) == exitUsage {
			fmt.Fprintln(w.Err, "Run 'hind --help', or the command with --help, for what is possible.")
		}
	}
	return codeOf(err)
}

// newRoot builds the tree.
func newRoot(w World) *cobra.Command {
	root := &cobra.Command{
		Use:   "hind",
		Short: "A message broker with a journal that can be trusted",
		Long: `hind is a message broker for clients of Apache Artemis. What it acknowledges is on disk, and with a partner on
two disks.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 mistakes in the configuration, 4 a damaged
journal.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetArgs(w.Args)
	root.SetOut(w.Out)
	root.SetErr(w.Err)
	if w.In != nil {
		root.SetIn(w.In)
	}
	root.AddCommand(newRun(w), newDemo(w), newVersion(w), newCheck(w))
	root.AddCommand(newActivation(w), newJournal(w), newProducer(w), newConsumer(w))
	return root
}

// newGroup is a command that only holds others.
func newGroup(use, short string, children ...*cobra.Command) *cobra.Command {
	group := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(children...)
	return group
}

// printJSON prints one document.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// jsonFlag adds --json.
func jsonFlag(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("json", false, "print one JSON document instead of text")
}
