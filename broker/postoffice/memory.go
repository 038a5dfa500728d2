package postoffice

import "github.com/hindmq/hind/broker/queue"

// memory counts what messages take.
type memory struct{ bytes, messages int64 }

// Grantee is a session that asked for producer credits.
type Grantee interface {
	// Grant gives the credits that were asked for. addr is the text of the request.
	Grant(addr string, credits int32)
}

// blocked is one request that waits.
type blocked struct {
	who     Grantee
	addr    string
	credits int32
}

// Bytes and Messages are what the address holds in memory.
func (a *Address) Bytes() int64    { return a.memory.bytes }
func (a *Address) Messages() int64 { return a.memory.messages }

// Take counts a message that has at least one reference.
func (a *Address) Take(e *queue.Entity) {
	e.Holder = a
	a.memory.bytes += e.Size()
	a.memory.messages++
	a.office.memory.bytes += e.Size()
}

// Released undoes Take when the last reference is gone.
func (a *Address) Released(e *queue.Entity) {
	a.memory.bytes -= e.Size()
	a.memory.messages--
	a.office.memory.bytes -= e.Size()
	a.office.relieved = true
}

// Full says that producers of the address wait: it is at or above max-size-bytes or max-size-messages, or the broker as a
// whole is at its limit.
func (a *Address) Full() bool {
	s := &a.Settings
	return s.MaxSizeBytes >= 0 && a.memory.bytes >= s.MaxSizeBytes ||
		s.MaxSizeMessages >= 0 && a.memory.messages >= s.MaxSizeMessages || a.office.full()
}

func (o *Office) full() bool {
	return o.stopped || o.options.GlobalMaxBytes > 0 && o.memory.bytes >= o.options.GlobalMaxBytes
}

// Stop has every producer wait, whatever the memory: the journal is full. Stop(false) lets them go on.
func (o *Office) Stop(on bool) {
	o.stopped = on
	o.relieved = o.relieved || !on
}

// Hold counts what open transactions hold in the memory of all addresses; a negative number gives it back.
func (o *Office) Hold(bytes int) {
	o.memory.bytes += int64(bytes)
	o.relieved = o.relieved || bytes < 0
}

// Bytes is the memory of all addresses.
func (o *Office) Bytes() int64 { return o.memory.bytes }

// Request grants credits at once, or keeps the request while the address is full or stop is set. An address that does not
// exist is never full.
func (o *Office) Request(a *Address, who Grantee, addr string, credits int32) {
	if a == nil || !a.Full() {
		who.Grant(addr, credits)
		return
	}
	if len(a.blocked) == 0 {
		o.waiting = append(o.waiting, a)
	}
	a.blocked = append(a.blocked, blocked{who, addr, credits})
}

// Relieve grants the requests of addresses that are no longer full, in the order they came.
func (o *Office) Relieve() {
	if !o.relieved || len(o.waiting) == 0 {
		o.relieved = false
		return
	}
	o.relieved = false
	for _, a := range append([]*Address(nil), o.waiting...) { // room for one may be room for all
		if !a.Full() {
			a.release()
		}
	}
}

// release lets all waiting producers go. They may overshoot by what they asked for.
func (a *Address) release() {
	if len(a.blocked) == 0 {
		return
	}
	list := a.blocked
	a.blocked = nil
	for i, other := range a.office.waiting {
		if other == a {
			a.office.waiting = append(a.office.waiting[:i], a.office.waiting[i+1:]...)
			break
		}
	}
	for _, b := range list {
		b.who.Grant(b.addr, b.credits)
	}
}

// Forget drops the requests of a session that has ended.
func (o *Office) Forget(who Grantee) {
	kept := o.waiting[:0]
	for _, a := range o.waiting {
		left := a.blocked[:0]
		for _, b := range a.blocked {
			if b.who != who {
				left = append(left, b)
			}
		}
		clear(a.blocked[len(left):])
		a.blocked = left
		if len(left) > 0 {
			kept = append(kept, a)
		}
	}
	clear(o.waiting[len(kept):])
	o.waiting = kept
}
