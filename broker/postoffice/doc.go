// Package postoffice knows the addresses, the queues bound to them, and who gets a message: it routes, accounts for the
// memory of each address, keeps producers' requests for credits while an address is full, and remembers duplicate ids.
//
// It writes no records: packages storage and shard do, and they call here once a record says so.
//
// Invariants:
//
//  1. An address' bytes and messages are the sums over the entities that were taken in and not yet released.
//  2. Lists that others see (queues of an address, addresses) have an order of their own, never a map's.
//  3. A window's durable ids are the same, in the same order, on every broker that applied the same records.
//
// Start with office.go, then route.go.
package postoffice
