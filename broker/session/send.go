package session

import (
	"bytes"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/fault"
	"github.com/hindmq/hind/broker/message"
	"github.com/hindmq/hind/broker/postoffice"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/broker/storage"
)

// sendTarget remembers where the last send went and that the user may send there: most producers send to one address.
type sendTarget struct {
	text  []byte // the address in the message, in UTF-16
	name  string
	addr  string
	queue string // behind "::"
	may   bool
}

// runSend takes a message in, at once or into the transaction.
func (s *Session) runSend(sh *shard.Shard, cmd *command, o *outcome) error {
	err := s.send(sh, cmd, o)
	if err != nil && err != shard.ErrBusy && !s.options.AutoCommitSends {
		s.owner.tx.Doom(asFault(err))
	}
	return err
}

func (s *Session) send(sh *shard.Shard, cmd *command, o *outcome) error {
	m := cmd.message
	if err := sendable(m, sh.Now().Wall); err != nil {
		return err
	}
	t, err := s.aim(cmd)
	if err != nil {
		return err
	}
	if cmd.message != m { // it was given the address that it lacked
		m = cmd.message
	}
	routing := address.Routing(cmd.number)
	if routing == address.RoutingNone {
		routing = address.Routing(m.RoutingType())
	}
	a, only, err := s.ensure(sh, t, routing, o)
	if err != nil {
		return err
	}
	p := sh.Route(m, a, only, routing)
	if !s.options.AutoCommitSends {
		s.owner.tx.Send(sh, p)
		s.limitTransaction()
		return nil
	}
	after := s.owner.last
	if after.Less(o.pos) {
		after = o.pos
	}
	pos, volatile, err := sh.Send(p, after)
	if err != nil {
		return err
	}
	o.pos, o.volatile = pos, volatile
	return nil
}

// sendable refuses what is not built yet.
func sendable(m *message.Message, now int64) error {
	switch {
	case len(m.Body()) > message.BodySizeMax:
		return fault.New(CodeNotImplemented, "a body of %d bytes is above the limit of %d: large messages are not supported yet",
			len(m.Body()), message.BodySizeMax)
	case m.EncodeSize() > message.EncodeSizeMax:
		return fault.New(CodeNotImplemented, "a message of %d bytes with its properties is above the limit of %d",
			m.EncodeSize(), message.EncodeSizeMax)
	case m.ScheduledAt() > now:
		return fault.New(CodeNotImplemented, "scheduled delivery (%s) is not supported yet", message.PropScheduled)
	case m.Grouped():
		return fault.New(CodeNotImplemented, "message groups (%s) are not supported yet", message.PropGroupID)
	}
	return nil
}

// aim finds out where a message goes and whether the user may send there. A message without that address is given it.
func (s *Session) aim(cmd *command) (*sendTarget, error) {
	t := &s.owner.target
	text := cmd.message.AddressText()
	if cmd.text == "" && text != nil && t.may && bytes.Equal(t.text, text) {
		return t, nil
	}
	name := cmd.text
	if name == "" {
		name = cmd.message.Address()
	}
	if name == "" {
		name = s.options.DefaultAddress
	}
	addr, q := address.Split(name)
	if err := checkName("address", addr); err != nil {
		return nil, err
	}
	*t = sendTarget{name: name, addr: addr, queue: q}
	if err := s.may(Send, addr); err != nil {
		return nil, err
	}
	t.may = true
	if name != cmd.message.Address() {
		cmd.message = cmd.message.Edited(&message.Edit{Address: &name})
	}
	t.text = append([]byte(nil), cmd.message.AddressText()...)
	return t, nil
}

func checkName(what, name string) error {
	if name == "" {
		return fault.New(CodeAddressMissing, "the %s has no name", what)
	}
	if len(name) > address.NameSizeMax {
		return fault.New(CodeQueueConfiguration, "the name of the %s is longer than %d bytes", what, address.NameSizeMax)
	}
	return nil
}

// ensure finds the address, and the queue if one is named, and makes what may be made by a send.
func (s *Session) ensure(sh *shard.Shard, t *sendTarget, routing address.Routing, o *outcome) (
	a *postoffice.Address, only *queue.Queue, err error) {
	a = sh.Office().Address(t.addr)
	if a == nil || routing != address.RoutingNone && !a.Routings.Has(routing) {
		if a, err = s.ensureAddress(sh, t.addr, routing, o); err != nil {
			return nil, nil, err
		}
	}
	if t.queue != "" {
		only = sh.Office().Queue(t.queue)
		if only == nil || only.Address != t.addr {
			return nil, nil, fault.New(CodeQueueMissing, "address %q has no queue %q", t.addr, shorten(t.queue))
		}
		return a, only, nil
	}
	if routing == address.Anycast && len(a.Queues()) == 0 && a.Settings.AutoCreateQueues &&
		sh.Office().Queue(t.addr) == nil {
		err = s.makeQueue(sh, &QueueOptions{Address: t.addr, Name: t.addr, Routing: routing,
			Kind: QueueKind{Durable: true, AutoCreated: true}}, o)
	}
	return a, nil, err
}

// ensureAddress makes the address, or has it support the routing type, if the settings and the user's permissions let it.
func (s *Session) ensureAddress(sh *shard.Shard, name string, routing address.Routing, o *outcome) (*postoffice.Address, error) {
	settings := sh.Office().Settings(name)
	a := sh.Office().Address(name)
	if routing == address.RoutingNone {
		if a != nil {
			return a, nil
		}
		routing = settings.DefaultAddressRouting
	}
	if !settings.AutoCreateAddresses {
		if a != nil {
			return nil, fault.New(CodeAddressMissing, "address %q does not support %s; see its address element", name, routing)
		}
		return nil, fault.New(CodeAddressMissing, "address %q does not exist, and auto-create-addresses is off", name)
	}
	if err := s.may(CreateAddress, name); err != nil {
		return nil, err
	}
	if a != nil {
		pos, err := sh.AddRoutings(a, address.SetOf(routing))
		o.later(pos)
		return a, err
	}
	a, pos, err := sh.CreateAddress(storage.AddressSpec{Name: name, Routings: address.SetOf(routing), AutoCreated: true}, false)
	o.later(pos)
	return a, err
}

// runProducerCredits grants credits now, or when the address has room.
func (s *Session) runProducerCredits(sh *shard.Shard, cmd *command) error {
	name, _ := address.Split(cmd.text)
	sh.Office().Request(sh.Office().Address(name), s, cmd.text, int32(cmd.number))
	return nil
}
