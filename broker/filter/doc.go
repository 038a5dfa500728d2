// Package filter parses and evaluates filters: the selector language of JMS, a subset of SQL-92 conditions, with
// three-valued logic.
//
// It knows no message: what a name stands for, a Source says. XPath and XQuery are refused.
//
// Invariants:
//
//  1. A Filter is immutable; any goroutine may evaluate it.
//  2. Size, nesting and number of parts are bounded, so parsing and evaluating hostile text is bounded too.
//  3. What the parser accepted, evaluating cannot fail on: a nonsensical comparison is false or unknown.
//
// Start with filter.go; the grammar is in parse.go.
package filter
