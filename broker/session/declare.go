package session

import (
	"errors"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/fault"
	"github.com/hindmq/hind/broker/shard"
	"github.com/hindmq/hind/broker/storage"
)

// Declare makes an address and a queue that the configuration names; without a queue's name only the address. What exists
// already is left as it is. The owner calls it, after an activation and before clients come.
func (h *Host) Declare(sh *shard.Shard, o *QueueOptions) error {
	s := &Session{conn: &Conn{host: h}, who: everyone("")}
	var out outcome
	if o.Name == "" {
		return declareAddress(sh, o)
	}
	err := s.makeQueue(sh, o, &out)
	var refusal *fault.Error
	if errors.As(err, &refusal) && refusal.Code == CodeQueueExists {
		return nil
	}
	return err
}

func declareAddress(sh *shard.Shard, o *QueueOptions) error {
	if err := checkName("address", o.Address); err != nil {
		return err
	}
	routings := address.SetOf(o.Routing)
	if routings == 0 {
		routings = address.SetOf(sh.Office().Settings(o.Address).DefaultAddressRouting)
	}
	if a := sh.Office().Address(o.Address); a != nil {
		_, err := sh.AddRoutings(a, routings)
		return err
	}
	_, _, err := sh.CreateAddress(storage.AddressSpec{Name: o.Address, Routings: routings}, false)
	return err
}
