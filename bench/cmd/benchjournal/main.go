package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// plan says what is measured.
type plan struct {
	dir      string
	rounds   int
	warmup   time.Duration
	measure  time.Duration
	callers  []int
	engines  []string
	seed     uint64
	profiles string
	out      string
}

// sample is one measurement of one cell.
type sample struct {
	Engine         string  `json:"engine"` // the one that ran: auto chooses
	Load           string  `json:"load"`   // the machine's load average before it
	Rate           float64 `json:"rate"`   // records per second
	P50            float64 `json:"p50us"`
	P99            float64 `json:"p99us"`
	PerWrite       float64 `json:"records_per_write"`
	BytesPerRecord float64 `json:"bytes_per_record"`
	CPU            float64 `json:"cpu_cores"`
}

// cell is something that can be measured again and again.
type cell interface {
	name() string
	run(dir string, p plan) (sample, error)
}

func main() {
	p, err := parse()
	if err == nil {
		err = run(p)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchjournal:", err)
		os.Exit(1)
	}
}

func parse() (plan, error) {
	var p plan
	callers := flag.String("callers", "1,16,64,256", "`numbers` of callers")
	engines := flag.String("engines", "auto,io_uring,libaio,pwrite", "I/O engine `names`")
	flag.StringVar(&p.dir, "dir", "", "`folder` on the disk to measure; about 512 MiB are used below it")
	flag.IntVar(&p.rounds, "rounds", 5, "`number` of rounds; each runs every cell once")
	flag.DurationVar(&p.warmup, "warmup", 300*time.Millisecond, "`time` before each measurement")
	flag.DurationVar(&p.measure, "measure", time.Second, "`time` of each measurement")
	flag.Uint64Var(&p.seed, "seed", 1, "`seed` of the order of the cells")
	flag.StringVar(&p.profiles, "profiles", "", "`folder` for CPU, heap and block profiles; measurements with profiles are not for tables")
	flag.StringVar(&p.out, "out", "", "`file` for all samples as JSON")
	flag.Parse()
	if flag.NArg() > 0 || p.dir == "" || p.rounds < 1 {
		return p, fmt.Errorf("need -dir FOLDER, -rounds of at least 1 and no further arguments %q", flag.Args())
	}
	for s := range strings.SplitSeq(*callers, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return p, fmt.Errorf("-callers %q: a number of callers is at least 1", s)
		}
		p.callers = append(p.callers, n)
	}
	p.engines = strings.Split(*engines, ",")
	return p, nil
}

// cells are the anchors and the journal.
func (p plan) cells() []cell {
	var all []cell
	for _, n := range p.callers {
		for _, a := range anchors(n) {
			all = append(all, a)
		}
		for _, e := range p.engines {
			all = append(all, appendCell{e, n})
		}
	}
	return all
}

// anchors are the ways in which fio may write the records of n callers.
func anchors(n int) []fioCell {
	a := []fioCell{{"psync", n, 1}, {"io_uring", n, 1}}
	if n >= 4 {
		a = append(a, fioCell{"io_uring", n, 4})
	}
	return a
}

func run(p plan) (err error) {
	for _, d := range []string{p.dir, p.profiles} {
		if d == "" {
			continue
		}
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	defer func() { _ = os.Remove(filepath.Join(p.dir, "fio.dat")) }()
	all := p.cells()
	samples := map[string][]sample{}
	random := rand.New(rand.NewPCG(p.seed, 0))
	for round := range p.rounds {
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, c := range all {
			load := loadAverage()
			s, err := c.run(p.dir, p)
			if err != nil {
				return err
			}
			s.Load = load
			samples[c.name()] = append(samples[c.name()], s)
			fmt.Fprintf(os.Stderr, "round %d load %s %-22s %9.0f/s p50 %5.0f us p99 %6.0f us %6.1f records/write\n", round+1, load, c.name(), s.Rate, s.P50, s.P99, s.PerWrite)
		}
	}
	if p.out != "" {
		text, err := json.MarshalIndent(samples, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(p.out, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	return table(os.Stdout, p, samples)
}

// loadAverage is the machine's, over the last minute.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	load, _, _ := strings.Cut(string(b), " ")
	return load
}
