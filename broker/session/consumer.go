package session

import (
	"github.com/hindmq/hind/broker/fault"
	"github.com/hindmq/hind/broker/filter"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/broker/shard"
)

// consumer is the session's side of a queue's consumer.
type consumer struct {
	session *Session
	id      int64
	queue   *queue.Consumer
	forced  []forced // markers that wait for the end of a dispatch
}

type forced struct {
	sequence int64
	tag      Tag
}

// forcedMax is how many markers of one consumer wait: clients look at the newest only.
const forcedMax = 16

func (s *Session) runCreateConsumer(sh *shard.Shard, cmd *command, o *outcome) error {
	q, err := s.findQueue(sh, cmd.text)
	if err != nil {
		return err
	}
	right := Consume
	if cmd.flag {
		right = Browse
	}
	if err := s.may(right, q.Address); err != nil {
		return err
	}
	f, err := parseFilter(cmd.text2)
	if err != nil {
		return err
	}
	switch {
	case s.consumer(cmd.id) != nil:
		return fault.New(CodeIllegalState, "the session has a consumer %d already", cmd.id)
	case len(s.owner.consumers) >= s.conn.host.options.ConsumersMax:
		return fault.New(CodeConsumerLimit, "the session has its %d consumers; close some or open another session",
			s.conn.host.options.ConsumersMax)
	}
	c := &consumer{session: s, id: cmd.id}
	c.queue, err = q.AttachConsumer(c, queue.ConsumerOptions{Filter: f, Browse: cmd.flag,
		Settled: s.options.PreAcknowledge && !cmd.flag, Priority: int32(cmd.number)})
	if err != nil {
		return err
	}
	s.owner.consumers = append(s.owner.consumers, c)
	o.answer.Queue = queueInfo(sh, q)
	o.volatile = true
	return nil
}

func parseFilter(text string) (*filter.Filter, error) {
	if text == "" {
		return nil, nil
	}
	f, err := filter.Parse(text)
	if err != nil {
		return nil, fault.New(CodeInvalidFilter, "%v, in %q", err, shorten(text))
	}
	return f, nil
}

// shorten keeps what a peer sent small in messages.
func shorten(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// consumer by id, nil if there is none. Sessions have few.
func (s *Session) consumer(id int64) *consumer {
	for _, c := range s.owner.consumers {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (s *Session) runCloseConsumer(cmd *command) error {
	if c := s.consumer(cmd.id); c != nil {
		c.close(false)
	}
	return nil
}

// close detaches the consumer and gives back what it has not acknowledged. failed: that counts as delivered.
func (c *consumer) close(failed bool) {
	sh, q := c.session.conn.host.owner.shard, c.queue.Queue()
	refs := c.queue.Detach()
	if !failed {
		uncount(refs)
	}
	sh.Return(refs)
	c.leave()
	sh.MarkQueue(q)
	if q.Consumers() > 0 || c.queue.Browses() {
		return
	}
	switch {
	case q.Attributes.Transient:
		c.session.conn.host.dropQueue(q)
	case q.Attributes.PurgeOnNoConsumers:
		sh.Purge(q)
	}
}

// leave takes the consumer off its session's list.
func (c *consumer) leave() {
	list := c.session.owner.consumers
	for i, other := range list {
		if other == c {
			c.session.owner.consumers = append(list[:i], list[i+1:]...)
			return
		}
	}
}

// lose ends a consumer whose queue is being deleted.
func (c *consumer) lose() {
	c.queue.Detach()
	c.leave()
	if conn := c.session.conn; !conn.owner.ended {
		conn.outlet.Notify(&Event{Kind: EventConsumerClosed, Channel: c.session.options.Channel, Consumer: c.id})
		conn.touch()
	}
}

// uncount takes a delivery back that the client did not get to see.
func uncount(refs []*queue.Reference) {
	for _, r := range refs {
		if r.State() == queue.Delivering && r.Count > 0 {
			r.Count--
		}
	}
}

func (s *Session) runCredits(sh *shard.Shard, cmd *command) error {
	if c := s.consumer(cmd.id); c != nil {
		c.queue.Credit(int32(cmd.number))
		sh.MarkQueue(c.queue.Queue())
	}
	return nil
}

func (s *Session) runForceDelivery(sh *shard.Shard, cmd *command) error {
	c := s.consumer(cmd.id)
	if c == nil {
		return nil
	}
	if len(c.forced) >= forcedMax {
		c.forced = c.forced[1:]
	}
	c.forced = append(c.forced, forced{cmd.number, cmd.tag})
	c.queue.Ask()
	sh.MarkQueue(c.queue.Queue())
	return nil
}

// Able, Deliver and Asked make the consumer a queue.Target.

// Able says whether deliveries may go on.
func (c *consumer) Able() bool {
	return (c.session.owner.started || c.queue.Browses()) && c.session.conn.clear()
}

// Deliver hands one message to the protocol.
func (c *consumer) Deliver(r *queue.Reference) int {
	s := c.session
	d := &s.conn.host.owner.delivery
	*d = Delivery{Channel: s.options.Channel, Consumer: c.id, ID: r.Entity.ID, DeliveryCount: int(r.Count),
		Message: r.Entity.Message, Queue: r.Queue.Name}
	cost := s.conn.outlet.Deliver(d)
	s.conn.touch()
	if s.options.PreAcknowledge && !c.queue.Browses() {
		s.conn.host.owner.shard.SettleLater(r)
	}
	return cost
}

// Asked sends the markers: there is nothing more for the consumer now.
func (c *consumer) Asked() bool {
	conn := c.session.conn
	if !conn.clear() {
		return conn.owner.ended
	}
	for _, f := range c.forced {
		if f.tag.Silent {
			continue
		}
		conn.outlet.Answer(&Answer{Op: OpForceDelivery, Tag: f.tag, Consumer: c.id, Sequence: f.sequence,
			ID: conn.host.owner.shard.VolatileID(), Name: c.queue.Queue().Name})
		conn.touch()
	}
	c.forced = nil
	return true
}
