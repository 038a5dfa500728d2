package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "brokertable:", err)
		os.Exit(1)
	}
}

func run(names []string) error {
	f := newFigures()
	if len(names) == 0 {
		if err := f.read(os.Stdin); err != nil {
			return err
		}
	}
	for _, name := range names {
		in, err := os.Open(name)
		if err != nil {
			return err
		}
		if err := errors.Join(f.read(in), in.Close()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return f.write(os.Stdout)
}

// patterns find the lines of bench/interop that carry figures.
type patterns struct{ rate, gapStart, gap *regexp.Regexp }

func newPatterns() patterns {
	return patterns{
		rate:     regexp.MustCompile(`rates: \[load ([\d.]+|unknown)\] (\w+) (alone|replicated)-\d+, journal (\w+), .*: +(\d+) producers (\d+) consumers .*: +(\d+) confirmed/s, p50 (\d+) us, p99 (\d+) us`),
		gapStart: regexp.MustCompile(`gap: (\w+), client `),
		gap:      regexp.MustCompile(`killed: gap (\d+) ms`),
	}
}

// figures are the numbers of all lines, by row of the table, in the order in which rows first came.
type figures struct {
	rows  []string
	loads map[string][]float64
	rates map[string][]float64 // confirmed a second; for gap rows milliseconds
	p50   map[string][]float64
	p99   map[string][]float64
	gaps  map[string]bool
	lines patterns
}

func newFigures() *figures {
	m := func() map[string][]float64 { return map[string][]float64{} }
	return &figures{loads: m(), rates: m(), p50: m(), p99: m(), gaps: map[string]bool{}, lines: newPatterns()}
}

func (f *figures) read(r io.Reader) error {
	brand := ""
	s := bufio.NewScanner(r)
	for s.Scan() {
		if m := f.lines.gapStart.FindStringSubmatch(s.Text()); m != nil {
			brand = m[1]
		}
		if m := f.lines.gap.FindStringSubmatch(s.Text()); m != nil {
			row := f.row(brand + " | kill -9 of the active, gap in ms")
			f.gaps[row] = true
			add(f.rates, row, m[1])
		}
		if m := f.lines.rate.FindStringSubmatch(s.Text()); m != nil {
			row := f.row(fmt.Sprintf("%s %s | %s, %s producers, %s consumers", m[2], m[4], m[3], m[5], m[6]))
			add(f.loads, row, m[1])
			add(f.rates, row, m[7])
			add(f.p50, row, m[8])
			add(f.p99, row, m[9])
		}
	}
	return s.Err()
}

func (f *figures) row(name string) string {
	if !slices.Contains(f.rows, name) {
		f.rows = append(f.rows, name)
	}
	return name
}

// add takes what is a number; the load may be unknown.
func add(to map[string][]float64, row, text string) {
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		to[row] = append(to[row], v)
	}
}

func (f *figures) write(w io.Writer) error {
	if len(f.rows) == 0 {
		return errors.New("no line of rates or gap was read")
	}
	fmt.Fprintln(w, "| broker, journal | load | confirmed/s, or gap in ms: median (min to max) | p50/p99 us | runs | load average |")
	_, err := fmt.Fprintln(w, "|---|---|---|---|---|---|")
	slices.Sort(f.rows)
	for _, row := range f.rows {
		v := f.rates[row]
		latency := fmt.Sprintf("%.0f/%.0f", median(f.p50[row]), median(f.p99[row]))
		if f.gaps[row] {
			latency = "–"
		}
		load := "not taken"
		if l := f.loads[row]; len(l) > 0 {
			load = fmt.Sprintf("%.1f to %.1f", slices.Min(l), slices.Max(l))
		}
		_, err = fmt.Fprintf(w, "| %s | %.0f (%.0f to %.0f) | %s | %d | %s |\n", row, median(v), slices.Min(v), slices.Max(v), latency, len(v), load)
	}
	return err
}

// median of an even number is the mean of the middle two; of none, 0.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
