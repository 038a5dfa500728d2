package postoffice

import (
	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/queue"
)

// Route appends the queues that get a message sent to the address: all multicast queues whose filter lets it in, and one
// of the anycast queues, in turn. routing narrows it to one of the two kinds; RoutingNone does not.
func (a *Address) Route(m *message.Message, routing address.Routing, to []*queue.Queue) []*queue.Queue {
	anycast := false
	for _, q := range a.queues {
		switch {
		case q.Attributes.Routing == address.Anycast:
			anycast = true
		case routing != address.Anycast && q.Accepts(m):
			to = append(to, q)
		}
	}
	if anycast && routing != address.Multicast {
		if q := a.pick(m); q != nil {
			to = append(to, q)
		}
	}
	return to
}

// pick takes the next anycast queue, in turn, that lets the message in.
func (a *Address) pick(m *message.Message) *queue.Queue {
	n := len(a.queues)
	for i := range n {
		at := (a.turn + i) % n
		q := a.queues[at]
		if q.Attributes.Routing == address.Anycast && q.Accepts(m) {
			a.turn = at + 1
			return q
		}
	}
	return nil
}
