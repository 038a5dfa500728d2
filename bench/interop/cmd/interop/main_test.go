package main

import (
	"context"
	"strings"
	"testing"

	"github.com/hindmq/hind/bench/interop/internal/scenario"
)

func TestParse(t *testing.T) {
	o, err := parse("pair", []string{"-kills", "3", "-pauses", "2", "-seed", "9", "-failback=false", "-clients", "2.6.4,2.28.0"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := o.chosen()
	if err != nil {
		t.Fatal(err)
	}
	if o.kills != 3 || o.pauses != 2 || o.seed != 9 || o.failback || len(c) != 2 || c[1].Name != "2.28.0" {
		t.Fatalf("%+v, %v", o, c)
	}
	if o, err = parse("matrix", nil); err != nil || o.seed == 0 || o.clients != "smallest" {
		t.Fatalf("%+v, %v", o, err)
	}
	for _, bad := range [][]string{{"-kills", "x"}, {"-nonsense"}, {"word"}} {
		if _, err := parse("pair", bad); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
	if _, err := (&options{clients: "1.0"}).chosen(); err == nil {
		t.Error("an unknown client was accepted")
	}
}

func TestLargeExpected(t *testing.T) {
	for _, c := range []struct {
		o    options
		want scenario.Large
	}{
		{options{brand: "hind"}, scenario.LargeRefused},
		{options{brand: "artemis"}, scenario.LargeCarried},
		{options{brand: "hind", large: "carried"}, scenario.LargeCarried},
	} {
		if got := c.o.largeExpected(); got != c.want {
			t.Errorf("%+v: %s", c.o, got)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"nonsense"}, {"pair", "-nonsense"}} {
		if code := run(context.Background(), args); code != 2 {
			t.Errorf("%s: exit code %d", strings.Join(args, " "), code)
		}
	}
}

func TestRootIsFound(t *testing.T) {
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if again, err := root(); err != nil || again != dir {
		t.Fatalf("%s, %v; want %s", again, err, dir)
	}
	t.Chdir("/")
	if _, err := root(); err == nil || !strings.Contains(err.Error(), "-root") {
		t.Fatalf("outside: %v", err)
	}
}
