package config

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// loader carries what the tables share while one file is interpreted.
type loader struct {
	cfg     *Config
	files   int // journal-max-files; 0: not given
	notices []Notice
	errs    Errors
	seen    map[string]Place // by kind and name: what may exist once only
}

// unique says whether a name is new among its kind, and fails if it is not.
func (l *loader) unique(kind, name string, at Place) bool {
	key := kind + "\x00" + name
	if before, twice := l.seen[key]; twice {
		l.fail(at, "rename or remove one", "%s %q is defined twice, first in line %d", kind, name, before.Line)
		return false
	}
	if l.seen == nil {
		l.seen = make(map[string]Place)
	}
	l.seen[key] = at
	return true
}

// fail records a mistake. The list is bounded; what is beyond it would be seen after the first ones are corrected.
func (l *loader) fail(at Place, next, format string, args ...any) {
	l.addError(&Error{File: l.cfg.File, At: at, Problem: fmt.Sprintf(format, args...), Next: next})
}

func (l *loader) addError(err *Error) {
	if len(l.errs) < errorsMax {
		l.errs = append(l.errs, err)
	}
}

func (l *loader) notice(at Place, format string, args ...any) {
	l.notices = append(l.notices, Notice{File: l.cfg.File, At: at, Text: fmt.Sprintf(format, args...)})
}

// table is the schema of one element: what may stand in it. Each rule takes an element and either sets a value, or
// leaves a notice, or fails.
type table map[string]rule

type rule struct {
	apply func(n *node)
	many  bool // may be repeated
}

// once is a rule for an element that may stand there at most once, many for one that may be repeated.
func once(apply func(n *node)) rule { return rule{apply: apply} }
func many(apply func(n *node)) rule { return rule{apply: apply, many: true} }

// add puts the rules of another table into t.
func (t table) add(more table) {
	for name, r := range more {
		t[name] = r
	}
}

// children interprets what stands in n by t, and refuses text between the elements.
func (l *loader) children(n *node, t table) {
	if n.text != "" {
		l.fail(n.at, "put it into an element", "<%s> holds text (%.30q) where elements are expected", n.name, n.text)
	}
	first := make(map[string]*node, len(n.children))
	for _, c := range n.children {
		r, known := t[c.name]
		if !known {
			l.unknown(n, c, t)
			continue
		}
		if before := first[c.name]; before != nil && !r.many {
			l.fail(c.at, "keep one of them", "<%s> is given twice, first in line %d", c.name, before.at.Line)
			continue
		}
		first[c.name] = c
		r.apply(c)
	}
}

func (l *loader) unknown(parent, n *node, t table) {
	next := "remove it; docs/configuration.md lists what is supported"
	if near := nearest(n.name, t); near != "" {
		next = fmt.Sprintf("did you mean <%s>?", near)
	}
	l.fail(n.at, next, "<%s> is not an element of <%s>", n.name, parent.name)
}

// attrs checks that n has the required attributes, not empty, and no others than these and the optional ones.
func (l *loader) attrs(n *node, required, optional []string) bool {
	ok := true
	for _, a := range n.attrs {
		if !contains(required, a.name) && !contains(optional, a.name) {
			l.fail(n.at, "remove it; docs/configuration.md lists what is supported",
				"%s is not an attribute of <%s>", a.name, n.name)
			ok = false
		}
		if strings.Contains(a.value, "${") {
			l.fail(n.at, "write the value itself", "attribute %s of <%s> uses ${...}, which is not supported yet", a.name, n.name)
			ok = false
		}
	}
	for _, name := range required {
		if v, _ := n.attr(name); v == "" {
			l.fail(n.at, "add "+name+"=\"...\"", "<%s> needs the attribute %s", n.name, name)
			ok = false
		}
	}
	return ok
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

// leaf returns the text of an element that may hold nothing else.
func (l *loader) leaf(n *node) (string, bool) {
	if !l.attrs(n, nil, nil) {
		return "", false
	}
	return l.textOf(n)
}

// textOf is leaf for an element whose attributes were checked.
func (l *loader) textOf(n *node) (string, bool) {
	switch {
	case len(n.children) > 0:
		c := n.children[0]
		l.fail(c.at, "write the value as text", "<%s> stands in <%s>, which holds a value", c.name, n.name)
	case n.text == "":
		l.fail(n.at, "give a value, or remove the element", "<%s> is empty", n.name)
	case strings.Contains(n.text, "${"):
		l.fail(n.at, "write the value itself", "<%s> uses ${...}, which is not supported yet", n.name)
	default:
		return n.text, true
	}
	return "", false
}

// text sets a string.
func (l *loader) text(dst *string) rule {
	return once(func(n *node) {
		if s, ok := l.leaf(n); ok {
			*dst = s
		}
	})
}

// value takes a leaf through parse; what is wrong with it comes back as an error text that follows "<name> ".
func (l *loader) value(parse func(text string) error) rule {
	return once(func(n *node) {
		s, ok := l.leaf(n)
		if !ok {
			return
		}
		if err := parse(s); err != nil {
			l.fail(n.at, "correct the value", "<%s> %v", n.name, err)
		}
	})
}

func (l *loader) boolean(dst *bool) rule {
	return l.value(func(s string) (err error) {
		*dst, err = parseBool(s)
		return err
	})
}

// integer sets a number from min to max.
func (l *loader) integer(dst *int, min, max int) rule {
	return l.value(func(s string) (err error) {
		*dst, err = parseInt(s, min, max)
		return err
	})
}

// size sets a number of bytes from min to max.
func (l *loader) size(dst *int64, min, max int64) rule {
	return l.value(func(s string) (err error) {
		*dst, err = parseSize(s, min, max)
		return err
	})
}

// millis sets a time given in milliseconds, at least min.
func (l *loader) millis(dst *time.Duration, min time.Duration) rule {
	return l.value(func(s string) (err error) {
		*dst, err = parseMillis(s, min)
		return err
	})
}

// instead accepts an element whose value changes nothing here, and says what happens instead.
func (l *loader) instead(text string) rule {
	return once(func(n *node) {
		if s, ok := l.leaf(n); ok {
			l.notice(n.at, "<%s>%s</%s>: %s", n.name, s, n.name, text)
		}
	})
}

// only accepts one value, which is how this broker works anyway, and refuses every other as not built yet.
func (l *loader) only(want string) rule {
	return once(func(n *node) {
		s, ok := l.leaf(n)
		if ok && !strings.EqualFold(s, want) {
			l.fail(n.at, fmt.Sprintf("remove it or write %s", want), "<%s>%s</%s> is not supported yet", n.name, s, n.name)
		}
	})
}

// onlyElse accepts want silently and any other value of a leaf with a notice.
func (l *loader) onlyElse(want, text string) rule {
	return once(func(n *node) {
		if s, ok := l.leaf(n); ok && !strings.EqualFold(s, want) {
			l.notice(n.at, "<%s>%s</%s>: %s", n.name, s, n.name, text)
		}
	})
}

// later names elements of Artemis that are not built yet.
func (l *loader) later(t table, names ...string) {
	for _, name := range names {
		t[name] = many(func(n *node) {
			l.fail(n.at, "remove it; docs/configuration.md lists what is supported", "<%s> is not supported yet", n.name)
		})
	}
}

func parseBool(s string) (bool, error) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, nil
	case strings.EqualFold(s, "false"):
		return false, nil
	}
	return false, fmt.Errorf("is %.40q; true or false is expected", s)
}

func parseInt(s string, min, max int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < min || n > max {
		return 0, fmt.Errorf("is %.40q; a number from %d to %d is expected", s, min, max)
	}
	return n, nil
}

func parseMillis(s string, min time.Duration) (time.Duration, error) {
	const max = 24 * time.Hour
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < min.Milliseconds() || n > max.Milliseconds() {
		return 0, fmt.Errorf("is %.40q; milliseconds from %d to %d are expected", s, min.Milliseconds(), max.Milliseconds())
	}
	return time.Duration(n) * time.Millisecond, nil
}

// parseSize reads bytes in the notation of Artemis: a number with an optional K, M or G, alone or followed by B or iB,
// in either case. All of them are powers of 1024.
func parseSize(s string, min, max int64) (int64, error) {
	digits := strings.TrimRight(s, "KMGkmgBbIi ")
	unit := strings.ToLower(strings.TrimSpace(s[len(digits):]))
	factor, known := map[string]int64{
		"": 1, "b": 1, "k": 1 << 10, "kb": 1 << 10, "kib": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "mib": 1 << 20,
		"g": 1 << 30, "gb": 1 << 30, "gib": 1 << 30,
	}[unit]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !known {
		return 0, fmt.Errorf("is %.40q; bytes are expected, with K, M or G if you like", s)
	}
	if n > 0 && n > max/factor || n*factor < min {
		return 0, fmt.Errorf("is %.40q; %d to %d bytes are possible", s, min, max)
	}
	return n * factor, nil
}

// nearest is the name in t that was most likely meant, or empty.
func nearest(name string, t table) string {
	best, distance := "", 4
	for _, known := range names(t) {
		if d := editDistance(name, known); d < distance && d*3 <= len(known) {
			best, distance = known, d
		}
	}
	return best
}

func names(t table) []string {
	all := make([]string, 0, len(t))
	for name := range t {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}

// editDistance counts insertions, deletions and replacements; names longer than any element are far from all.
func editDistance(a, b string) int {
	const far = 99
	if len(a) > 64 || len(b) > 64 {
		return far
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
