package history

import (
	"fmt"
	"sort"
	"strings"
)

// Rule names a property of a history.
type Rule string

// The rules, after the checkers Q1 to Q12 of the reliability plan.
const (
	Lost         Rule = "lost"         // Q1: a confirmed message was never delivered
	Phantom      Rule = "phantom"      // Q2: delivered, but nobody sent it, or on a queue it was not sent to
	Damaged      Rule = "damaged"      // Q2: delivered with another body or other properties
	Undead       Rule = "undead"       // Q3: a message of a rolled back transaction was delivered
	Torn         Rule = "torn"         // Q3: a transaction of unknown outcome counted in part
	AckedAgain   Rule = "acked-again"  // Q4: delivered after its acknowledgement was confirmed
	Doubled      Rule = "doubled"      // Q5: two messages with one duplicate id were accepted
	Disorder     Rule = "disorder"     // Q6: first deliveries of a producer fell back on a queue with one consumer
	Unmarked     Rule = "unmarked"     // Q12: delivered again without the redelivered mark, and no fault or give-back explains it
	Quiet        Rule = "quiet"        // a fault hit a system that was not under load: the run proves nothing
	NotFinished  Rule = "not-finished" // Q11: the worker did not drain and end
	keptExamples      = 10
)

// Report is the verdict over one history.
type Report struct {
	Counts     map[string]int
	Violations map[Rule]int
	Examples   []string
}

func newReport() *Report {
	return &Report{Counts: make(map[string]int), Violations: make(map[Rule]int)}
}

func (r *Report) violate(rule Rule, format string, args ...any) {
	r.Violations[rule]++
	if r.Violations[rule] <= keptExamples {
		r.Examples = append(r.Examples, fmt.Sprintf("%s: ", rule)+fmt.Sprintf(format, args...))
	}
}

// OK tells whether no rule was broken.
func (r *Report) OK() bool { return len(r.Violations) == 0 }

// String prints counts and violations, one line each, in a fixed order.
func (r *Report) String() string {
	var b strings.Builder
	names := make([]string, 0, len(r.Counts))
	for n := range r.Counts {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Fprintf(&b, "  %-28s %d\n", n, r.Counts[n])
	}
	rules := make([]string, 0, len(r.Violations))
	for v := range r.Violations {
		rules = append(rules, string(v))
	}
	sort.Strings(rules)
	for _, v := range rules {
		fmt.Fprintf(&b, "  VIOLATED %-19s %d\n", v, r.Violations[Rule(v)])
	}
	for _, e := range r.Examples {
		fmt.Fprintf(&b, "    %s\n", e)
	}
	return b.String()
}
