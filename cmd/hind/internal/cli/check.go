package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hindmq/hind/broker/config"
)

func newCheck(w World) *cobra.Command {
	return newGroup("check", "Check a configuration or a running broker", newCheckConfig(w), newCheckNode(w))
}

// configReport is what `hind check config` says.
type configReport struct {
	File    string       `json:"file"`
	Valid   bool         `json:"valid"`
	Errors  []configLine `json:"errors,omitempty"`
	Notices []configLine `json:"notices,omitempty"`
	Summary []summary    `json:"summary,omitempty"`
}

type configLine struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Text   string `json:"text"`
	Next   string `json:"next,omitempty"`
}

type summary struct {
	What string `json:"what"`
	Is   string `json:"is"`
}

func newCheckConfig(w World) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config [BROKER.XML]",
		Short: "Read a broker.xml as the broker would, and say what becomes of it",
		Long: `Read a broker.xml, and artemis-users.properties and artemis-roles.properties beside it, as the broker would at
start, without starting one: no port is bound and no journal is opened. Without a file, the embedded defaults are shown.

Mistakes are listed with line, column and what to do about them. Notices say where a setting is taken differently from
Apache Artemis. docs/configuration.md lists every element.`,
		Example: "  hind check config /srv/broker/etc/broker.xml\n  hind check config --json broker.xml",
		Args:    cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"xml"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = action(func(_ *cobra.Command, args []string) error {
		path := ""
		if len(args) == 1 {
			path = args[0]
		}
		c, notices, err := config.Load(path)
		if *asJSON {
			if perr := printJSON(w.Out, configAsReport(path, c, notices, err)); perr != nil {
				return perr
			}
			if err != nil {
				return fail(exitConfig, fmt.Errorf("%s has mistakes; they are listed in the document", path))
			}
			return nil
		}
		if err != nil {
			return fail(exitConfig, err)
		}
		for _, n := range notices {
			fmt.Fprintf(w.Out, "notice: %s\n", n)
		}
		for _, s := range summarize(c) {
			fmt.Fprintf(w.Out, "%s: %s\n", s.What, s.Is)
		}
		return nil
	})
	return cmd
}

func configAsReport(path string, c *config.Config, notices []config.Notice, err error) configReport {
	r := configReport{File: path, Valid: err == nil}
	for _, n := range notices {
		r.Notices = append(r.Notices, configLine{File: n.File, Line: n.At.Line, Column: n.At.Column, Text: n.Text})
	}
	var all config.Errors
	var one *config.Error
	switch {
	case errors.As(err, &all):
	case errors.As(err, &one):
		all = config.Errors{one}
	case err != nil:
		r.Errors = append(r.Errors, configLine{File: path, Text: err.Error()})
	}
	for _, e := range all {
		r.Errors = append(r.Errors, configLine{File: e.File, Line: e.At.Line, Column: e.At.Column, Text: e.Problem, Next: e.Next})
	}
	if c != nil {
		r.Summary = summarize(c)
	}
	return r
}

// summarize says in a few lines what the broker would be.
func summarize(c *config.Config) []summary {
	lines := []summary{
		{"name", c.Name},
		{"journal", fmt.Sprintf("%s, %d files of %d bytes, engine %s", c.JournalDir(), c.Journal.Files, c.Journal.FileSize, c.Journal.Engine)},
	}
	for _, a := range c.Acceptors {
		lines = append(lines, summary{"acceptor", a.String()})
	}
	if c.HA.Policy == config.Replication {
		lines = append(lines, summary{"pair", fmt.Sprintf("%s, pair link on %s", c.HA.Role, c.PairListen())})
		for _, p := range c.Peers() {
			lines = append(lines, summary{"other broker", fmt.Sprintf("%s, clients %s, pair link %s", p.Name, p.Client, p.Pair)})
		}
	} else {
		lines = append(lines, summary{"pair", "none"})
	}
	login := "not asked for"
	if c.Security.Enabled {
		login = fmt.Sprintf("%d users, %d security-settings", c.Security.Users.Count(), len(c.Security.Settings))
	}
	return append(lines, summary{"login", login}, summary{"addresses", fmt.Sprintf("%d declared", len(c.Addresses))})
}
