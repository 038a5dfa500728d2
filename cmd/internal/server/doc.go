// Package server makes a running broker out of a configuration: transport, pair port, client acceptors, journal engine,
// node and admin port, and the goroutine that steps the node. It is what `hind run` and the demonstrations start.
//
// It decides nothing: policies are in broker and broker/ha. It keeps no package state; several servers may run in one
// process.
//
//	acceptors (net/remoting + net/core) --sessions--> broker.Node <--frames, words-- pair port (net/replication)
//	admin port (HTTP) ----------------------Query------^   ^------completions------- engine (aio)
//
// Invariants:
//
//  1. The pair port is bound before the journal is touched and closed after the node has ended (rule H1).
//  2. Client acceptors are open only between the node's OpenClients and CloseClients, and change in that order.
//  3. The admin port tells and asks; it changes nothing but by an operator's word (POST /activation).
//
// Start with server.go; env.go is the node's outside, wiring.go turns configuration into options, admin.go is HTTP.
package server
