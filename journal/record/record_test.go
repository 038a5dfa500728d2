package record

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// samplePage is one page with records of every shape.
func samplePage() ([]byte, Header, []Record) {
	recs := []Record{
		{Kind: 1, Type: 2, Meta: []byte("meta"), Body: []byte("body of a message")},
		{Kind: 2, Target: 0x10000000001, Body: bytes.Repeat([]byte{7}, 200)},
		{Kind: 3, Tx: 300, Target: 0x10000000001},
		{Kind: 5, Tx: 300},
		{Kind: 7, Meta: bytes.Repeat([]byte{1}, MetaSizeMax)},
	}
	h := Header{Kind: PageData, BlockShift: 9, PrevHash: 1, Salt: 2, File: 3, Block: 4, Blocks: 2, Records: uint32(len(recs)),
		FirstRecord: 1<<40 | 9, StableFile: 3, StableBlock: 4, Epoch: 5, Incarnation: 1, WallTime: 6}
	page := make([]byte, HeaderSize, h.Size())
	for i := range recs {
		page = Append(page, h.FirstRecord+uint64(i), &recs[i])
	}
	h.Bytes = uint32(len(page) - HeaderSize)
	page = page[:h.Size()]
	Seal(page, &h)
	return page, h, recs
}

func TestGoldenPage(t *testing.T) {
	page, h, recs := samplePage()
	const name = "testdata/v1/page.hex"
	text := hex.Dump(page)
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil || string(want) != text {
		t.Fatalf("page differs from %s (%v):\n%s", name, err, text)
	}
	got, err := OpenPage(page)
	if err != nil || got != h {
		t.Fatalf("header %+v, want %+v (%v)", got, h, err)
	}
	n := 0
	err = Walk(page, &got, func(id uint64, _ int, r *Record) error {
		if id != h.FirstRecord+uint64(n) || !reflect.DeepEqual(*r, recs[n]) {
			t.Fatalf("record %d: %+v, want %+v", n, r, recs[n])
		}
		if again := Append(nil, id, r); len(again) != r.Size() {
			t.Fatalf("record %d: size %d, says %d", n, len(again), r.Size())
		}
		n++
		return nil
	})
	if err != nil || n != len(recs) {
		t.Fatalf("%d records: %v", n, err)
	}
}

func TestEveryBitFlipIsFound(t *testing.T) {
	page, h, _ := samplePage()
	for i := range page {
		for bit := range 8 {
			page[i] ^= 1 << bit
			if _, err := OpenPage(page); err == nil {
				t.Fatalf("bit %d of byte %d may be flipped", bit, i)
			}
			page[i] ^= 1 << bit
		}
	}
	payload := Payload(page, &h)
	size, err := Frame(payload)
	if err != nil {
		t.Fatal(err)
	}
	for i := range size {
		for bit := range 8 {
			payload[i] ^= 1 << bit
			if r, n, err := Decode(payload, h.FirstRecord); err == nil {
				t.Fatalf("bit %d of byte %d may be flipped: %+v of %d bytes", bit, i, r, n)
			}
			payload[i] ^= 1 << bit
		}
	}
	if _, _, err := Decode(payload, h.FirstRecord+1); !errors.Is(err, ErrRecord) {
		t.Fatalf("record with another id: %v", err)
	}
}

func TestUnknownFormat(t *testing.T) {
	page, _, _ := samplePage()
	page[12] = 2
	if _, err := OpenPage(page); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "format 2") {
		t.Fatal(err)
	}
	page[8] = 0
	if _, err := OpenPage(page); !errors.Is(err, ErrNoPage) {
		t.Fatal(err)
	}
	if _, err := OpenPage(nil); !errors.Is(err, ErrNoPage) {
		t.Fatal(err)
	}
}

// FuzzPage: arbitrary bytes never panic, and what opens seals to the same bytes.
func FuzzPage(f *testing.F) {
	page, _, _ := samplePage()
	f.Add(page)
	f.Add(page[:HeaderSize])
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseHeader(b)
		if err != nil || len(b) < h.Size() {
			return
		}
		// Make the hash right, so that the records behind it are reached.
		p := append([]byte(nil), b[:h.Size()]...)
		Seal(p, &h)
		got, err := OpenPage(p)
		if err != nil || got != h {
			t.Fatalf("%+v, want %+v (%v)", got, h, err)
		}
		_ = Walk(p, &got, func(uint64, int, *Record) error { return nil })
	})
}

// FuzzRecord: arbitrary bytes never panic, and what decodes encodes to the same bytes.
func FuzzRecord(f *testing.F) {
	page, h, _ := samplePage()
	f.Add(Payload(page, &h), h.FirstRecord)
	f.Fuzz(func(t *testing.T, b []byte, id uint64) {
		r, n, err := Decode(b, id)
		if err != nil {
			return
		}
		if again := Append(nil, id, &r); !bytes.Equal(again, b[:n]) {
			t.Fatalf("%x encodes to %x", b[:n], again)
		}
	})
}
