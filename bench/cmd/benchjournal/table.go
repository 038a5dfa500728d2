package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
)

// table prints medians, their spread, and ratios to the anchor, as Markdown.
func table(w io.Writer, p plan, samples map[string][]sample) error {
	fmt.Fprintf(w, "%d rounds of %v after %v, seed %d, load %s\n\n", p.rounds, p.measure, p.warmup, p.seed, loads(samples))
	fmt.Fprintln(w, "| callers | cell | records/s median (min to max) | p50/p99 us | records a write | bytes a record | cores | ratio to fio |")
	_, err := fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|")
	for _, n := range p.callers {
		limit := 0.0
		for _, a := range anchors(n) {
			limit = max(limit, median(samples[a.name()], rateOf))
		}
		for _, a := range anchors(n) {
			err = row(w, n, a.name(), samples[a.name()], limit)
		}
		for _, e := range p.engines {
			c := appendCell{e, n}
			err = row(w, n, c.name(), samples[c.name()], limit)
		}
	}
	return err
}

func row(w io.Writer, n int, name string, s []sample, limit float64) error {
	rates := values(s, rateOf)
	engines := map[string]int{}
	for _, x := range s {
		engines[x.Engine]++
	}
	if len(engines) > 1 {
		name += fmt.Sprintf(" %v", engines) // what auto chose, and how often; fmt sorts the keys
	}
	cores := "not taken" // of fio, a process of its own
	if c := median(s, func(x sample) float64 { return x.CPU }); c > 0 {
		cores = fmt.Sprintf("%.2f", c)
	}
	_, err := fmt.Fprintf(w, "| %d | %s | %.0f (%.0f to %.0f) | %.0f/%.0f | %.1f | %.0f | %s | %.2f |\n", n, name, median(s, rateOf), slices.Min(rates), slices.Max(rates),
		median(s, func(x sample) float64 { return x.P50 }), median(s, func(x sample) float64 { return x.P99 }),
		median(s, func(x sample) float64 { return x.PerWrite }), median(s, func(x sample) float64 { return x.BytesPerRecord }),
		cores, median(s, rateOf)/limit)
	return err
}

func rateOf(x sample) float64 { return x.Rate }

func values(s []sample, of func(sample) float64) []float64 {
	v := make([]float64, 0, len(s))
	for _, x := range s {
		v = append(v, of(x))
	}
	slices.Sort(v)
	return v
}

// median of an even number is the mean of the middle two; of none, 0.
func median(s []sample, of func(sample) float64) float64 {
	v := values(s, of)
	if len(v) == 0 {
		return 0
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// loads says between which load averages the samples were taken.
func loads(samples map[string][]sample) string {
	var all []float64
	for _, s := range samples {
		for _, x := range s {
			if f, err := strconv.ParseFloat(x.Load, 64); err == nil {
				all = append(all, f)
			}
		}
	}
	if len(all) == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%.1f to %.1f", slices.Min(all), slices.Max(all))
}
