package broker

import (
	"fmt"
	"time"

	"github.com/hindmq/hind/broker/ha"
)

// act does what the role machine asks for. Nothing here feeds the machine: what is to be reported is posted, so that every
// action of one event is done before the next event.
func (n *Node) act() {
	for _, a := range n.machine.Actions() {
		if _, word := a.(ha.SendWord); !word {
			n.log.Debug("role action", "action", a.String())
		}
		switch a := a.(type) {
		case ha.Dial:
			n.env.Dial(a.Peer)
		case ha.CloseLink:
			n.env.CloseLink(a.Link, a.Why)
		case ha.SendWord:
			n.sendWord(a)
		case ha.Persist:
			n.persist(a)
		case ha.WriteRecord:
			n.writeRecord(a)
		case ha.Settle:
			n.stopPair()
			n.store.settling = true
			n.wake()
		case ha.Follow:
			n.follow(a)
		case ha.Copy:
			n.copyLog(a)
		case ha.Send:
			n.send(a)
		case ha.StopSending:
			n.stopSending(a.Link)
		case ha.OpenClients:
			n.openClients(a.Epoch)
		case ha.CloseClients:
			n.closeClients("the broker is no longer active")
		case ha.Deliver:
			n.domain.shard.SetDeliveries(a.On)
		case ha.Ask:
			n.log.Warn("a human must decide: see hind activation list", "question", a.Question.String())
		case ha.Answered:
			n.log.Info("the question is closed")
		case ha.Fence:
			n.fence(a.Reason)
		case ha.Log:
			n.log.Info(a.Text)
		case ha.Exit:
			n.end.wanted, n.end.why = true, a.Reason
		}
	}
}

func (n *Node) sendWord(a ha.SendWord) {
	if err := n.env.Send(a.Link, Frame{Lane: LaneWord, Head: a.Word.Encode()}); err != nil {
		n.log.Debug("a word did not leave", "link", a.Link, "word", a.Word.String(), "error", err)
	}
}

// openClients makes the shard serve and lets clients in.
func (n *Node) openClients(epoch uint64) {
	d := &n.domain
	if err := d.shard.Activate(nodeLog{n}, n.now); err != nil {
		n.poisoned(fmt.Errorf("activate epoch %d: %w", epoch, err))
		return
	}
	for k := range n.o.Declared {
		if err := d.host.Declare(d.shard, &n.o.Declared[k]); err != nil {
			n.log.Error("a configured queue could not be made", "queue", n.o.Declared[k].Name, "error", err)
		}
	}
	d.shard.SetDeliveries(n.machine.MayDeliver(n.now.Boot))
	d.serving = true
	n.log.Info("active: clients are served", "epoch", epoch, "role", n.machine.Role().String())
	n.env.OpenClients(d.host)
	n.publish()
}

func (n *Node) closeClients(why string) {
	d := &n.domain
	if !d.serving {
		return
	}
	d.serving = false
	n.env.CloseClients()
	d.shard.Deactivate(why)
	n.log.Info("passive: clients are closed", "why", why)
	n.publish()
}

// fence stops serving for good.
func (n *Node) fence(reason string) {
	n.closeClients(reason)
	n.stopPair()
	n.log.Error("fenced: this broker serves nobody", "reason", reason, "next", "see hind check node and hind activation list")
}

// publish tells clients who serves and who stands by.
func (n *Node) publish() {
	d := &n.domain
	d.eventUID = max(n.now.Wall, d.eventUID+1)
	if w := n.store.driver; w != nil {
		// Clients ignore what is older than they know. The log's clock never falls, whichever broker wrote it.
		d.eventUID = max(d.eventUID, w.Wall()/int64(time.Millisecond)+1)
	}
	n.env.Topology(Topology{NodeID: n.machine.Status().NodeID, EventUID: d.eventUID, Active: d.serving, Peer: len(n.o.HA.Peers) > 0})
}

// checkEnd ends the node once everything that was written is durable.
func (n *Node) checkEnd() {
	if !n.end.wanted || n.end.done {
		return
	}
	s := &n.store
	switch {
	case s.driver != nil && s.driver.Err() == nil:
		if s.driver.Stats().InFlight > 0 || s.driver.Pending() > 0 {
			return
		}
		if !s.marked {
			s.marked = true
			n.ignore(s.driver.Idle(n.journalNow()))
			return
		}
		n.ignore(s.driver.Close())
	case s.driver != nil:
		n.ignore(s.driver.Close())
	case s.follower != nil:
		if !s.follower.Quiet() && s.follower.Err() == nil {
			return
		}
		n.ignore(s.follower.Close())
	case s.image != nil:
		n.ignore(s.image.Close())
	}
	n.closeClients(n.end.why)
	n.end.done = true
}
