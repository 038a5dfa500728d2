package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/inspect"
)

func newJournal(w World) *cobra.Command {
	return newGroup("journal", "Look at a journal without changing it", newJournalInspect(w), newJournalVerify(w))
}

// journalCommand is what both commands share: one directory, read-only, beside whoever writes.
func journalCommand(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ExactArgs(1)
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return cmd
}

func newJournalInspect(w World) *cobra.Command {
	cmd := journalCommand(&cobra.Command{
		Use:   "inspect DIR",
		Short: "Say what a journal holds",
		Long: `Say what the journal in DIR holds: its files, how many records they have and how many of them are live, where the log
ends, and what lay behind that end. Nothing is changed, no lock is taken; a broker may be running on it.

Exit code 4: the journal is damaged. What could be read is shown all the same.`,
		Example: "  hind journal inspect data/journal\n  hind journal inspect --json data/journal",
	})
	asJSON := jsonFlag(cmd)
	cmd.RunE = action(func(_ *cobra.Command, args []string) error {
		r, err := inspect.Inspect(newFS(), args[0])
		if err == nil && absent(r) {
			return noJournal(args[0])
		}
		if r != nil {
			print := r.Write
			if *asJSON {
				print = func(w io.Writer) error { return printJSON(w, r) }
			}
			if err := print(w.Out); err != nil {
				return err
			}
		}
		return judge(args[0], err)
	})
	return cmd
}

// verifyReport is what `hind journal verify --json` prints.
type verifyReport struct {
	Dir string `json:"dir"`
	inspect.Verified
	Damage string `json:"damage,omitempty"`
}

func newJournalVerify(w World) *cobra.Command {
	cmd := journalCommand(&cobra.Command{
		Use:   "verify DIR",
		Short: "Read every byte of a journal that counts and check it",
		Long: `Read every file of the journal in DIR up to its end and check every page and every record. Nothing is changed, no
lock is taken; a broker may be running on it.

One changed bit up to the end of a closed file is found. What nothing vouches for, behind the end of the last file, is
not looked at: hind journal inspect says how much that is.

Exit code 4: the journal is damaged; the first damage is named with file and place. A pair repairs such a broker from
the other one; a broker alone needs its backup copy.`,
		Example: "  hind journal verify data/journal\n  hind journal verify --json data/journal",
	})
	asJSON := jsonFlag(cmd)
	cmd.RunE = action(func(_ *cobra.Command, args []string) error {
		v, err := inspect.Verify(newFS(), args[0], verifyProgress(w))
		if err == nil && v.Files == 0 { // nothing was written yet, or this is another directory
			if r, err := inspect.Inspect(newFS(), args[0]); err == nil && absent(r) {
				return noJournal(args[0])
			}
		}
		damage := judge(args[0], err)
		if damage != nil && codeOf(damage) != exitDamaged {
			return damage
		}
		r := verifyReport{Dir: args[0], Verified: v}
		if err != nil {
			r.Damage = err.Error()
		}
		if *asJSON {
			if err := printJSON(w.Out, r); err != nil {
				return err
			}
			return damage
		}
		verdict := "everything is as it was written"
		if damage != nil {
			verdict = "then came damage"
		}
		fmt.Fprintf(w.Out, "%d files, %d pages, %d records, %d bytes read: %s\n", v.Files, v.Pages, v.Records, v.Bytes, verdict)
		return damage
	})
	return cmd
}

func newFS() aio.FS { return aio.NewOS(aio.OSOptions{}) }

// absent says that a directory holds no journal, not even an unused one.
func absent(r *inspect.Report) bool { return len(r.Files) == 0 && r.Instance == "" }

func noJournal(dir string) error { return judge(dir, errors.New("there is none; check the path")) }

// judge gives an error of the journal its exit code and its place.
func judge(dir string, err error) error {
	if err == nil {
		return nil
	}
	if abs, aerr := filepath.Abs(dir); aerr == nil {
		dir = abs
	}
	err = fmt.Errorf("journal in %s: %w", dir, err)
	if errors.Is(err, journal.ErrDamaged) {
		return fail(exitDamaged, err)
	}
	return err
}

// verifyProgress tells of long work, every tenth of it.
func verifyProgress(w World) func(done, total int64) {
	const long = 1 << 30 // bytes: below it the work is done before anybody asks
	last := int64(0)
	return func(done, total int64) {
		if total < long {
			return
		}
		if tenth := done * 10 / total; tenth > last {
			last = tenth
			fmt.Fprintf(w.Err, "%d %% of %d bytes\n", tenth*10, total)
		}
	}
}
