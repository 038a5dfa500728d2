package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// Kind names what an event records.
type Kind string

// The kinds. Others may stand in a history; Check counts and ignores them.
const (
	SendInvoke Kind = "send.invoke" // p, q, s, id: a send starts; the same id again is a retry
	SendOK     Kind = "send.ok"     // id: confirmed
	SendInfo   Kind = "send.info"   // id, err: outcome unknown
	TxInvoke   Kind = "tx.invoke"   // p, q, s, ids: a transaction of sends starts; s belongs to the first id
	TxOK       Kind = "tx.ok"       // ids: committed
	TxInfo     Kind = "tx.info"     // ids, err: outcome unknown
	TxUndone   Kind = "tx.undone"   // ids, err: the broker said that it rolled back; may be tried again
	TxDoomed   Kind = "tx.doomed"   // p, q, s, ids: will be rolled back on purpose and never tried again
	Consumer   Kind = "consumer"    // c, q, mode: a consumer opened
	Deliver    Kind = "deliver"     // c, q, id, mid, rd, n, bad: the application has the message
	AckInvoke  Kind = "ack.invoke"  // c, q, ids: an acknowledgement starts
	AckOK      Kind = "ack.ok"      // c, q, ids: confirmed
	AckInfo    Kind = "ack.info"    // c, q, ids, err: outcome unknown
	GiveBack   Kind = "giveback"    // c, q, ids: the consumer rolls back or recovers on purpose
	Fault      Kind = "fault"       // kind, target: begins now
	Healed     Kind = "healed"      // kind, target: the harness saw service again
	End        Kind = "end"         // the worker drained everything and ended by itself
)

// Return is the fault kind of a broker's return: it may take its role back, which moves clients once more. No load is
// demanded before it.
const Return = "return"

// Event is one line of a history.
type Event struct {
	T      int64    `json:"t"`
	E      Kind     `json:"e"`
	P      string   `json:"p,omitempty"`
	Q      string   `json:"q,omitempty"`
	C      string   `json:"c,omitempty"`
	S      int64    `json:"s,omitempty"`
	ID     string   `json:"id,omitempty"`
	IDs    []string `json:"ids,omitempty"`
	MID    string   `json:"mid,omitempty"`
	RD     bool     `json:"rd,omitempty"`
	N      int      `json:"n,omitempty"`
	Bad    string   `json:"bad,omitempty"`
	Err    string   `json:"err,omitempty"`
	Mode   string   `json:"mode,omitempty"`
	Kind   string   `json:"kind,omitempty"`
	Target string   `json:"target,omitempty"`
	MS     float64  `json:"ms,omitempty"`

	Confirmed int64 `json:"confirmed,omitempty"`
	Delivered int64 `json:"delivered,omitempty"`
	Lost      int64 `json:"lost,omitempty"`
	Doubled   int64 `json:"doubled,omitempty"`
	Errors    int64 `json:"errors,omitempty"`
}

// Parse decodes one line.
func Parse(line []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(line, &e); err != nil {
		return Event{}, fmt.Errorf("history: line %.120q: %w", line, err)
	}
	if e.E == "" {
		return Event{}, fmt.Errorf("history: line %.120q names no event", line)
	}
	return e, nil
}

// Read decodes a whole history.
func Read(r io.Reader) ([]Event, error) {
	var all []Event
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for n := 1; s.Scan(); n++ {
		e, err := Parse(s.Bytes())
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		all = append(all, e)
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return all, nil
}
