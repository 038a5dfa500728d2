package postoffice

import (
	"fmt"
	"testing"

	"github.com/hindmq/hind/broker/address"
)

func TestKeys(t *testing.T) {
	seen := map[Key]string{}
	for _, id := range []string{"", "\x00", "\x00\x00", "a", "a\x00", "123456789012345", "1234567890123456", "12345678901234567"} {
		k := KeyOf([]byte(id))
		if other, ok := seen[k]; ok {
			t.Errorf("%q and %q have one key", id, other)
		}
		seen[k] = id
	}
}

func key(n int) Key { return KeyOf([]byte(fmt.Sprint(n))) }

// At the size of the window, one below and one above.
func TestWindow(t *testing.T) {
	w := NewWindow(1000)
	for n := range 5000 {
		w.add(key(n))
		w.add(key(n)) // again is nothing
		want := min(n+1, 1000)
		if w.Len() != want || len(w.Keys()) != want || len(w.set) != want {
			t.Fatalf("after %d: %d ids, %d keys, %d in the set", n+1, w.Len(), len(w.Keys()), len(w.set))
		}
		if n >= 1000 && (w.Has(key(n-1000)) || !w.Has(key(n-999))) {
			t.Fatalf("after %d the wrong one was forgotten", n+1)
		}
	}
	off := NewWindow(0)
	off.add(key(1))
	if off.Has(key(1)) {
		t.Error("a window of no size remembers")
	}
}

func TestWindowsTogether(t *testing.T) {
	build := func() *Office {
		o := New(nil, Options{DuplicatesMax: 500})
		for n := range 3000 {
			o.Remember([]string{"a", "b", "c"}[n%3%(1+n/500)], key(n))
			if o.ids > 500 {
				t.Fatalf("%d ids after %d", o.ids, n)
			}
		}
		return o
	}
	x, y := build(), build()
	total := 0
	for i, w := range x.Windows() {
		other := y.Windows()[i]
		if w.Address != other.Address || len(w.Window.Keys()) != len(other.Window.Keys()) || w.Window.Keys()[0] != other.Window.Keys()[0] {
			t.Errorf("two offices forgot different ids of %q", w.Address)
		}
		total += w.Window.Len() + nameCost(w.Address)
	}
	if total != x.ids {
		t.Errorf("%d ids are counted, there are %d", x.ids, total)
	}
}

func TestAddressTakesItsWindow(t *testing.T) {
	o := New(nil, Options{})
	o.Remember("a", key(1)) // a checkpoint comes before the address
	a := &Address{Name: "a", Routings: address.SetOf(address.Anycast)}
	o.AddAddress(a)
	if !a.Duplicate(key(1)) || a.Duplicate(key(2)) {
		t.Error("the window is not the address'")
	}
	a.RememberPassing(key(2))
	if !a.Duplicate(key(2)) || o.ids != 1+nameCost("a") {
		t.Error("a passing id is not remembered, or counted")
	}
	o.RemoveAddress(a)
	if o.ids != 0 || len(o.Windows()) != 0 {
		t.Errorf("%d ids are left", o.ids)
	}
}
