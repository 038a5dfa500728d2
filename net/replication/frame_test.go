package replication

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// goldenFrames are the vectors of testdata/v1/frames.hex, one frame a line.
var goldenFrames = []struct {
	name string
	kind FrameType
	head string
	body string
}{
	{"empty word", TypeWord, "", ""},
	{"word", TypeWord, "how are you", ""},
	{"ack", TypeAck, "\x01\x02\x03\x04\x05\x06\x07\x08", ""},
	{"manifest", TypeManifest, "files", ""},
	{"control", TypeControl, "go on", ""},
	{"pages", TypePages, "at", "pagepage"},
	{"file pages", TypeFilePages, "", "x"},
}

func golden(t *testing.T, name string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "v1", name))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestGoldenFrames(t *testing.T) {
	lines := golden(t, "frames.hex")
	if len(lines) != len(goldenFrames) {
		t.Fatalf("%d vectors for %d frames", len(lines), len(goldenFrames))
	}
	for i, g := range goldenFrames {
		wire := append(appendFrame(nil, g.kind, []byte(g.head), len(g.body)), g.body...)
		if got := hex.EncodeToString(wire); got != lines[i] {
			t.Errorf("%s is\n%s instead of\n%s", g.name, got, lines[i])
		}
		want, err := hex.DecodeString(lines[i])
		if err != nil {
			t.Fatal(err)
		}
		frames, rest, err := decodeAll(want, len(want))
		if err != nil || rest != 0 || len(frames) != 1 {
			t.Fatalf("%s: %d frames, %d bytes left, %v", g.name, len(frames), rest, err)
		}
		if f := frames[0]; f.Type != g.kind || string(f.Head) != g.head || string(f.Body) != g.body {
			t.Errorf("%s decodes to %s %q %q", g.name, f.Type, f.Head, f.Body)
		}
	}
}

// decodeAll feeds wire in pieces of the given size, as a transport would: what is not consumed is offered again with
// the next piece.
func decodeAll(wire []byte, piece int) (frames []Received, rest int, err error) {
	d := decoder{allocate: heapBodies}
	var kept []byte
	for len(wire) > 0 {
		n := min(piece, len(wire))
		kept = append(kept, wire[:n]...)
		wire = wire[n:]
		consumed, err := d.feed(kept, func(r Received) bool {
			r.Head = bytes.Clone(r.Head)
			frames = append(frames, r)
			return true
		})
		if err != nil {
			return frames, 0, err
		}
		kept = kept[consumed:]
	}
	return frames, len(kept), nil
}

func TestEveryCutOfTheStream(t *testing.T) {
	var wire []byte
	for _, g := range goldenFrames {
		wire = append(append(wire, appendFrame(nil, g.kind, []byte(g.head), len(g.body))...), g.body...)
	}
	for piece := 1; piece <= len(wire); piece++ {
		frames, rest, err := decodeAll(wire, piece)
		if err != nil || rest != 0 || len(frames) != len(goldenFrames) {
			t.Fatalf("pieces of %d: %d frames, %d left, %v", piece, len(frames), rest, err)
		}
		for i, g := range goldenFrames {
			if f := frames[i]; f.Type != g.kind || string(f.Head) != g.head || string(f.Body) != g.body {
				t.Fatalf("pieces of %d: frame %d is %s %q %q", piece, i, f.Type, f.Head, f.Body)
			}
		}
	}
	for cut := range len(wire) { // no prefix yields more than it holds, or an error
		if _, _, err := decodeAll(wire[:cut], cut+1); err != nil {
			t.Fatalf("a stream of %d bytes: %v", cut, err)
		}
	}
}

func TestDamagedHeaders(t *testing.T) {
	good := appendFrame(nil, TypeControl, []byte("head"), 0)
	for i := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			frames, _, err := decodeAll(append(bad, make([]byte, 300<<10)...), 64<<10)
			if len(frames) > 0 || err == nil {
				t.Errorf("byte %d bit %d flipped: %d frames, %v", i, bit, len(frames), err)
			}
		}
	}
}

func TestFrameLimits(t *testing.T) {
	for _, test := range []struct {
		kind       FrameType
		head, body int
		want       error
	}{
		{TypeWord, WordMax, 0, nil},
		{TypeWord, WordMax + 1, 0, ErrFrameSize},
		{TypeWord, 0, 1, ErrFrameSize},
		{TypeAck, 0, 1, ErrFrameSize},
		{TypeManifest, HeadMax, 0, nil},
		{TypeManifest, HeadMax + 1, 0, ErrFrameSize},
		{TypeControl, 0, 1, ErrFrameSize},
		{TypePages, HeadMax, BodyMax, nil},
		{TypePages, 0, BodyMax + 1, ErrFrameSize},
		{TypeFilePages, 0, BodyMax, nil},
		{TypeFilePages, HeadMax + 1, BodyMax, ErrFrameSize},
		{0, 0, 0, ErrFrameType},
		{7, 0, 0, ErrFrameType},
		{255, 0, 0, ErrFrameType},
	} {
		f := Frame{Type: test.kind, Head: make([]byte, test.head), Body: [][]byte{make([]byte, test.body)}}
		if err := f.check(); !errors.Is(err, test.want) {
			t.Errorf("%s %d/%d to send: %v", test.kind, test.head, test.body, err)
		}
		wire := append(appendFrame(nil, test.kind, f.Head, test.body), f.Body[0]...)
		frames, _, err := decodeAll(wire, 64<<10)
		if !errors.Is(err, test.want) || (test.want == nil) != (len(frames) == 1) {
			t.Errorf("%s %d/%d received: %d frames, %v", test.kind, test.head, test.body, len(frames), err)
		}
	}
	wire := appendFrame(nil, TypeWord, nil, 0)
	for at := 1; at < 4; at++ {
		bad := bytes.Clone(wire)
		bad[at] = 1
		if _, _, err := decodeAll(bad, 100); !errors.Is(err, ErrFrameFlags) {
			t.Errorf("byte %d set: %v", at, err)
		}
	}
}

// TestDeclaredLengthTakesNoMemory sends headers that promise everything and brings nothing.
func TestDeclaredLengthTakesNoMemory(t *testing.T) {
	allocated := 0
	d := decoder{allocate: func(_ FrameType, size int) ([]byte, func(), bool) {
		allocated += size
		return make([]byte, size), func() {}, true
	}}
	wire := appendFrame(nil, TypePages, make([]byte, HeadMax), BodyMax)
	if _, err := d.feed(wire[:HeaderSize+10], nil); err != nil {
		t.Fatal(err)
	}
	if allocated != 0 || cap(d.head) > 64 {
		t.Errorf("a header and ten bytes took %d bytes for the body and %d for the head", allocated, cap(d.head))
	}
	if _, err := d.feed(wire[HeaderSize+10:], nil); err != nil {
		t.Fatal(err)
	}
	if allocated != 0 {
		t.Errorf("a head took %d bytes for a body that has not begun", allocated)
	}
	if n, err := d.feed([]byte{1}, nil); err != nil || n != 1 || allocated != BodyMax {
		t.Errorf("the first byte of the body: %d consumed, %v, %d allocated", n, err, allocated)
	}
}

// TestDecoderWithoutMemory stops before the body and goes on when there is some.
func TestDecoderWithoutMemory(t *testing.T) {
	free, released := false, 0
	d := decoder{allocate: func(_ FrameType, size int) ([]byte, func(), bool) {
		return make([]byte, size+100), func() { released++ }, free
	}}
	wire := append(appendFrame(nil, TypePages, []byte("h"), 5), "12345"...)
	wire = append(wire, appendFrame(nil, TypeWord, []byte("w"), 0)...)
	var got []Received
	keep := func(r Received) bool { got = append(got, r); return true }
	n, err := d.feed(wire, keep)
	if n != HeaderSize+1 || err != nil || len(got) != 0 {
		t.Fatalf("without memory: %d consumed, %v, %d frames", n, err, len(got))
	}
	free = true
	m, err := d.feed(wire[n:], keep)
	if n+m != len(wire) || err != nil || len(got) != 2 || string(got[0].Body) != "12345" {
		t.Fatalf("with memory: %d consumed, %v, %+v", m, err, got)
	}
	got[0].Release()
	got[1].Release()
	if released != 1 {
		t.Errorf("%d releases", released)
	}
	// A body that does not become complete goes back.
	d.feed(append(appendFrame(nil, TypePages, nil, 5), "12"...), keep)
	d.drop()
	d.drop()
	if released != 2 {
		t.Errorf("%d releases after drop", released)
	}
}

func TestDecoderStopsWhenToldSo(t *testing.T) {
	d := decoder{allocate: heapBodies}
	wire := append(appendFrame(nil, TypeWord, []byte("1"), 0), appendFrame(nil, TypeWord, []byte("2"), 0)...)
	calls := 0
	n, err := d.feed(wire, func(Received) bool { calls++; return false })
	if n != len(wire)/2 || err != nil || calls != 1 {
		t.Errorf("%d consumed, %v, %d calls", n, err, calls)
	}
}

func FuzzDecoder(f *testing.F) {
	var all []byte
	for _, g := range goldenFrames {
		wire := append(appendFrame(nil, g.kind, []byte(g.head), len(g.body)), g.body...)
		f.Add(wire, uint8(3))
		all = append(all, wire...)
	}
	f.Add(all, uint8(7))
	f.Add(appendFrame(nil, TypePages, make([]byte, 100), BodyMax), uint8(1))
	f.Fuzz(func(t *testing.T, wire []byte, piece uint8) {
		whole, _, errWhole := decodeAll(wire, len(wire)+1)
		parts, _, errParts := decodeAll(wire, int(piece)+1)
		if (errWhole == nil) != (errParts == nil) || len(whole) != len(parts) {
			t.Fatalf("in one piece %d frames, %v; in pieces of %d %d frames, %v", len(whole), errWhole, piece+1, len(parts), errParts)
		}
		// What was accepted encodes to the bytes it came from.
		var again []byte
		for i, r := range whole {
			if !bytes.Equal(r.Head, parts[i].Head) || !bytes.Equal(r.Body, parts[i].Body) {
				t.Fatalf("frame %d depends on the pieces", i)
			}
			again = append(append(again, appendFrame(nil, r.Type, r.Head, len(r.Body))...), r.Body...)
		}
		if !bytes.HasPrefix(wire, again) {
			t.Fatal("the frames do not encode to what was received")
		}
	})
}
