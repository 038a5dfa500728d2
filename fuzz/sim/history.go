package sim

import (
	"fmt"
	"sort"
)

// History is what clients attempted and were told, and what left the brokers; it checks each entry as it comes and the
// whole at the end. A message is known by its text, which is unique, in each queue to which it is routed.
//
// Checked, with the names of the design: Q1 nothing confirmed is lost, and it is there once; Q2 no phantom, no damage;
// Q3 what was refused or rolled back stays away, transactions are whole; Q4 what was acknowledged does not come again;
// Q5 published once; Q6 order of a producer; Q7 one broker confirms, and epochs rise.
type History struct {
	facts  map[Place]*fact
	groups map[string]*group // of messages that are there all or none
	order  map[orderKey]int
	seen   map[seenKey]bool
	lead   release
	found  []string
	counts HistoryCounts
}

// HistoryCounts are figures of a history.
type HistoryCounts struct {
	Attempted, Confirmed, Refused, Delivered, Redelivered, Settled, Drained, Released, Late int
}

// Place is a message in a queue.
type Place struct{ Queue, Text string }

// Attempt is one send of a message to a queue.
type Attempt struct {
	Place
	Producer string // whose sends keep their order; "": no order is promised
	Seq      int    // rises with a producer's sends
	Sum      uint32 // of the body
	Group    string // of messages that one transaction sends, all or none; "": by itself
}

// Delivery is one message that left a broker.
type Delivery struct {
	Place
	ID       int64  // the broker's
	Sum      uint32 // of the body
	Consumer string // one attachment of one consumer, in which order is promised
	Times    int    // delivery count
}

// fact is what is known of a message in a queue.
type fact struct {
	Attempt
	attempts  int
	open      int // attempts without an answer that says what became of them
	confirmed bool
	settling  bool
	settled   bool
	id        int64 // as delivered; 0: never
	drained   int
}

type group struct {
	places []Place
}

type orderKey struct{ consumer, queue, producer string }

type seenKey struct {
	consumer string
	place    Place
}

// release is the newest confirmation.
type release struct {
	epoch uint64
	node  string
}

// NewHistory is an empty history.
func NewHistory() *History {
	return &History{facts: map[Place]*fact{}, groups: map[string]*group{}, order: map[orderKey]int{}, seen: map[seenKey]bool{}}
}

func (h *History) violated(rule, format string, args ...any) {
	h.found = append(h.found, rule+": "+fmt.Sprintf(format, args...))
}

// Violations are what was found so far.
func (h *History) Violations() []string { return h.found }

// Counts are the figures so far.
func (h *History) Counts() HistoryCounts { return h.counts }

// Attempted notes a send, or a repeated one, before it leaves the client.
func (h *History) Attempted(a Attempt) {
	f := h.facts[a.Place]
	if f == nil {
		f = &fact{Attempt: a}
		h.facts[a.Place] = f
		if a.Group != "" {
			if h.groups[a.Group] == nil {
				h.groups[a.Group] = &group{}
			}
			h.groups[a.Group].places = append(h.groups[a.Group].places, a.Place)
		}
		h.counts.Attempted++
	}
	f.attempts++
	f.open++
}

// Confirmed: the client was told that the message is safe.
func (h *History) Confirmed(p Place) {
	f := h.facts[p]
	f.open--
	if !f.confirmed {
		f.confirmed = true
		h.counts.Confirmed++
	}
}

// Refused: the client was told that this attempt has no effect, or never asked for one (a transaction without a commit).
func (h *History) Refused(p Place) {
	f := h.facts[p]
	f.open--
	h.counts.Refused++
	if f.refused() && f.id != 0 {
		h.violated("Q3", "%s was delivered and then refused", f.name())
	}
}

// refused says that no attempt can have had an effect.
func (f *fact) refused() bool { return f.open == 0 && !f.confirmed }

func (f *fact) name() string { return f.Text + " in " + f.Queue }

// Delivered: a broker handed a message to a consumer.
func (h *History) Delivered(d Delivery) {
	h.counts.Delivered++
	if d.Times > 1 {
		h.counts.Redelivered++
	}
	seen := seenKey{d.Consumer, d.Place}
	if f := h.present(d); f != nil && f.Producer != "" && !h.seen[seen] { // of what was given back only the first delivery counts
		h.seen[seen] = true
		k := orderKey{d.Consumer, d.Queue, f.Producer}
		if last := h.order[k]; f.Seq <= last {
			h.violated("Q6", "%s, number %d of %s, comes behind number %d at %s", f.name(), f.Seq, f.Producer, last, d.Consumer)
		}
		h.order[k] = f.Seq
	}
}

// present checks what holds for a message wherever it turns up; nil: it is none of ours.
func (h *History) present(d Delivery) *fact {
	f := h.facts[d.Place]
	switch {
	case f == nil:
		h.violated("Q2", "%s holds %q, which nobody sent there", d.Queue, d.Text)
		return nil
	case f.Sum != d.Sum:
		h.violated("Q2", "%s arrives with another body", f.name())
	case f.refused():
		h.violated("Q3", "%s was refused or rolled back and is there", f.name())
	case f.settled:
		h.violated("Q4", "%s was acknowledged, and that confirmed; it comes again", f.name())
	case f.id != 0 && f.id != d.ID:
		h.violated("Q5", "%s is there as message %d and as message %d", f.name(), f.id, d.ID)
	}
	f.id = d.ID
	return f
}

// Anew: what an attachment has seen was given back, and comes again in order.
func (h *History) Anew(consumer string) {
	for k := range h.order {
		if k.consumer == consumer {
			delete(h.order, k)
		}
	}
	for k := range h.seen {
		if k.consumer == consumer {
			delete(h.seen, k)
		}
	}
}

// Settling: a client asks to acknowledge the message; from here on it may be gone.
func (h *History) Settling(p Place) { h.facts[p].settling = true }

// Returned: the client was told that the acknowledgement is undone, or never asked for its commit.
func (h *History) Returned(p Place) { h.facts[p].settling = false }

// Settled: the client was told that the message is gone for good.
func (h *History) Settled(p Place) {
	if f := h.facts[p]; !f.settled {
		f.settled = true
		h.counts.Settled++
	}
}

// Epoch is the highest in which something was confirmed.
func (h *History) Epoch() uint64 { return h.lead.epoch }

// Released: a broker confirmed something in an epoch, just now. asked is what Epoch was when the client asked for it. An
// owner that stood still may confirm late what its successor acknowledged before it claimed, and so has; what was asked for
// after a higher epoch confirmed it may not.
func (h *History) Released(node string, epoch, asked uint64) {
	h.counts.Released++
	switch l := h.lead; {
	case epoch < l.epoch && epoch >= asked:
		h.counts.Late++
	case epoch < l.epoch:
		h.violated("Q7", "%s confirms in epoch %d after %s confirmed in epoch %d", node, epoch, l.node, l.epoch)
	case epoch == l.epoch && node != l.node:
		h.violated("Q7", "%s and %s both confirm in epoch %d", l.node, node, epoch)
	default:
		h.lead = release{epoch, node}
	}
}

// Drained: at the end the message is in its queue.
func (h *History) Drained(d Delivery) {
	h.counts.Drained++
	if f := h.present(d); f != nil {
		if f.drained++; f.drained == 2 {
			h.violated("Q1", "%s is in its queue twice", f.name())
		}
	}
}

// Of are the places of a queue, sorted.
func (h *History) Of(queue string) []Place {
	var places []Place
	for p := range h.facts {
		if p.Queue == queue {
			places = append(places, p)
		}
	}
	sort.Slice(places, func(i, j int) bool { return places[i].Text < places[j].Text })
	return places
}

// Finish checks the whole, when every queue was drained.
func (h *History) Finish() {
	places := make([]Place, 0, len(h.facts))
	for p := range h.facts {
		places = append(places, p)
	}
	sort.Slice(places, func(i, j int) bool {
		return places[i].Queue < places[j].Queue || places[i].Queue == places[j].Queue && places[i].Text < places[j].Text
	})
	for _, p := range places {
		if f := h.facts[p]; f.confirmed && f.drained == 0 && !f.settling && !f.settled {
			h.violated("Q1", "%s was confirmed and is lost", f.name())
		}
	}
	names := make([]string, 0, len(h.groups))
	for name := range h.groups {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		h.whole(name, h.groups[name])
	}
}

// whole checks that a transaction took effect whole or not at all.
func (h *History) whole(name string, g *group) {
	there, missing := Place{}, Place{}
	for _, p := range g.places {
		if f := h.facts[p]; f.id != 0 || f.settled {
			there = p
		} else {
			missing = p
		}
	}
	if there != (Place{}) && missing != (Place{}) {
		h.violated("Q3", "transaction %s took effect in part: %s in %s was there, %s in %s never", name, there.Text, there.Queue, missing.Text, missing.Queue)
	}
}

// Moved checks a transaction that takes a message from one place and puts another to a second place: the second is there if
// and only if the first is gone. Call it before Finish, when every queue was drained.
func (h *History) Moved(from, to Place) {
	f, t := h.facts[from], h.facts[to]
	if f == nil || t == nil || !f.confirmed && f.id == 0 {
		return
	}
	gone, arrived := f.drained == 0, t.id != 0
	if gone != arrived {
		h.violated("Q3", "a transaction took effect in part: %s is gone: %t; %s was there: %t", f.name(), gone, t.name(), arrived)
	}
}
