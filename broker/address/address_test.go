package address

import "testing"

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"#", "", true}, {"#", "a.b", true}, {"a", "a", true}, {"a", "b", false}, {"a", "a.b", false},
		{"a.#", "a", true}, {"a.#", "a.b.c", true}, {"a.#", "ab", false}, {"#.c", "a.b.c", true}, {"#.c", "c", true},
		{"a.*", "a.b", true}, {"a.*", "a", false}, {"a.*", "a.b.c", false}, {"*", "a", true}, {"*.b", "a.b", true},
		{"a.#.z", "a.z", true}, {"a.#.z", "a.b.c.z", true}, {"a.#.z", "a.b", false}, {"#.b.#", "a.b.c", true},
		{"*.#.*", "a", false}, {"*.#.*", "a.b", true}, {"a*", "ab", false},
	} {
		if got := Matches(c.pattern, c.name); got != c.want {
			t.Errorf("%q matches %q: %t", c.pattern, c.name, got)
		}
	}
}

// The more specific rule wins, whatever the order they are given in.
func TestTable(t *testing.T) {
	set := func(n int) func(*Settings) { return func(s *Settings) { s.MaxDeliveryAttempts = n } }
	rules := []Rule{{"a.b", set(1)}, {"a.*", set(2)}, {"a.#", set(3)}, {"#", set(4)}, {"#.b", set(5)},
		{"#", func(s *Settings) { s.DeadLetterAddress = "DLQ" }}}
	for shift := range rules {
		rotated := append(append([]Rule(nil), rules[shift:]...), rules[:shift]...)
		table := NewTable(rotated)
		for name, want := range map[string]int{"a.b": 1, "a.c": 2, "a.c.d": 3, "z": 4, "z.b": 5} {
			s := table.Of(name)
			if s.MaxDeliveryAttempts != want {
				t.Errorf("rotated by %d: %s has %d, want %d", shift, name, s.MaxDeliveryAttempts, want)
			}
			if s.DeadLetterAddress != "DLQ" {
				t.Errorf("%s: dead-letter address %q", name, s.DeadLetterAddress)
			}
		}
	}
	var none *Table
	if none.Of("x") != Defaults() {
		t.Error("no table gives other settings than the defaults")
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string][3]string{
		"a": {"a", "", "a"}, "a::q": {"a", "q", "q"}, "::q": {"", "q", "q"}, "a::": {"a", "", "a::"}, "a::b::c": {"a", "b::c", "b::c"},
	} {
		a, q := Split(name)
		if a != want[0] || q != want[1] || QueueName(name) != want[2] {
			t.Errorf("%q: %q, %q, %q", name, a, q, QueueName(name))
		}
	}
	s := SetOf(Anycast, RoutingNone)
	if s.Has(Multicast) || !s.Has(Anycast) || s.Has(RoutingNone) || !s.With(Multicast).Has(Multicast) {
		t.Errorf("set %b", s)
	}
}
