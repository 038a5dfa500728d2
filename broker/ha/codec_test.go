package ha

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/hindmq/hind/journal"
	"pgregory.net/rapid"
)

// sampleRecord draws a record that a broker may write.
func sampleRecord(t *rapid.T) RoleRecord {
	r := RoleRecord{
		Kind:    RecordKind(rapid.IntRange(int(RecordAlone), int(RecordToStop)).Draw(t, "kind")),
		Forced:  rapid.Bool().Draw(t, "forced"),
		Forces:  rapid.Uint32Min(1).Draw(t, "forces"),
		Epoch:   rapid.Uint64Min(1).Draw(t, "epoch"),
		Version: rapid.Uint64().Draw(t, "version"),
		NodeID:  NodeID{1, byte(rapid.Uint8().Draw(t, "node"))},
	}
	r.Count = 2
	if r.Kind == RecordAlone {
		r.Count = 1
	}
	r.Owner = uint8(rapid.IntRange(0, int(r.Count)-1).Draw(t, "owner"))
	for k := range int(r.Count) {
		name := rapid.StringN(0, 60, NameMax).Draw(t, "name")
		r.Members[k] = Member{Name: name, Instance: Instance{byte(k + 1), rapid.Uint8().Draw(t, "instance")}}
	}
	return r
}

func samplePosition(t *rapid.T) journal.Position {
	return journal.Position{File: rapid.Uint64().Draw(t, "file"), Block: rapid.Uint32().Draw(t, "block")}
}

// sampleWord draws a word of any kind.
func sampleWord(t *rapid.T) Word {
	w := Word{
		Kind:    WordKind(rapid.IntRange(1, int(wordKindEnd)-1).Draw(t, "word")),
		Resume:  rapid.Bool().Draw(t, "resume"),
		Refusal: Refusal(rapid.IntRange(0, int(refusalEnd)-1).Draw(t, "refusal")),
		Number:  rapid.Uint64().Draw(t, "number"),
		Epoch:   rapid.Uint64().Draw(t, "epoch"),
		Follows: rapid.Uint64().Draw(t, "follows"),
		Process: Process(rapid.Uint64().Draw(t, "process")),
		Grant:   rapid.Uint64().Draw(t, "grant"),
	}
	switch w.Kind {
	case WordHello:
		w.Hello.Identity = Identity{rapid.StringN(0, 60, NameMax).Draw(t, "name"), Instance{9, rapid.Uint8().Draw(t, "i")}, Process(rapid.Uint64Min(1).Draw(t, "p")), rapid.Bool().Draw(t, "primary")}
		w.Hello.NodeID[3] = rapid.Uint8().Draw(t, "node")
	case WordAsk, WordAnswer:
		w.Report = Report{State: State(rapid.IntRange(1, int(stateEnd)-1).Draw(t, "state")), Overdue: rapid.Bool().Draw(t, "overdue"),
			Epoch: rapid.Uint64().Draw(t, "e"), End: samplePosition(t), RecordAt: samplePosition(t), Promised: rapid.Uint64().Draw(t, "promised")}
		if rapid.Bool().Draw(t, "has record") {
			w.Report.Record = sampleRecord(t)
		}
	}
	return w
}

// TestCodecsRoundTrip: what is encoded decodes to the same value, within the stated sizes.
func TestCodecsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := sampleRecord(t)
		b := r.Encode()
		if got, err := DecodeRecord(b); err != nil || got != r || len(b) > RecordSizeMax {
			t.Fatalf("%v (%d bytes) decodes to %v, %v", r, len(b), got, err)
		}
		w := sampleWord(t)
		b = w.Encode()
		if got, err := DecodeWord(b); err != nil || got != w || len(b) > WordSizeMax {
			t.Fatalf("%v (%d bytes) decodes to %v, %v", w, len(b), got, err)
		}
		s := LocalState{Process(rapid.Uint64().Draw(t, "p")), rapid.Uint64().Draw(t, "pe"), Instance{rapid.Uint8().Draw(t, "to")}, rapid.Uint64().Draw(t, "c")}
		if got, err := DecodeLocalState(s.Encode()); err != nil || got != s {
			t.Fatalf("%v decodes to %v, %v", s, got, err)
		}
	})
}

// golden records, byte for byte: the format is stable.
func TestRecordBytes(t *testing.T) {
	r := RoleRecord{Kind: RecordPaired, Forced: true, Owner: 1, Count: 2, Forces: 3, Epoch: 0x0102, Version: 7, NodeID: NodeID{0xee},
		Members: [2]Member{{"A", Instance{0xa0}}, {"Bo", Instance{0xb0}}}}
	zeros := func(n int) []byte { return make([]byte, n) }
	want := bytes.Join([][]byte{
		{1, 2, 1, 2, 1}, zeros(3), {2, 1}, zeros(6), {7}, zeros(7), {3}, zeros(3), zeros(4),
		{0xee}, zeros(15), {0xa0}, zeros(15), {1, 'A'}, {0xb0}, zeros(15), {2, 'B', 'o'},
	}, nil)
	if got := r.Encode(); !bytes.Equal(got, want) {
		t.Fatalf("got  %x\nwant %x", got, want)
	}
}

func TestWordBytes(t *testing.T) {
	w := Word{Kind: WordTold, Number: 5, Epoch: 6, Process: 9}
	want := append([]byte{1, byte(WordTold), 0, 0, 0, 0, 0, 0, 5}, make([]byte, 39)...)
	want[16], want[32] = 6, 9
	if got := w.Encode(); !bytes.Equal(got, want) {
		t.Fatalf("got  %x\nwant %x", got, want)
	}
}

// TestDamagedRecords: each damage has its own clear error, and none is accepted.
func TestDamagedRecords(t *testing.T) {
	good := RoleRecord{Kind: RecordPaired, Owner: 0, Count: 2, Epoch: 1, NodeID: NodeID{1},
		Members: [2]Member{{"A", Instance{1}}, {"B", Instance{2}}}}.Encode()
	for _, c := range []struct {
		name string
		do   func([]byte) []byte
		says string
	}{
		{"empty", func(b []byte) []byte { return nil }, "0 bytes"},
		{"short", func(b []byte) []byte { return b[:recordFixedSize-1] }, "at least"},
		{"newer format", func(b []byte) []byte { b[0] = 2; return b }, "format 2"},
		{"kind 0", func(b []byte) []byte { b[1] = 0; return b }, "unknown kind"},
		{"kind 9", func(b []byte) []byte { b[1] = 9; return b }, "unknown kind"},
		{"alone with two", func(b []byte) []byte { b[1] = 1; return b }, "alone with 2 members"},
		{"flag", func(b []byte) []byte { b[2] = 2; return b }, "reserved"},
		{"three members", func(b []byte) []byte { b[3] = 3; return b }, "3 members"},
		{"owner", func(b []byte) []byte { b[4] = 2; return b }, "owner 2"},
		{"reserved", func(b []byte) []byte { b[6] = 1; return b }, "reserved"},
		{"epoch 0", func(b []byte) []byte { b[8] = 0; return b }, "epoch 0"},
		{"no node id", func(b []byte) []byte { b[32] = 0; return b }, "no node id"},
		{"no instance", func(b []byte) []byte { b[48] = 0; return b }, "no journal instance"},
		{"same journal", func(b []byte) []byte { b[48] = 2; return b }, "same journal"},
		{"cut off", func(b []byte) []byte { return b[:len(b)-1] }, "cut off"},
		{"too long", func(b []byte) []byte { return append(b, 0) }, "too many"},
		{"forced without a count", func(b []byte) []byte { b[2] = 1; return b }, "forced"},
	} {
		_, err := DecodeRecord(c.do(append([]byte(nil), good...)))
		if !errors.Is(err, errRecord) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add(RoleRecord{Kind: RecordAlone, Count: 1, Epoch: 1, NodeID: NodeID{1}, Members: [2]Member{{"A", Instance{1}}}}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := DecodeRecord(b); err == nil && !bytes.Equal(r.Encode(), b) {
			t.Fatalf("%x decodes to %v and encodes to %x", b, r, r.Encode())
		}
	})
}

func FuzzDecodeWord(f *testing.F) {
	f.Add(Word{Kind: WordAsk, Report: Report{State: StatePassive}}.Encode())
	f.Add(Word{Kind: WordHello, Hello: Hello{Identity: Identity{Name: "A", Instance: Instance{1}, Process: 1}}}.Encode())
	f.Add(Word{Kind: WordTold, Number: 1}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, err := DecodeWord(b); err == nil && !bytes.Equal(w.Encode(), b) {
			t.Fatalf("%x decodes to %v and encodes to %x", b, w, w.Encode())
		}
	})
}

func FuzzDecodeLocalState(f *testing.F) {
	f.Add(LocalState{Process: 3}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := DecodeLocalState(b); err == nil && !bytes.Equal(s.Encode(), b) {
			t.Fatalf("%x does not round-trip", b)
		}
	})
}
