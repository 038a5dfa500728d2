package aio

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// wallClock is a monotonic clock for probes.
func wallClock() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}

func TestChooseAutoProbesAndCleansUp(t *testing.T) {
	fs, dir := NewOS(OSOptions{}), t.TempDir()
	for range 2 {
		e, c, err := Choose(EngineAuto, ChooseOptions{FS: fs, Dir: dir, Clock: wallClock(), Budget: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if e.Name() != c.Chosen || c.Note != "" || len(c.Probes) != len(openers()) {
			t.Errorf("engine %s, choice %+v", e.Name(), c)
		}
		for _, p := range c.Probes {
			if p.Err == nil && (p.Latency <= 0 || p.Rate <= 0) {
				t.Errorf("%s has no figures: %+v", p.Name, p)
			}
			if !strings.Contains(c.String(), p.Name) {
				t.Errorf("%q does not tell about %s", c, p.Name)
			}
		}
		t.Log(c)
		e.Start(func([]Completion) {})
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if names, err := fs.List(dir); err != nil || len(names) != 0 || hiddenFiles(t, dir) != 0 {
			t.Errorf("the probe left %v, %d hidden files, %v", names, hiddenFiles(t, dir), err)
		}
	}
}

func TestBestIsByScoreThenByOrder(t *testing.T) {
	refused := errors.New("refused")
	us := time.Microsecond
	for _, c := range []struct {
		probes []EngineProbe
		want   string
	}{
		{[]EngineProbe{{Name: "a", Latency: 100 * us, Rate: 100}, {Name: "b", Latency: 99 * us, Rate: 101}}, "a"},
		{[]EngineProbe{{Name: "a", Latency: 100 * us, Rate: 100}, {Name: "b", Latency: 80 * us, Rate: 100}}, "b"},
		{[]EngineProbe{{Name: "a", Latency: 100 * us, Rate: 100}, {Name: "b", Latency: 110 * us, Rate: 200}}, "b"},
		{[]EngineProbe{{Name: "a", Err: refused, Latency: us, Rate: 9e9}, {Name: "b", Latency: 80 * us, Rate: 1}}, "b"},
		{[]EngineProbe{{Name: "a", Err: refused}, {Name: "b"}, {Name: "c"}}, "b"},
		{[]EngineProbe{{Name: "a", Err: refused}}, EnginePwrite},
	} {
		if got := (&Choice{Probes: c.probes}).best(); got != c.want {
			t.Errorf("%+v: %s, want %s", c.probes, got, c.want)
		}
	}
}

func TestChooseWithoutAProbe(t *testing.T) {
	e, c, err := Choose(EngineAuto, ChooseOptions{FS: NewOS(OSOptions{}), Dir: t.TempDir() + "/missing", Clock: wallClock()})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(c.Note, "no probe") || !strings.Contains(c.String(), "missing") {
		t.Errorf("%q does not say why there was no probe", c)
	}
	e.Start(func([]Completion) {})
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestForcedEngines(t *testing.T) {
	o := ChooseOptions{FS: NewOS(OSOptions{}), Dir: t.TempDir(), Clock: wallClock()}
	e, c, err := Choose(EnginePwrite, o)
	if err != nil || e.Name() != EnginePwrite || len(c.Probes) != 0 {
		t.Fatalf("%v, %+v", err, c)
	}
	e.Start(func([]Completion) {})
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{EngineMapped: "durability", "aio_uring": "choose one of auto", "": "choose one of"} {
		if _, _, err := Choose(name, o); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), want) {
			t.Errorf("engine %q: %v", name, err)
		}
	}
	if _, err := OpenEngine(EnginePwrite, EngineOptions{Depth: depthMax + 1}); err == nil {
		t.Error("a depth beyond the limit was taken")
	}
}
