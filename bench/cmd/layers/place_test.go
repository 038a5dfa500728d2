package main

import (
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		stack           []string
		layer, function string
	}{
		{[]string{"internal/runtime/syscall.Syscall6", "syscall.Syscall6", module + "aio.pwrite", module + "journal.(*Log).Append"}, "kernel", module + "aio.pwrite"},
		{[]string{"runtime.futex", "runtime.mcall"}, "kernel", "runtime.futex"},
		{[]string{"internal/runtime/syscall/linux.Syscall6", "syscall.pwrite", module + "aio.(*osFile).writeAt"}, "kernel", module + "aio.(*osFile).writeAt"},
		{[]string{"runtime.memmove", module + "journal/record.Put", "main.appendUntil"}, "journal", module + "journal/record.Put"},
		{[]string{"github.com/cespare/xxhash/v2.Sum64", module + "journal/record.Seal"}, "journal", module + "journal/record.Seal"},
		{[]string{"runtime.findRunnable", "runtime.schedule"}, "runtime", "runtime.findRunnable"},
		{[]string{"runtime.selectgo", module + "journal.(*Log).Wait"}, "journal", module + "journal.(*Log).Wait"},
		{[]string{"github.com/panjf2000/gnet/v2.(*eventloop).read"}, "net", "github.com/panjf2000/gnet/v2.(*eventloop).read"},
		{[]string{"sort.Slice", "main.main"}, "caller", "main.main"},
		{nil, "runtime", "unknown"},
	} {
		if layer, function := place(c.stack); layer != c.layer || function != c.function {
			t.Errorf("%v: %s %s, want %s %s", c.stack, layer, function, c.layer, c.function)
		}
	}
}

func TestShow(t *testing.T) {
	at := func(id uint64, name string) *profile.Location {
		return &profile.Location{ID: id, Line: []profile.Line{{Function: &profile.Function{ID: id, Name: name}}}}
	}
	sample := func(l *profile.Location, v int64) *profile.Sample {
		return &profile.Sample{Location: []*profile.Location{l}, Value: []int64{1, v}}
	}
	types := []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}
	journal, net := at(1, module+"journal.f"), at(2, module+"net/core.g")
	before := divide(&profile.Profile{SampleType: types, Sample: []*profile.Sample{sample(journal, 75), sample(net, 25)}})
	after := divide(&profile.Profile{SampleType: types, Sample: []*profile.Sample{sample(journal, 50), sample(net, 50)}})
	var out strings.Builder
	show(&out, []split{before, after}, 1)
	for _, want := range []string{"total 100, cpu in nanoseconds", "journal   75.0 %  50.0 %  -25.0  journal.f 50.0", "net       25.0 %  50.0 %  +25.0  core.g 50.0"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
