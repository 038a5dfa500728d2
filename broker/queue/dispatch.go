package queue

import "errors"

// ErrHeld is what a Keeper answers when an expired message cannot be moved now but others may go on.
var ErrHeld = errors.New("queue: cannot be moved now")

// Keeper removes what may not be delivered any more.
type Keeper interface {
	// Expire moves or drops an expired message that is Ready. ErrHeld: it stays and is passed over this time; any other
	// error ends the dispatch, which is tried again in a later step.
	Expire(r *Reference) error
}

// Dispatch delivers while there are messages, able consumers with credits, and budget; now is the wall clock in ms. It
// returns what is left of the budget; more says that the budget ended it.
func (q *Queue) Dispatch(now int64, budget int, k Keeper) (left int, more bool, err error) {
	if q.counts.returning > 0 || q.Purging {
		return budget, false, nil
	}
	d := dispatch{queue: q, now: now, budget: budget, keeper: k}
	for _, b := range q.browsers {
		for d.budget > 0 && d.tryBrowse(b) {
		}
	}
	for d.budget > 0 && d.err == nil && d.round() {
	}
	if d.budget > 0 && d.err == nil && q.counts.asking > 0 {
		q.answerAsked()
	}
	return d.budget, d.budget <= 0, d.err
}

// dispatch is one pass over a queue. Every reference looked at costs one of the budget.
type dispatch struct {
	queue  *Queue
	now    int64
	budget int
	keeper Keeper
	err    error
}

// round delivers one message: to the able consumers of the highest priority in turn, then to the lower ones.
func (d *dispatch) round() bool {
	q := d.queue
	if q.cursors[0].mask == 0 && len(q.cursors) == 1 {
		return false
	}
	consumers := q.consumers
	if q.Attributes.Exclusive && len(consumers) > 1 {
		consumers = consumers[:1]
	}
	for from := 0; from < len(consumers); {
		to := from + 1
		for to < len(consumers) && consumers[to].priority == consumers[from].priority {
			to++
		}
		group := consumers[from:to]
		for i := range group {
			at := (q.turn + i) % len(group)
			if d.try(group[at]) {
				q.turn = at + 1
				return true
			}
			if d.err != nil {
				return false
			}
		}
		from = to
	}
	return false
}

// try delivers the next message that the consumer may have.
func (d *dispatch) try(c *Consumer) bool {
	if c.credits <= 0 || c.cursor.mask == 0 || !c.target.Able() {
		return false
	}
	r := d.next(c)
	if r == nil {
		return false
	}
	r.state, r.consumer = Delivering, c
	r.Count++
	d.queue.counts.delivering++
	if !c.settled {
		c.out = append(c.out, r)
	}
	c.charge(c.target.Deliver(r))
	return true
}

// next moves the consumer's cursor to the first reference it may have and returns that.
func (d *dispatch) next(c *Consumer) *Reference {
	cur := c.cursor
	for p := priorities - 1; p >= 0; p-- {
		for r := cur.at[p]; r != nil && d.budget > 0; r = cur.at[p] {
			d.budget--
			if r.state != Ready || c.filter != nil && !c.filter.Matches(View{r.Entity.Message}) {
				cur.set(uint8(p), r.next)
				continue
			}
			if r.Entity.Expired(d.now) {
				if err := d.keeper.Expire(r); errors.Is(err, ErrHeld) {
					cur.set(uint8(p), r.next)
				} else if err != nil {
					d.err = err
					return nil
				}
				continue
			}
			cur.set(uint8(p), r.next)
			return r
		}
	}
	return nil
}

// tryBrowse shows a browser the next message. It waits at one that is not visible yet.
func (d *dispatch) tryBrowse(c *Consumer) bool {
	if c.credits <= 0 || c.cursor.mask == 0 || !c.target.Able() {
		return false
	}
	for p := priorities - 1; p >= 0; p-- {
		for r := c.cursor.at[p]; r != nil && d.budget > 0 && r.state != Pending; r = c.cursor.at[p] {
			d.budget--
			c.cursor.set(uint8(p), r.next)
			if r.state != Ready || r.Entity.Expired(d.now) || c.filter != nil && !c.filter.Matches(View{r.Entity.Message}) {
				continue
			}
			c.charge(c.target.Deliver(r))
			return true
		}
	}
	return false
}

// Ask makes the next complete dispatch call Target.Asked.
func (c *Consumer) Ask() {
	if !c.asking {
		c.asking = true
		c.queue.counts.asking++
	}
}

// answerAsked tells the consumers that asked that there is nothing more for them now.
func (q *Queue) answerAsked() {
	for _, list := range [...][]*Consumer{q.consumers, q.browsers} {
		for _, c := range list {
			if c.asking && c.target.Asked() {
				c.asking = false
				q.counts.asking--
			}
		}
	}
}

// Rewind makes the dispatch look again at what it passed over (ErrHeld).
func (q *Queue) Rewind() {
	for _, c := range q.cursors {
		if !c.browse {
			c.start(q)
		}
	}
}
