package scenario

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/broker"
	"github.com/hindmq/hind/bench/interop/internal/history"
)

func TestURL(t *testing.T) {
	a, b := &broker.Node{Port: 20001}, &broker.Node{Port: 20002}
	if got := url("x=1", a); got != "tcp://127.0.0.1:20001?x=1" {
		t.Error(got)
	}
	if got := url("x=1", a, b); got != "(tcp://127.0.0.1:20001,tcp://127.0.0.1:20002)?ha=true&x=1" {
		t.Error(got)
	}
}

func TestTimes(t *testing.T) {
	var ts times
	if ts.String() != "none" {
		t.Error(ts.String())
	}
	for _, ms := range []int{50, 10, 40, 20, 30} {
		ts.add(time.Duration(ms) * time.Millisecond)
	}
	if got := ts.String(); got != "n=5 min=10 median=30 p90=50 max=50 ms" {
		t.Error(got)
	}
}

func TestJudge(t *testing.T) {
	var out bytes.Buffer
	e := &Env{Out: &out}
	good := []history.Event{{E: history.SendInvoke, P: "p", Q: "q", ID: "p-0"}, {E: history.SendOK, ID: "p-0"}, {E: history.Deliver, C: "c", Q: "q", ID: "p-0"}, {E: history.End}}
	if err := e.judge(good, history.Options{}); err != nil {
		t.Errorf("a good history: %v\n%s", err, &out)
	}
	if err := e.judge(append(good[:2:2], good[3]), history.Options{}); !errors.Is(err, ErrViolated) || !strings.Contains(out.String(), "VIOLATED lost") {
		t.Errorf("a lost message: %v\n%s", err, &out)
	}
}

func TestTallySeparatesGroups(t *testing.T) {
	var out bytes.Buffer
	ta := &tally{e: &Env{Out: &out}, passed: make(map[string]int), failed: make(map[string]int)}
	for _, l := range []string{"CLIENT 2.6.4 JMS 2.0", "GROUP core", "PASS durable 5 ms", "FAIL order 7 ms: why", "   at X", "GROUP large", "REFUSED large-message 3 ms: large", "GROUP more", "FAIL x 1 ms: y"} {
		ta.line(l)
	}
	if ta.passed["core"] != 1 || ta.failed["core"] != 1 || ta.failed["more"] != 1 || ta.failed["large"] != 0 || ta.large != LargeRefused || ta.verdicts != 4 {
		t.Errorf("%+v", ta)
	}
	if s := out.String(); strings.Contains(s, "PASS") || !strings.Contains(s, "FAIL order 7 ms: why") || !strings.Contains(s, "at X") {
		t.Errorf("printed %q", s)
	}
}
