package ha

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Which pairs of states the two brokers were in.

// stateOff stands behind the roles: no process.
const stateOff = int(RoleStopped)

const statesMax = stateOff + 1

// coverage counts pairs of states, the smaller state first.
type coverage [statesMax][statesMax]int

// stateOf is the role of the broker, stateOff without a process.
func stateOf(h *host) int {
	if !h.up() {
		return stateOff
	}
	return int(h.m.role)
}

func stateName(s int) string {
	if s == stateOff {
		return "Off"
	}
	return Role(s).String()
}

// note counts the pair that the world is in.
func (c *coverage) note(w *world) {
	x, y := stateOf(w.hosts[0]), stateOf(w.hosts[1])
	c[min(x, y)][max(x, y)]++
}

// add adds other's counts.
func (c *coverage) add(other *coverage) {
	for x := range c {
		for y := range c[x] {
			c[x][y] += other[x][y]
		}
	}
}

// labels names every pair of states with its count, 0 for those that were not reached.
func (c *coverage) labels() map[string]int {
	out := map[string]int{}
	for x := range c {
		for y := x; y < statesMax; y++ {
			out["@"+stateName(x)+"+"+stateName(y)] = c[x][y]
		}
	}
	return out
}

// scriptCoverage is what the transcripts reach.
func scriptCoverage(t *testing.T) *coverage {
	var c coverage
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		runScript(t, string(text), &c)
	}
	return &c
}

// compare holds the counts against the table of docs/ha.md: every pair is there once, what is called impossible was
// never reached, and with full everything else was.
func (c *coverage) compare(t *testing.T, full bool) {
	text, err := os.ReadFile("../../docs/ha.md")
	if err != nil {
		t.Fatal(err)
	}
	labels := c.labels()
	seen := map[string]bool{}
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "@") {
			continue
		}
		label, kind := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		n, known := labels[label]
		switch {
		case !known || seen[label]:
			t.Errorf("docs/ha.md: %s is no pair of states, or stands there twice", label)
		case kind == "x" && n > 0:
			t.Errorf("%s is called impossible and was reached %d times", label, n)
		case kind != "x" && n == 0 && full:
			t.Errorf("%s was never reached", label)
		}
		seen[label] = true
	}
	for label := range labels {
		if !seen[label] {
			t.Errorf("docs/ha.md lacks %s", label)
		}
	}
}
