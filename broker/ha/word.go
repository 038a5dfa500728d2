package ha

import (
	"fmt"

	"github.com/hindmq/hind/journal"
)

// WordKind says what a word is for.
type WordKind uint8

// The words of the pair port. "Number" and the other fields of Word mean:
const (
	// WordHello is the first word of both directions: Hello is set. The one who dialled names the highest connection
	// number it knows; the one who answers gives the connection its Number, one above all that either side knows.
	WordHello WordKind = 1 + iota
	// WordAsk says who one is and what one's log holds, and wants an answer. Number names the ask; Report is set.
	WordAsk
	// WordAnswer answers the ask Number. Report is set; Grant is the epoch of a promise, 0 for none.
	WordAnswer
	// WordJoin asks the owner of Epoch to be taken as follower. Number names the attempt. With Resume it is the same
	// process that was told "in sync" for that Number and lost its connection only.
	WordJoin
	// WordAccept takes the join Number in Epoch: replication may begin on this connection.
	WordAccept
	// WordReject refuses the join Number. Refusal says why; Epoch is the sender's.
	WordReject
	// WordTold tells the process Process that with its join Number it is in sync in Epoch.
	WordTold
	// WordDropped says that the receiver is no longer in the in-sync set of Epoch.
	WordDropped
	// WordGoodbye gives up the right to take over: the sender no longer is in sync in Epoch.
	WordGoodbye
	// WordResigned says that the owner of Epoch gives up its role; the receiver is a recorded member and may take it.
	WordResigned
	// WordHeartbeat carries the sender's clock as Number, the epoch that it owns (Epoch, 0: none) and the one that it
	// follows (Follows, 0: none).
	WordHeartbeat
	// WordEcho returns a heartbeat's Number at once, with the echoing side's own Epoch and Follows.
	WordEcho
	// WordFailback asks the owner of Epoch to hand its role over to the sender, which is in sync by join Number.
	WordFailback
	wordKindEnd
)

var wordKindNames = [...]string{"", "hello", "ask", "answer", "join", "accept", "reject", "told", "dropped", "goodbye", "resigned", "heartbeat", "echo", "failback"}

func (k WordKind) String() string {
	if k > 0 && k < wordKindEnd {
		return wordKindNames[k]
	}
	return fmt.Sprintf("word kind %d", uint8(k))
}

// Refusal says why a join was refused.
type Refusal uint8

const (
	RefusalNone      Refusal = iota
	RefusalNotActive         // the receiver does not own that epoch (any more)
	RefusalTaken             // the place beside the owner belongs to another journal
	RefusalNotInSync         // resume: this process is not, or no longer, the one that was told
	refusalEnd
)

var refusalNames = [...]string{"", "not active in that epoch", "the place belongs to another journal", "not in sync"}

func (r Refusal) String() string {
	if r < refusalEnd {
		return refusalNames[r]
	}
	return fmt.Sprintf("refusal %d", uint8(r))
}

// State is what a broker says it is when it asks or answers.
type State uint8

const (
	StateNone     State = iota
	StateEmpty          // nothing in the log, and no copy was ever begun into it
	StatePassive        // not in sync with anybody
	StateClaiming       // about to open Report.Epoch
	StateActive         // owns Report.Epoch
	StateGivenUp        // its disk failed or hangs: gave up the role, or the right, that it had in Report.Epoch
	stateEnd
)

var stateNames = [...]string{"none", "empty", "passive", "claiming", "active", "given up"}

func (s State) String() string {
	if s < stateEnd {
		return stateNames[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Report is what a broker says of itself. It is made only after the log was loaded.
type Report struct {
	State    State
	Overdue  bool             // a journal write of the sender is overdue
	Epoch    uint64           // active: owned; claiming: claimed; given up: of the role it had; else the log's
	End      journal.Position // of the log
	Record   RoleRecord       // newest role record of the log
	RecordAt journal.Position // where Record ends
	Promised uint64           // highest epoch that the sender has promised
}

// Word is one control message of the pair port. Which fields count depends on Kind; the others are zero.
type Word struct {
	Kind    WordKind
	Resume  bool
	Refusal Refusal
	Number  uint64
	Epoch   uint64
	Follows uint64
	Process Process
	Grant   uint64
	Hello   Hello
	Report  Report
}

// Hello introduces a process on a connection.
type Hello struct {
	Identity
	NodeID NodeID // zero while the log is empty or not loaded
}

// String is the word as it stands in transcripts and log lines.
func (w Word) String() string {
	switch w.Kind {
	case WordHello:
		s := fmt.Sprintf("hello %v conn %d", w.Hello.Identity, w.Number)
		if !w.Hello.NodeID.IsZero() {
			s += fmt.Sprintf(" node %v", w.Hello.NodeID)
		}
		return s
	case WordAsk:
		return fmt.Sprintf("ask %d: %v", w.Number, w.Report)
	case WordAnswer:
		s := fmt.Sprintf("answer %d: %v", w.Number, w.Report)
		if w.Grant > 0 {
			s += fmt.Sprintf(", promises e%d", w.Grant)
		}
		return s
	case WordJoin:
		if w.Resume {
			return fmt.Sprintf("join %d e%d resume", w.Number, w.Epoch)
		}
		return fmt.Sprintf("join %d e%d", w.Number, w.Epoch)
	case WordReject:
		return fmt.Sprintf("reject %d e%d: %v", w.Number, w.Epoch, w.Refusal)
	case WordTold:
		return fmt.Sprintf("told %d e%d process %d", w.Number, w.Epoch, w.Process)
	case WordHeartbeat, WordEcho:
		return fmt.Sprintf("%v owns e%d follows e%d", w.Kind, w.Epoch, w.Follows)
	case WordAccept, WordFailback:
		return fmt.Sprintf("%v %d e%d", w.Kind, w.Number, w.Epoch)
	}
	return fmt.Sprintf("%v e%d", w.Kind, w.Epoch)
}

func (r Report) String() string {
	s := r.State.String()
	switch r.State {
	case StateEmpty:
	case StateActive, StateClaiming, StateGivenUp:
		s += fmt.Sprintf(" e%d", r.Epoch)
	default:
		s += fmt.Sprintf(" [%v] end %v", r.Record, r.End)
	}
	if r.Overdue {
		s += " overdue"
	}
	return s
}
