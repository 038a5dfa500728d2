package session

import "github.com/hindmq/hind/journal"

// answers is a queue of answers that wait to become safe, first in, first out.
type answers struct {
	list []Answer
	head int
}

func (q *answers) empty() bool { return q.head == len(q.list) }

func (q *answers) push(a Answer) { q.list = append(q.list, a) }

func (q *answers) pop() Answer {
	a := q.list[q.head]
	q.list[q.head] = Answer{}
	q.head++
	switch {
	case q.head == len(q.list):
		q.list, q.head = q.list[:0], 0
	case q.head > 64 && q.head > len(q.list)/2:
		q.list = q.list[:copy(q.list, q.list[q.head:])]
		q.head = 0
	}
	return a
}

// outcome is how a command ended.
type outcome struct {
	err      *Error
	pos      journal.Position // of its record; zero: none
	volatile bool             // it is about what is in no record
	answer   Answer           // results
}

// answer ends a command: at once if it and everything before it is safe, else when it is.
func (s *Session) answer(cmd *command, o *outcome) {
	st := &s.owner
	if st.last.Less(o.pos) {
		st.last = o.pos
	}
	if cmd.tag.Silent && !s.options.ConfirmAll {
		return
	}
	o.answer.Op, o.answer.Tag, o.answer.Err = cmd.op, cmd.tag, o.err
	sh := s.conn.host.owner.shard
	if st.waiting.empty() && sh.Safe(st.last, o.volatile) {
		s.conn.outlet.Answer(&o.answer)
		s.conn.touch()
		return
	}
	st.waiting.push(o.answer)
	sh.Await(st.last, o.volatile, s)
}

// Released is the shard's word that the oldest waiting answer may go out.
func (s *Session) Released() {
	a := &s.conn.host.owner.released
	*a = s.owner.waiting.pop()
	if !s.conn.owner.ended {
		s.conn.outlet.Answer(a)
		s.conn.touch()
	}
}

// Grant is the post office's word that producer credits are granted.
func (s *Session) Grant(addr string, credits int32) {
	if !s.conn.owner.ended {
		s.conn.outlet.Notify(&Event{Kind: EventCredits, Channel: s.options.Channel, Address: addr, Credits: credits})
		s.conn.touch()
	}
}
