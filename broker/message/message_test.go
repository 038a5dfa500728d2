package message

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"testing"
)

// vector is text "hi", address "q", durable, timestamp 1, priority 4, _AMQ_ROUTING_TYPE = byte 1, id 0.
const vector = "00000016" + "01000000046800" + "6900" + "0000000000000000" + "01000000027100" + "00" + "03" + "01" +
	"0000000000000000" + "0000000000000001" + "04" + "01" + "00000001" +
	"00000022" + "5f0041004d0051005f0052004f005500540049004e0047005f005400590050004500" + "0301"

func decoded(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVector(t *testing.T) {
	raw := decoded(t, vector)
	m, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	h := m.Header()
	want := Header{Address: "q", HasAddress: true, Type: TypeText, Durable: true, Timestamp: 1, Priority: 4}
	if h != want {
		t.Errorf("header %+v", h)
	}
	if m.RoutingType() != 1 {
		t.Errorf("routing type %d", m.RoutingType())
	}
	if got := Encode(nil, &h, m.Body(), m.Properties()); !bytes.Equal(got, raw) {
		t.Errorf("encoded again:\n%x\n%x", got, raw)
	}
	id := m.AppendDelivery(nil, 77)
	again, err := Parse(id)
	if err != nil || again.ID() != 77 || len(id) != len(raw) {
		t.Errorf("delivery: %v, id %d", err, again.ID())
	}
	if m.ID() != 0 {
		t.Error("the delivery changed the message")
	}
}

// Every proper prefix of a message is refused, and so is a byte too many.
func TestTruncated(t *testing.T) {
	raw := decoded(t, vector)
	for n := range raw {
		if _, err := Parse(bytes.Clone(raw[:n])); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if _, err := Parse(append(bytes.Clone(raw), 0)); !errors.Is(err, ErrMalformed) {
		t.Errorf("a byte too many: %v", err)
	}
}

// Lengths and counts that lie are refused before anything is allocated from them.
func TestDeclaredSizes(t *testing.T) {
	raw := decoded(t, vector)
	at := len(raw) - 2 - 0x22 - 4 - 4
	for _, lie := range []uint32{2, 1 << 20, math.MaxInt32, math.MaxUint32} {
		b := bytes.Clone(raw)
		b[at], b[at+1], b[at+2], b[at+3] = byte(lie>>24), byte(lie>>16), byte(lie>>8), byte(lie)
		allocs := testing.AllocsPerRun(10, func() {
			if _, err := Parse(b); err == nil {
				t.Fatalf("a count of %d is believed", lie)
			}
		})
		if allocs > 10 {
			t.Errorf("a count of %d cost %.0f allocations", lie, allocs)
		}
		for _, where := range []int{0, 4 + 1, 4 + 9 + 8 + 1} { // body, body's string (not looked at), address
			b := bytes.Clone(raw)
			b[where], b[where+1], b[where+2], b[where+3] = byte(lie>>24), byte(lie>>16), byte(lie>>8), byte(lie)
			_, _ = Parse(b)
		}
	}
}

func allKinds() []Property {
	return []Property{
		{"null", Value{}}, {"bool", Bool(true)}, {"byte", Byte(-3)}, {"bytes", Bytes([]byte{1, 2})}, {"short", Short(-300)},
		{"int", Int(-70000)}, {"long", Long(math.MinInt64)}, {"float", Float(1.5)}, {"double", Double(-2.25)},
		{"string", String("grüße 🦌")}, {"char", Char(0x20AC)},
	}
}

func TestProperties(t *testing.T) {
	encoded := AppendProperties(nil, allKinds())
	props, size, err := DecodeProperties(append(bytes.Clone(encoded), 9, 9))
	if err != nil || size != len(encoded) || len(props) != len(allKinds()) {
		t.Fatalf("%d properties of %d bytes, %v", len(props), size, err)
	}
	if again := AppendProperties(nil, props); !bytes.Equal(again, encoded) {
		t.Error("decoding and encoding changes the bytes")
	}
	by := map[string]Value{}
	for _, p := range props {
		by[p.Name] = p.Value
	}
	if by["byte"].Int() != -3 || by["short"].Int() != -300 || by["int"].Int() != -70000 || by["long"].Int() != math.MinInt64 ||
		by["char"].Int() != 0x20AC || !by["bool"].Bool() || by["float"].Float() != 1.5 || by["double"].Float() != -2.25 ||
		by["string"].Text() != "grüße 🦌" || !bytes.Equal(by["bytes"].Bytes(), []byte{1, 2}) {
		t.Errorf("values %+v", by)
	}
	if _, _, err := DecodeProperties([]byte{1, 0, 0, 0, 1, 0, 0, 0, 0, 1}); !errors.Is(err, ErrMalformed) {
		t.Errorf("kind 1: %v", err)
	}
	if _, _, err := DecodeProperties([]byte{2}); !errors.Is(err, ErrMalformed) {
		t.Errorf("mark 2: %v", err)
	}
}

func TestKnownProperties(t *testing.T) {
	h := Header{Address: "a", Priority: 200}
	m, err := New(&h, nil, []Property{{PropDuplicateID, Bytes([]byte("dup"))}, {PropScheduled, Long(5)},
		{PropGroupID, String("g")}, {PropLastValue, String("k")}, {PropRoutingType, Byte(7)}})
	if err != nil {
		t.Fatal(err)
	}
	if string(m.DuplicateID()) != "dup" || m.ScheduledAt() != 5 || !m.Grouped() || !m.LastValue() || m.RoutingType() != -1 {
		t.Errorf("%q %d %t %t %d", m.DuplicateID(), m.ScheduledAt(), m.Grouped(), m.LastValue(), m.RoutingType())
	}
	if m.Priority() != 0 { // 200 is -56 as a signed byte
		t.Errorf("priority %d", m.Priority())
	}
}

func TestEdited(t *testing.T) {
	h := Header{ID: 9, Address: "old", Durable: true, Expiration: 5, Timestamp: 6, Priority: 7, Type: TypeMap,
		HasUserID: true, UserID: [16]byte{1, 2, 3}}
	m, err := New(&h, []byte("body"), append(allKinds(), Property{PropRoutingType, Byte(1)}))
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.Clone(m.Raw())
	to, never := "new::é", int64(0)
	c := m.Edited(&Edit{Address: &to, Expiration: &never, Remove: []string{PropRoutingType, "absent"},
		Set: []Property{{"int", Long(1)}, {"added", String("x")}}})
	if !bytes.Equal(before, m.Raw()) {
		t.Error("the original changed")
	}
	want := h
	want.ID, want.Address, want.HasAddress, want.Expiration = 0, to, true, 0
	if got := c.Header(); got != want {
		t.Errorf("header %+v, want %+v", got, want)
	}
	if string(c.Body()) != "body" || c.RoutingType() != -1 || len(c.Properties()) != len(allKinds())+1 {
		t.Errorf("body %q, routing %d, %d properties", c.Body(), c.RoutingType(), len(c.Properties()))
	}
	if v, _ := c.Property("int"); v.Kind != KindLong || v.Int() != 1 {
		t.Errorf("int = %+v", v)
	}
	if v, ok := c.Property("string"); !ok || v.Text() != "grüße 🦌" {
		t.Errorf("string = %q", v.Text())
	}
	var all []string
	for _, p := range c.Properties() {
		all = append(all, p.Name)
	}
	if bare := c.Edited(&Edit{Remove: all}); bare.Raw()[len(bare.Raw())-1] != 0 {
		t.Error("no property left is not the single byte 0")
	}
}

func TestNullAddress(t *testing.T) {
	m, err := New(&Header{}, nil, nil)
	if err != nil || m.AddressText() != nil || m.Address() != "" {
		t.Fatalf("%v, %q", err, m.Address())
	}
	if _, ok := m.UserID(); ok {
		t.Error("a user id")
	}
	empty, err := New(&Header{HasAddress: true}, nil, nil)
	if err != nil || empty.AddressText() == nil {
		t.Error("an empty address is not null")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(decoded(f, vector))
	full, _ := New(&Header{Address: "a", HasUserID: true}, []byte("b"), allKinds())
	f.Add(full.Raw())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(bytes.Clone(b))
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("error %v", err)
			}
			return
		}
		h := m.Header()
		for _, p := range m.Properties() {
			_, _ = m.Property(p.Name)
		}
		edited := m.Edited(&Edit{})
		if got := edited.Header(); got.Address != h.Address || got.UserID != h.UserID || got.Expiration != h.Expiration {
			t.Fatalf("edited header %+v of %+v", got, h)
		}
		if !bytes.Equal(edited.Body(), m.Body()) || len(edited.Properties()) != len(m.Properties()) {
			t.Fatal("an empty edit changed the message")
		}
		if again, err := Parse(m.AppendDelivery(nil, 5)); err != nil || again.ID() != 5 {
			t.Fatalf("delivery: %v", err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	raw, _ := hex.DecodeString(vector)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}
