// Package config turns broker.xml, artemis-users.properties and artemis-roles.properties into typed values, with every
// default in one constructor (Default) and every rule between settings in one method (Validate).
//
// It reads files and nothing else: it opens no journal, binds no port, and imports the standard library only, so a
// configuration can be checked on a machine that runs no broker. It does not say what a setting does; the packages that
// take the values do.
//
//	broker.xml --parse--> nodes with places --tables--> Config + Notices --Validate--> what the broker is wired from
//
// Invariants:
//
//  1. Nothing that a file says is passed over in silence. An element, attribute or value either takes effect, or gives
//     a Notice that says what happens instead, or is an error. An element of Artemis that is not built yet is an error.
//  2. Every error of a file carries file, line and column, names the element, and says what to do next.
//  3. Size, depth and number of elements are bounded before anything is interpreted; a DTD is refused. No bytes panic.
//  4. Permissions are denied unless a security-setting grants them; the most specific match decides alone, nothing is
//     inherited from a wider one. Address settings are the opposite: wider matches fill in what narrower ones leave out.
//  5. The user's files are never written.
//
// Start reading at config.go (the values), then load.go (the way through), then one table_*.go.
package config
