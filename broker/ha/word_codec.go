package ha

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hindmq/hind/journal"
)

// Layout of an encoded word, version 1, little-endian (docs/ha.md):
//
//	 0  1  format, 1
//	 1  1  kind
//	 2  1  flags: bit 0 resume
//	 3  1  refusal
//	 4  4  zero
//	 8  8  number
//	16  8  epoch
//	24  8  follows
//	32  8  process
//	40  8  grant
//	48     hello (kind hello) or report (kinds ask, answer); nothing for the others
//
// Hello: instance 16, process 8, flags 1 (bit 0 primary), length of name 1, zero 6, node id 16, name.
// Report: state 1, flags 1 (bit 0 overdue), length of record 2, zero 4, epoch 8, end 12, record's end 12, promised 8,
// role record. A position is file 8, block 4.
const (
	wordFormat      = 1
	wordFixedSize   = 48
	helloFixedSize  = 48
	reportFixedSize = 48
	flagResume      = 1
	flagPrimary     = 1
	flagOverdue     = 1

	// WordSizeMax is the largest encoded word in bytes: a frame that declares more is not a word.
	WordSizeMax = wordFixedSize + reportFixedSize + RecordSizeMax
)

var errWord = errors.New("ha: word of the pair port is damaged or from a newer version")

func badWord(format string, args ...any) error {
	return fmt.Errorf("%w: %s; run the same version on both brokers", errWord, fmt.Sprintf(format, args...))
}

// Append adds the encoded word to b. A name longer than NameMax is cut.
func (w Word) Append(b []byte) []byte {
	b = append(b, wordFormat, byte(w.Kind), flagBit(w.Resume, flagResume), byte(w.Refusal), 0, 0, 0, 0)
	for _, v := range [...]uint64{w.Number, w.Epoch, w.Follows, uint64(w.Process), w.Grant} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	switch w.Kind {
	case WordHello:
		return w.Hello.append(b)
	case WordAsk, WordAnswer:
		return w.Report.append(b)
	}
	return b
}

// Encode returns the word's bytes.
func (w Word) Encode() []byte { return w.Append(nil) }

// DecodeWord reads a whole encoded word. It never panics; what it accepts encodes to the same bytes again.
func DecodeWord(b []byte) (Word, error) {
	var w Word
	if len(b) < wordFixedSize || len(b) > WordSizeMax {
		return w, badWord("%d bytes, %d to %d are possible", len(b), wordFixedSize, WordSizeMax)
	}
	if b[0] != wordFormat {
		return w, badWord("format %d, this version knows %d", b[0], wordFormat)
	}
	w.Kind, w.Refusal, w.Resume = WordKind(b[1]), Refusal(b[3]), b[2] == flagResume
	if w.Kind == 0 || w.Kind >= wordKindEnd || w.Refusal >= refusalEnd {
		return Word{}, badWord("kind %d, refusal %d", b[1], b[3])
	}
	if b[2]&^flagResume != 0 || !zero(b[4:8]) {
		return Word{}, badWord("reserved bits are set")
	}
	var process uint64
	for k, p := range [...]*uint64{&w.Number, &w.Epoch, &w.Follows, &process, &w.Grant} {
		*p = binary.LittleEndian.Uint64(b[8+8*k:])
	}
	w.Process = Process(process)
	body := b[wordFixedSize:]
	var err error
	switch w.Kind {
	case WordHello:
		w.Hello, err = decodeHello(body)
	case WordAsk, WordAnswer:
		w.Report, err = decodeReport(body)
	default:
		if len(body) != 0 {
			err = badWord("%v with %d bytes too many", w.Kind, len(body))
		}
	}
	if err != nil {
		return Word{}, err
	}
	return w, nil
}

func (h Hello) append(b []byte) []byte {
	name := h.Name[:min(len(h.Name), NameMax)]
	b = append(b, h.Instance[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.Process))
	b = append(b, flagBit(h.Primary, flagPrimary), byte(len(name)), 0, 0, 0, 0, 0, 0)
	b = append(b, h.NodeID[:]...)
	return append(b, name...)
}

func decodeHello(b []byte) (Hello, error) {
	var h Hello
	if len(b) < helloFixedSize || len(b) != helloFixedSize+int(b[25]) {
		return h, badWord("hello of %d bytes", len(b))
	}
	if b[24]&^flagPrimary != 0 || !zero(b[26:32]) {
		return h, badWord("hello with reserved bits set")
	}
	copy(h.Instance[:], b)
	h.Process = Process(binary.LittleEndian.Uint64(b[16:]))
	h.Primary = b[24] == flagPrimary
	copy(h.NodeID[:], b[32:])
	h.Name = string(b[helloFixedSize:])
	if h.Instance.IsZero() || h.Process == 0 {
		return Hello{}, badWord("hello without a journal instance or process number")
	}
	return h, nil
}

func (r Report) append(b []byte) []byte {
	b = append(b, byte(r.State), flagBit(r.Overdue, flagOverdue))
	lengthAt := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, r.Epoch)
	b = appendPosition(b, r.End)
	b = appendPosition(b, r.RecordAt)
	b = binary.LittleEndian.AppendUint64(b, r.Promised)
	if r.Record.IsZero() {
		return b
	}
	recordAt := len(b)
	b = r.Record.Append(b)
	binary.LittleEndian.PutUint16(b[lengthAt:], uint16(len(b)-recordAt))
	return b
}

func decodeReport(b []byte) (Report, error) {
	var r Report
	if len(b) < reportFixedSize || len(b) != reportFixedSize+int(binary.LittleEndian.Uint16(b[2:])) {
		return r, badWord("report of %d bytes", len(b))
	}
	r.State, r.Overdue = State(b[0]), b[1] == flagOverdue
	if r.State == StateNone || r.State >= stateEnd || b[1]&^flagOverdue != 0 || !zero(b[4:8]) {
		return Report{}, badWord("report with state %d or reserved bits set", b[0])
	}
	r.Epoch = binary.LittleEndian.Uint64(b[8:])
	r.End = position(b[16:])
	r.RecordAt = position(b[28:])
	r.Promised = binary.LittleEndian.Uint64(b[40:])
	if len(b) == reportFixedSize {
		return r, nil
	}
	var err error
	if r.Record, err = DecodeRecord(b[reportFixedSize:]); err != nil {
		return Report{}, err
	}
	return r, nil
}

func appendPosition(b []byte, p journal.Position) []byte {
	b = binary.LittleEndian.AppendUint64(b, p.File)
	return binary.LittleEndian.AppendUint32(b, p.Block)
}

func position(b []byte) journal.Position {
	return journal.Position{File: binary.LittleEndian.Uint64(b), Block: binary.LittleEndian.Uint32(b[8:])}
}

func flagBit(set bool, bit byte) byte {
	if set {
		return bit
	}
	return 0
}

func zero(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}
