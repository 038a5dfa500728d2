package datafile

import "errors"

// ErrSize says that a slot's file has another size than the journal's slots have.
var ErrSize = errors.New("wrong size")
