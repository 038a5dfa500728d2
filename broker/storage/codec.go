package storage

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hindmq/hind/broker/address"
	"github.com/hindmq/hind/broker/queue"
	"github.com/hindmq/hind/journal"
)

// Types of records. Those of deletes are the queue.Reason.
const (
	TypeMessage   uint8 = 1
	TypeAddress   uint8 = 2
	TypeQueue     uint8 = 3
	TypeDuplicate uint8 = 4
)

// ErrRecord is wrapped by every refusal to understand a record: the log is of another version, or damaged in a way that
// its checksums do not see.
var ErrRecord = errors.New("storage: record is not understood")

// Message records:
//
//	Meta  u8 flags | uvarint count | count x uvarint queue id       Body  the message
//	Meta  u8 flags (routesInBody set)                               Body  uvarint count | ids | the message
const (
	flagDuplicate    = 1 << 0 // the message's duplicate id enters the window
	flagRoutesInBody = 1 << 1 // too many queues for Meta
)

func appendRoutes(dst []byte, ids []queue.ID) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(ids)))
	for _, id := range ids {
		dst = binary.AppendUvarint(dst, uint64(id))
	}
	return dst
}

// decoder reads our own records; after a failure it returns zeros.
type decoder struct {
	buf []byte
	bad bool
}

func (d *decoder) byte() byte {
	if len(d.buf) == 0 {
		d.bad = true
		return 0
	}
	b := d.buf[0]
	d.buf = d.buf[1:]
	return b
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.buf)
	if n <= 0 {
		d.bad = true
		d.buf = nil
		return 0
	}
	d.buf = d.buf[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.buf)
	if n <= 0 {
		d.bad = true
		d.buf = nil
		return 0
	}
	d.buf = d.buf[n:]
	return v
}

func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.buf)) {
		d.bad = true
		return nil
	}
	b := d.buf[:n]
	d.buf = d.buf[n:]
	return b
}

func (d *decoder) text() string { return string(d.bytes()) }

func (d *decoder) err(r *journal.Record, what string) error {
	if d.bad {
		return fmt.Errorf("%w: %s of record %s", ErrRecord, what, r.ID)
	}
	return nil
}

func appendText(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// decodeMessage takes a message record apart; raw aliases the record, ids are appended.
func decodeMessage(r *journal.Record, ids []queue.ID) (raw []byte, duplicate bool, routes []queue.ID, err error) {
	d := decoder{buf: r.Meta}
	flags := d.byte()
	raw = r.Body
	if flags&flagRoutesInBody != 0 {
		d.buf = r.Body
	}
	count := d.uvarint()
	for ; count > 0 && !d.bad; count-- {
		ids = append(ids, queue.ID(d.uvarint()))
	}
	if flags&flagRoutesInBody != 0 {
		raw = d.buf
	}
	return raw, flags&flagDuplicate != 0, ids, d.err(r, "routes")
}

// Update of a message: u8 reason of those that are gone | uvarint count | count x { uvarint queue id, uvarint deliveries }.
// What is not listed any more is settled.

// left is one line of an update.
type left struct {
	id    queue.ID
	count int32
}

// appendUpdate writes what stays. counting: references on their way back are written with their new count.
func appendUpdate(dst []byte, reason queue.Reason, e *queue.Entity, counting bool) []byte {
	dst = append(dst, byte(reason))
	n := 0
	e.References(func(r *queue.Reference) {
		if r.Persistent() && !r.Leaving {
			n++
		}
	})
	dst = binary.AppendUvarint(dst, uint64(n))
	e.References(func(r *queue.Reference) {
		if r.Persistent() && !r.Leaving {
			count := r.Stored
			if counting && r.State() == queue.Returning {
				count = r.Count
			}
			dst = binary.AppendUvarint(dst, uint64(r.Queue.ID))
			dst = binary.AppendUvarint(dst, uint64(count))
		}
	})
	return dst
}

func decodeUpdate(r *journal.Record, list []left) (queue.Reason, []left, error) {
	d := decoder{buf: r.Body}
	reason := queue.Reason(d.byte())
	for count := d.uvarint(); count > 0 && !d.bad; count-- {
		l := left{id: queue.ID(d.uvarint())}
		l.count = int32(d.uvarint())
		list = append(list, l)
	}
	return reason, list, d.err(r, "update")
}

// Address: u8 version | text name | u8 routings | u8 auto-created.
const addressVersion = 1

// AddressSpec is what a record says about an address.
type AddressSpec struct {
	Name        string
	Routings    address.RoutingSet
	AutoCreated bool
}

func appendAddress(dst []byte, a *AddressSpec) []byte {
	dst = append(dst, addressVersion)
	dst = appendText(dst, a.Name)
	return append(dst, byte(a.Routings), flag(a.AutoCreated, 1))
}

func decodeAddress(r *journal.Record) (a AddressSpec, err error) {
	d := decoder{buf: r.Body}
	if v := d.byte(); v != addressVersion {
		return a, fmt.Errorf("%w: address record %s has version %d", ErrRecord, r.ID, v)
	}
	a.Name = d.text()
	a.Routings = address.RoutingSet(d.byte())
	a.AutoCreated = d.byte() != 0
	return a, d.err(r, "address")
}

// Queue: u8 version | u8 flags | u8 routing | text name | text address | text filter | varint max consumers |
// varint auto-delete delay | varint auto-delete messages.
const queueVersion = 1

// QueueSpec is what a record says about a queue.
type QueueSpec struct {
	Name, Address string
	Attributes    queue.Attributes
}

func flag(on bool, bit byte) byte {
	if on {
		return bit
	}
	return 0
}

func appendQueue(dst []byte, q *QueueSpec) []byte {
	a := &q.Attributes
	flags := flag(a.AutoCreated, 1) | flag(a.PurgeOnNoConsumers, 2) | flag(a.Exclusive, 4) | flag(a.AutoDelete, 8)
	dst = append(dst, queueVersion, flags, byte(a.Routing))
	dst = appendText(dst, q.Name)
	dst = appendText(dst, q.Address)
	dst = appendText(dst, a.Filter)
	dst = binary.AppendVarint(dst, int64(a.MaxConsumers))
	dst = binary.AppendVarint(dst, a.AutoDeleteDelay)
	return binary.AppendVarint(dst, a.AutoDeleteMessages)
}

func decodeQueue(r *journal.Record) (q QueueSpec, err error) {
	d := decoder{buf: r.Body}
	if v := d.byte(); v != queueVersion {
		return q, fmt.Errorf("%w: queue record %s has version %d", ErrRecord, r.ID, v)
	}
	flags := d.byte()
	a := &q.Attributes
	a.Durable = true // others have no record
	a.AutoCreated, a.PurgeOnNoConsumers = flags&1 != 0, flags&2 != 0
	a.Exclusive, a.AutoDelete = flags&4 != 0, flags&8 != 0
	a.Routing = address.Routing(d.byte())
	q.Name, q.Address, a.Filter = d.text(), d.text(), d.text()
	a.MaxConsumers = int32(d.varint())
	a.AutoDeleteDelay = d.varint()
	a.AutoDeleteMessages = d.varint()
	return q, d.err(r, "queue")
}

// Duplicate id without a message record: Body is 16 B key | text address.
func appendDuplicate(dst []byte, key [16]byte, addr string) []byte {
	dst = append(dst, key[:]...)
	return append(dst, addr...)
}
