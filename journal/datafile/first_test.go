package datafile

import (
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/hindmq/hind/journal/record"
)

var update = flag.Bool("update", false, "write the golden files anew")

func sample() (First, record.Header) {
	return First{Kind: Log, Opened: true, Window: 2048, Capacity: 16384, Node: [16]byte{1, 2, 3},
			Pred: Link{Name{4, 5}, 6, 7}, Start: Place{8, 9, 10}, Role: []byte("role record")},
		record.Header{BlockShift: 9, Salt: 11, File: 12, FirstRecord: 13, Epoch: 14, Incarnation: 15, WallTime: 16, PrevHash: 7, StableFile: 4, StableBlock: 6}
}

// head is a slot's first two blocks.
func head() []byte {
	f, h := sample()
	b := make([]byte, 1024)
	h.Kind = record.PageFirst
	f.Encode(b[:512], &h)
	h.Kind, h.PrevHash, h.StableFile, h.StableBlock = record.PageCopy, h.Hash, 12, 1
	f.Encode(b[512:], &h)
	return b
}

func TestGoldenHead(t *testing.T) {
	const name = "testdata/v1/head.hex"
	text := hex.Dump(head())
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil || string(want) != text {
		t.Fatalf("page 0 and COPY differ from %s (%v):\n%s", name, err, text)
	}
	f, _ := sample()
	got, err := ReadHead(head(), 9)
	if err != nil || got.Broken || got.Name != (Name{12, 11}) || !reflect.DeepEqual(got.First, f) {
		t.Fatalf("%+v, %v", got, err)
	}
}

// TestReadHead has one case for each pair of page 0 and COPY.
func TestReadHead(t *testing.T) {
	older := func(b []byte) { // an older file's page 0: a lost write left it
		f, h := sample()
		h.Kind, h.File, h.Salt, h.Incarnation = record.PageFirst, 3, 3, 2
		f.Encode(b[:512], &h)
	}
	cases := []struct {
		name            string
		change          func(b []byte)
		present, broken bool
		err             error
	}{
		{"both", func([]byte) {}, true, false, nil},
		{"no COPY yet", func(b []byte) { clear(b[512:]) }, true, false, nil},
		{"page 0 is zero", func(b []byte) { clear(b[:512]) }, true, true, nil},
		{"page 0 is torn", func(b []byte) { b[100]++ }, true, true, nil},
		{"page 0 is an older file's", older, true, true, nil},
		{"both are torn", func(b []byte) { b[100]++; b[700]++ }, false, false, nil},
		{"free", func(b []byte) { clear(b) }, false, false, nil},
		{"foreign", func(b []byte) { copy(b, "a text that is not of ours"); copy(b[512:], "nor is this of ours") }, false, false, ErrForeign},
		{"newer format", func(b []byte) { b[12], b[524] = 2, 2 }, false, false, record.ErrVersion},
		{"format damaged once", func(b []byte) { b[12] = 2 }, true, true, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := head()
			c.change(b)
			h, err := ReadHead(b, 9)
			if h.Present != c.present || h.Broken != c.broken || !errors.Is(err, c.err) {
				t.Fatalf("present %v, broken %v, %v", h.Present, h.Broken, err)
			}
		})
	}
	if _, err := ReadHead(make([]byte, 100), 9); !errors.Is(err, ErrForeign) {
		t.Fatal(err)
	}
}

func TestSlotNames(t *testing.T) {
	for _, n := range []int{0, 7, 9999} {
		if got, ok := ParseSlotName(SlotName(n)); !ok || got != n {
			t.Fatalf("%s is slot %d", SlotName(n), got)
		}
	}
	for _, name := range []string{"slot-12.dat", "slot-00001.dat", "slot-+001.dat", "slot-0001.tmp", "x"} {
		if n, ok := ParseSlotName(name); ok {
			t.Fatalf("%s is taken for slot %d", name, n)
		}
	}
}

// FuzzHead: arbitrary bytes never panic, and a page 0 that parses encodes to the same payload.
func FuzzHead(f *testing.F) {
	f.Add(head())
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = ReadHead(b, 9)
		if len(b) < record.HeaderSize {
			return
		}
		if first, err := ParseFirst(b[record.HeaderSize:]); err == nil {
			if again := first.Append(nil); string(again) != string(b[record.HeaderSize:]) {
				t.Fatalf("%x encodes to %x", b[record.HeaderSize:], again)
			}
		}
	})
}
