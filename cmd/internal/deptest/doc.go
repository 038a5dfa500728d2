// Package deptest holds the tests of the house rules: who may import whom, what every package must have, and how large
// things may get. It has no code of its own.
//
// The rules are tables: arrows in imports_test.go, measures and their exceptions in shape_test.go. A rule that has to
// give way gets a line in its table with the reason; that line is what a review looks at.
//
// The source is parsed rather than listed by the go command, so that files for other systems are held to the same rules.
// Nested modules and testdata are not looked at.
package deptest
