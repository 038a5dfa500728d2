// Package address has the values around addresses: routing types, fully qualified names ("address::queue"), matching
// by wildcards, and the settings that a match gives.
//
// It holds no addresses: package postoffice does. Invariants:
//
//  1. A Table is immutable once built and may be read from any goroutine.
//  2. A setting that no rule gives has the default of Defaults().
//
// Start with settings.go.
package address
