package queue

import (
	"encoding/hex"

	"github.com/hindmq/hind/broker/filter"
	"github.com/hindmq/hind/broker/message"
)

// View shows a message to filters.
type View struct{ Message *message.Message }

// Lookup knows the broker's names for headers; everything else is a property.
func (v View) Lookup(name string) filter.Value {
	m := v.Message
	switch name {
	case "AMQDurable":
		if m.Durable() {
			return filter.String("DURABLE")
		}
		return filter.String("NON_DURABLE")
	case "AMQPriority":
		return filter.Int(int64(m.Priority()))
	case "AMQTimestamp":
		return filter.Int(m.Timestamp())
	case "AMQExpiration":
		return filter.Int(m.Expiration())
	case "AMQSize":
		return filter.Int(int64(m.EncodeSize()))
	case "AMQAddress":
		return filter.String(m.Address())
	case "AMQUserID":
		id, ok := m.UserID()
		if !ok {
			return filter.Value{}
		}
		return filter.String("ID:" + uuid(id))
	case "AMQGroupID":
		name = message.PropGroupID
	}
	p, ok := m.Property(name)
	if !ok {
		return filter.Value{}
	}
	return valueOf(p)
}

func valueOf(p message.Value) filter.Value {
	switch p.Kind {
	case message.KindBool:
		return filter.Bool(p.Bool())
	case message.KindByte, message.KindShort, message.KindInt, message.KindLong:
		return filter.Int(p.Int())
	case message.KindFloat, message.KindDouble:
		return filter.Float(p.Float())
	case message.KindString:
		return filter.String(p.Text())
	case message.KindChar:
		return filter.String(string(rune(p.Int())))
	}
	return filter.Value{} // null and bytes have no place in conditions
}

func uuid(id [16]byte) string {
	var b [36]byte
	hex.Encode(b[:8], id[:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:], id[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}
