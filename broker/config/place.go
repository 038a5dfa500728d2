package config

import (
	"fmt"
	"strings"
)

// Place is where something stands in a file. The zero Place is a value that no file gave.
type Place struct {
	Line, Column int
}

func (p Place) isZero() bool { return p.Line == 0 }

// Error is one mistake in a configuration, with the way out of it.
type Error struct {
	File    string // empty: embedded defaults or values set by a program
	At      Place
	Problem string // what is wrong, naming the element
	Next    string // what to do about it
}

// Error reads "file:line:column: problem; next step".
func (e *Error) Error() string {
	return where(e.File, e.At) + e.Problem + "; " + e.Next
}

// Notice is something the file asks for that is taken, but not as Artemis would take it: Text says what happens
// instead. Notices are shown at start and change nothing.
type Notice struct {
	File string
	At   Place
	Text string
}

// String reads "file:line: text".
func (n Notice) String() string { return where(n.File, n.At) + n.Text }

func where(file string, at Place) string {
	switch {
	case file == "":
		return ""
	case at.isZero():
		return file + ": "
	}
	return fmt.Sprintf("%s:%d:%d: ", file, at.Line, at.Column)
}

// Errors is everything that is wrong with a configuration, in the order of the file, at most errorsMax of it.
type Errors []*Error

// errorsMax bounds the list: a file of another program would otherwise give one error per line.
const errorsMax = 20

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As reach the single errors.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}
