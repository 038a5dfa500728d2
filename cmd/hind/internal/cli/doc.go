// Package cli is the command tree of hind: it parses flags and arguments, calls what does the work, prints results to
// standard output and errors to standard error, and turns outcomes into exit codes.
//
// It is not where anything is decided: a command that needs more than to call and to print belongs into a package below.
//
// Invariants:
//
//  1. Nothing is global: a tree is built per call of Main from a World, so that tests run commands beside each other.
//  2. Exit codes are those of exit.go and docs/cli.md; scripts rely on them.
//  3. What can be read by a program is printed by --json as one document, with the same content as the text.
//
// Start reading at root.go; then one command, one file.
package cli
