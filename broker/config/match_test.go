package config

import (
	"testing"

	"pgregory.net/rapid"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, address string
		want             bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a", "a.b", false}, {"a.b", "a", false},
		{"*", "a", true}, {"*", "a.b", false}, {"*", "", true}, {"a.*", "a", false}, {"a.*", "a.b", true}, {"a.*", "a.b.c", false},
		{"#", "", true}, {"#", "a", true}, {"#", "a.b.c", true},
		{"news.#", "news", true}, {"news.#", "news.eu", true}, {"news.#", "news.eu.uk", true}, {"news.#", "newsletter", false},
		{"a.*.#", "a", false}, {"a.*.#", "a.b", true}, {"a.*.#", "a.b.c.d", true},
		{"*.b", "a.b", true}, {"*.b", "a.c", false}, {"a", "A", false}, {"a.", "a.", true}, {"a.", "a", false},
	} {
		if got := Matches(c.pattern, c.address); got != c.want {
			t.Errorf("Matches(%q, %q) = %v", c.pattern, c.address, got)
		}
	}
}

// Each line was observed on HierarchicalObjectRepository of Artemis 2.40.0, whatever the order in the file.
func TestMoreSpecific(t *testing.T) {
	for _, c := range []struct{ address, narrow, wide string }{
		{"a.b", "*.b", "a.#"}, {"a.b", "a.*", "a.#"}, {"a.b.c", "a.b.*", "a.*.c"}, {"a.b.c", "a.*.*", "*.b.c"},
		{"a", "a.#", "#"}, {"a.b.c", "a.b.#", "a.*.#"}, {"a.b.c", "*.b.#", "a.#"}, {"a.b.c", "*.*.*", "a.#"},
		{"a.b.c", "a.*.#", "a.#"}, {"a.b", "a.*", "a.b.#"}, {"a.b", "a.b", "a.*"}, {"a.b", "a.*", "*.*"}, {"a.b", "a.*", "*.b"},
		{"a", "a", "a.#"}, {"a.b", "a.b.#", "a.#"}, {"a", "*", "#"}, {"a.b", "a.#", "*.#"}, {"a.b.c", "a.*.c", "a.b.#"},
		{"aaaaaaaaa.b.c", "aaaaaaaaa.#", "*.b.#"}, {"aaaaaaaa.b.c", "aaaaaaaa.b.#", "aaaaaaaa.*.#"},
		{"a.bbbbbbbbbbbbbbb.c", "*.bbbbbbbbbbbbbbb.#", "a.*.#"},
	} {
		if !Matches(c.narrow, c.address) || !Matches(c.wide, c.address) {
			t.Errorf("%q: not both of %q and %q match", c.address, c.narrow, c.wide)
		}
		if !MoreSpecific(c.narrow, c.wide) || MoreSpecific(c.wide, c.narrow) {
			t.Errorf("%q: %q must decide before %q", c.address, c.narrow, c.wide)
		}
	}
}

// Among patterns that match one address the order is total: exactly one of two different patterns is more specific, and
// it is transitive. Without that the decision would hang on the order in the file.
func TestMoreSpecificIsAnOrder(t *testing.T) {
	address := []string{"ab", "c", "ab", "def"}
	pattern := rapid.Custom(func(t *rapid.T) string {
		words := ""
		for i, w := range address {
			if rapid.IntRange(0, 9).Draw(t, "end") == 0 {
				return words + "#"
			}
			if rapid.Bool().Draw(t, "star") {
				w = "*"
			}
			words += w
			if i < len(address)-1 {
				words += "."
			}
		}
		if rapid.Bool().Draw(t, "hash") {
			words += ".#"
		}
		return words
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := pattern.Draw(t, "a"), pattern.Draw(t, "b"), pattern.Draw(t, "c")
		for _, p := range []string{a, b, c} {
			if !Matches(p, "ab.c.ab.def") || checkPattern(p) != nil {
				t.Fatalf("%q does not match", p)
			}
		}
		if a != b && MoreSpecific(a, b) == MoreSpecific(b, a) {
			t.Fatalf("%q and %q are not ordered", a, b)
		}
		if MoreSpecific(a, b) && MoreSpecific(b, c) && !MoreSpecific(a, c) {
			t.Fatalf("%q, %q, %q: not transitive", a, b, c)
		}
	})
}
