// Package storage is the tie between the domain and its records: it makes the records of an operation, and it carries the
// operation out in memory. The active does both, one after the other; load and standby find the record and carry it out
// with the same code, so all of them hold the same state.
//
//	operation                    record                                   carried out by
//	message routed               ADD message  (routes in Meta, bytes)     AddMessage
//	one of several settled       UPDATE {reason, what is left}            Settle
//	last one settled             DELETE, Type = reason                    Settle
//	delivery counted             UPDATE {0, all}                          CountStored
//	address, queue made          ADD address, ADD queue                   AddAddress, AddQueue
//	address changed              UPDATE {whole address}                   ChangeAddress
//	address, queue deleted       DELETE                                   RemoveAddress, RemoveQueue
//	duplicate id without message EVENT duplicate                          office.Remember
//
// It does not append: package shard does, and no socket, file or clock is known here.
//
// Invariants:
//
//  1. An entity's order within queues is the order of its record in the log.
//  2. A queue's id is the id of its record, so ids are never used twice and need no counter in the log.
//  3. A message whose queues are gone is an orphan: nobody sees it, and the active deletes its record in its own time.
//  4. The records of a transaction do nothing before its commit, and nothing at all without one.
//  5. Equal logs give equal digests.
//
// Start with store.go, then apply.go; the bytes are in codec.go.
package storage
