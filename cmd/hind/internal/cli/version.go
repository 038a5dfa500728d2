package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hindmq/hind/aio"
)

// versionReport is what `hind version` says.
type versionReport struct {
	Version  string         `json:"version"`
	Revision string         `json:"revision,omitempty"` // of the source, if the build recorded it
	Modified bool           `json:"modified,omitempty"` // the source had changes beyond that revision
	Go       string         `json:"go"`
	Platform string         `json:"platform"`
	Engines  []engineReport `json:"engines"`
}

type engineReport struct {
	Name      string `json:"name"`
	Available bool   `json:"available"`
	Reason    string `json:"reason,omitempty"` // why not, and what to do
}

func newVersion(w World) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say what this build is and which I/O engines this machine offers",
		Long: `Say what this build is and which I/O engines this machine offers.

Each engine is opened once to find out. One that is not available is listed with the reason and what would make it
available; that is no failure.`,
		Example: "  hind version\n  hind version --json",
		Args:    cobra.NoArgs,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = action(func(*cobra.Command, []string) error {
		r := report(w.Version)
		if *asJSON {
			return printJSON(w.Out, r)
		}
		return r.print(w)
	})
	return cmd
}

func report(version string) versionReport {
	r := versionReport{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				r.Revision = s.Value
			case "vcs.modified":
				r.Modified = s.Value == "true"
			}
		}
	}
	for _, e := range aio.Engines() {
		one := engineReport{Name: e.Name, Available: e.Err == nil}
		if e.Err != nil {
			one.Reason = e.Err.Error()
		}
		r.Engines = append(r.Engines, one)
	}
	return r
}

func (r versionReport) print(w World) error {
	t := tabwriter.NewWriter(w.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "hind\t%s\n", r.Version)
	if r.Revision != "" {
		changed := ""
		if r.Modified {
			changed = " with changes"
		}
		fmt.Fprintf(t, "source\t%s%s\n", r.Revision, changed)
	}
	fmt.Fprintf(t, "go\t%s\nplatform\t%s\nI/O engines of this machine:\n", r.Go, r.Platform)
	for _, e := range r.Engines {
		state := "available"
		if !e.Available {
			state = e.Reason
		}
		fmt.Fprintf(t, "  %s\t%s\n", e.Name, state)
	}
	return t.Flush()
}
