package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

// The exit codes. docs/cli.md repeats them for people.
const (
	exitOK      = 0
	exitFailed  = 1 // the command could not do its work
	exitUsage   = 2 // unknown command or flag, wrong arguments
	exitConfig  = 3 // the configuration has mistakes
	exitDamaged = 4 // the journal is damaged
)

// failure is an error of a command that was called rightly, with its exit code.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// fail gives err an exit code; nil stays nil.
func fail(code int, err error) error {
	if err == nil {
		return nil
	}
	return &failure{code: code, err: err}
}

// action wraps the work of a command: an error that has no code of its own means exitFailed. What cobra finds wrong before
// the work starts does not pass through here and so means exitUsage.
func action(work func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := work(cmd, args)
		var f *failure
		if err == nil || errors.As(err, &f) {
			return err
		}
		return fail(exitFailed, err)
	}
}

// codeOf is the exit code for what the tree returned.
func codeOf(err error) int {
	var f *failure
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &f):
		return f.code
	}
	return exitUsage
}
