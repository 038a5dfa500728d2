package demo

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/hindmq/hind/broker/message"
)

// BodySizeMin holds the producer's number and the sequence number.
const BodySizeMin = 16

// fillBody writes what the message of a producer and a sequence number says, into dst.
func fillBody(dst []byte, producer int, seq uint64) {
	binary.BigEndian.PutUint64(dst, uint64(producer))
	binary.BigEndian.PutUint64(dst[8:], seq)
	x := uint64(producer)<<32 ^ seq ^ 0x9E3779B97F4A7C15 // never zero in practice; a zero would only make a dull body
	for i := BodySizeMin; i < len(dst); i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		dst[i] = byte(x)
	}
}

// readBody is the inverse; ok is false if the body is not byte for byte what fillBody wrote.
func readBody(body, scratch []byte) (producer int, seq uint64, ok bool) {
	if len(body) != len(scratch) || len(body) < BodySizeMin {
		return 0, 0, false
	}
	producer, seq = int(binary.BigEndian.Uint64(body)), binary.BigEndian.Uint64(body[8:])
	fillBody(scratch, producer, seq)
	return producer, seq, bytes.Equal(body, scratch)
}

// encode makes a durable message with a duplicate id.
func encode(dst []byte, run string, producer int, seq uint64, body []byte) []byte {
	fillBody(body, producer, seq)
	return message.Encode(dst, &message.Header{Address: queueName, HasAddress: true, Type: message.TypeBytes, Durable: true,
		Priority: message.PriorityDefault}, body, []message.Property{
		{Name: message.PropDuplicateID, Value: message.String(fmt.Sprintf("%s-%d-%d", run, producer, seq))}})
}
