// Package client is a client of CORE brokers for Go programs: the commands of hind use it.
//
// It knows queues, producers that wait for the broker's word, and consumers that acknowledge. It has no transactions, no
// large messages, no selectors and no topics yet. It is not a JMS client, and decides nothing that a broker decides.
//
//	goroutines of the program          keeper (one per Client)            event loop of the connection
//	Send, Receive, Ack, ...  -->  dials, opens sessions and consumers  <--  frames: answers, deliveries, topology
//	        (producer.go, consumer.go)     anew after a loss (keeper.go)          (link.go, dispatch.go)
//
// All state of one Client is under one mutex; no call of another package waits while it is held.
//
// Invariants:
//
//  1. Send returns nil only after the broker said that it has the message. It returns ErrUnanswered if that cannot be
//     known; never an error that claims more.
//  2. A send is repeated only if its message has a duplicate id, or if nothing of it was written.
//  3. A message is acknowledged only on the connection on which it came; afterwards Ack returns ErrStale, and the message
//     comes again.
//  4. Nothing grows without a limit: requests without an answer, received messages (the window), known members of the
//     topology, output (the transport's limit).
//  5. Every wait ends: with the caller's context, or with the end of the Client.
//
// Start reading at client.go, then keeper.go.
package client
