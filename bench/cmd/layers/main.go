package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

func main() {
	top := flag.Int("top", 3, "`number` of functions for each layer")
	flag.Parse()
	if err := run(os.Stdout, flag.Args(), *top); err != nil {
		fmt.Fprintln(os.Stderr, "layers:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, names []string, top int) error {
	if len(names) < 1 || len(names) > 2 {
		return fmt.Errorf("give one profile, or two to compare, not %d", len(names))
	}
	var all []split
	for _, name := range names {
		s, err := read(name)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	if len(all) == 2 && all[0].unit != all[1].unit {
		return fmt.Errorf("%s counts %s and %s counts %s: they cannot be compared", names[0], all[0].unit, names[1], all[1].unit)
	}
	show(w, all, top)
	return nil
}

// split is one profile by layer.
type split struct {
	unit   string
	total  int64
	layers map[string]int64
	funcs  map[string]map[string]int64 // layer, function at the top of the stack
}

func read(name string) (split, error) {
	f, err := os.Open(name)
	if err != nil {
		return split{}, err
	}
	defer f.Close()
	p, err := profile.Parse(f)
	if err != nil {
		return split{}, fmt.Errorf("%s: %w", name, err)
	}
	return divide(p), nil
}

// divide counts the last value of each sample: nanoseconds in CPU and block profiles, bytes in use in heap profiles.
func divide(p *profile.Profile) split {
	last := len(p.SampleType) - 1
	s := split{unit: p.SampleType[last].Type + " in " + p.SampleType[last].Unit, layers: map[string]int64{}, funcs: map[string]map[string]int64{}}
	for _, x := range p.Sample {
		layer, function := place(stack(x))
		s.total += x.Value[last]
		s.layers[layer] += x.Value[last]
		if s.funcs[layer] == nil {
			s.funcs[layer] = map[string]int64{}
		}
		s.funcs[layer][function] += x.Value[last]
	}
	return s
}

// stack lists the functions of a sample from its top to its root, inlined ones included.
func stack(x *profile.Sample) []string {
	var names []string
	for _, l := range x.Location {
		for _, line := range l.Line {
			if line.Function != nil {
				names = append(names, line.Function.Name)
			}
		}
	}
	return names
}

// show prints shares in percent.
func show(w io.Writer, all []split, top int) {
	for _, s := range all {
		fmt.Fprintf(w, "total %d, %s\n", s.total, s.unit)
	}
	for _, layer := range order {
		fmt.Fprintf(w, "%-8s", layer)
		for _, s := range all {
			fmt.Fprintf(w, " %5.1f %%", share(s.layers[layer], s.total))
		}
		if len(all) == 2 {
			fmt.Fprintf(w, "  %+5.1f", share(all[1].layers[layer], all[1].total)-share(all[0].layers[layer], all[0].total))
		}
		s := all[len(all)-1]
		for _, f := range most(s.funcs[layer], top) {
			fmt.Fprintf(w, "  %s %.1f", f[strings.LastIndexByte(f, '/')+1:], share(s.funcs[layer][f], s.total))
		}
		fmt.Fprintln(w)
	}
}

func share(part, total int64) float64 {
	if total == 0 {
		return 0
	}
	return 100 * float64(part) / float64(total)
}

// most are the names with the largest values.
func most(values map[string]int64, n int) []string {
	var names []string
	for name := range values {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if values[a] != values[b] {
			return int(min(1, max(-1, values[b]-values[a])))
		}
		return strings.Compare(a, b)
	})
	return names[:min(n, len(names))]
}
