package ha

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
