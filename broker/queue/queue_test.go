package queue

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/hindmq/hind/broker/filter"
	"github.com/hindmq/hind/broker/message"
)

// sink is a target that notes what it gets.
type sink struct {
	able bool
	got  []string
	done int
}

func (s *sink) Able() bool { return s.able }
func (s *sink) Deliver(r *Reference) int {
	s.got = append(s.got, string(r.Entity.Message.Body()))
	return 1
}
func (s *sink) Asked() bool {
	if s.able {
		s.done++
	}
	return s.able
}

func (s *sink) take() string {
	out := strings.Join(s.got, " ")
	s.got = nil
	return out
}

// dropper is a keeper that drops what is expired, or refuses.
type dropper struct{ err error }

func (d dropper) Expire(r *Reference) error {
	if d.err == nil {
		r.Queue.Remove(r, Expired)
	}
	return d.err
}

type bench struct {
	t     testing.TB
	q     *Queue
	order uint64
}

func newBench(t testing.TB) *bench {
	return &bench{t: t, q: New(1, "q", "q", Attributes{MaxConsumers: -1}, nil)}
}

func (b *bench) add(text string, priority uint8, expiration int64, visible bool) *Reference {
	b.t.Helper()
	m, err := message.New(&message.Header{Priority: priority, Expiration: expiration}, []byte(text),
		[]message.Property{{Name: "n", Value: message.Int(int32(len(text)))}})
	if err != nil {
		b.t.Fatal(err)
	}
	b.order++
	e := &Entity{Message: m, ID: int64(b.order), Order: b.order}
	r := e.Attach(b.q)
	b.q.Add(r, visible)
	return r
}

func (b *bench) dispatch(k Keeper) (int, bool, error) { return b.q.Dispatch(1000, 1000, k) }

func (b *bench) consumer(o ConsumerOptions) (*Consumer, *sink) {
	b.t.Helper()
	s := &sink{able: true}
	c, err := b.q.AttachConsumer(s, o)
	if err != nil {
		b.t.Fatal(err)
	}
	c.Credit(-1)
	return c, s
}

// What is not visible yet is passed over, and comes in its place once it is.
func TestPending(t *testing.T) {
	b := newBench(t)
	_, s := b.consumer(ConsumerOptions{})
	first := b.add("first", 4, 0, false)
	b.add("second", 4, 0, true)
	b.dispatch(dropper{})
	if got := s.take(); got != "second" {
		t.Errorf("got %q", got)
	}
	b.q.Release(first)
	b.dispatch(dropper{})
	if got := s.take(); got != "first" {
		t.Errorf("got %q", got)
	}
}

func TestReturnHoldsTheQueue(t *testing.T) {
	b := newBench(t)
	c, s := b.consumer(ConsumerOptions{})
	for _, text := range []string{"1", "2", "3"} {
		b.add(text, 4, 0, true)
	}
	b.dispatch(dropper{})
	s.take()
	refs := c.TakeAll()
	b.add("4", 4, 0, true)
	for _, r := range refs {
		b.q.Give(r)
	}
	b.q.Return(refs[2])
	b.q.Return(refs[0])
	if _, _, _ = b.dispatch(dropper{}); s.take() != "" {
		t.Error("dispatched while one was on its way back")
	}
	b.q.Return(refs[1])
	b.dispatch(dropper{})
	if got := s.take(); got != "1 2 3 4" {
		t.Errorf("got %q", got)
	}
	if b.q.Delivering() != 4 || b.q.Messages() != 4 {
		t.Errorf("%d delivering of %d", b.q.Delivering(), b.q.Messages())
	}
}

func TestExpiryInDispatch(t *testing.T) {
	b := newBench(t)
	_, s := b.consumer(ConsumerOptions{})
	b.add("old", 4, 999, true)
	b.add("edge", 4, 1000, true) // at its time it is over
	b.add("new", 4, 1001, true)
	b.dispatch(dropper{err: ErrHeld}) // passed over
	if got := s.take(); got != "new" {
		t.Errorf("got %q", got)
	}
	b.q.Rewind()
	if _, _, err := b.dispatch(dropper{err: fmt.Errorf("busy")}); err == nil {
		t.Error("an error of the keeper is lost")
	}
	b.dispatch(dropper{})
	if b.q.Counters.Expired != 2 || b.q.Messages() != 1 {
		t.Errorf("%+v, %d messages", b.q.Counters, b.q.Messages())
	}
}

func TestBudget(t *testing.T) {
	b := newBench(t)
	for range 10 {
		b.add("x", 4, 0, true)
	}
	f, err := filter.Parse("n > 1")
	if err != nil {
		t.Fatal(err)
	}
	c, s := b.consumer(ConsumerOptions{Filter: f})
	c.Ask()
	if left, more, _ := b.q.Dispatch(0, 9, dropper{}); left != 0 || !more || s.done != 0 {
		t.Errorf("left %d, more %t, asked %d", left, more, s.done)
	}
	b.add("yes", 4, 0, true)
	if left, more, _ := b.q.Dispatch(0, 9, dropper{}); left != 7 || more || s.take() != "yes" || s.done != 1 {
		t.Errorf("left %d, more %t, asked %d", left, more, s.done)
	}
}

// A browser waits at what is not visible yet, so that it shows everything in order, and sees nothing twice.
func TestBrowse(t *testing.T) {
	b := newBench(t)
	_, s := b.consumer(ConsumerOptions{Browse: true})
	b.add("1", 4, 0, true)
	two := b.add("2", 4, 0, false)
	b.add("3", 4, 0, true)
	b.dispatch(dropper{})
	if got := s.take(); got != "1" {
		t.Errorf("got %q", got)
	}
	b.q.Release(two)
	b.dispatch(dropper{})
	if got := s.take(); got != "2 3" {
		t.Errorf("got %q", got)
	}
	c, _ := b.consumer(ConsumerOptions{})
	b.dispatch(dropper{})
	for _, r := range c.TakeAll() {
		b.q.Give(r)
		b.q.Return(r)
	}
	b.dispatch(dropper{})
	if got := s.take(); got != "" {
		t.Errorf("sees %q twice", got)
	}
}

// Against a plain list: what is delivered is always the first in order of what may be, under any mixture of adds,
// releases, deliveries, returns and removals, with plain, filtering and several consumers.
func TestAgainstList(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		b := newBench(t)
		f, _ := filter.Parse("n = 2")
		plain, ps := b.consumer(ConsumerOptions{})
		picky, fs := b.consumer(ConsumerOptions{Filter: f})
		plain.Credit(0)
		picky.Credit(0)
		plain.credits, picky.credits = 0, 0
		var all []*Reference
		first := func(match func(*Reference) bool) string {
			for p := priorities - 1; p >= 0; p-- {
				for _, r := range all {
					if r.state == Ready && int(r.Entity.Message.Priority()) == p && match(r) {
						return string(r.Entity.Message.Body())
					}
				}
			}
			return ""
		}
		for step := range 200 {
			switch n := rnd.IntN(10); {
			case n < 4:
				text := fmt.Sprint(step % 100)
				all = append(all, b.add(text, uint8(3+rnd.IntN(3)), 0, rnd.IntN(3) > 0))
			case n < 5:
				for _, r := range all {
					b.q.Release(r)
				}
			case n < 6:
				if refs := plain.TakeAll(); len(refs) > 0 {
					rnd.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
					for _, r := range refs {
						b.q.Give(r)
					}
					for _, r := range refs {
						b.q.Return(r)
					}
				}
			case n < 7:
				if len(all) > 0 {
					i := rnd.IntN(len(all))
					b.q.Remove(all[i], Killed)
					all = append(all[:i], all[i+1:]...)
				}
			case n < 9:
				want := first(func(*Reference) bool { return true })
				plain.Credit(1)
				b.dispatch(dropper{})
				if got := ps.take(); got != want {
					t.Fatalf("seed %d step %d: plain got %q, want %q", seed, step, got, want)
				}
				plain.Credit(0)
			default:
				want := first(func(r *Reference) bool { return len(r.Entity.Message.Body()) == 2 })
				picky.Credit(1)
				b.dispatch(dropper{})
				if got := fs.take(); got != want {
					t.Fatalf("seed %d step %d: picky got %q, want %q", seed, step, got, want)
				}
				picky.Credit(0)
			}
		}
	}
}

func TestConsumerList(t *testing.T) {
	b := newBench(t)
	c, _ := b.consumer(ConsumerOptions{})
	for range 300 {
		b.add("x", 4, 0, true)
	}
	b.dispatch(dropper{})
	if _, _, ok := c.Upto(301, nil); ok {
		t.Error("found what was never delivered")
	}
	refs, count, ok := c.Upto(200, nil)
	if !ok || count != 200 || len(refs) != 200 {
		t.Fatalf("%d references, %d entries, %t", len(refs), count, ok)
	}
	c.Drop(count)
	if r, place, ok := c.One(250); !ok || r.Entity.ID != 250 {
		t.Error("250 is not there")
	} else {
		c.DropOne(place)
	}
	if _, _, ok := c.One(250); ok {
		t.Error("250 is still there")
	}
	if c.First().Entity.ID != 201 || len(c.TakeAll()) != 99 || c.First() != nil {
		t.Error("the rest is wrong")
	}
}

type holder struct{ released int }

func (h *holder) Released(*Entity) { h.released++ }

func TestEntityReferences(t *testing.T) {
	a, b := New(1, "a", "x", Attributes{Durable: true}, nil), New(2, "b", "x", Attributes{}, nil)
	m, _ := message.New(&message.Header{Durable: true}, nil, nil)
	h := &holder{}
	e := &Entity{Message: m, Record: 5, Holder: h}
	for _, q := range []*Queue{a, b} {
		q.Add(e.Attach(q), true)
	}
	if e.Durable != 1 || e.Reference(2) == nil || e.Reference(3) != nil {
		t.Errorf("%d durable references", e.Durable)
	}
	a.Remove(e.Reference(1), Acknowledged)
	a.Remove(&e.first, Acknowledged) // once is enough
	if e.Durable != 0 || h.released != 0 || a.Counters.Acknowledged != 1 {
		t.Errorf("%d durable, released %d, %+v", e.Durable, h.released, a.Counters)
	}
	b.Remove(e.Reference(2), Killed)
	if h.released != 1 || e.Reference(2) != nil {
		t.Errorf("released %d", h.released)
	}
}

func TestView(t *testing.T) {
	m, _ := message.New(&message.Header{Address: "a", Durable: true, Priority: 7, Timestamp: 11, Expiration: 12, HasUserID: true,
		UserID: [16]byte{0xab, 1}}, nil, []message.Property{{Name: "_AMQ_GROUP_ID", Value: message.String("g")},
		{Name: "c", Value: message.Char('x')}, {Name: "f", Value: message.Float(0.5)}, {Name: "b", Value: message.Bytes(nil)}})
	for text, want := range map[string]bool{
		"AMQDurable = 'DURABLE'": true, "AMQPriority = 7": true, "AMQTimestamp = 11 AND AMQExpiration = 12": true,
		"AMQUserID = 'ID:ab010000-0000-0000-0000-000000000000'": true, "AMQAddress = 'a'": true, "AMQSize > 50": true,
		"AMQGroupID = 'g'": true, "c = 'x' AND f = 0.5": true, "b IS NULL": true, "other IS NOT NULL": false,
	} {
		f, err := filter.Parse(text)
		if err != nil || f.Matches(View{m}) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}
