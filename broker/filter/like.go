package filter

import "unicode/utf8"

// likePart is one character of a LIKE pattern.
type likePart struct {
	char rune
	kind likeKind
}

type likeKind uint8

const (
	likeChar likeKind = iota
	likeOne           // _
	likeMany          // %
)

func compileLike(pattern, escape string) []likePart {
	var parts []likePart
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			parts = append(parts, likePart{char: r})
			escaped = false
		case escape != "" && string(r) == escape:
			escaped = true
		case r == '_':
			parts = append(parts, likePart{kind: likeOne})
		case r == '%':
			parts = append(parts, likePart{kind: likeMany})
		default:
			parts = append(parts, likePart{char: r})
		}
	}
	return parts
}

// likeTest of what is no string is unknown for null and false for the rest.
type likeTest struct {
	of      node
	pattern []likePart
}

func (t likeTest) eval(s Source) Value {
	v := t.of.eval(s)
	switch v.kind {
	case kindNull:
		return Value{}
	case kindString:
		return Bool(matchLike(t.pattern, v.string))
	}
	return Bool(false)
}

// matchLike keeps one place to come back to, the last %, so its time is at most the product of the lengths.
func matchLike(pattern []likePart, s string) bool {
	p, i := 0, 0
	back, from := -1, 0
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case p < len(pattern) && pattern[p].kind == likeMany:
			back, from = p, i
			p++
		case p < len(pattern) && (pattern[p].kind == likeOne || pattern[p].kind == likeChar && pattern[p].char == r):
			p++
			i += size
		case back >= 0:
			_, step := utf8.DecodeRuneInString(s[from:])
			from += step
			p, i = back+1, from
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p].kind == likeMany {
		p++
	}
	return p == len(pattern)
}
