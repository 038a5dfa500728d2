// Package queue has what happens within one queue: references to messages in order, consumers with credits, dispatch,
// the states that a reference goes through.
//
// It knows no journal, no address table and no session: record ids are numbers to it, consumers are reached through
// Target, and what must be written first (an expiry) is asked of a Keeper.
//
//	              safe            dispatch               acknowledge
//	Pending ---------> Ready ----------------> Delivering ------------> Gone
//	                     ^                       |  |                     ^
//	                     |        cancel         |  | within a transaction|
//	                     +------ Returning <-----+  +-------> Held -------+ commit
//	                                 ^                          |
//	                                 +--------- rollback -------+
//
// Invariants:
//
//  1. A reference stays in its place in the list of its priority from Add until Remove, whatever its state: what comes
//     back is in order by itself.
//  2. A cursor stands at or before the first Ready reference that its owner has not passed.
//  3. While a reference is Returning, its queue dispatches nothing: what comes back goes first.
//  4. Only the owner of the shard touches anything here.
//
// Start with queue.go, then dispatch.go.
package queue
