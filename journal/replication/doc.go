// Package replication keeps the log of a passive broker equal to that of its active one, page by page.
//
// Sender belongs to the active side, Receiver to the passive one. Both are pure machines: messages in, messages out; they
// open no socket, start no goroutine and read no clock. They act on a journal.Driver and a journal.Follower that belong to
// the same owner. The node carries their messages over the pair port, in order within one connection; a new connection
// needs a new Sender and a new Receiver.
//
// The conversation, on one connection (F: the follower, O: the owner):
//
//	F -> O  Manifest   what F's log consists of
//	O -> F  Common     the last page that both logs have; F finds what it would have to cut (rule H8) and waits for its
//	                   role machine's permission, since nothing may be cut or copied before the mark "copying" is durable
//	F -> O  Fetch      F has cut; send from here
//	O -> F  Pages      catch-up from files, then live pages, the very buffers that go to O's disk
//	O -> F  Files      what O's disk holds, before a page that does not follow the last one: files between retired
//	O -> F  CaughtUp   once: everything that O had sealed when it says so was sent
//	O -> F  Safe       up to here everything may be applied to F's memory
//	F -> O  Ack        up to here everything is durable on F's disk, and F could open it
//	F -> O  Progress   up to here everything is durable; while a copy is not whole, so that O goes on sending
//
// Invariants:
//
//  1. The receiver writes a page at the position at which the sender has it, and acknowledges only what is durable.
//  2. Every message names the epoch; one of another epoch ends the conversation with an error.
//  3. What the sender pins is bounded (journal.Driver.Tap); a follower that falls behind reads files again.
//  4. The receiver checks salt, position, hash and chain of each page before it writes it.
package replication
