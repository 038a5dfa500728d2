package address

import (
	"sort"
	"strings"
)

// Matches says whether the pattern matches the name. Words are parted by '.'; "*" stands for one word, "#" for any
// number of words, none included.
func Matches(pattern, name string) bool {
	if pattern == "#" || pattern == name {
		return true
	}
	if !strings.ContainsAny(pattern, "*#") {
		return false
	}
	return matchWords(strings.Split(pattern, "."), strings.Split(name, "."))
}

// matchWords keeps one place to come back to, the last "#", so its time is bounded by the product of the lengths.
func matchWords(pattern, name []string) bool {
	p, n := 0, 0
	back, from := -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == "#":
			back, from = p, n
			p++
		case p < len(pattern) && (pattern[p] == "*" || pattern[p] == name[n]):
			p++
			n++
		case back >= 0:
			from++
			p, n = back+1, from
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == "#" {
		p++
	}
	return p == len(pattern)
}

// sortRules puts the less specific rules first.
func sortRules(rules []Rule) {
	sort.SliceStable(rules, func(i, j int) bool { return moreSpecific(rules[j].Match, rules[i].Match) })
}

// moreSpecific orders two patterns: one without wildcards wins; then word by word, literal over "*" over "#"; then the
// longer one.
func moreSpecific(a, b string) bool {
	if wa, wb := strings.ContainsAny(a, "*#"), strings.ContainsAny(b, "*#"); wa != wb {
		return wb
	}
	aw, bw := strings.Split(a, "."), strings.Split(b, ".")
	for i := 0; i < len(aw) && i < len(bw); i++ {
		if ra, rb := wordRank(aw[i]), wordRank(bw[i]); ra != rb {
			return ra > rb
		}
	}
	if len(aw) != len(bw) {
		return len(aw) > len(bw)
	}
	return false
}

func wordRank(word string) int {
	switch word {
	case "#":
		return 0
	case "*":
		return 1
	}
	return 2
}
