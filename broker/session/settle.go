package session

import (
	"github.com/hindmq/hind/broker/fault"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/broker/shard"
)

// runAcknowledge settles one message, or all up to it; within a transaction when it commits.
func (s *Session) runAcknowledge(sh *shard.Shard, cmd *command, o *outcome) error {
	c := s.consumer(cmd.id)
	if c != nil && (c.queue.Browses() || s.options.PreAcknowledge) {
		return nil // copies, and what is settled already
	}
	h := &s.conn.host.owner
	refs, count, place, ok := h.refs[:0], 0, 0, false
	if c != nil {
		if cmd.flag {
			refs, count, ok = c.queue.Upto(cmd.number, refs)
		} else {
			var r *queue.Reference
			if r, place, ok = c.queue.One(cmd.number); ok {
				refs = append(refs, r)
			}
		}
	}
	if !ok {
		err := fault.New(CodeIllegalState, "message %d is not with consumer %d of this session", cmd.number, cmd.id)
		if !s.options.AutoCommitAcks {
			s.owner.tx.Doom(err)
		}
		return err
	}
	h.refs = refs[:0]
	if !s.options.AutoCommitAcks {
		s.owner.tx.Acknowledge(refs)
		s.limitTransaction()
	} else {
		pos, err := sh.Settle(refs, queue.Acknowledged)
		if err != nil {
			return err
		}
		o.pos = pos
	}
	if cmd.flag {
		c.queue.Drop(count)
	} else {
		c.queue.DropOne(place)
	}
	return nil
}

// limitTransaction dooms a transaction that holds too much.
func (s *Session) limitTransaction() {
	if most := s.conn.host.options.TransactionMax; s.owner.tx.Size() > most {
		s.owner.tx.Doom(fault.New(CodeIllegalState, "the transaction holds more than %d bytes; commit more often", most))
	}
}

// runExpire moves a message that the client found expired.
func (s *Session) runExpire(sh *shard.Shard, cmd *command, o *outcome) error {
	c := s.consumer(cmd.id)
	if c == nil {
		return fault.New(CodeIllegalState, "the session has no consumer %d", cmd.id)
	}
	r, place, ok := c.queue.One(cmd.number)
	if !ok {
		return fault.New(CodeIllegalState, "message %d is not with consumer %d of this session", cmd.number, cmd.id)
	}
	pos, err := sh.Expire(r)
	if err != nil {
		return err
	}
	o.pos = pos
	c.queue.DropOne(place)
	return nil
}

func (s *Session) runCommit(sh *shard.Shard, o *outcome) (err error) {
	if s.owner.tx.Empty() {
		o.volatile = true
		return nil
	}
	o.pos, o.volatile, err = sh.Commit(&s.owner.tx, s.owner.last)
	return err
}

// rollback undoes the transaction and gives back what the consumers hold. lastDelivered: the first that each has not
// acknowledged counts as delivered.
func (s *Session) rollback(lastDelivered bool) {
	sh := s.conn.host.owner.shard
	sh.Rollback(&s.owner.tx)
	for _, c := range s.owner.consumers {
		refs := c.queue.TakeAll()
		if lastDelivered && len(refs) > 0 {
			uncount(refs[1:])
		} else {
			uncount(refs)
		}
		sh.Return(refs)
	}
}
