package history

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// story builds histories in a few words per line.
type story struct {
	events []Event
	now    int64
}

func (s *story) add(e Event) *story {
	s.now += int64(time.Millisecond)
	e.T = s.now
	s.events = append(s.events, e)
	return s
}

func (s *story) consumer(c, q string) *story { return s.add(Event{E: Consumer, C: c, Q: q}) }

func (s *story) invoke(p string, seq int64) *story {
	return s.add(Event{E: SendInvoke, P: p, Q: "q", S: seq, ID: fmt.Sprintf("%s-%d", p, seq)})
}
func (s *story) ok(id string) *story   { return s.add(Event{E: SendOK, ID: id}) }
func (s *story) info(id string) *story { return s.add(Event{E: SendInfo, ID: id}) }

// sent is a send that was confirmed at once.
func (s *story) sent(p string, seq int64) *story {
	return s.invoke(p, seq).ok(fmt.Sprintf("%s-%d", p, seq))
}

func (s *story) tx(kind Kind, p string, ids ...string) *story {
	return s.add(Event{E: kind, P: p, Q: "q", IDs: ids})
}

func (s *story) got(id string) *story { return s.deliver(Event{ID: id}) }

func (s *story) deliver(e Event) *story {
	e.E = Deliver
	if e.C == "" {
		e.C = "c"
	}
	if e.Q == "" {
		e.Q = "q"
	}
	if e.MID == "" {
		e.MID = "ID:" + e.ID
	}
	return s.add(e)
}

func (s *story) acked(ids ...string) *story { return s.add(Event{E: AckOK, C: "c", Q: "q", IDs: ids}) }
func (s *story) fault() *story              { return s.add(Event{E: Fault, Kind: "kill", Target: "a"}) }
func (s *story) healed() *story             { return s.add(Event{E: Healed, Kind: "kill", Target: "a"}) }
func (s *story) end() *story                { return s.add(Event{E: End}) }

func (s *story) later(d time.Duration) *story {
	s.now += int64(d)
	return s
}

func begin() *story { return new(story).consumer("c", "q") }

func TestCleanHistories(t *testing.T) {
	for name, s := range map[string]*story{
		"plain":                             begin().sent("p", 0).sent("p", 1).got("p-0").got("p-1").acked("p-0", "p-1").end(),
		"delivered before the confirm came": begin().invoke("p", 0).got("p-0").ok("p-0").end(),
		"unknown and never delivered":       begin().invoke("p", 0).info("p-0").end(),
		"unknown, retried, delivered once":  begin().invoke("p", 0).info("p-0").invoke("p", 0).ok("p-0").got("p-0").end(),
		"unmarked after a fault":            begin().sent("p", 0).got("p-0").fault().healed().got("p-0").end(),
		"unmarked from the buffer of a cut": begin().sent("p", 0).fault().got("p-0").healed().got("p-0").end(),
		"unmarked while a broker returns": begin().sent("p", 0).fault().healed().later(time.Minute).got("p-0").
			add(Event{E: Fault, Kind: Return}).got("p-0").healed().end(),
		"marked redelivery": begin().sent("p", 0).got("p-0").deliver(Event{ID: "p-0", RD: true, N: 2}).end(),
		"given back": begin().sent("p", 0).got("p-0").
			add(Event{E: GiveBack, IDs: []string{"p-0"}}).got("p-0").acked("p-0").end(),
		"acknowledgement unknown": begin().sent("p", 0).got("p-0").
			add(Event{E: AckInfo, IDs: []string{"p-0"}}).got("p-0").acked("p-0").end(),
		"order with two consumers is free": begin().consumer("d", "q").sent("p", 0).sent("p", 1).got("p-1").got("p-0").end(),
		"order of two producers is free":   begin().sent("p", 0).sent("p", 1).sent("r", 0).got("p-0").got("p-1").got("r-0").end(),
		"redelivery goes back in order": begin().sent("p", 0).sent("p", 1).got("p-0").got("p-1").
			deliver(Event{ID: "p-0", RD: true}).end(),
		"set aside counts as found": begin().sent("p", 0).deliver(Event{ID: "p-0", Q: "DLQ"}).end(),
		"transaction committed": begin().tx(TxInvoke, "t", "t-0", "t-1").tx(TxOK, "t", "t-0", "t-1").
			got("t-0").got("t-1").end(),
		"transaction unknown and nowhere": begin().tx(TxInvoke, "t", "t-0", "t-1").tx(TxInfo, "t", "t-0", "t-1").end(),
		"transaction unknown and whole": begin().tx(TxInvoke, "t", "t-0", "t-1").tx(TxInfo, "t", "t-0", "t-1").
			got("t-0").got("t-1").end(),
		"transaction rolled back": begin().tx(TxDoomed, "t", "t-0", "t-1").end(),
	} {
		if r := Check(s.events, Options{}); !r.OK() {
			t.Errorf("%s: %s", name, r)
		}
	}
}

// TestPlantedViolations breaks each rule once: that rule, and no other, must turn red, the given number of times.
func TestPlantedViolations(t *testing.T) {
	planted := []struct {
		name string
		rule Rule
		n    int
		s    *story
		opts Options
	}{
		{"lost", Lost, 1, begin().sent("p", 0).sent("p", 1).got("p-0").end(), Options{}},
		{"lost after an unknown outcome", Lost, 1, begin().invoke("p", 0).info("p-0").invoke("p", 0).ok("p-0").end(), Options{}},
		{"lost member of a transaction", Lost, 1, begin().tx(TxInvoke, "t", "t-0", "t-1").
			tx(TxOK, "t", "t-0", "t-1").got("t-0").end(), Options{}},
		{"never sent", Phantom, 1, begin().got("p-7").end(), Options{}},
		{"other queue", Phantom, 1, begin().sent("p", 0).deliver(Event{ID: "p-0", Q: "other"}).end(), Options{}},
		{"damaged", Damaged, 1, begin().sent("p", 0).deliver(Event{ID: "p-0", Bad: "byte 5"}).end(), Options{}},
		{"rolled back and delivered", Undead, 1, begin().tx(TxDoomed, "t", "t-0").got("t-0").end(), Options{}},
		{"half a transaction", Torn, 1, begin().tx(TxInvoke, "t", "t-0", "t-1").tx(TxInfo, "t", "t-0", "t-1").
			got("t-1").end(), Options{}},
		{"half of an undone transaction", Torn, 1, begin().tx(TxInvoke, "t", "t-0", "t-1").tx(TxUndone, "t", "t-0", "t-1").
			got("t-0").end(), Options{}},
		{"acknowledged and back", AckedAgain, 1, begin().sent("p", 0).got("p-0").acked("p-0").fault().healed().
			deliver(Event{ID: "p-0", RD: true}).end(), Options{}},
		{"accepted twice", Doubled, 1, begin().sent("p", 0).got("p-0").fault().healed().
			deliver(Event{ID: "p-0", MID: "ID:other"}).end(), Options{}},
		{"accepted twice, delivered three times", Doubled, 1, begin().sent("p", 0).got("p-0").fault().healed().
			deliver(Event{ID: "p-0", MID: "ID:other"}).deliver(Event{ID: "p-0", RD: true}).end(), Options{}},
		{"order", Disorder, 1, begin().sent("p", 0).sent("p", 1).sent("p", 2).got("p-0").got("p-2").got("p-1").end(), Options{}},
		{"order of a transaction", Disorder, 1, begin().tx(TxInvoke, "t", "t-0", "t-1").tx(TxOK, "t", "t-0", "t-1").
			got("t-1").got("t-0").end(), Options{}},
		{"order over a fault", Disorder, 1, begin().sent("p", 0).sent("p", 1).got("p-1").fault().healed().got("p-0").end(), Options{}},
		{"again without a mark", Unmarked, 1, begin().sent("p", 0).got("p-0").got("p-0").end(), Options{}},
		{"again without a mark, long after a fault", Unmarked, 1, begin().sent("p", 0).fault().healed().later(time.Minute).
			got("p-0").got("p-0").end(), Options{}},
		{"no load", Quiet, 1, begin().sent("p", 0).fault().healed().got("p-0").end(), Options{Floor: 2}},
		{"no load between faults", Quiet, 1, begin().sent("p", 0).sent("p", 1).fault().healed().fault().healed().
			got("p-0").got("p-1").end(), Options{Floor: 2}},
		{"worker died", NotFinished, 1, begin().sent("p", 0).got("p-0"), Options{}},
	}
	broken := make(map[Rule]bool)
	for _, p := range planted {
		r := Check(p.s.events, p.opts)
		if want := map[Rule]int{p.rule: p.n}; !reflect.DeepEqual(r.Violations, want) {
			t.Errorf("%s: want %v, got %v\n%s", p.name, want, r.Violations, r)
		}
		broken[p.rule] = true
	}
	for _, rule := range []Rule{Lost, Phantom, Damaged, Undead, Torn, AckedAgain, Doubled, Disorder, Unmarked, Quiet, NotFinished} {
		if !broken[rule] {
			t.Errorf("no planted violation of %s", rule)
		}
	}
}

func TestReturnNeedsNoLoad(t *testing.T) {
	s := begin().sent("p", 0).sent("p", 1).got("p-0").got("p-1").fault().healed().add(Event{E: Fault, Kind: Return}).healed().end()
	if r := Check(s.events, Options{Floor: 2}); !r.OK() {
		t.Fatal(r)
	}
}

func TestManyViolationsKeepFewExamples(t *testing.T) {
	s := begin()
	for i := range int64(1000) {
		s.sent("p", i)
	}
	r := Check(s.end().events, Options{})
	if r.Violations[Lost] != 1000 || len(r.Examples) != keptExamples {
		t.Fatalf("%d violations, %d examples", r.Violations[Lost], len(r.Examples))
	}
	if !strings.Contains(r.String(), "VIOLATED lost") || r.String() != Check(s.events, Options{}).String() {
		t.Fatalf("the report is not stable or silent:\n%s", r)
	}
}

func TestRead(t *testing.T) {
	text := `{"t":5,"e":"send.invoke","p":"p0","q":"q","s":3,"id":"p0-3"}
{"t":9,"e":"deliver","c":"c","q":"q","id":"p0-3","mid":"ID:1","rd":true,"n":2,"bad":"byte 1"}
{"t":10,"e":"ack.ok","ids":["a","b"]}
`
	got, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []Event{
		{T: 5, E: SendInvoke, P: "p0", Q: "q", S: 3, ID: "p0-3"},
		{T: 9, E: Deliver, C: "c", Q: "q", ID: "p0-3", MID: "ID:1", RD: true, N: 2, Bad: "byte 1"},
		{T: 10, E: AckOK, IDs: []string{"a", "b"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v", got)
	}
	for _, bad := range []string{"nonsense", "{}", `{"t":1}`, `{"e":5}`} {
		if _, err := Read(strings.NewReader(text + bad)); err == nil || !strings.Contains(err.Error(), "line 4") {
			t.Errorf("%q: error %v names no line 4", bad, err)
		}
	}
}
