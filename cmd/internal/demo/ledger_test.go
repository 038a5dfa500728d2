package demo

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// play runs a script against a ledger of two producers, a word per step: sN starts, cN confirms, dN delivers with message
// id 100+N, xN delivers another copy, aN has its acknowledgement confirmed, r reconnects. Numbers are of producer 0, with
// a quote of producer 1.
func play(t *testing.T, script string) *ledger {
	t.Helper()
	l := newLedger(2)
	for _, step := range strings.Fields(script) {
		producer := strings.Count(step, "'")
		var seq uint64
		if step != "r" {
			if _, err := fmt.Sscanf(strings.TrimRight(step[1:], "'"), "%d", &seq); err != nil {
				t.Fatal(step, err)
			}
		}
		switch step[0] {
		case 's':
			l.start(producer, seq)
		case 'c':
			l.confirm(producer, seq, 0, time.Now())
		case 'd':
			l.deliver(producer, seq, int64(100+seq))
		case 'x':
			l.deliver(producer, seq, int64(500+seq))
		case 'a':
			l.settle(producer, seq)
		case 'r':
			l.connect()
		default:
			t.Fatal(step)
		}
	}
	return l
}

func TestLedger(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         Counts
		drained      bool
	}{
		{"as it should be", "r s1 c1 d1 a1 s2 c2 d2 a2", Counts{Acknowledged: 2, Delivered: 2}, true},
		{"delivered before it is confirmed", "r s1 d1 c1 a1", Counts{Acknowledged: 1, Delivered: 1}, true},
		{"two producers", "r s1 s1' d1' d1 c1 c1' a1' a1", Counts{Acknowledged: 2, Delivered: 2}, true},
		{"not confirmed, not come: not lost", "r s1 c1 d1 a1 s2", Counts{Acknowledged: 1, Delivered: 1}, true},
		{"confirmed, not come: lost", "r s1 c1 d1 a1 s2 c2 s3 c3", Counts{Acknowledged: 3, Delivered: 1, Lost: 2}, false},
		{"one in the middle is lost", "r s1 c1 s2 c2 s3 c3 d1 d3 a1 a3", Counts{Acknowledged: 3, Delivered: 2, Lost: 1, Disordered: 1}, false},
		{"one comes late", "r s1 c1 s2 c2 s3 c3 d1 d3 d2 a1 a3 a2", Counts{Acknowledged: 3, Delivered: 3, Disordered: 1}, true},
		{"again, its acknowledgement was cut off", "r s1 c1 d1 r d1 a1", Counts{Acknowledged: 1, Delivered: 1, Redelivered: 1}, true},
		{"not again, only the answer was cut off", "r s1 c1 d1 r", Counts{Acknowledged: 1, Delivered: 1}, true},
		{"not again, and the next one comes", "r s1 c1 d1 r s2 c2 d2 a2", Counts{Acknowledged: 2, Delivered: 2}, true},
		{"again, though its acknowledgement was confirmed", "r s1 c1 d1 a1 r d1 a1", Counts{Acknowledged: 1, Delivered: 1, Doubled: 1}, true},
		{"another copy", "r s1 c1 d1 x1 a1 a1", Counts{Acknowledged: 1, Delivered: 1, Doubled: 1}, true},
		{"another copy after a failover", "r s1 c1 d1 r x1 a1", Counts{Acknowledged: 1, Delivered: 1, Doubled: 1}, true},
		{"again on the same connection", "r s1 c1 d1 d1 a1 a1", Counts{Acknowledged: 1, Delivered: 1, Redelivered: 1, Disordered: 1}, true},
		{"again in the wrong order", "r s1 c1 s2 c2 d1 d2 r d2 d1 a2 a1", Counts{Acknowledged: 2, Delivered: 2, Redelivered: 2, Disordered: 1}, true},
		{"a number that nobody sent", "r s1 c1 d1 a1 d2 a2", Counts{Acknowledged: 1, Delivered: 1, Damaged: 1}, true},
		{"number zero", "r d0 a0", Counts{Damaged: 1}, true},
		{"a producer that does not exist", "r d1'' a1''", Counts{Damaged: 1}, true},
		{"an answer is due", "r s1 c1 d1", Counts{Acknowledged: 1, Delivered: 1}, false},
	} {
		l := play(t, c.script)
		if got := l.counts(); got != c.want {
			t.Errorf("%s: %s\nwant %+v\ngot  %+v", c.name, c.script, c.want, got)
		}
		if got := l.drained(); got != c.drained {
			t.Errorf("%s: %s: drained is %v", c.name, c.script, got)
		}
	}
}

// The failover time is from the victim's last confirm, however late that was noted, to the first by the other.
func TestFailoverTime(t *testing.T) {
	l, begin := newLedger(1), time.Now()
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	l.confirm(0, 1, 1, at(0))
	gap := l.awaitFailover(1)
	l.confirm(0, 2, 1, at(10)) // was on its way when the broker died
	select {
	case g := <-gap:
		t.Fatalf("the victim's own confirm ended its failover: %v", g)
	default:
	}
	l.confirm(0, 3, 0, at(35))
	l.confirm(0, 4, 0, at(50)) // one answer only: a second would block the ledger
	if g := <-gap; g != 25*time.Millisecond {
		t.Errorf("%v", g)
	}
}
