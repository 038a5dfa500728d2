package queue

// cursor remembers for each priority how far its owner has looked: at is the first reference not passed yet, nil at the
// end of the list.
type cursor struct {
	at     [priorities]*Reference
	mask   uint16 // bit p: at[p] is not nil
	browse bool
}

func (c *cursor) set(p uint8, r *Reference) {
	c.at[p] = r
	if r != nil {
		c.mask |= 1 << p
	} else {
		c.mask &^= 1 << p
	}
}

// start puts a cursor at the head of every list.
func (c *cursor) start(q *Queue) {
	for p := range q.lists {
		c.set(uint8(p), q.lists[p].head)
	}
}

// drop takes the consumer's own cursor out of the queue.
func (q *Queue) drop(c *cursor) {
	for i, other := range q.cursors {
		if other == c && i > 0 {
			q.cursors = append(q.cursors[:i], q.cursors[i+1:]...)
			return
		}
	}
}
