// Package remoting is the broker's front door: the acceptors on which clients connect, the choice of the protocol by a
// connection's first bytes, and the order in which the door is closed.
//
// It speaks no protocol and knows no configuration file: whoever opens a Door brings addresses, limits and protocols.
// The pair port is not one of its acceptors; it lives and dies with the process (package net/replication).
//
// Invariants:
//
//  1. A Door opens all its acceptors or none.
//  2. A protocol's handler sees a connection from its first byte, as if it had been there from the start.
//  3. Who does not show a known protocol within PrefixMax bytes, or within the handshake time-out, is closed and named
//     in the log.
//  4. Closing goes in this order: no new connections, the protocols' farewell, the connections' end within the grace,
//     what is left is aborted. Cutting off (of a broker that lost its role) skips the farewell and the grace.
//
// Start reading at door.go, then detect.go.
package remoting
