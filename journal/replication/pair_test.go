package replication

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/aio/aiotest"
	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/datafile"
)

const testDir = "/j"

// tiny is a journal in which every few steps roll, checkpoint and retire.
func tiny() journal.Options {
	return journal.Options{Geometry: datafile.Geometry{BlockShift: 9, Capacity: 24}, Slots: 10, Reserve: 3, Window: 16, Depth: 3,
		PageMax: 1024, WriteMax: 2048, BacklogMax: 8192, BlobMax: 256}
}

// broker is one process on one disk: a driver, or a follower.
type broker struct {
	t     testing.TB
	name  string
	o     journal.Options
	pool  *aio.Pool
	disk  *aiotest.Disk
	proc  *aiotest.Process
	host  *host
	d     *journal.Driver
	f     *journal.Follower
	done  []aio.Completion
	eng   *aiotest.Engine
	lives int
	now   journal.Now
	last  journal.Position // of the last append
	fatal func(format string, args ...any)
}

func newPool(t testing.TB) *aio.Pool {
	t.Helper()
	p, err := aio.NewPool(aio.PoolOptions{Size: aio.BufferAlign, Count: 512})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func newBroker(t testing.TB, name string, o journal.Options, pool *aio.Pool, seed uint64) *broker {
	b := &broker{t: t, fatal: t.Fatalf, name: name, o: o, pool: pool, disk: aiotest.NewDisk(aiotest.Options{Seed: seed})}
	b.proc = b.disk.Process(name)
	if err := journal.Prepare(b.proc, testDir, o, journal.Member{name[0]}, nil); err != nil {
		t.Fatal(err)
	}
	return b
}

// load reads the journal and gives the image.
func (b *broker) load() *journal.Image {
	b.t.Helper()
	b.lives++
	b.proc = b.disk.Process(fmt.Sprintf("%s%d", b.name, b.lives))
	b.host = newHost()
	image, err := journal.Load(b.proc, testDir, b.o, loader{b.host})
	if err != nil && !(image != nil && image.State() != nil && image.State().Copying) {
		b.fatal("%s: load: %v", b.name, err)
	}
	b.done = nil
	b.eng = b.proc.Engine(aiotest.EngineOptions{})
	b.eng.Start(func(cs []aio.Completion) { b.done = append(b.done, cs...) })
	return image
}

// own loads and activates.
func (b *broker) own(epoch uint32) {
	b.t.Helper()
	d, err := b.load().Activate(b.options(epoch))
	if err != nil {
		b.fatal("%s: activate: %v", b.name, err)
	}
	b.d = d
}

func (b *broker) options(epoch uint32) journal.ActivateOptions {
	b.host.role = fmt.Sprintf("owner %s of epoch %d, life %d", b.name, epoch, b.lives)
	return journal.ActivateOptions{Epoch: epoch, Role: []byte(b.host.role), Engine: b.eng, Pool: b.pool,
		Host: b.host, Salt: uint64(epoch)<<32 | uint64(b.name[0])<<8 | uint64(b.lives), Now: b.now}
}

// follow loads and follows.
func (b *broker) follow() {
	b.t.Helper()
	f, err := b.load().Follow(journal.FollowOptions{Engine: b.eng, Pool: b.pool, Now: b.now, Rebuild: func() (journal.Loader, error) {
		b.host = newHost()
		return loader{b.host}, nil
	}})
	if err != nil {
		b.fatal("%s: follow: %v", b.name, err)
	}
	b.f = f
}

// activate makes the follower an owner.
func (b *broker) activate(epoch uint32) {
	b.t.Helper()
	d, err := b.f.Activate(b.options(epoch))
	if err != nil {
		b.fatal("%s: follower activates: %v", b.name, err)
	}
	b.d, b.f = d, nil
}

// step completes and flushes; disk says whether one write lands first.
func (b *broker) step(disk bool) bool {
	b.t.Helper()
	moved := disk && b.disk.Step()
	done := b.done
	b.done = nil
	switch {
	case b.d != nil:
		b.d.Complete(done)
		if err := b.d.Flush(b.now); err != nil {
			b.fatal("%s: %v", b.name, err)
		}
	case b.f != nil:
		b.f.Complete(done)
		if err := b.f.Flush(b.now); err != nil {
			b.fatal("%s: %v", b.name, err)
		}
	}
	return moved
}

// settle steps until the disk has nothing left.
func (b *broker) settle() {
	b.t.Helper()
	b.step(false)
	for b.step(true) {
	}
}

// crash ends the process; what the disk kept is the next one's.
func (b *broker) crash(o aiotest.CrashOptions) {
	next := b.disk.CrashWith(o)
	b.end()
	b.disk = next
}

// end drops the process: its writes in flight are lost.
func (b *broker) end() {
	b.proc.Kill(aiotest.LateDrop)
	if b.d != nil {
		_ = b.d.Close()
	}
	if b.f != nil {
		_ = b.f.Close()
	}
	b.d, b.f, b.done = nil, nil, nil
}

func (b *broker) append(recs ...journal.Record) bool {
	b.t.Helper()
	_, at, err := b.d.Append(recs...)
	if errors.Is(err, journal.ErrBusy) || errors.Is(err, journal.ErrFull) {
		return false
	}
	if err != nil {
		b.fatal("%s: append: %v", b.name, err)
	}
	for i := range recs {
		b.host.take(recs[i])
	}
	b.last = at
	return true
}

// conversation is one connection.
type conversation struct {
	t        testing.TB
	owner    *broker
	follower *broker
	s        *Sender
	r        *Receiver
	down, up []Message // on the way, encoded and decoded
	copied   bool
	behind   bool // the follower is no member, so nothing is kept for it
	dead     bool
	fatal    func(format string, args ...any)
}

// connect begins a conversation in the owner's epoch.
func connect(t testing.TB, owner, follower *broker, o SenderOptions) *conversation {
	epoch := owner.d.Epoch()
	return &conversation{t: t, owner: owner, follower: follower, fatal: t.Fatalf, s: NewSender(owner.d, epoch, o), r: NewReceiver(follower.f, epoch)}
}

// travel is a message as the other side decodes it.
func travel(t testing.TB, m Message) Message {
	t.Helper()
	got, err := DecodeMessage(AppendMessage(nil, &m), slices.Clone(m.Pages.Data))
	if err != nil {
		t.Fatalf("%s: %v", m.Kind, err)
	}
	if m.Pages.Release != nil {
		m.Pages.Release()
	}
	return got
}

// send moves at most n messages of each side onto the link.
func (c *conversation) send(n int) (moved bool) {
	c.t.Helper()
	for range n {
		m, ok, err := c.s.Next()
		if errors.Is(err, journal.ErrRetired) && c.behind {
			c.dead = true // the owner needs the slot: a new conversation copies what is left
			return moved
		}
		if err != nil {
			c.fatal("sender: %v", err)
		}
		if !ok {
			break
		}
		c.down = append(c.down, travel(c.t, m))
		moved = true
	}
	for range n {
		m, ok := c.r.Next(true)
		if !ok {
			break
		}
		c.up = append(c.up, travel(c.t, m))
		moved = true
	}
	return moved
}

// deliver takes at most n messages of each direction off the link.
func (c *conversation) deliver(n int) (moved bool) {
	c.t.Helper()
	for i := 0; i < n && len(c.down) > 0; i++ {
		m := c.down[0]
		c.down = c.down[1:]
		if err := c.r.Receive(m); err != nil {
			c.fatal("receiver: %s: %v", m.Kind, err)
		}
		moved = true
	}
	for i := 0; i < n && len(c.up) > 0; i++ {
		m := c.up[0]
		c.up = c.up[1:]
		if err := c.s.Receive(m); err != nil {
			c.fatal("sender: %s: %v", m.Kind, err)
		}
		moved = true
	}
	if found, ok := c.r.Common(); ok && !c.copied {
		c.copied = true
		state := c.follower.f.State()
		state.Copying = true
		if err := c.follower.f.Save(state); err != nil {
			c.t.Fatal(err)
		}
		if err := c.r.Copy(); err != nil {
			c.fatal("copy from %s: %v", found.At, err)
		}
		moved = true
	}
	return moved
}

// run moves both sides until nothing moves any more.
func (c *conversation) run() {
	c.t.Helper()
	for idle := 0; idle < 3; {
		a, b := c.owner.step(true), c.follower.step(true)
		if c.send(100) || c.deliver(100) || a || b {
			idle = 0
			continue
		}
		idle++
	}
}

// close ends the connection; what is on the way is lost.
func (c *conversation) close() { c.s.Close() }

// inSync says that the follower acknowledged everything that was sealed when the copy was complete.
func (c *conversation) inSync() bool {
	to, ok := c.s.CaughtUp()
	return ok && !c.s.Acked().Less(to)
}

// settled compares both disks and both states; both must be quiet.
func (c *conversation) same() {
	c.t.Helper()
	o, f := c.owner, c.follower
	if o.d.End() != f.f.Durable() || f.f.Tip() != f.f.Durable() || f.f.Applied() != o.d.Stable() {
		c.t.Fatalf("owner ends at %s (stable %s), follower: tip %s, durable %s, applied %s", o.d.End(), o.d.Stable(), f.f.Tip(), f.f.Durable(), f.f.Applied())
	}
	of, ff := o.d.Files(), f.f.Files()
	od := digests(c.t, o, of)
	fd := digests(c.t, f, ff)
	if !maps.Equal(od, fd) {
		c.t.Fatalf("the logs differ:\nowner    %v\nfollower %v", od, fd)
	}
	if o.host.digest(false) != f.host.digest(false) {
		c.t.Fatalf("what was applied differs:\nowner    %s\nfollower %s", o.host, f.host)
	}
	check := newHost()
	ro := f.o
	ro.ReadOnly = true
	image, err := journal.Load(f.proc, testDir, ro, loader{check})
	if err != nil {
		c.t.Fatalf("a load of the follower's disk: %v", err)
	}
	if check.digest(false) != f.host.digest(false) || image.LiveDigest() != o.d.LiveDigest() || f.f.LiveDigest() != image.LiveDigest() {
		c.t.Fatalf("a load of the follower's disk gives\n%s, applied is\n%s", check, f.host)
	}
	if err := image.Close(); err != nil {
		c.t.Fatal(err)
	}
}

func digests(t testing.TB, b *broker, files []journal.FileInfo) map[datafile.Name]journal.FileDigest {
	t.Helper()
	ds, err := journal.ByteDigest(b.proc, testDir, b.o.Geometry, files)
	if err != nil {
		t.Fatal(err)
	}
	m := map[datafile.Name]journal.FileDigest{}
	for _, d := range ds {
		m[d.Name] = d
	}
	return m
}
