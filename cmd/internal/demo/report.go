package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Millis is a time that JSON shows in milliseconds.
type Millis time.Duration

// MarshalJSON writes milliseconds with three decimals.
func (m Millis) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%.3f", time.Duration(m).Seconds()*1000), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *Millis) UnmarshalJSON(text []byte) error {
	var ms float64
	if err := json.Unmarshal(text, &ms); err != nil {
		return err
	}
	*m = Millis(ms * float64(time.Millisecond))
	return nil
}

func (m Millis) String() string {
	d := time.Duration(m)
	if d >= 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
}

// Kill is one kill -9 of the active broker and what followed.
type Kill struct {
	Number   int    `json:"number"`
	Victim   string `json:"victim"`
	Failover Millis `json:"failoverMillis"`   // from the last confirmed send before to the first after
	InSync   Millis `json:"backInSyncMillis"` // from the restart of the victim until it is a backup in sync
	Counts          // so far
}

// Report is the result of a run.
type Report struct {
	Kills     []Kill `json:"kills"`
	Failover  Spread `json:"failover"`
	Seconds   Millis `json:"loadMillis"` // how long clients were at work
	Left      int64  `json:"left"`       // messages in queues after the end
	Producers int    `json:"producers"`
	Size      int    `json:"size"`
	Counts
	Interrupted bool   `json:"interrupted"` // ended by Ctrl-C before its time
	Error       string `json:"error,omitempty"`
	Kept        string `json:"directory,omitempty"` // where journals and logs are left
	OK          bool   `json:"ok"`
}

// Spread is of the failover times.
type Spread struct {
	Median Millis `json:"p50Millis"`
	Max    Millis `json:"maxMillis"`
}

// spread takes the lower of two middle values for none of them to be invented.
func spread(kills []Kill) Spread {
	if len(kills) == 0 {
		return Spread{}
	}
	var all []Millis
	for _, k := range kills {
		all = append(all, k.Failover)
	}
	slices.Sort(all)
	return Spread{Median: all[(len(all)-1)/2], Max: all[len(all)-1]}
}

// conclude computes what follows from the rest.
func (r *Report) conclude() {
	r.Failover = spread(r.Kills)
	r.OK = r.Error == "" && r.Clean() && r.Left == 0 && r.Acknowledged > 0
}

// Verdict is the result in one sentence.
func (r *Report) Verdict() string {
	switch {
	case r.Error != "":
		return "FAILED: " + r.Error
	case r.Acknowledged == 0:
		return "FAILED: no send was acknowledged, so nothing is shown"
	case !r.OK:
		return fmt.Sprintf("FAILED: %d lost, %d doubled, %d out of order, %d damaged, %d left in queues", r.Lost, r.Doubled, r.Disordered,
			r.Damaged, r.Left)
	}
	return fmt.Sprintf("OK: %d acknowledged, 0 lost, 0 doubled, 0 out of order, over %d kills", r.Acknowledged, len(r.Kills))
}

// Print writes the summary for people.
func (r *Report) Print(w io.Writer) {
	fmt.Fprintln(w)
	if len(r.Kills) > 0 {
		fmt.Fprintf(w, "failover   p50 %v, max %v, over %d kills: last confirmed send before the kill to the first after\n",
			r.Failover.Median, r.Failover.Max, len(r.Kills))
	}
	seconds := max(time.Duration(r.Seconds).Seconds(), 0.001)
	fmt.Fprintf(w, "load       %.0f s, %d producers, %d bytes: %d acknowledged (%.0f/s, outages included), %d delivered, %d redelivered\n",
		seconds, r.Producers, r.Size, r.Acknowledged, float64(r.Acknowledged)/seconds, r.Delivered, r.Redelivered)
	if r.Kept != "" {
		fmt.Fprintf(w, "kept       journals and logs in %s\n", r.Kept)
	}
	fmt.Fprintln(w, r.Verdict())
}
