package session

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/clock"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/datafile"
)

// driverLog is the real journal without a pair: safe is what is durable.
type driverLog struct{ *journal.Driver }

func (l driverLog) Safe() journal.Position { return l.Durable() }

// blobs is the journal's host.
type blobs struct{ shard *shard.Shard }

func (b blobs) Snapshot() []byte { return b.shard.Checkpoint() }

// realWorld is the model's clients over a broker on the real journal, on a simulated disk that loses power.
type realWorld struct {
	*world
	disk *aiotest.Disk
	pool *aio.Pool
}

func journalOptions() journal.Options {
	o := journal.Defaults(datafile.Geometry{BlockShift: 9, Capacity: 512})
	o.Slots = 64 // every power cut starts a file, and a file goes only with its last record
	return o
}

// open loads the journal and starts a broker on it.
func (w *realWorld) open() *journal.Driver {
	t, o := w.t, journalOptions()
	t.Helper()
	proc := w.disk.Process("broker")
	if err := journal.Prepare(proc, "/j", o, journal.Member{1}, nil); err != nil {
		t.Fatal(err)
	}
	so := shard.DefaultOptions()
	so.Settings = address.Resolved(func(string) address.Settings {
		s := address.Defaults()
		s.MaxDeliveryAttempts = -1
		return s
	})
	w.shard = shard.New(shard.NewMailbox(1<<20, func() {}), so)
	w.host = NewHost(w.shard, Everyone{}, DefaultOptions())
	image, err := journal.Load(proc, "/j", o, w.shard)
	if err != nil {
		t.Fatal(err)
	}
	var driver *journal.Driver
	engine := proc.Engine(aiotest.EngineOptions{})
	engine.Start(func(cs []aio.Completion) { driver.Complete(cs) })
	driver, err = image.Activate(journal.ActivateOptions{Epoch: 1, Engine: engine, Pool: w.pool, Host: blobs{w.shard},
		Salt: w.rand.Uint64(), Now: journal.Now{Mono: w.now.Boot, Wall: w.now.Wall * 1e6}})
	if err != nil {
		t.Fatal(err)
	}
	for !driver.Opened() {
		if err := driver.Flush(journal.Now{Mono: w.now.Boot}); err != nil {
			t.Fatal(err)
		}
		if !w.disk.Step() {
			t.Fatal("the journal does not open")
		}
	}
	if err := w.shard.Activate(driverLog{driver}, w.now); err != nil {
		t.Fatal(err)
	}
	return driver
}

// settle steps until broker and disk have nothing to do.
func (w *realWorld) settle() {
	for idle := 0; idle < 3; {
		again := w.shard.Step(w.now)
		if w.disk.Step() || again {
			idle = 0
			continue
		}
		idle++
	}
}

// powerCut loses what the disk did not promise; a new broker and the clients come back. The digest of what is loaded is
// the same when it is loaded twice.
func (w *realWorld) powerCut() {
	w.disk = w.disk.Crash(w.rand.Uint64())
	w.open()
	w.clients()
}

func TestModelOnJournal(t *testing.T) {
	for seed := uint64(1); seed <= 25 && !t.Failed(); seed++ {
		pool, err := aio.NewPool(aio.PoolOptions{Size: 256 << 10, Count: 128})
		if err != nil {
			t.Fatal(err)
		}
		w := &realWorld{disk: aiotest.NewDisk(aiotest.Options{Seed: seed}), pool: pool, world: &world{
			rig:  &rig{t: t, now: clock.Instant{Boot: time.Hour, Wall: startWall}},
			rand: rand.New(rand.NewPCG(seed, 3)), facts: map[string]*fact{}}}
		w.live(seed)
		if err := pool.Close(); err != nil {
			t.Log(err) // buffers of dead processes are still out
		}
	}
}

func (w *realWorld) live(seed uint64) {
	w.open()
	setup := w.connect("setup").session("setup")
	setup.queue("q0")
	setup.queue("q1")
	for _, name := range []string{"q2", "q3"} {
		setup.CreateQueue(&QueueOptions{Address: "topic", Name: name, Routing: address.Multicast,
			Kind: QueueKind{Durable: true}}, silent)
	}
	setup.peer.post()
	w.settle()
	for i := range 2 {
		w.producers = append(w.producers, &producer{world: w.world, index: i})
	}
	for i := range modelQueues {
		w.consumers = append(w.consumers, &taker{world: w.world, queue: fmt.Sprintf("q%d", i), transacted: i%2 == 1})
	}
	w.clients()
	for step := 0; step < 600 && !w.t.Failed(); step++ {
		w.actOnJournal()
	}
	w.settle()
	w.powerCut()
	w.settle()
	for _, p := range w.producers {
		p.transaction = true
		p.decide()
	}
	w.settle()
	for _, c := range w.consumers {
		c.finish()
	}
	w.settle()
	w.verdict()
	digest := w.shard.Digest()
	w.powerCut()
	if again := w.shard.Digest(); again != digest {
		w.t.Errorf("digest %x, loaded %x", digest, again)
	}
	if w.t.Failed() {
		w.t.Logf("seed %d", seed)
	}
}

func (w *realWorld) actOnJournal() {
	p := w.producers[w.rand.IntN(len(w.producers))]
	c := w.consumers[w.rand.IntN(len(w.consumers))]
	switch n := w.rand.IntN(100); {
	case n < 40:
		p.send()
	case n < 50:
		p.decide()
	case n < 80:
		c.acknowledge()
	case n < 86:
		c.decide(w.rand.IntN(3) > 0)
	case n < 90:
		c.close()
	case n < 92:
		w.powerCut()
	}
	for range w.rand.IntN(4) {
		w.shard.Step(w.now)
		for range w.rand.IntN(3) {
			w.disk.Step()
		}
	}
	w.advance(time.Millisecond)
}
