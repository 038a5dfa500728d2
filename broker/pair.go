package broker

import (
	"errors"
	"slices"
	"time"

	"github.com/hindmq/hind/broker/ha"
	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/replication"
)

// pair is what goes over the pair port beside words. This broker sends to at most one follower and follows at most one owner.
type pair struct {
	out    sending
	in     receiving
	told   membership
	full   bool   // the link takes no more bulk frames
	copied uint64 // newest epoch for which the mark "copying" was set

	failures failures
	doomed   []doomed // links that are closed later
}

// membership is what the journal was told of who counts in "stable".
type membership struct {
	driver *journal.Driver
	needs  bool
	member journal.Member
	acked  journal.Position
	free   int // slots of the other disk; -1: none counts
}

// sending is the active's side.
type sending struct {
	link     ha.Link
	member   ha.Instance
	sender   *replication.Sender
	held     *replication.Message // did not leave yet
	acked    journal.Position     // as reported to the role machine
	caughtUp bool
}

// receiving is the passive's side.
type receiving struct {
	link     ha.Link
	epoch    uint64
	receiver *replication.Receiver
	checked  bool // TailChecked was reported
}

// forget ends the conversation of a link that is gone.
func (p *pair) forget(link ha.Link) {
	p.doomed = slices.DeleteFunc(p.doomed, func(d doomed) bool { return d.link == link })
	if p.out.link == link {
		p.endSending()
	}
	if p.in.link == link {
		p.in = receiving{}
	}
}

func (p *pair) endSending() {
	if p.out.sender != nil {
		p.out.sender.Close()
	}
	if held := p.out.held; held != nil && held.Pages.Release != nil {
		held.Pages.Release()
	}
	p.out, p.full = sending{}, false
}

// stopPair ends both directions.
func (n *Node) stopPair() {
	n.pair.endSending()
	n.pair.in = receiving{}
}

func (n *Node) stopSending(link ha.Link) {
	if n.pair.out.link == link {
		n.pair.endSending()
	}
}

func (n *Node) stopFollowing() { n.pair.in = receiving{} }

// send begins to send the log to a follower.
func (n *Node) send(a ha.Send) {
	n.pair.endSending()
	n.pair.out = sending{link: a.Link, member: a.Member,
		sender: replication.NewSender(n.store.driver, uint32(a.Epoch), replication.SenderOptions{TapMax: n.o.TapMax})}
}

// follow begins to follow an owner: the manifest leaves, nothing is cut.
func (n *Node) follow(a ha.Follow) {
	s := &n.store
	if s.follower == nil {
		f, err := s.image.Follow(journal.FollowOptions{Engine: n.o.Engine, Pool: n.o.Pool, Now: n.journalNow(), Rebuild: n.rebuild})
		if err != nil {
			n.poisoned(err)
			return
		}
		s.follower, s.image = f, nil
	}
	n.pair.in = receiving{link: a.Link, epoch: a.Epoch, receiver: replication.NewReceiver(s.follower, uint32(a.Epoch))}
}

// rebuild gives the follower a fresh domain, when what it had applied no longer stands in its log.
func (n *Node) rebuild() (journal.Loader, error) {
	n.newShard()
	return n.domain.shard, nil
}

// copyLog cuts the tail and begins to copy. The mark "copying" is durable before.
func (n *Node) copyLog(a ha.Copy) {
	in := &n.pair.in
	if in.link != a.Link || in.receiver == nil {
		return
	}
	if !n.store.copying {
		if err := n.saveState(n.store.follower.State().Promises, true); err != nil {
			n.poisoned(err)
			return
		}
	}
	if err := in.receiver.Copy(); err != nil {
		n.poisoned(err)
		return
	}
}

// receive takes one frame of the peer.
func (n *Node) receive(f *received) {
	if f.lane == LaneWord {
		w, err := ha.DecodeWord(f.head)
		if err != nil {
			n.env.CloseLink(f.link, err.Error())
			return
		}
		n.feed(ha.Received{Link: f.link, Word: w})
		return
	}
	m, err := replication.DecodeMessage(f.head, f.body)
	if err != nil {
		n.log.Error("the other broker sends what is no message", "link", f.link, "error", err)
		n.pair.forget(f.link)
		n.env.CloseLink(f.link, err.Error())
		return
	}
	p := &n.pair
	switch {
	case p.out.link == f.link && p.out.sender != nil:
		if err = p.out.sender.Receive(m); err == nil {
			n.reportAcked()
		}
	case p.in.link == f.link && p.in.receiver != nil:
		err = p.in.receiver.Receive(m)
	}
	if err != nil {
		n.endLink(f.link, err)
	}
}

// replicate sends what is to be sent and reports what became of it.
func (n *Node) replicate() {
	if n.pair.out.sender != nil {
		n.replicateOut()
	}
	if n.pair.in.receiver != nil {
		n.replicateIn()
	}
	n.members()
}

func (n *Node) replicateOut() {
	out := &n.pair.out
	for !n.pair.full {
		m := out.held
		out.held = nil
		if m == nil {
			next, ok, err := out.sender.Next()
			if err != nil {
				n.endLink(out.link, err)
				return
			}
			if !ok {
				break
			}
			m = &next
		}
		if !n.sendMessage(out.link, m) {
			out.held = m
			return
		}
	}
	epoch := uint64(n.store.driver.Epoch())
	if to, ok := out.sender.CaughtUp(); ok && !out.caughtUp {
		out.caughtUp = true
		n.feed(ha.CaughtUp{Link: out.link, Epoch: epoch, To: to})
	}
}

// reportAcked tells the role machine what the follower has; the shard releases it in the same step.
func (n *Node) reportAcked() {
	out := &n.pair.out
	at := out.sender.Acked()
	if !out.acked.Less(at) {
		return
	}
	out.acked = at
	n.feed(ha.Acked{Link: out.link, Epoch: uint64(n.store.driver.Epoch()), Position: at})
}

// sendMessage says whether the message left, or will not.
func (n *Node) sendMessage(link ha.Link, m *replication.Message) bool {
	err := n.env.Send(link, Frame{Lane: laneOf(m), Head: replication.AppendMessage(nil, m), Body: m.Pages.Data, Release: m.Pages.Release})
	if errors.Is(err, ErrLinkFull) {
		n.pair.full = true
		return false
	}
	return true
}

func laneOf(m *replication.Message) Lane {
	switch m.Kind {
	case replication.KindManifest, replication.KindCommon:
		return LaneManifest
	case replication.KindPages:
		if m.Pages.Live {
			return LanePages
		}
		return LaneFilePages
	case replication.KindAck, replication.KindProgress:
		return LaneAck
	}
	return LaneControl
}

// endLink ends a conversation that went wrong, and its link: the first time at once, then later and later, since the brokers
// join again as soon as the link is gone.
func (n *Node) endLink(link ha.Link, err error) {
	n.pair.forget(link)
	wait := n.pair.failures.wait(n.now.Boot)
	if errors.Is(err, journal.ErrRetired) {
		n.log.Warn("the other broker fell behind what the log keeps; it copies again", "link", link, "in", wait, "found", err)
	} else {
		n.log.Error("the pair's conversation ends; the brokers join again", "link", link, "in", wait, "error", err)
	}
	if wait == 0 {
		n.env.CloseLink(link, err.Error())
		return
	}
	n.pair.doomed = append(n.pair.doomed, doomed{link, n.now.Boot + wait, err.Error()})
}

// closeDoomed closes the links whose time has come.
func (n *Node) closeDoomed() {
	n.pair.doomed = slices.DeleteFunc(n.pair.doomed, func(d doomed) bool {
		if d.at > n.now.Boot {
			return false
		}
		n.env.CloseLink(d.link, d.why)
		return true
	})
}

// doomed is a link that is closed when its time has come.
type doomed struct {
	link ha.Link
	at   time.Duration
	why  string
}

// failures says how long to wait after a conversation that failed.
type failures struct {
	count int
	last  time.Duration
}

// Waits after failures: none after the first, then from waitMin doubling to waitMax; without a failure for failureForgotten
// the next one is a first again.
const (
	waitMin          = 50 * time.Millisecond
	waitMax          = 5 * time.Second
	failureForgotten = 30 * time.Second
)

// wait counts a failure.
func (f *failures) wait(now time.Duration) time.Duration {
	if now-f.last > failureForgotten {
		f.count = 0
	}
	f.last = now
	f.count++
	if f.count == 1 {
		return 0
	}
	return min(waitMin<<min(f.count-2, 10), waitMax)
}

func (n *Node) replicateIn() {
	in := &n.pair.in
	if common, ok := in.receiver.Common(); ok && !in.checked {
		in.checked = true
		tail, err := n.tailOf(common)
		if err != nil {
			n.endLink(in.link, err)
			return
		}
		n.feed(ha.TailChecked{Link: in.link, Tail: tail})
		if in.receiver == nil {
			return
		}
	}
	link, epoch, ok := n.machine.Follows()
	acks := ok && link == in.link && epoch == in.epoch
	for !n.pair.full {
		m, ok := in.receiver.Next(acks)
		if !ok {
			break
		}
		n.sendMessage(in.link, &m)
	}
	// A role record is reported behind the acknowledgement that covers it.
	for _, role := range in.receiver.DurableRoles() {
		r, err := ha.DecodeRecord(role.Role)
		if err != nil {
			n.endLink(in.link, err)
			return
		}
		n.feed(ha.Followed{Link: in.link, Record: r, At: role.Position})
		if in.receiver == nil {
			return
		}
	}
}

// tailOf translates what the receiver found into the role machine's words.
func (n *Node) tailOf(c replication.Common) (ha.Tail, error) {
	t := ha.Tail{Cut: c.Cut, Known: c.Known}
	n.log.Debug("the logs were compared", "common", c.At, "tip", n.store.follower.Tip(), "cut", c.Cut, "known", c.Known, "above", len(c.Above), "below", c.Below.Position)
	var err error
	if len(c.Below.Role) > 0 {
		if t.Below, err = ha.DecodeRecord(c.Below.Role); err != nil {
			return t, err
		}
	}
	for _, role := range c.Above {
		r, err := ha.DecodeRecord(role.Role)
		if err != nil {
			return t, err
		}
		t.Observe(r, n.machine.Identity().Instance)
	}
	return t, nil
}

// members keeps the journal's idea of who counts in "stable" equal to the role machine's.
func (n *Node) members() {
	d, told := n.store.driver, &n.pair.told
	c, ok := n.machine.Confirm()
	if d == nil || !ok {
		return
	}
	now := membership{driver: d, needs: c.Needs, member: journal.Member(n.pair.out.member), acked: c.Acked, free: -1}
	if c.Needs && n.pair.out.sender != nil {
		now.free = n.pair.out.sender.PeerFree()
	}
	if now == *told {
		return
	}
	switch {
	case !c.Needs:
		d.SetMembers(nil)
		d.SetPeerFree(-1)
	default:
		d.SetMembers([]journal.Member{now.member})
		d.MemberDurable(now.member, c.Acked)
		d.SetPeerFree(now.free)
	}
	*told = now
}
