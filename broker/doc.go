// Package broker composes one broker: the Node owns the role machine (broker/ha), the journal and the domain
// (broker/shard), and steps them in one goroutine.
//
//	links, operator --post--> [inbox]   --.
//	disk completions -------> [inbox]   ---+-> Step(now): events -> role machine -> actions
//	clients -----------------> [mailbox] --'              journal completions -> shard step -> pages to the follower
//
// It opens no socket and reads no clock: what it needs of the outside is an Env, what happens outside is posted. Run waits
// and calls Step; a simulator calls Step itself.
//
// Invariants:
//
//  1. Everything but the inbox and the mailbox belongs to whoever calls Step.
//  2. What the role machine asked for is done in its order, before its next event.
//  3. The right to confirm is read from the role machine after the I/O, at the moment of the release (nodeLog.Safe).
//  4. Of image, driver and follower at most one is not nil: the log has one user.
//  5. No page or acknowledgement leaves for a connection that the role machine no longer follows or sends on.
//
// It is not a protocol and not a policy: ha decides, net speaks. Start with node.go (Step), then actions.go; log.go has the
// journal's side, pair.go what goes over the pair port.
package broker
