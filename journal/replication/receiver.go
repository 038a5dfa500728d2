package replication

import (
	"fmt"
	"slices"

	"github.com/hindmq/hind/journal"
)

// Common is the last page that both logs have, and what lies around it in the follower's. The owner may have retired files
// that both had: then more is cut and copied than differs.
type Common struct {
	At    journal.Position    // zero: nothing is common
	Cut   bool                // the follower has pages beyond it, which are to be cut
	Known bool                // all of those belong to the owner's history too
	Above []journal.RolePoint // role records that do not belong to it, oldest first
	Below journal.RolePoint   // newest role record that does; zero: none known
}

// Receiver is the passive side of one conversation. One owner, the follower's.
type Receiver struct {
	f       *journal.Follower
	epoch   uint32
	asked   bool // the manifest was sent
	common  Common
	theirs  []journal.FileInfo // what the owner's disk holds
	found   bool
	copying bool // Copy was called
	fetch   bool // Fetch is due
	acked   journal.Position
	free    int
	whole   bool // the last one was an acknowledgement, not only progress
}

// NewReceiver begins a conversation in an epoch. What f received and did not write yet is forgotten; the manifest leaves
// once f's writes in flight are done.
func NewReceiver(f *journal.Follower, epoch uint32) *Receiver {
	f.Rewind()
	return &Receiver{f: f, epoch: epoch, free: -1}
}

// Common is what the owner found; ok is false before it said so.
func (r *Receiver) Common() (Common, bool) { return r.common, r.found }

// Copy cuts what is not common and asks for what follows. The mark "copying" must be durable.
func (r *Receiver) Copy() error {
	if !r.found || r.copying {
		return fmt.Errorf("%w: a copy before the last common page is known, or a second one", ErrMessage)
	}
	if err := r.f.Cut(r.common.At); err != nil {
		return err
	}
	r.f.Listed(r.theirs)
	r.copying, r.fetch = true, true
	return nil
}

// DurableRoles are the role records that became durable here since the last call, in order.
func (r *Receiver) DurableRoles() []journal.RolePoint { return r.f.DurableRoles() }

// Receive takes a message of the owner. An error ends the conversation; nothing was written then.
func (r *Receiver) Receive(m Message) error {
	switch {
	case m.Epoch != r.epoch:
		return fmt.Errorf("%w: %s of epoch %d in epoch %d", ErrMessage, m.Kind, m.Epoch, r.epoch)
	case m.Kind == KindCommon && r.asked && !r.found:
		return r.takeCommon(&m)
	case !r.copying || r.fetch:
	case m.Kind == KindPages:
		if last := r.f.Epoch(); last > r.epoch {
			return fmt.Errorf("%w: the log is in epoch %d, the conversation in %d", ErrMessage, last, r.epoch)
		}
		return r.f.Receive(journal.Run{File: m.Pages.File, Kind: m.Pages.Kind, Block: m.Pages.Block, Live: m.Pages.Live, Data: m.Pages.Data})
	case m.Kind == KindFiles:
		r.f.Listed(m.Files)
		return nil
	case m.Kind == KindCaughtUp:
		if m.At != r.f.Tip() {
			return fmt.Errorf("%w: everything up to %s was sent, came %s", ErrMessage, m.At, r.f.Tip())
		}
		r.f.CaughtUp(m.At)
		return nil
	case m.Kind == KindSafe:
		if r.f.Tip().Less(m.At) {
			return fmt.Errorf("%w: %s is safe, came %s", ErrMessage, m.At, r.f.Tip())
		}
		return r.f.Apply(m.At)
	}
	return fmt.Errorf("%w: %s is not due", ErrMessage, m.Kind)
}

// takeCommon checks the owner's answer against the own log.
func (r *Receiver) takeCommon(m *Message) error {
	c := Common{At: m.At, Cut: m.At.Less(r.f.Tip())}
	if m.At != (journal.Position{}) {
		if err := r.verify(m); err != nil {
			return err
		}
	}
	h := newHistory(r.f, m.Epochs)
	has := func(p journal.Position) bool { return !c.At.Less(p) || h.has(p) }
	c.Known = has(r.f.Tip())
	roles := r.f.Roles()
	n := len(roles)
	for n > 0 && !has(roles[n-1].Position) {
		n--
	}
	if c.Above = roles[n:]; n > 0 {
		c.Below = roles[n-1]
	}
	r.common, r.theirs, r.found = c, m.Files, true
	return nil
}

func (r *Receiver) verify(m *Message) error {
	i := slices.IndexFunc(m.Files, func(f journal.FileInfo) bool { return f.Name.ID == m.At.File })
	if i < 0 {
		return fmt.Errorf("%w: the common page ends at %s, in a file that the owner does not list", ErrMessage, m.At)
	}
	f := &m.Files[i]
	hash, ok, err := r.f.PageEnding(f.Name, m.At.Block)
	if err != nil {
		return err
	}
	if !ok || m.At.Block == f.End && hash != f.TailHash {
		return fmt.Errorf("%w: no common page of file %s ends at block %d here", ErrMessage, f.Name, m.At.Block)
	}
	return nil
}

// Next is the next message to send. Acknowledgements leave only if acks says that this broker may acknowledge in this
// epoch. ok is false if there is none now.
func (r *Receiver) Next(acks bool) (Message, bool) {
	switch {
	case !r.asked:
		if !r.f.Settled() || r.f.Err() != nil {
			return Message{}, false
		}
		r.asked = true
		return Message{Kind: KindManifest, Epoch: r.epoch, Files: r.f.Files(), Geometry: r.f.Geometry(), Free: r.f.Free()}, true
	case r.fetch:
		r.fetch = false
		r.acked, r.free = r.common.At, -1
		return Message{Kind: KindFetch, Epoch: r.epoch, At: r.common.At}, true
	case r.copying && acks && r.f.Err() == nil && (r.acked != r.f.Durable() || r.free != r.f.Free() || r.whole != r.f.Whole()):
		r.acked, r.free, r.whole = r.f.Durable(), r.f.Free(), r.f.Whole()
		m := Message{Kind: KindAck, Epoch: r.epoch, At: r.acked, Free: r.free}
		if !r.whole {
			m.Kind = KindProgress
		}
		return m, true
	}
	return Message{}, false
}
