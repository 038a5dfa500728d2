// Package sim runs a pair of brokers with their disks, network, clocks and clients in one goroutine, from a seed, and
// checks that nothing a client was told turns out to be false.
//
// Everything real is real: two broker.Node with role machine, journal, replication and domain. Simulated is what is below
// and around them: disks (aio/aiotest), connections of the pair port (network.go), clocks that differ and stand still, and
// clients that retry (client.go). Faults come from the seed: kills, power cuts (also in the middle of a step, at any call of
// the disk), pauses, cuts in one or both directions, lost connections, failing, slow and hanging disks, orderly stops and
// handovers. At the end everything heals; the pair must serve again, in sync, and every message is accounted for.
//
//	events (loop.go) -> host.step -> broker.Node.Step -> Env (host.go) -> network, disk, clients -> events
//	                                                        \-> History (history.go): attempts, answers, deliveries
//
// It is not a test of sockets or of the real disk, and no proof: it samples.
//
// Invariants:
//
//  1. One seed gives one run: one goroutine, no clock, no map iteration in a choice, one number generator for each concern.
//  2. The checkers look at what clients were told and what left the broker, never at the brokers' opinion of it.
//  3. What the checkers accept, the rules allow; a checker that cannot fail is tested with planted violations.
//
// Start with world.go (Run), then faults.go; history.go has the checkers.
package sim
