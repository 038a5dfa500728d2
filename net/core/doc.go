// Package core is the server side of the Artemis CORE protocol: unmodified Artemis Java clients connect to it.
//
// It turns frames into calls of broker/session and what the session's Outlet is told into frames. It decides nothing about
// queues, transactions or delivery, and does not listen: net/remoting owns the acceptors and hands connections over.
//
//	   event loop of the connection                        the shard
//	Received -> frames -> packets -> session calls  -->  [ mailbox ] ... Outlet -> frames -> conn.Write
//	   (conn.go)          (channel.go and one file per command group)    (outlet.go)
//
// Two goroutines meet here and share little: the loop owns conn and the table of channels; the shard owns the outlets. What
// crosses is in the calls and in fields that say so.
//
// Invariants:
//
//  1. Before a session of the connection is authenticated, nothing but PING, topology subscription, CHECK_FOR_FAILOVER,
//     CREATESESSION and REATTACH_SESSION is taken; anything else closes the connection.
//  2. Responses leave in the order of the requests on a channel, and an EXCEPTION only for a request that waits for an
//     answer: an exception that was not asked for would end some other call of the client.
//  3. Nothing a client sends is left without the answer it waits for: what is not built is refused by name.
//  4. A bad frame closes its own connection with a reason in the log, and nothing else.
//  5. What one connection may have queued, in either direction, is bounded; beyond it reading or delivering pauses.
//  6. The layout version is the smallest of what the client announced anywhere on the connection and VersionMax.
//
// Start reading at conn.go, then channel.go.
package core
