// Package ha decides which broker of a pair is active. It is a pure machine: events in, actions out, time an argument.
// It opens no socket, writes no file and starts no goroutine; the node does that and reports back.
//
// # What it is not
//
// It moves no pages (journal/replication does), frames no words (net/replication does) and knows no clients. It does
// not confirm messages itself: it says what a confirm needs, at the moment it is asked (Machine.Confirm).
//
// # The idea in five sentences
//
// The role record in the log names the owner of the newest epoch and the set of brokers that have everything; it is
// durable before it takes effect. The active confirms only what every recorded member has durably. A backup that was
// told "in sync" holds a volatile right to take over; the right dies with its process. In mode wait the active never
// confirms alone before it knows that this right is gone, so the backup may act on a refusal or on silence without any
// third party. A broker that restarts with a record that names two members needs the other's durable promise.
//
// # Invariants
//
//  1. An epoch is opened only after its role record is durable in the own log (H2).
//  2. Machine.Confirm never lets work through that a recorded or required member has not acknowledged in this epoch, on
//     its current connection's process, with its recorded journal instance (H3).
//  3. Alone is recorded durably before the first lone confirm; a member is recorded durably on both before it is told.
//  4. InSync lives in the process that was told; nothing on disk brings it back (H4).
//  5. A word counts only on the newest connection of the sender's newest process, and names what it answers (H1).
//  6. A promise is durable before it is sent; its giver opens nothing, and follows nobody, below its epoch (H7).
//  7. No log is cut or copied into before the mark "copying" is durable; under the mark an own alone record of that
//     epoch or an older one gives no right (H2).
//  8. Nothing is cut that may hold what only this broker has confirmed: the machine asks instead (H8).
//  9. While a journal write is overdue the broker claims, promises and joins nothing (H12).
//
// # Contract of the node
//
// Call Step with every event in the order it happened, then take Actions and carry them out in their order before the
// next Step. Read Confirm, MayDeliver and Follows at the moment of each confirm, delivery and acknowledgement: a copy
// taken before an I/O is a mistake. Call Step with Tick no later than NextTick.
//
//	            +-----------------------------------------------+
//	links  ---> | LinkUp LinkDown Refused Received              | ---> Dial CloseLink SendWord
//	journal --> | Loaded RecordDurable Followed Overdue Poisoned| ---> WriteRecord Follow Copy Settle Send
//	operator -> | Stop HandOver Decide                          | ---> OpenClients CloseClients Ask Exit
//	            +-----------------------------------------------+
//
// # Where to start reading
//
// event.go and action.go (the border), machine.go (Step), then the roles: asking.go, claim.go, active.go, follow.go,
// handover.go, fence.go. link.go says which connection counts. docs/ha.md has the rules and the table of pair states.
package ha
