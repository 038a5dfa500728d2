package sim

import (
	"strings"
	"testing"
)

// Every checker is shown a history that breaks its rule, and one beside it that only looks like that.
func TestCheckers(t *testing.T) {
	at := func(text string) Place { return Place{"q", text} }
	try := func(text string, seq int) Attempt {
		return Attempt{Place: at(text), Producer: "p", Seq: seq, Sum: 1}
	}
	seen := func(text string, id int64) Delivery {
		return Delivery{Place: at(text), ID: id, Sum: 1, Consumer: "c", Times: 1}
	}
	confirmed := func(h *History, text string, seq int) {
		h.Attempted(try(text, seq))
		h.Confirmed(at(text))
	}
	moved := Place{"r", "moved"}
	for _, x := range []struct {
		name, rule string // rule "": nothing is wrong
		run        func(h *History)
	}{
		{"confirmed and there", "", func(h *History) { confirmed(h, "a", 1); h.Drained(seen("a", 5)) }},
		{"confirmed and lost", "Q1", func(h *History) { confirmed(h, "a", 1) }},
		{"confirmed, delivered and lost", "Q1", func(h *History) { confirmed(h, "a", 1); h.Delivered(seen("a", 5)) }},
		{"confirmed and acknowledged", "", func(h *History) {
			confirmed(h, "a", 1)
			h.Delivered(seen("a", 5))
			h.Settling(at("a"))
			h.Settled(at("a"))
		}},
		{"the acknowledgement is unknown", "", func(h *History) { confirmed(h, "a", 1); h.Delivered(seen("a", 5)); h.Settling(at("a")) }},
		{"the acknowledgement was undone", "Q1", func(h *History) {
			confirmed(h, "a", 1)
			h.Delivered(seen("a", 5))
			h.Settling(at("a"))
			h.Returned(at("a"))
		}},
		{"unknown and lost", "", func(h *History) { h.Attempted(try("a", 1)) }},
		{"in the queue twice", "Q1", func(h *History) { confirmed(h, "a", 1); h.Drained(seen("a", 5)); h.Drained(seen("a", 5)) }},
		{"a phantom", "Q2", func(h *History) { h.Delivered(seen("a", 5)) }},
		{"a phantom at the end", "Q2", func(h *History) { h.Drained(seen("a", 5)) }},
		{"another body", "Q2", func(h *History) { confirmed(h, "a", 1); d := seen("a", 5); d.Sum = 2; h.Drained(d) }},
		{"in the wrong queue", "Q2", func(h *History) {
			confirmed(h, "a", 1)
			h.Drained(seen("a", 5))
			d := seen("a", 5)
			d.Queue = "r"
			h.Drained(d)
		}},
		{"refused and delivered", "Q3", func(h *History) { h.Attempted(try("a", 1)); h.Refused(at("a")); h.Delivered(seen("a", 5)) }},
		{"delivered and then refused", "Q3", func(h *History) { h.Attempted(try("a", 1)); h.Delivered(seen("a", 5)); h.Refused(at("a")) }},
		{"refused, but an earlier attempt is unknown", "", func(h *History) {
			h.Attempted(try("a", 1))
			h.Attempted(try("a", 1))
			h.Refused(at("a"))
			h.Drained(seen("a", 5))
		}},
		{"a transaction in part", "Q3", func(h *History) {
			for k, text := range []string{"a", "b"} {
				a := try(text, k+1)
				a.Group = "t"
				h.Attempted(a)
			}
			h.Drained(seen("b", 6))
		}},
		{"a transaction whole", "", func(h *History) {
			for k, text := range []string{"a", "b"} {
				a := try(text, k+1)
				a.Group = "t"
				h.Attempted(a)
			}
			h.Drained(seen("a", 5))
			h.Drained(seen("b", 6))
		}},
		{"moved: gone and not arrived", "Q3", func(h *History) {
			confirmed(h, "a", 1)
			h.Delivered(seen("a", 5))
			h.Settling(at("a"))
			h.Attempted(Attempt{Place: moved, Sum: 1})
			h.Moved(at("a"), moved)
		}},
		{"moved: arrived and not gone", "Q3", func(h *History) {
			confirmed(h, "a", 1)
			h.Attempted(Attempt{Place: moved, Sum: 1})
			h.Drained(seen("a", 5))
			h.Drained(Delivery{Place: moved, ID: 7, Sum: 1})
			h.Moved(at("a"), moved)
		}},
		{"moved", "", func(h *History) {
			confirmed(h, "a", 1)
			h.Delivered(seen("a", 5))
			h.Settling(at("a"))
			h.Attempted(Attempt{Place: moved, Sum: 1})
			h.Drained(Delivery{Place: moved, ID: 7, Sum: 1})
			h.Moved(at("a"), moved)
		}},
		{"acknowledged and delivered again", "Q4", func(h *History) {
			confirmed(h, "a", 1)
			h.Delivered(seen("a", 5))
			h.Settling(at("a"))
			h.Settled(at("a"))
			h.Delivered(seen("a", 5))
		}},
		{"acknowledged and still there", "Q4", func(h *History) {
			confirmed(h, "a", 1)
			h.Settling(at("a"))
			h.Settled(at("a"))
			h.Drained(seen("a", 5))
		}},
		{"delivered again without an acknowledgement", "", func(h *History) {
			confirmed(h, "a", 1)
			h.Delivered(seen("a", 5))
			d := seen("a", 5)
			d.Consumer, d.Times = "other", 2
			h.Delivered(d)
			h.Drained(d)
		}},
		{"published twice", "Q5", func(h *History) {
			confirmed(h, "a", 1)
			h.Delivered(seen("a", 5))
			d := seen("a", 9)
			d.Consumer = "other"
			h.Drained(d)
		}},
		{"out of order", "Q6", func(h *History) {
			confirmed(h, "a", 1)
			confirmed(h, "b", 2)
			h.Delivered(seen("b", 6))
			h.Delivered(seen("a", 5))
			h.Drained(seen("a", 5))
			h.Drained(seen("b", 6))
		}},
		{"given back and again in order", "", func(h *History) {
			confirmed(h, "a", 1)
			confirmed(h, "b", 2)
			for range 2 {
				h.Delivered(seen("a", 5))
				h.Delivered(seen("b", 6))
				h.Anew("c")
			}
			h.Drained(seen("a", 5))
			h.Drained(seen("b", 6))
		}},
		{"given back and again out of order", "Q6", func(h *History) {
			confirmed(h, "a", 1)
			confirmed(h, "b", 2)
			h.Delivered(seen("a", 5))
			h.Delivered(seen("b", 6))
			h.Anew("c")
			h.Delivered(seen("b", 6))
			h.Delivered(seen("a", 5))
			h.Drained(seen("a", 5))
			h.Drained(seen("b", 6))
		}},
		{"epochs rise", "", func(h *History) { h.Released("x", 1, 0); h.Released("x", 1, 1); h.Released("y", 2, 1) }},
		{"an old epoch confirms what was asked for before", "", func(h *History) { h.Released("x", 1, 0); h.Released("y", 2, 1); h.Released("x", 1, 1) }},
		{"an old epoch confirms", "Q7", func(h *History) { h.Released("x", 1, 0); h.Released("y", 2, 1); h.Released("x", 1, 2) }},
		{"two confirm in one epoch", "Q7", func(h *History) { h.Released("x", 1, 0); h.Released("y", 1, 0) }},
	} {
		h := NewHistory()
		x.run(h)
		h.Finish()
		found := h.Violations()
		switch {
		case x.rule == "" && len(found) > 0:
			t.Errorf("%s: %v", x.name, found)
		case x.rule != "" && (len(found) == 0 || !strings.HasPrefix(found[0], x.rule+":")):
			t.Errorf("%s: wanted %s, found %v", x.name, x.rule, found)
		}
	}
}
