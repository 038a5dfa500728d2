package wire

import (
	"errors"
	"reflect"
	"testing"
)

// FuzzDecode feeds a stream of frames. Nothing may panic, and what could be read must come back the same after being
// written again.
func FuzzDecode(f *testing.F) {
	for _, version := range []int32{VersionMin, 130, 131, 134, VersionMax} {
		for _, p := range append(samples(), versionedSamples(version)...) {
			f.Add(Append(nil, 10, p, version), version)
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte, version int32) {
		version = VersionMin + int32(uint32(version)%(VersionMax-VersionMin+1))
		for {
			frame, size, _, err := Split(stream, 1<<16)
			if err != nil {
				if !errors.Is(err, ErrMalformed) {
					t.Fatalf("Split: %v", err)
				}
				return
			}
			if size == 0 {
				return
			}
			stream = stream[size:]
			again(t, frame, version)
		}
	})
}

func again(t *testing.T, frame Frame, version int32) {
	p, err := Decode(frame, version)
	var unknown *UnknownTypeError
	if err != nil {
		if !errors.Is(err, ErrMalformed) && !errors.As(err, &unknown) {
			t.Fatalf("Decode: %v", err)
		}
		return
	}
	if p.Type(version) != frame.Type {
		return // a packet of another version's generation: it is written as this version's
	}
	second, _, _, err := Split(Append(nil, frame.Channel, p, version), 1<<20)
	if err != nil {
		t.Fatalf("%v written again: %v", frame.Type, err)
	}
	q, err := Decode(second, version)
	if err != nil || !reflect.DeepEqual(p, q) {
		t.Fatalf("%v\n%+v came back as\n%+v, %v", frame.Type, p, q, err)
	}
}

// FuzzString holds every Go string through both encodings: equal if it is valid text, and else with the replacement
// characters that a conversion to runes gives.
func FuzzString(f *testing.F) {
	for _, s := range []string{"", "ab", "12345678", "123456789", "€", "𝄞𝄞𝄞𝄞𝄞", "\x00", "\xff", "a\u0080\u07ff\u0800\uffff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := string([]rune(s))
		for name, walk := range map[string]func(*cursor, *string){"str": (*cursor).str, "sstr": (*cursor).sstr} {
			w := cursor{writing: true}
			walk(&w, &s)
			r := cursor{in: w.out}
			var got string
			walk(&r, &got)
			if r.err != nil || got != want || r.at != len(w.out) {
				t.Fatalf("%s of %q: %q, %d of %d bytes, %v", name, s, got, r.at, len(w.out), r.err)
			}
		}
	})
}
