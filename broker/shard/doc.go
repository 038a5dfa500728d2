// Package shard is the owner of a broker's domain: its addresses, queues, transactions and, through Log, its journal.
// One goroutine calls Step; everything else talks to it through the Mailbox.
//
//	event loops --post--> [mailbox] --Step--> run commands -> append -> seal -> release -> dispatch -> flush
//
// It starts no goroutine, reads no clock and does no I/O of its own; it knows no session and no protocol.
//
// Invariants:
//
//  1. Only Step, and what it calls, touches the state. The Mailbox is the one thing that others may call.
//  2. Nothing is answered and nothing becomes visible to consumers before Log.Safe passed the position of its records.
//  3. Answers of one session keep the order of its commands: what has no record waits behind what has.
//  4. Records that belong together are in one Append: a dead-letter copy and the removal it replaces, a message and its
//     duplicate id, a whole transaction that fits. A larger transaction is tied by its commit record.
//  5. A state changes in memory only after the Append that says so succeeded, and before the next Append.
//  6. Work per step has a budget; what is left is taken up in the next step, which Step's result asks for.
//
// Start with shard.go, then step.go.
package shard
