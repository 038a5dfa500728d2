package address

import "testing"

func TestTable(t *testing.T) {
	var none *Table
	if none.Of("a") != Defaults() {
		t.Error("no table is not the defaults")
	}
	table := Resolved(func(name string) Settings {
		s := Defaults()
		s.DeadLetterAddress = "dead." + name
		return s
	})
	if got := table.Of("a").DeadLetterAddress; got != "dead.a" {
		t.Errorf("resolved to %q", got)
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
