package session

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/journal"
)

var (
	modelSeeds = flag.Uint64("model.seeds", 200, "how many seeds TestModel runs; without it HIND_MODEL_SEEDS says it")
	modelSeed  = flag.Uint64("model.seed", 0, "run only this seed of TestModel")
)

// world is a broker under clients that do what a seed says, with crashes, and the simple truth to compare with: which
// sends were answered, which settlements were answered, and what was delivered.
type world struct {
	*rig
	rand     *rand.Rand
	standby  *shard.Shard // follows the log as it becomes safe
	followed int
	life     int

	producers []*producer
	consumers []*taker
	facts     map[string]*fact // by queue and text
	steps     int
}

// fact is what is known of one message in one queue.
type fact struct {
	queue, text string
	producer    int
	seq         int
	confirmed   bool // the send, or the commit with it, was answered
	undone      bool // its transaction was rolled back
	settling    bool // an acknowledgement is on its way, or was when the broker died
	settled     bool // the acknowledgement, or the commit with it, was answered
	seen        bool // it was delivered in some life
	held        int  // life in which a consumer holds it
}

const modelQueues = 4 // two anycast queues, two subscriptions of one multicast address

func runModel(t *testing.T, seed uint64) {
	w := &world{rig: newRig(t, rigOptions{
		rules: []rule{{Match: "#", Apply: func(s *address.Settings) { s.MaxDeliveryAttempts = -1 }}},
		shard: func(o *shard.Options) { o.DispatchBudget = 16 },
	}), rand: rand.New(rand.NewPCG(seed, 1)), facts: map[string]*fact{}}
	defer func() {
		if t.Failed() {
			t.Logf("seed %d, step %d: go test ./broker/session -run TestModel -model.seed=%d", seed, w.steps, seed)
		}
	}()
	w.follow()
	setup := w.connect("setup").session("setup")
	setup.queue("q0")
	setup.queue("q1")
	for _, name := range []string{"q2", "q3"} {
		setup.do(func(tag Tag) {
			setup.CreateQueue(&QueueOptions{Address: "topic", Name: name, Routing: address.Multicast,
				Kind: QueueKind{Durable: true}}, tag)
		})
	}
	w.step()
	for i := range 2 {
		w.producers = append(w.producers, &producer{world: w, index: i})
	}
	for i := range modelQueues {
		w.consumers = append(w.consumers, &taker{world: w, queue: fmt.Sprintf("q%d", i), transacted: i%2 == 1})
	}
	w.clients()
	for w.steps = 0; w.steps < 300 && !t.Failed(); w.steps++ {
		w.act()
		w.check()
	}
	w.drain()
}

// clients connects everybody anew.
func (w *world) clients() {
	w.life++
	for _, p := range w.producers {
		p.connect()
	}
	for _, c := range w.consumers {
		c.connect()
	}
}

// act does one random thing.
func (w *world) act() {
	p := w.producers[w.rand.IntN(len(w.producers))]
	c := w.consumers[w.rand.IntN(len(w.consumers))]
	switch n := w.rand.IntN(100); {
	case n < 35:
		p.send()
	case n < 45:
		p.decide()
	case n < 62:
		c.acknowledge()
	case n < 68:
		c.decide(w.rand.IntN(3) > 0)
	case n < 72:
		c.close()
	case n < 80:
		w.log.Hold = !w.log.Hold
	case n < 86:
		w.log.SafeNext()
	case n < 90:
		w.log.Refuse, w.log.Left = journal.ErrBusy, w.rand.IntN(3)
	case n < 93:
		w.log.Checkpoint(w.shard.Checkpoint())
	case n < 96:
		w.die()
	}
	for range w.rand.IntN(3) {
		w.shard.Step(w.now)
	}
	if w.rand.IntN(3) > 0 {
		w.log.Refuse = nil
	}
	w.catchUp()
	w.advance(time.Millisecond)
}

// follow starts a standby on an empty log.
func (w *world) follow() {
	o := shard.DefaultOptions()
	w.standby, w.followed = shard.New(shard.NewMailbox(1, func() {}), o), 0
	if err := w.standby.Snapshot(nil); err != nil {
		w.t.Fatal(err)
	}
}

// catchUp gives the standby what is safe.
func (w *world) catchUp() {
	for records := w.log.Records(); w.followed < w.log.SafeCount(); w.followed++ {
		if err := w.standby.Replay(records[w.followed]); err != nil {
			w.t.Fatal(err)
		}
	}
}

// die crashes the broker, with some pages beyond the safe ones on the disk or not; clients come back and producers send
// again what was not answered.
func (w *world) die() {
	before := w.log.SafeCount()
	w.crash(uint32(w.rand.IntN(3)))
	if w.followed > before {
		w.t.Fatalf("the standby applied %d records, %d were safe", w.followed, before)
	}
	w.catchUp()
	if a, b := w.shard.Digest(), w.standby.Digest(); w.log.SafeCount() == w.followed && a != b {
		w.t.Errorf("loaded %x, standby %x", a, b)
	}
	w.clients()
}

// check compares active and standby when nothing is on its way.
func (w *world) check() {
	if w.log.SafeCount() == len(w.log.Records()) && w.followed == len(w.log.Records()) {
		if a, b := w.shard.Digest(), w.standby.Digest(); a != b {
			w.t.Errorf("active %x, standby %x", a, b)
		}
	}
}

// drain takes everything that is left: each confirmed message is settled or there, once.
func (w *world) drain() {
	w.log.Hold, w.log.Refuse = false, nil
	w.step()
	w.die()
	w.step()
	for _, p := range w.producers { // what was sent again is answered now
		p.transaction = true
		p.decide()
	}
	w.step()
	for _, c := range w.consumers {
		c.finish()
	}
	w.step()
	w.verdict()
	w.check()
}

// verdict compares what is with what was answered, once everything that is left is with the consumers.
func (w *world) verdict() {
	for _, f := range w.facts {
		there := f.held == w.life
		switch {
		case f.settled && there:
			w.t.Errorf("%s in %s was settled and came back", f.text, f.queue)
		case f.undone && f.seen:
			w.t.Errorf("%s in %s was rolled back and seen", f.text, f.queue)
		case f.confirmed && !f.settled && !f.settling && !there:
			w.t.Errorf("%s in %s was confirmed and is lost", f.text, f.queue)
		}
	}
}

func TestModel(t *testing.T) {
	if *modelSeed != 0 {
		runModel(t, *modelSeed)
		return
	}
	for seed := uint64(1); seed <= seedsWanted(t) && !t.Failed(); seed++ {
		runModel(t, seed)
	}
}

// seedsWanted is the flag, or else HIND_MODEL_SEEDS: runs over several packages cannot give a flag that only one has.
func seedsWanted(t *testing.T) uint64 {
	text, given := os.Getenv("HIND_MODEL_SEEDS"), false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "model.seeds" })
	if text == "" || given {
		return *modelSeeds
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		t.Fatalf("HIND_MODEL_SEEDS=%q: want a number above 0 (%v)", text, err)
	}
	return n
}

// outlet turns answers into calls.
type outlet struct {
	answered  map[int64]func(*Error)
	delivered func(*Delivery)
}

func (o *outlet) Answer(a *Answer) {
	if fn := o.answered[a.Tag.Correlation]; fn != nil {
		delete(o.answered, a.Tag.Correlation)
		fn(a.Err)
	}
}
func (o *outlet) Deliver(d *Delivery) int {
	if o.delivered != nil {
		o.delivered(d)
	}
	return 1
}
func (o *outlet) Notify(*Event) {}
func (o *outlet) Queued() int   { return 0 }
func (o *outlet) Flush()        {}

// producer sends with duplicate ids, alone or in transactions, and again after a crash.
type producer struct {
	world       *world
	index       int
	seq         int
	out         *outlet
	conn        *Conn
	session     *Session
	unanswered  []sent
	transaction bool // the current session is transacted
	inTx        []sent
}

type sent struct {
	address, text string
	seq           int
}

func (p *producer) connect() {
	w := p.world
	p.out = &outlet{answered: map[int64]func(*Error){}}
	p.conn = w.host.Connect(p.out)
	p.transaction = w.rand.IntN(2) == 0
	p.session = p.conn.OpenSession(SessionOptions{Name: fmt.Sprint("p", p.index), AutoCommitSends: !p.transaction,
		AutoCommitAcks: !p.transaction}, silent)
	again := append(p.unanswered, p.inTx...)
	p.unanswered, p.inTx = nil, nil
	for _, s := range again {
		p.put(s)
	}
	p.post()
	if p.transaction {
		p.decide()
	}
}

// post hands over; a mailbox that is full is emptied first.
func (p *producer) post() { p.world.handOver(p.conn) }

func (w *world) handOver(c *Conn) {
	for c.Post() == shard.ErrFull {
		w.shard.Step(w.now)
	}
}

func (p *producer) send() {
	p.seq++
	to := []string{"q0", "q1", "topic"}[p.world.rand.IntN(3)]
	p.put(sent{to, fmt.Sprintf("%d-%d", p.index, p.seq), p.seq})
	p.post()
}

func (p *producer) put(s sent) {
	w := p.world
	for _, q := range queuesOf(s.address) {
		if w.facts[q+s.text] == nil {
			w.facts[q+s.text] = &fact{queue: q, text: s.text, producer: p.index, seq: s.seq}
		}
	}
	body := s.text
	if s.seq%8 == 0 { // so that transactions do not fit one page
		body += strings.Repeat(" ", 20<<10)
	}
	m := newMessage(w.t, s.address, body, with(message.PropDuplicateID, message.String(s.text)))
	if p.transaction {
		p.inTx = append(p.inTx, s)
		p.session.Send(m, "", address.RoutingNone, silent)
		return
	}
	p.unanswered = append(p.unanswered, s)
	tag := w.tag()
	p.out.answered[tag.Correlation] = func(err *Error) {
		if err != nil {
			w.t.Errorf("send of %s: %v", s.text, err)
		}
		p.confirm(s)
	}
	p.session.Send(m, "", address.RoutingNone, tag)
}

func (p *producer) confirm(s sent) {
	for _, q := range queuesOf(s.address) {
		p.world.facts[q+s.text].confirmed = true
	}
	for i, u := range p.unanswered {
		if u == s {
			p.unanswered = append(p.unanswered[:i:i], p.unanswered[i+1:]...)
			return
		}
	}
}

func queuesOf(addr string) []string {
	if addr == "topic" {
		return []string{"q2", "q3"}
	}
	return []string{addr}
}

// decide commits what the transaction has, or now and then rolls it back. A commit that fails for a duplicate means that
// an earlier one, whose answer was lost, had worked.
func (p *producer) decide() {
	w := p.world
	if !p.transaction || len(p.inTx) == 0 {
		return
	}
	list := p.inTx
	p.inTx = nil
	tag := w.tag()
	if w.rand.IntN(4) == 0 && p.fresh(list) {
		p.session.Rollback(false, tag)
		for _, s := range list {
			for _, q := range queuesOf(s.address) {
				w.facts[q+s.text].undone = true
			}
		}
		p.post()
		return
	}
	p.unanswered = append(p.unanswered, list...)
	p.out.answered[tag.Correlation] = func(err *Error) {
		if err != nil && err.Code != CodeDuplicateID {
			w.t.Errorf("commit: %v", err)
			return
		}
		if err != nil { // send one by one what is not there
			p.single(list)
			return
		}
		for _, s := range list {
			p.confirm(s)
		}
	}
	p.session.Commit(tag)
	p.post()
}

// fresh says that nothing of the list was sent in an earlier life, so that a rollback undoes it for good.
func (p *producer) fresh(list []sent) bool {
	for _, s := range list {
		for _, q := range queuesOf(s.address) {
			if f := p.world.facts[q+s.text]; f.seen || f.confirmed {
				return false
			}
		}
	}
	return p.world.life == 1
}

// single sends a refused transaction's messages again without one.
func (p *producer) single(list []sent) {
	s := p.conn.OpenSession(SessionOptions{Name: fmt.Sprint("single", p.index), AutoCommitSends: true}, silent)
	for _, one := range list {
		m := newMessage(p.world.t, one.address, one.text, with(message.PropDuplicateID, message.String(one.text)))
		tag := p.world.tag()
		p.out.answered[tag.Correlation] = func(err *Error) {
			if err != nil {
				p.world.t.Errorf("single send of %s: %v", one.text, err)
			}
			p.confirm(one)
		}
		s.Send(m, "", address.RoutingNone, tag)
	}
	_ = p.conn.Post() // called from an answer: the mailbox has room, and the next step takes it
}

// taker consumes one queue.
type taker struct {
	world      *world
	queue      string
	transacted bool
	out        *outlet
	conn       *Conn
	session    *Session
	consumer   int64
	have       []taken // delivered and not acknowledged
	acked      []*fact // in the transaction
	rolling    bool    // a rollback is on its way: nothing is acknowledged meanwhile
	top        map[int]int
}

type taken struct {
	id   int64
	fact *fact
}

func (c *taker) connect() {
	w := c.world
	c.out = &outlet{answered: map[int64]func(*Error){}}
	c.conn = w.host.Connect(c.out)
	c.have, c.acked, c.rolling = nil, nil, false
	c.out.delivered = c.take
	c.session = c.conn.OpenSession(SessionOptions{Name: "c" + c.queue, AutoCommitSends: true,
		AutoCommitAcks: !c.transacted}, silent)
	c.session.Start(silent)
	c.open()
	w.handOver(c.conn)
}

func (c *taker) open() {
	c.consumer++
	c.top = map[int]int{}
	c.session.CreateConsumer(ConsumerOptions{ID: c.consumer, Queue: c.queue}, silent)
	c.session.Credits(c.consumer, int32(5+c.world.rand.IntN(20)))
}

// take notes a delivery and what must not be.
func (c *taker) take(d *Delivery) {
	w := c.world
	if d.Consumer != c.consumer {
		return // of a consumer that is being closed: it comes again
	}
	text := strings.TrimRight(string(d.Message.Body()), " ")
	f := w.facts[c.queue+text]
	switch {
	case f == nil:
		w.t.Errorf("%s has %s, which nobody sent there", c.queue, text)
		return
	case f.settled:
		w.t.Errorf("%s in %s was settled and is delivered", text, c.queue)
	case f.undone:
		w.t.Errorf("%s in %s was rolled back and is delivered", text, c.queue)
	case f.seq < c.top[f.producer]:
		w.t.Errorf("%s in %s comes behind %d of its producer", text, c.queue, c.top[f.producer])
	}
	for _, have := range c.have {
		if have.fact == f {
			w.t.Errorf("%s in %s is delivered twice at once", text, c.queue)
		}
	}
	c.top[f.producer] = f.seq
	f.seen, f.held = true, w.life
	c.have = append(c.have, taken{d.ID, f})
}

// acknowledge settles the oldest few, or a single one in the middle.
func (c *taker) acknowledge() {
	w := c.world
	if len(c.have) == 0 || c.rolling {
		return
	}
	n := w.rand.IntN(len(c.have))
	list := c.have[:n+1]
	id := c.have[n].id
	tag := w.tag()
	if w.rand.IntN(3) == 0 {
		list = c.have[n : n+1]
		c.session.AcknowledgeOne(c.consumer, id, tag)
		c.have = append(c.have[:n:n], c.have[n+1:]...)
	} else {
		c.session.Acknowledge(c.consumer, id, tag)
		c.have = append([]taken(nil), c.have[n+1:]...)
	}
	var facts []*fact
	for _, one := range list {
		facts = append(facts, one.fact)
		one.fact.held = 0
	}
	if c.transacted {
		c.acked = append(c.acked, facts...)
	} else {
		c.settle(tag, facts)
	}
	w.handOver(c.conn)
}

// settle notes that the answer to tag settles the facts.
func (c *taker) settle(tag Tag, facts []*fact) {
	for _, f := range facts {
		f.settling = true
	}
	c.out.answered[tag.Correlation] = func(err *Error) {
		if err != nil {
			c.world.t.Errorf("settling in %s: %v", c.queue, err)
		}
		for _, f := range facts {
			f.settled = true
		}
	}
}

func (c *taker) decide(commit bool) {
	tag := c.world.tag()
	if c.rolling {
		return
	}
	if !commit { // as clients do it: stop, roll back, and start only when that is answered
		c.rolling = true
		c.session.Stop(silent)
		c.session.Rollback(false, tag)
		c.out.answered[tag.Correlation] = func(*Error) {
			c.rolling = false
			c.have, c.acked, c.top = nil, nil, map[int]int{}
			c.session.Start(silent)
			_ = c.conn.Post() // called from an answer: the mailbox has room
		}
	} else if c.transacted {
		c.session.Commit(tag)
		c.settle(tag, c.acked)
		c.acked = nil
	}
	c.world.handOver(c.conn)
}

// close gives everything back and takes it anew.
func (c *taker) close() {
	if c.rolling {
		return
	}
	c.session.CloseConsumer(c.consumer, silent)
	c.have = nil
	c.open()
	c.world.handOver(c.conn)
}

// finish takes all that is left and keeps it.
func (c *taker) finish() {
	c.decide(true)
	c.session.Credits(c.consumer, -1)
	c.world.handOver(c.conn)
}
