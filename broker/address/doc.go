// Package address has the values around addresses: routing types, fully qualified names ("address::queue"), and the
// settings of an address.
//
// It holds no addresses: package postoffice does; it matches no patterns: the configuration does. Invariants:
//
//  1. A Table is immutable once built and may be read from any goroutine.
//  2. Without a Table every address has the settings of Defaults().
//
// Start with settings.go.
package address
