package filter

import "strings"

// SizeMax limits the text of a filter, in bytes.
const SizeMax = 32 << 10

// Source says what names stand for. A missing one is the zero Value, null.
type Source interface {
	Lookup(name string) Value
}

// Filter is a parsed condition.
type Filter struct {
	text string
	root node
}

// Prefixes that change how a filter is read, as Artemis knows them; they may be combined.
const (
	prefixHyphenated = "hyphenated_props:"           // names may contain '-'
	prefixConvert    = "convert_string_expressions:" // a string is compared with a number by its number
	prefixNo         = "no_"                         // before one of the two: not so, which is the default
)

// Parse compiles the text. The error names the place.
func Parse(text string) (*Filter, error) {
	if len(text) > SizeMax {
		return nil, errorAt(SizeMax, "filter is longer than %d bytes", SizeMax)
	}
	p := parser{lexer: lexer{text: text}}
	rest := text
	for {
		before := rest
		rest = strings.TrimPrefix(rest, prefixNo+prefixHyphenated)
		rest = strings.TrimPrefix(rest, prefixNo+prefixConvert)
		if cut, ok := strings.CutPrefix(rest, prefixHyphenated); ok {
			rest, p.lexer.hyphens = cut, true
		}
		if cut, ok := strings.CutPrefix(rest, prefixConvert); ok {
			rest, p.convert = cut, true
		}
		if rest == before {
			break
		}
	}
	p.lexer.at = len(text) - len(rest)
	root, err := p.parse()
	if err != nil {
		return nil, err
	}
	return &Filter{text: text, root: root}, nil
}

// String is the text that was parsed.
func (f *Filter) String() string { return f.text }

// Matches says whether the condition is true: neither false nor unknown. A nil filter matches everything.
func (f *Filter) Matches(s Source) bool {
	if f == nil {
		return true
	}
	v := f.root.eval(s)
	return v.kind == kindBool && v.bool
}
