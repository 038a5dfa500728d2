package config

import (
	"fmt"
	"strings"
)

// Matches says whether pattern covers address. Both are words separated by '.'; in the pattern '*' stands for exactly
// one word and '#', at the end only, for any number of words, none included: "news.#" covers "news" and "news.eu.uk".
func Matches(pattern, address string) bool {
	for {
		word, rest, more := strings.Cut(pattern, ".")
		if word == "#" && !more {
			return true
		}
		first, tail, deeper := strings.Cut(address, ".")
		if word != "*" && word != first {
			return false
		}
		if !deeper {
			return !more || rest == "#"
		}
		if !more {
			return false
		}
		pattern, address = rest, tail
	}
}

// MoreSpecific says whether pattern a decides before pattern b where both match: one without '#' before one with it;
// of two with '#' the longer text; else the one that at the first difference from the left has a name where the other
// has '*' or '#'. This is the order of Artemis, observed on 2.40.0: a security-setting must mean the same here.
func MoreSpecific(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	hashX, hashY := x[len(x)-1] == "#", y[len(y)-1] == "#"
	switch {
	case hashX != hashY:
		return hashY
	case hashX && len(a) != len(b):
		return len(a) > len(b)
	}
	for i := 0; i < len(x) && i < len(y); i++ {
		if wx, wy := width(x[i]), width(y[i]); wx != wy {
			return wx < wy
		}
	}
	return false
}

// width orders words of a pattern by how much they cover.
func width(word string) int {
	switch word {
	case "#":
		return 2
	case "*":
		return 1
	}
	return 0
}

// checkPattern says what is wrong with a match, or nil.
func checkPattern(pattern string) error {
	words := strings.Split(pattern, ".")
	for i, w := range words {
		switch {
		case w == "#" && i < len(words)-1:
			return fmt.Errorf("has # before the end; it may only be the last word")
		case w != "#" && w != "*" && strings.ContainsAny(w, "#*"):
			return fmt.Errorf("has a wildcard inside the word %q; * and # stand for whole words", w)
		}
	}
	return nil
}
