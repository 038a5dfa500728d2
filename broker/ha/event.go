package ha

import (
	"fmt"

	"github.com/hindmq/hind/journal"
)

// Event is something that happened; see Machine.Step.
type Event interface {
	fmt.Stringer
	event()
}

// Facts is what the log holds. The node reads it when nothing is being written.
type Facts struct {
	Record   RoleRecord       // newest role record; zero: the log is empty
	RecordAt journal.Position // end of the page that holds it
	End      journal.Position // of the log
}

// Tail is what a follower would have to cut, found by comparing the logs (rule H8).
type Tail struct {
	Cut   bool       // there is something above the last common page
	Known bool       // and all of it belongs to the owner's history too, of which the owner has retired the files
	Below RoleRecord // newest role record in what both have or had, zero if none
	Alone bool       // an own alone record lies in what is only in this log; see Observe
}

// Observe notes a role record that lies in what is only in this log.
func (t *Tail) Observe(r RoleRecord, own Instance) {
	t.Alone = t.Alone || r.OwnAlone(own)
}

// Decision is an operator's word.
type Decision uint8

const (
	// DecideActivate opens a new epoch on this broker without anybody's promise: whatever only others have is lost.
	DecideActivate Decision = 1 + iota
	// DecideMemberDead says to a blocked active that the recorded member is gone and never took over.
	DecideMemberDead
	// DecideDiscardTail gives up what only this broker's log has, so that it may follow.
	DecideDiscardTail
)

var decisionNames = [...]string{"", "activate", "member-dead", "discard-tail"}

func (d Decision) String() string {
	if d >= DecideActivate && d <= DecideDiscardTail {
		return decisionNames[d]
	}
	return fmt.Sprintf("decision %d", uint8(d))
}

// The events. Each says who reports it and when.
type (
	// Tick: nothing happened, but time passed.
	Tick struct{}

	// LinkUp: a connection of the pair port was opened and both sides proved membership. Peer is the one that was
	// dialled, or Accepted. The machine sends and expects the first word.
	LinkUp struct {
		Link Link
		Peer Peer
	}
	// LinkDown: the connection is gone; no word of it will be reported any more. Follows every CloseLink too.
	LinkDown struct{ Link Link }
	// Refused: while dialling, the kernel at the peer's pair port said no (and nothing softer: no ICMP, no time-out).
	Refused struct{ Peer Peer }
	// Unreachable: dialling failed in any other way, or whoever answered proved no membership.
	Unreachable struct{ Peer Peer }
	// Received: a word arrived.
	Received struct {
		Link Link
		Word Word
	}

	// Loaded: the log was read and nothing is being written. First event of a process, and the answer to Settle.
	Loaded struct{ Facts Facts }
	// LoadFailed: the log is damaged.
	LoadFailed struct{ Reason string }
	// Persisted: the LocalState of that and every earlier Persist is durable.
	Persisted struct{ Seq uint64 }
	// RecordDurable: the role record of WriteRecord Seq is durable in the own log, in the page that ends At.
	RecordDurable struct {
		Seq uint64
		At  journal.Position
	}
	// Followed: a role record of the owner became durable in this follower's log. Report it after the acknowledgement
	// that covers it has left (the record may end the following, and the owner waits for that acknowledgement), in log
	// order, and also if its page arrived on an earlier connection: Link is that of the newest Follow.
	Followed struct {
		Link   Link
		Record RoleRecord
		At     journal.Position
	}
	// TailChecked: the follower has compared its log with the owner's. Nothing was cut or copied yet.
	TailChecked struct {
		Link Link
		Tail Tail
	}
	// CaughtUp: everything up to To, the end of this owner's log at that moment, has been sent to the follower, and
	// new pages go to it as they are sealed.
	CaughtUp struct {
		Link  Link
		Epoch uint64
		To    journal.Position
	}
	// Acked: the follower acknowledged everything up to Position in Epoch.
	Acked struct {
		Link     Link
		Epoch    uint64
		Position journal.Position
	}

	// Overdue: a journal write takes longer than the threshold. Cleared: none does any more.
	Overdue struct{}
	Cleared struct{}
	// Poisoned: the journal failed for good.
	Poisoned struct{ Reason string }
	// Verified: every page of the journal was verified by hash after it was poisoned, and it was loaded again.
	Verified struct{ Facts Facts }

	// Stop: the broker shall end in an orderly way. HandOver lets a backup take over first.
	Stop struct{ HandOver bool }
	// HandOver: an operator wants the backup to be the active one (roles swapped).
	HandOver struct{}
	// Decide: an operator's word; see Question for what it may be and what it loses.
	Decide struct{ Decision Decision }
)

func (Tick) event()          {}
func (LinkUp) event()        {}
func (LinkDown) event()      {}
func (Refused) event()       {}
func (Unreachable) event()   {}
func (Received) event()      {}
func (Loaded) event()        {}
func (LoadFailed) event()    {}
func (Persisted) event()     {}
func (RecordDurable) event() {}
func (Followed) event()      {}
func (TailChecked) event()   {}
func (CaughtUp) event()      {}
func (Acked) event()         {}
func (Overdue) event()       {}
func (Cleared) event()       {}
func (Poisoned) event()      {}
func (Verified) event()      {}
func (Stop) event()          {}
func (HandOver) event()      {}
func (Decide) event()        {}

func (Tick) String() string { return "tick" }
func (e LinkUp) String() string {
	if e.Peer == Accepted {
		return fmt.Sprintf("link %d up, accepted", e.Link)
	}
	return fmt.Sprintf("link %d up, dialled peer %d", e.Link, e.Peer)
}
func (e LinkDown) String() string    { return fmt.Sprintf("link %d down", e.Link) }
func (e Refused) String() string     { return fmt.Sprintf("peer %d refused", e.Peer) }
func (e Unreachable) String() string { return fmt.Sprintf("peer %d unreachable", e.Peer) }
func (e Received) String() string    { return fmt.Sprintf("link %d received %v", e.Link, e.Word) }
func (e Loaded) String() string      { return fmt.Sprintf("loaded %v", e.Facts) }
func (e LoadFailed) String() string  { return "load failed: " + e.Reason }
func (e Persisted) String() string   { return fmt.Sprintf("persisted %d", e.Seq) }
func (e RecordDurable) String() string {
	return fmt.Sprintf("record %d durable at %v", e.Seq, e.At)
}
func (e Followed) String() string {
	return fmt.Sprintf("link %d followed [%v] at %v", e.Link, e.Record, e.At)
}
func (e TailChecked) String() string {
	return fmt.Sprintf("link %d tail cut=%v alone=%v below [%v]", e.Link, e.Tail.Cut, e.Tail.Alone, e.Tail.Below)
}
func (e CaughtUp) String() string {
	return fmt.Sprintf("link %d caught up e%d to %v", e.Link, e.Epoch, e.To)
}
func (e Acked) String() string {
	return fmt.Sprintf("link %d acked e%d %v", e.Link, e.Epoch, e.Position)
}
func (Overdue) String() string    { return "write overdue" }
func (Cleared) String() string    { return "write cleared" }
func (e Poisoned) String() string { return "poisoned: " + e.Reason }
func (e Verified) String() string { return fmt.Sprintf("verified %v", e.Facts) }
func (e Stop) String() string     { return fmt.Sprintf("stop, hand over %v", e.HandOver) }
func (HandOver) String() string   { return "hand over" }
func (e Decide) String() string   { return "operator: " + e.Decision.String() }

func (f Facts) String() string {
	if f.Record.IsZero() {
		return "empty"
	}
	return fmt.Sprintf("[%v] at %v end %v", f.Record, f.RecordAt, f.End)
}
