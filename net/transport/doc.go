// Package transport is the border between bytes on sockets and everything that speaks a protocol.
//
// It has two implementations behind the same interfaces, held to one conformance suite: Gnet (event loops, one
// goroutine for many connections) and Plain (the standard net package, two goroutines per connection). Package
// transporttest is the third: a simulated network without goroutines, stepped by virtual time.
//
// It is not a protocol, knows no frames and no roles, and does no TLS yet.
//
// Invariants:
//
//  1. Callbacks of one connection (Opened, Received, Drained, Closed) never run at the same time and come in this
//     order: Opened once, then any number of Received and Drained, then Closed exactly once, then nothing.
//  2. Bytes given to Write are copied; bytes given to Writev are lent until release, which is called exactly once
//     whatever happens.
//  3. Nothing grows without a limit: unconsumed input, queued output, connections, connections from one host,
//     connections that have not proven themselves. Every limit has an error and a stated behaviour.
//  4. Every wait ends: dialing, the handshake, idleness, a peer that does not read, the farewell after Close.
//  5. A panic in a handler closes the handler's own connection and nothing else.
//  6. A listening address belongs to one process (no SO_REUSEPORT) and can be bound again at once after a restart
//     (SO_REUSEADDR).
//  7. PauseRead pushes back on the peer: the kernel's buffers fill, nothing of ours does.
//
// Only this package imports gnet. Start reading at transport.go, then outbox.go (the output queue that both
// implementations share), then gnet.go or plain.go.
package transport
