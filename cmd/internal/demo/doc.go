// Package demo shows a failover: a pair of brokers as two real processes on this machine, clients that send and consume
// without a pause, and kill -9 of the active broker, again and again. It tells how long clients waited and whether
// anything that was acknowledged is missing, came twice or came out of order.
//
// It is not a test of power cuts or of two machines: one kernel holds both journals. It knows nothing of the inside of a
// broker: it starts `hind run`, asks GET /status and speaks the protocol of clients.
//
//	director --start, kill -9--> member (process `hind run`) x 2
//	   |    \--GET /status------> admin ports
//	load: producers, consumer --CORE--> whichever of the two serves
//	   \--what was confirmed and what came--> ledger --> report
//
// Invariants:
//
//  1. A member never outlives this process: the kernel kills it when the thread that started it ends (Linux), and every
//     way out of Run stops it.
//  2. A sequence number is counted as acknowledged only after the broker's answer; the message is sent again, with the
//     same duplicate id, until there is one.
//  3. A delivery counts as doubled if its acknowledgement was confirmed before, or if it is another copy (another
//     message id). A delivery after a failover whose acknowledgement was still on the way is a redelivery, which the
//     protocol allows.
//  4. Failover time is what producers see: from the last confirm by the broker that was killed to the first by the other.
//
// Start with demo.go; ledger.go has the bookkeeping.
package demo
