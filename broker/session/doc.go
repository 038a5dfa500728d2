// Package session is what a protocol may ask of the broker: connections, sessions, producers, consumers,
// transactions, queries and the creation of addresses and queues. It is the border between net and broker.
//
// A connection's event loop decodes frames and calls the methods of Conn and Session. They do nothing but append a
// command to the connection's batch; Conn.Post hands the batch over at the end of the read callback. The shard runs the
// commands in order and answers through the Outlet that the protocol gave to Host.Connect.
//
//	event loop:  Session.Send, Session.Acknowledge, ...  -> batch -> Conn.Post -> mailbox
//	owner:       batch runs -> ... safe ... -> Outlet.Answer, Outlet.Deliver, Outlet.Notify -> Outlet.Flush, once a step
//
// It is not a protocol: it knows no frame and no packet.
//
// Invariants:
//
//  1. Methods of Conn and Session belong to the connection's event loop; methods of Outlet are called by the owner of
//     the shard only. The two sides share nothing but the mailbox.
//  2. Every request with a tag is answered exactly once, with a result or an *Error, as long as its connection is open;
//     a silent one only if the session confirms all. Answers of one session come in the order of its requests.
//  3. The answer to a durable send, a settlement, a commit or the creation of a durable queue comes after it is safe.
//  4. What is not built is refused by CodeNotImplemented and a sentence that names it, never ignored.
//
// Start with conn.go for the callers' side, outlet.go for the answers, then run.go.
package session
