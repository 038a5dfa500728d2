package main

import (
	"strings"
	"testing"
)

const printed = `rates: [load 2.50] hind alone-1, journal NIO, client jakarta-2.56.0:  1 producers 0 consumers 1024 B:   3000 confirmed/s, p50 300 us, p99 900 us, p99.9 1 us, max 2 us, received 0/s
rates: [load 1.50] hind alone-2, journal NIO, client jakarta-2.56.0:  1 producers 0 consumers 1024 B:   1000 confirmed/s, p50 500 us, p99 700 us, p99.9 1 us, max 2 us, received 0/s
gap: artemis, client jakarta-2.56.0, 2 kills, retryInterval=20, one send per 1ms, failback true, seed 1
  broker-0 killed: gap 700 ms (before: 9.0 ms), 1 send errors
  broker-1 killed: gap 30140 ms (before: 9.0 ms), 1 send errors
`

func TestTable(t *testing.T) {
	f := newFigures()
	if err := f.read(strings.NewReader(printed)); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := f.write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| artemis | kill -9 of the active, gap in ms | 15420 (700 to 30140) | – | 2 | not taken |",
		"| hind NIO | alone, 1 producers, 0 consumers | 2000 (1000 to 3000) | 400/800 | 2 | 1.5 to 2.5 |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
	if newFigures().write(&out) == nil {
		t.Error("a table of nothing was no error")
	}
}
