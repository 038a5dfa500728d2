package sim

import (
	"fmt"
	"time"

	"github.com/hindmq/hind/broker/session"
)

// producer sends to the queues and the topic. Kinds: with duplicate ids it sends again, on whichever broker serves, until
// it has an answer; without it leaves what has no answer unknown. Each kind sends one by one or in transactions.
type producer struct {
	client
	duplicateID bool
	seq         int
	life        int     // of the connection: without duplicate ids order holds within one
	waiting     []*sent // sent, or to be sent again, without an answer, in order
	open        []*sent // in the open transaction
	limit       int
}

// sent is one message.
type sent struct {
	to, text, group string
	seq             int
	fill            int
}

const sendWindow = 8

func (w *world) newProducer(index int, duplicateID, transacted bool) *producer {
	p := &producer{duplicateID: duplicateID, limit: 120 + w.rng.client.IntN(60)}
	p.client = client{w: w, name: fmt.Sprintf("p%d", index), transact: transacted, turn: w.rng.client.IntN(2)}
	p.connected, p.lost = p.begin, p.end
	w.loop.after(w.clientDelay(), p.connect)
	w.loop.after(time.Second, p.watch)
	w.loop.after(w.clientDelay(), p.tick)
	return p
}

// begin opens a session and sends again what has no answer.
func (p *producer) begin() {
	p.life++
	p.conn.open(p.transact)
	again := p.waiting
	p.waiting = nil
	if len(again) == 0 {
		return
	}
	if p.transact {
		p.send(again...)
		p.commit()
		return
	}
	for _, s := range again {
		p.send(s)
	}
}

// end: the connection is gone. What was not to be committed has no effect.
func (p *producer) end() {
	for _, s := range p.open {
		p.refused(s)
	}
	if p.duplicateID {
		p.waiting = append(p.waiting, p.open...)
	} else {
		p.waiting = nil // unknown for ever
	}
	p.open = nil
}

func (p *producer) tick() {
	p.w.loop.after(time.Duration(20+p.w.rng.client.IntN(600))*time.Millisecond, p.tick)
	if p.conn == nil || !p.w.load || p.seq >= p.limit || len(p.waiting) >= sendWindow {
		if p.conn != nil && len(p.open) > 0 && !p.w.load {
			p.commit()
		}
		return
	}
	if !p.transact {
		p.send(p.next(""))
		return
	}
	if len(p.waiting) > 0 {
		return // the last commit has no answer yet
	}
	group := fmt.Sprintf("%s.%d", p.name, p.seq)
	for range 1 + p.w.rng.client.IntN(4) {
		p.send(p.next(group))
	}
	switch p.w.rng.client.IntN(8) {
	case 0:
		p.rollback()
	case 1: // left open
	default:
		p.commit()
	}
}

func (p *producer) next(group string) *sent {
	p.seq++
	r := p.w.rng.client
	s := &sent{to: producerTargets[r.IntN(len(producerTargets))], text: fmt.Sprintf("%s-%d", p.name, p.seq), group: group, seq: p.seq, fill: r.IntN(200)}
	if r.IntN(4) == 0 {
		s.fill = r.IntN(p.w.o.BodyMax)
	}
	return s
}

// send sends; within a transaction the answer comes with the commit.
func (p *producer) send(list ...*sent) {
	for _, s := range list {
		m, sum := newMessage(s.to, s.text, s.fill, p.duplicateID)
		name := p.name
		if !p.duplicateID {
			name = fmt.Sprintf("%s/%d", p.name, p.life)
		}
		for _, q := range queuesOf(s.to) {
			p.w.history.Attempted(Attempt{Place: Place{q, s.text}, Producer: name, Seq: s.seq, Sum: sum, Group: s.group})
		}
		if p.transact {
			p.open = append(p.open, s)
			p.ask(false, put(m), nil)
			continue
		}
		p.waiting = append(p.waiting, s)
		p.ask(true, put(m), func(err *session.Error) { p.answered(err, s) })
	}
}

func (p *producer) commit() {
	list := p.open
	p.open = nil
	p.waiting = append(p.waiting, list...)
	p.ask(true, func(s *session.Session, tag session.Tag) { s.Commit(tag) }, func(err *session.Error) {
		if err != nil && err.Code == session.CodeDuplicateID {
			p.oneByOne(list)
			return
		}
		p.answered(err, list...)
	})
}

func (p *producer) rollback() {
	list := p.open
	p.open = nil
	for _, s := range list {
		p.refused(s)
	}
	p.ask(false, func(s *session.Session, tag session.Tag) { s.Rollback(false, tag) }, func(*session.Error) {})
}

// oneByOne follows a commit that was refused for duplicates: an earlier one, whose answer was lost, had worked; or several
// transactions were sent again as one, and some of them had. Sent alone each message is confirmed.
func (p *producer) oneByOne(list []*sent) {
	n := p.conn
	for _, s := range list {
		p.refused(s) // this attempt
	}
	n.do(func() {
		n.session = n.sc.OpenSession(session.SessionOptions{Name: p.name, AutoCommitSends: true, AutoCommitAcks: true}, session.Tag{Silent: true})
	})
	for _, s := range list {
		m, sum := newMessage(s.to, s.text, s.fill, true)
		for _, q := range queuesOf(s.to) {
			p.w.history.Attempted(Attempt{Place: Place{q, s.text}, Producer: p.name, Seq: s.seq, Sum: sum, Group: s.group})
		}
		p.ask(true, put(m), func(err *session.Error) { p.answered(err, s) })
	}
	n.open(true)
}

// answered ends attempts. A refusal is final: only a full journal refuses.
func (p *producer) answered(err *session.Error, list ...*sent) {
	for _, s := range list {
		for k, w := range p.waiting {
			if w == s {
				p.waiting = append(p.waiting[:k:k], p.waiting[k+1:]...)
				break
			}
		}
		if err != nil {
			p.refused(s)
			continue
		}
		for _, q := range queuesOf(s.to) {
			p.w.history.Confirmed(Place{q, s.text})
		}
	}
	if err != nil {
		p.w.refusal(&p.client, err)
	}
}

func (p *producer) refused(s *sent) {
	for _, q := range queuesOf(s.to) {
		p.w.history.Refused(Place{q, s.text})
	}
}

// done says that everything has its answer.
func (p *producer) done() bool { return len(p.waiting) == 0 && len(p.open) == 0 }
