// Package replication is the pair port: the one connection between the two brokers of a pair, proven on both sides,
// that carries words of the role machine, journal pages and their acknowledgements.
//
// It moves frames. It does not know what a word says, whose pages are newer, or who may act: the words are broker/ha's,
// the messages about pages are journal/replication's, and both are bytes here.
//
// Invariants:
//
//  1. A Link exists only between two processes that proved to each other that they know the cluster user and password.
//     Neither the password nor anything from which it follows without a search leaves the process. Until then a
//     stranger can make this process hold Hello's length of bytes, for the time of the handshake, on a bounded number
//     of connections.
//  2. Frames of one lane arrive in the order of their Send, whole, once, or the link ends. A word may overtake bulk
//     frames that were sent before it; nothing overtakes a word.
//  3. A word waits for at most one bulk frame of this process.
//  4. Every queue is bounded: words close the link when they do not fit, bulk frames are refused until LinkDrained.
//  5. No memory is taken for a length that the peer declared beyond FrameLimits; a header is checked before its body.
//  6. Body bytes are lent, never copied on the sending side: from the journal's buffers to the kernel.
//  7. "Refused" means that the kernel at the peer's address says nobody listens. Whoever answers without proof is
//     silence, and is told apart in the error.
//
// The protocol, byte by byte: docs/replication-protocol.md. Start reading at frame.go, then handshake.go (a pure
// machine), link.go, pairport.go.
package replication
