package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// fioCell writes groups of records, depth of them in flight, each synced.
type fioCell struct {
	engine  string // psync or io_uring
	callers int    // records in flight over all groups
	depth   int
}

func (c fioCell) name() string {
	return fmt.Sprintf("fio-%s-%dx%d", c.engine, c.depth, c.callers/c.depth)
}

// blockSize is a group's records and one page header, in whole blocks.
func (c fioCell) blockSize() int {
	const block, header = 4096, 256
	return (c.callers/c.depth*recordSize + header + block - 1) / block * block
}

// run measures writes and says how many records a second their groups would carry.
func (c fioCell) run(dir string, p plan) (sample, error) {
	cmd := exec.Command("fio", "--name=anchor", "--filename="+filepath.Join(dir, "fio.dat"), "--rw=write", "--direct=1", "--sync=dsync",
		fmt.Sprintf("--bs=%d", c.blockSize()), "--size=256m", "--overwrite=1", "--ioengine="+c.engine, fmt.Sprintf("--iodepth=%d", c.depth),
		"--time_based", fmt.Sprintf("--runtime=%dms", p.measure.Milliseconds()), fmt.Sprintf("--ramp_time=%dms", p.warmup.Milliseconds()),
		"--percentile_list=50:99", "--output-format=json")
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return sample{}, fmt.Errorf("%s: %w: %.300s", c.name(), err, complaint.String())
	}
	return c.parse(out.Bytes())
}

// parse reads fio's JSON, before which it may print lines for people.
func (c fioCell) parse(out []byte) (sample, error) {
	var got struct {
		Jobs []struct {
			Error int
			Write struct {
				IOPS float64
				Clat struct{ Percentile map[string]float64 } `json:"clat_ns"`
			}
		}
	}
	start := bytes.IndexByte(out, '{')
	if start < 0 {
		return sample{}, errors.New(c.name() + ": fio printed no JSON")
	}
	if err := json.Unmarshal(out[start:], &got); err != nil {
		return sample{}, fmt.Errorf("%s: fio's JSON: %w", c.name(), err)
	}
	if len(got.Jobs) != 1 || got.Jobs[0].Error != 0 || got.Jobs[0].Write.IOPS <= 0 {
		return sample{}, fmt.Errorf("%s: fio measured nothing", c.name())
	}
	w := got.Jobs[0].Write
	perWrite := float64(c.callers / c.depth)
	return sample{Engine: c.engine, Rate: w.IOPS * perWrite, PerWrite: perWrite, BytesPerRecord: float64(c.blockSize()) / perWrite,
		P50: w.Clat.Percentile["50.000000"] / float64(time.Microsecond), P99: w.Clat.Percentile["99.000000"] / float64(time.Microsecond)}, nil
}
