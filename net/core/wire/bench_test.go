package wire

import "testing"

// What every message costs: its send, the answer, its delivery, its acknowledgement.
func BenchmarkMessage(b *testing.B) {
	send := Append(nil, 10, &Send{Message: make([]byte, 1024), RequiresResponse: true, Correlation: -2}, VersionMax)
	acknowledge := Append(nil, 10, &Acknowledge{Message: 1}, VersionMax)
	message := make([]byte, 1024)
	var out []byte
	var s Send
	var a Acknowledge
	b.ReportAllocs()
	for b.Loop() {
		f, _, _, _ := Split(send, FrameSizeMaxDefault)
		if err := DecodeInto(&s, f, VersionMax); err != nil {
			b.Fatal(err)
		}
		f, _, _, _ = Split(acknowledge, FrameSizeMaxDefault)
		if err := DecodeInto(&a, f, VersionMax); err != nil {
			b.Fatal(err)
		}
		out = Append(out[:0], 10, &NullResponse{Correlation: -2}, VersionMax)
		start := len(out)
		out = append(BeginReceive(out, 10), message...)
		out = EndReceive(out, start, 0, 1)
	}
}
