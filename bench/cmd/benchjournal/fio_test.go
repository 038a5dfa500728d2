package main

import (
	"strings"
	"testing"
)

func TestFioOutput(t *testing.T) {
	c := fioCell{"io_uring", 64, 4}
	if got := c.blockSize(); got != 20480 {
		t.Errorf("16 records and a header in %d bytes, want 5 blocks", got)
	}
	s, err := c.parse([]byte(`note: a line before
{"jobs":[{"error":0,"write":{"iops":1000.5,"clat_ns":{"percentile":{"50.000000":120000,"99.000000":300500}}}}]}`))
	if err != nil || s.Rate != 16008 || s.P50 != 120 || s.P99 != 300.5 {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{"", "fio: error", `{"jobs":[]}`, `{"jobs":[{"error":5,"write":{"iops":1}}]}`, `{"jobs":[{"write":{"iops":0}}]}`, "{"} {
		if _, err := c.parse([]byte(bad)); err == nil || !strings.Contains(err.Error(), c.name()) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		rates []float64
		want  float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1}, 5}, {[]float64{9, 1, 2}, 2}} {
		var s []sample
		for _, r := range c.rates {
			s = append(s, sample{Rate: r})
		}
		if got := median(s, rateOf); got != c.want {
			t.Errorf("%v: %v, want %v", c.rates, got, c.want)
		}
	}
}
