package filter

import (
	"errors"
	"strings"
	"testing"
)

type source map[string]Value

func (s source) Lookup(name string) Value { return s[name] }

var values = source{
	"i": Int(5), "n": Int(-3), "f": Float(2.5), "s": String("hello"), "t": Bool(true), "empty": String(""),
	"pct": String("50%"), "num": String("5"), "a-b": Int(1), "a": Int(10), "b": Int(4), "x.y": Int(2), "quote": String("it's"),
	"multi": String("a\nb"), "ü": Int(1),
}

// verdict: 1 true, 0 false, -1 unknown.
func TestConditions(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{
		{"i = 5", 1}, {"i <> 5", 0}, {"i < 6", 1}, {"i <= 5", 1}, {"i > 5", 0}, {"i >= 5", 1}, {"5 = i", 1},
		{"missing = 5", -1}, {"missing <> 5", -1}, {"missing IS NULL", 1}, {"missing IS NOT NULL", 0}, {"i is null", 0},
		{"NOT missing = 5", -1}, {"NOT i = 6", 1}, {"not not i = 5", 1},
		{"i = 5 AND missing = 1", -1}, {"i = 6 AND missing = 1", 0}, {"missing = 1 AND i = 6", 0},
		{"i = 5 OR missing = 1", 1}, {"missing = 1 OR i = 5", 1}, {"i = 6 OR missing = 1", -1}, {"i = 6 or i = 7", 0},
		{"i = 1 OR i = 5 AND t", 1}, {"(i = 1 OR i = 5) AND NOT t", 0},
		{"t", 1}, {"NOT t", 0}, {"t = TRUE", 1}, {"t = false", 0}, {"TRUE", 1}, {"FALSE", 0}, {"NULL", -1}, {"i", -1}, {"s", -1},
		{"i BETWEEN 5 AND 6", 1}, {"i NOT BETWEEN 5 AND 6", 0}, {"missing BETWEEN 1 AND 2", -1}, {"i between 6 and 4", 0},
		{"s LIKE 'h%'", 1}, {"s LIKE '_ello'", 1}, {"s LIKE 'hell'", 0}, {"s NOT LIKE '%z%'", 1}, {"s LIKE '%l%o'", 1},
		{"s LIKE '%'", 1}, {"empty LIKE '%'", 1}, {"empty LIKE '_'", 0}, {"missing LIKE '%'", -1}, {"i LIKE '5'", 0},
		{"pct LIKE '50!%' ESCAPE '!'", 1}, {"s LIKE 'he!%' ESCAPE '!'", 0}, {"multi LIKE 'a%b'", 1}, {"s LIKE '%%%%o'", 1},
		{"s IN ('x', 'hello')", 1}, {"s NOT IN ('x')", 1}, {"missing IN ('x')", -1}, {"missing NOT IN ('x')", -1}, {"i IN (1, 5.0)", 1},
		{"i + 1 = 6", 1}, {"i - n = 8", 1}, {"i * 2 > 9", 1}, {"i / 2 = 2", 1}, {"i % 2 = 1", 1}, {"f * 2 = 5", 1}, {"-i = -5", 1},
		{"+i = 5", 1}, {"- -i = 5", 1}, {"i + missing = 5", -1}, {"i / 0 = 1", -1}, {"i % 0 = 1", -1}, {"f / 0 > 1", 1},
		{"2 + 3 * 2 = 8", 1}, {"(2 + 3) * 2 = 10", 1}, {"10 - 2 - 3 = 5", 1}, {"s + 1 = 2", -1},
		{"s = 'hello'", 1}, {"s = 'Hello'", 0}, {"quote = 'it''s'", 1}, {"s < 'i'", 1}, {"s = 5", 0}, {"s <> 5", 1}, {"t = 1", 0},
		{"i = 5L", 1}, {"i = 0x5", 1}, {"i = 05", 1}, {"i = 5.0", 1}, {"f = 2.5", 1}, {"f = 25e-1", 1}, {"f = 2.5F", 1}, {"f = .25e1", 1},
		{"i = 5d", 1}, {"n > -9223372036854775808", 1},
		{"x.y = 2", 1}, {"ü = 1", 1}, {"_AMQX=-1", -1}, {"a-b = 6", 1},
		{"hyphenated_props:a-b = 1", 1}, {"no_hyphenated_props:a-b = 6", 1},
		{"num = 5", 0}, {"convert_string_expressions:num = 5", 1}, {"convert_string_expressions:hyphenated_props:num > 4 AND a-b=1", 1},
		{"convert_string_expressions:s = 5", 0},
		{"__AMQ_CID<>'x' AND (i = 5)", -1},
	} {
		f, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		v, got := f.root.eval(values), -1
		if v.kind == kindBool {
			got = 0
			if v.bool {
				got = 1
			}
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", c.text, got, c.want)
		}
		if f.Matches(values) != (c.want == 1) {
			t.Errorf("%s: Matches disagrees", c.text)
		}
	}
}

func TestRefused(t *testing.T) {
	for text, at := range map[string]int{
		"": 0, "i =": 3, "= 5": 0, "i = 5 5": 6, "i == 5": 3, "(i = 5": 6, "i = 5)": 5, "s = 'x": 4, "i BETWEEN 1": 11,
		"i IN ()": 6, "i IN (a)": 7, "s LIKE i": 7, "s LIKE 'a' ESCAPE 'bb'": 18, "i NOT 5": 6, "i IS 5": 5, "5x = 1": 1,
		"i = 99999999999999999999": 4, "i # 5": 2, "XPATH 'a'": 0, "a AND": 5, "NOT": 3, "i = 0x": 4, "i = 1_0": 5,
	} {
		_, err := Parse(text)
		var e *Error
		if !errors.As(err, &e) || e.At != at {
			t.Errorf("%q: %v, want an error at %d", text, err, at)
		}
	}
}

func TestBounds(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("(", n) + "i = 5" + strings.Repeat(")", n) }
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{nested(depthMax - 1), true}, {nested(depthMax), true}, {nested(depthMax + 1), false},
		{strings.Repeat("NOT ", depthMax+1) + "t", false}, {strings.Repeat("-", depthMax+1) + "1 = 1", false},
		{strings.Repeat("t AND ", nodesMax/2-1) + "t", true}, {strings.Repeat("t AND ", nodesMax/2) + "t", false},
		{"s LIKE '" + strings.Repeat("a", likeMax) + "'", true}, {"s LIKE '" + strings.Repeat("a", likeMax+1) + "'", false},
		{strings.Repeat(" ", SizeMax-1) + "t", true}, {strings.Repeat(" ", SizeMax) + "t", false},
	} {
		if f, err := Parse(c.text); (err == nil) != c.ok {
			t.Errorf("%.20s... of %d bytes: %v", c.text, len(c.text), err)
		} else if err == nil {
			f.Matches(values)
		}
	}
}

func TestNilMatchesAll(t *testing.T) {
	var f *Filter
	if !f.Matches(values) {
		t.Error("no filter matches nothing")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"i = 5", "s LIKE 'a!%' ESCAPE '!' AND NOT (n BETWEEN -1 AND 2.5e3)", "x.y IN ('a', 1)",
		"hyphenated_props:a-b IS NOT NULL", "1 % 0 = 2 OR 0x1F / f > .5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := Parse(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.At < 0 || e.At > len(text) && e.At != SizeMax {
				t.Fatalf("error %v", err)
			}
			return
		}
		parsed.Matches(values)
		again, err := Parse(parsed.String())
		if err != nil || again.Matches(values) != parsed.Matches(values) {
			t.Fatalf("parsed again: %v", err)
		}
	})
}

func BenchmarkMatches(b *testing.B) {
	f, err := Parse("i > 3 AND s LIKE 'he%' OR missing = 1")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !f.Matches(values) {
			b.Fatal("no match")
		}
	}
}
