package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Vectors seen from the reference implementation: encoding them must give exactly these bytes, decoding the values.
func TestGoldenVectors(t *testing.T) {
	for _, v := range []struct {
		name    string
		channel int64
		packet  Packet
		bytes   string
	}{
		{"ping", 0, &Ping{TTL: 60000}, "00000011 0a 0000000000000000 000000000000ea60"},
		{"subscribe", 0, &SubscribeTopologyV2{ClientVersion: 136}, "0000000e 71 0000000000000000 00 00000088"},
		{"session", 1, &CreateSessionResponse{ServerVersion: 136}, "0000000d 1f 0000000000000001 00000088"},
		{"null response", 11, &NullResponse{Correlation: -7}, "00000011 15 000000000000000b fffffffffffffff9"},
		{"exception", 1, &Exception{Code: CodeIncompatibleVersions, Message: Some("nope")},
			"0000001a 14 0000000000000001 0000006c 01 00000004 006e006f00700065"},
		{"topology", 0, &ClusterTopology{NodeID: "n1", EventID: 7, Last: true, ServerVersion: 136},
			"00000023 ef 0000000000000000 00 00000002006e0031 0000000000000007 00 00 ff 00 00 00000088"},
		{"failover reply", 1, &CheckForFailoverResponse{OK: true}, "0000000a fb 0000000000000001 ff"},
		{"delete queue", 12, &DeleteQueue{Name: "ab"}, "00000011 23 000000000000000c 00000004 61006200"},
		{"credits", 10, &ConsumerCredits{Consumer: 2, Credits: 1048576}, "00000015 46 000000000000000a 0000000000000002 00100000"},
	} {
		t.Run(v.name, func(t *testing.T) {
			want := unhex(t, v.bytes)
			if got := Append(nil, v.channel, v.packet, VersionMax); !bytes.Equal(got, want) {
				t.Errorf("encoded\n%x, want\n%x", got, want)
			}
			f, size, _, err := Split(want, FrameSizeMaxDefault)
			if err != nil || size != len(want) || f.Channel != v.channel {
				t.Fatalf("Split: channel %d, size %d, %v", f.Channel, size, err)
			}
			got, err := Decode(f, VersionMax)
			if err != nil || !reflect.DeepEqual(got, v.packet) {
				t.Errorf("decoded %+v, %v; want %+v", got, err, v.packet)
			}
		})
	}
}

func TestStringVectors(t *testing.T) {
	long := strings.Repeat("x", 4095)
	for _, v := range []struct {
		text, bytes string
	}{
		{"", "00000000"},
		{"ab", "00000002 00610062"},
		{"0123456789", "0000000a 000a 30313233343536373839"},
		{"€23456789", "00000009 000b e282ac3233343536373839"},
		{"12345678", "00000008 00310032003300340035003600370038"},
		{"\x0023456789", "00000009 0009 003233343536373839"},
		{"𝄞345678901", "0000000b 000f eda0b4 edb49e 333435363738393031"},
		{"𝄞", "00000002 d834dd1e"},
		{long, "00000fff 00001ffe " + strings.Repeat("7800", 4095)},
	} {
		want := unhex(t, v.bytes)
		c := cursor{writing: true}
		c.str(&v.text)
		if !bytes.Equal(c.out, want) {
			t.Errorf("%.12q encoded as %.64x, want %.64x", v.text, c.out, want)
		}
		var got string
		c = cursor{in: want}
		c.str(&got)
		if c.err != nil || got != v.text || c.at != len(want) {
			t.Errorf("%.64x decoded as %.12q after %d bytes, %v", want, got, c.at, c.err)
		}
	}
	c := cursor{writing: true}
	ab := "ab"
	c.sstr(&ab)
	if want := unhex(t, "00000004 61006200"); !bytes.Equal(c.out, want) {
		t.Errorf("simple string encoded as %x", c.out)
	}
}

// What Append wrote, Decode reads back, for every packet at every version; and no cut of it panics or reads as whole.
func TestRoundTrip(t *testing.T) {
	for version := int32(VersionMin); version <= VersionMax; version++ {
		for _, p := range append(samples(), versionedSamples(version)...) {
			if n, ok := p.(*NullResponse); ok && version < versionCorrelation {
				n.Correlation = NoCorrelation
			}
			frame := Append([]byte("before"), 12, p, version)[len("before"):]
			f, size, _, err := Split(frame, FrameSizeMaxDefault)
			if err != nil || size != len(frame) || f.Size() != size || f.Type != p.Type(version) || f.Channel != 12 {
				t.Fatalf("version %d, %T: Split = %v %d %v", version, p, f.Type, size, err)
			}
			got, err := Decode(f, version)
			if err != nil || !reflect.DeepEqual(got, p) {
				t.Errorf("version %d, %T: %+v, %v; want %+v", version, p, got, err, p)
			}
			for cut := range f.Fields {
				if _, err := Decode(Frame{Type: f.Type, Fields: f.Fields[:cut]}, version); err != nil && !errors.Is(err, ErrMalformed) {
					t.Errorf("version %d, %T cut at %d: %v", version, p, cut, err)
				}
			}
		}
	}
}

// Every type with a value can be built, and says its name.
func TestTypesAreKnown(t *testing.T) {
	seen := map[Type]bool{}
	for version := int32(VersionMin); version <= VersionMax; version++ {
		for _, p := range append(samples(), versionedSamples(version)...) {
			seen[p.Type(version)] = true
		}
	}
	for t8 := math.MinInt8; t8 <= math.MaxInt8; t8++ {
		typ := Type(t8)
		p := newPacket(typ)
		if p != nil && strings.HasPrefix(typ.String(), "packet type") {
			t.Errorf("type %d has no name", t8)
		}
		if p == nil && seen[typ] {
			t.Errorf("%v is written but cannot be read", typ)
		}
	}
	_, err := Decode(Frame{Type: -100}, VersionMax)
	var unknown *UnknownTypeError
	if !errors.As(err, &unknown) || unknown.Type != -100 || errors.Is(err, ErrMalformed) {
		t.Errorf("unknown type: %v", err)
	}
}

func TestSplit(t *testing.T) {
	frame := Append(nil, 0, &Ping{}, VersionMax)
	for n := 0; n < len(frame); n++ {
		want := len(frame)
		if n < LengthSize {
			want = LengthSize
		}
		if _, size, need, err := Split(frame[:n], FrameSizeMaxDefault); size != 0 || need != want || err != nil {
			t.Errorf("%d bytes: size %d, need %d, %v", n, size, need, err)
		}
	}
	for _, declared := range []string{"00000008", "ffffffff", "80000000", "00000000", "7fffffff", "00100001"} {
		if _, _, _, err := Split(unhex(t, declared), 1<<20); !errors.Is(err, ErrMalformed) {
			t.Errorf("length %s: %v", declared, err)
		}
	}
	if _, _, need, err := Split(unhex(t, "000ffffc"), 1<<20); err != nil || need != 1<<20 {
		t.Errorf("the largest frame: need %d, %v", need, err)
	}
}

// Lists and lengths that claim more than there is are refused before anything is built.
func TestDeclaredLengths(t *testing.T) {
	for name, v := range map[string]struct {
		typ    Type
		fields string
	}{
		"routing types":     {TypeCreateAddress, "00000002 6100 7fffffff 00"},
		"negative count":    {TypeCreateAddress, "00000002 6100 ffffffff 00 00 00"},
		"queue names":       {TypeBindingQueryResponseV5, "ff 40000000 00000000"},
		"connector params":  {TypeClusterTopologyV4, "00 00000000 0000000000000000 ff 00000000 00000000 7fffffff 00"},
		"simple string":     {TypeDeleteQueue, "7ffffffe 6100"},
		"negative string":   {TypeDeleteQueue, "fffffffe 6100"},
		"odd string":        {TypeDeleteQueue, "00000003 610061"},
		"long string":       {TypeAddMetadata, "7fffffff 7ffffffe 6100"},
		"string of minus 1": {TypeAddMetadata, "ffffffff"},
		"long count lies":   {TypeAddMetadata, "00001000 00000002 6100 00000000"},
		"middle count lies": {TypeAddMetadata, "0000000a 0003 616161 00000000"},
		"chunk":             {TypeSendContinuation, "7fffffff 00"},
		"lone high":         {TypeDeleteQueue, "00000002 00d8"},
		"lone low":          {TypeDeleteQueue, "00000002 00dc"},
		"two highs":         {TypeDeleteQueue, "00000004 00d800d8"},
		"four-byte utf":     {TypeAddMetadata, "00000009 000c f09d849e 3132333435363738"},
		"cut utf":           {TypeAddMetadata, "00000009 0009 3132333435363738e2"},
		"unknown parameter": {TypeClusterTopologyV4, "00 00000000 0000000000000000 ff 00000000 00000000 00000001 00000000 09 00"},
		"send too short":    {TypeSend, "00"},
	} {
		f := Frame{Type: v.typ, Fields: unhex(t, v.fields)}
		allocated := testing.AllocsPerRun(1, func() {
			if _, err := Decode(f, VersionMax); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %v", name, err)
			}
		})
		if allocated > 50 {
			t.Errorf("%s: %v allocations", name, allocated)
		}
	}
}

// Bytes after the known fields are how the protocol grows: they are ignored.
func TestTrailingBytes(t *testing.T) {
	frame := append(Append(nil, 0, &Ping{TTL: 5}, VersionMax), 1, 2, 3)
	frame[3] += 3
	f, _, _, err := Split(frame, FrameSizeMaxDefault)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := Decode(f, VersionMax); err != nil || p.(*Ping).TTL != 5 {
		t.Errorf("%+v, %v", p, err)
	}
}

// Groups of queue attributes came with later releases; a reader takes what is there.
func TestOptionalGroups(t *testing.T) {
	whole := Append(nil, 0, &CreateQueue{Address: "a", Name: "q", RoutingType: RoutingAnycast, MaxConsumers: 1}, VersionMax)
	fields := whole[HeaderSize:]
	// a, q, filter, 3 flags, autoCreated, routing, max, purge; then {2} {9} {1} {1} {1} {1}
	base := len(fields) - 15
	for _, cut := range []int{0, 2, 11, 12, 13, 14, 15} {
		p, err := Decode(Frame{Type: TypeCreateQueueV2, Fields: fields[:base+cut]}, VersionMax)
		if err != nil || p.(*CreateQueue).MaxConsumers != 1 {
			t.Errorf("with %d bytes of attributes: %v", cut, err)
		}
	}
	if _, err := Decode(Frame{Type: TypeCreateQueueV2, Fields: fields[:base+1]}, VersionMax); !errors.Is(err, ErrMalformed) {
		t.Errorf("half a group: %v", err)
	}
}

// Release 2.6 sends shared queues that end early.
func TestOptionalGroupsOfSharedQueue(t *testing.T) {
	whole := Append(nil, 0, &CreateSharedQueue{Address: "a", Name: "q", MaxConsumers: Some(int32(4))}, VersionMax)
	fields := whole[HeaderSize:]
	// {maxConsumers 5, purge 1} {2} {9} {1} {1} {1} {1}
	base := len(fields) - 21
	for _, cut := range []int{0, 6, 8, 17, 18, 19, 20, 21} {
		p, err := Decode(Frame{Type: TypeCreateSharedQueueV2, Fields: fields[:base+cut]}, VersionMin)
		if err != nil || p.(*CreateSharedQueue).MaxConsumers.Set != (cut > 0) {
			t.Errorf("with %d bytes of attributes: %+v, %v", cut, p, err)
		}
	}
}

func TestCounted(t *testing.T) {
	for typ, want := range map[Type]bool{TypeSend: true, TypeNullResponse: true, TypePing: false, TypeCreateSession: false,
		TypeAddMetadata: false, TypePacketsConfirmed: false, TypeAddUniqueMetadata: true} {
		if typ.Counted(false) != want {
			t.Errorf("%v counted: %t", typ, !want)
		}
	}
	if !TypeAddMetadataV2.Counted(true) || TypeAddMetadataV2.Counted(false) {
		t.Error("SESS_ADD_METADATA2 counts as its flag says")
	}
}

func TestReceiveSize(t *testing.T) {
	frame := Append(nil, 10, &Receive{Message: make([]byte, 321)}, VersionMax)
	if ReceiveSize(321) != len(frame) {
		t.Errorf("ReceiveSize(321) = %d, the frame has %d", ReceiveSize(321), len(frame))
	}
}
