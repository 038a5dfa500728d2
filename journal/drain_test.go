package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hindmq/hind/aio/aiotest"
)

// consumer settles what lives, one by one, in an order that a seed chooses.
type consumer struct {
	r     *rig
	rng   *rand.Rand
	left  []RecordID
	opens int
}

// fill appends until the journal is full.
func (c *consumer) fill() {
	r := c.r
	for {
		size := c.rng.IntN(400)
		recs := []Record{{Kind: KindAdd, Body: make([]byte, size)}}
		_, _, err := r.d.Append(recs...)
		if errors.Is(err, ErrBusy) {
			r.progress()
			continue
		}
		if errors.Is(err, ErrFull) {
			return
		}
		if err != nil {
			r.t.Fatal(err)
		}
		c.left = append(c.left, recs[0].ID)
	}
}

// progress flushes and completes one write.
func (r *rig) progress() {
	if err := r.d.Flush(r.now); err != nil {
		r.t.Fatal(err)
	}
	r.disk.Step()
}

// settle deletes one record. A delete is never refused for ever.
func (c *consumer) settle() {
	i := c.rng.IntN(len(c.left))
	rec := Record{Kind: KindDelete, Target: c.left[i]}
	for tries := 0; ; tries++ {
		_, _, err := c.r.d.Append(rec)
		if err == nil {
			break
		}
		if errors.Is(err, ErrFull) || tries > 1000 {
			c.r.t.Fatalf("a delete is refused with %d records left: %v; %+v", len(c.left), err, c.r.d.Stats())
		}
		if !errors.Is(err, ErrBusy) {
			c.r.t.Fatal(err)
		}
		c.r.progress()
	}
	c.left = append(c.left[:i], c.left[i+1:]...)
}

// crash cuts the power and opens again. What was not acknowledged is settled again.
func (c *consumer) crash() {
	r := c.r
	next := r.disk.CrashWith(aiotest.CrashOptions{Seed: c.rng.Uint64(), Keep: c.rng.IntN(101)})
	r.kill(aiotest.LateDrop)
	r.disk = next
	r.proc = r.disk.Process("again")
	r.mem = newMemory()
	image, err := Load(r.proc, testDir, r.o, loadable{r.mem})
	if err != nil {
		r.t.Fatal(err)
	}
	r.activate(image)
	c.opens++
	for steps := c.rng.IntN(12); steps > 0; steps-- {
		r.progress() // it may crash again before it counts
	}
	c.left = sortedKeys(r.mem.live)
}

// TestDrain is the theorem of journal-design E: from any full state, with consumers only, the journal drains to empty.
func TestDrain(t *testing.T) {
	for seed := range uint64(60) {
		for _, crashes := range []int{0, 8, 30} {
			t.Run(fmt.Sprintf("%d/%d", seed, crashes), func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(seed, 3))
				o := crashOptions(rng)
				o.Slots = 7 + rng.IntN(6)
				r := newRig(t, o, seed)
				r.start()
				c := &consumer{r: r, rng: rng}
				c.fill()
				for steps := 0; len(c.left) > 0; steps++ {
					if crashes > 0 && rng.IntN(len(c.left)+crashes) < crashes && c.opens < 40 {
						c.crash()
						continue
					}
					c.settle()
				}
				// One more roll covers the last full file.
				r.drain()
				r.d.Roll()
				r.append(Record{Kind: KindEvent})
				r.drain()
				r.d.Roll()
				r.append(Record{Kind: KindEvent})
				r.drain()
				s := r.d.Stats()
				if s.Live != 0 || s.Files > 2 || s.Free < s.Slots-2 {
					t.Fatalf("drained: %+v", s)
				}
			})
		}
	}
}

func newTestRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 9)) }
