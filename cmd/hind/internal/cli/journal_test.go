package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hindmq/hind/aio"
	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/datafile"
	"github.com/hindmq/hind/journal/inspect"
)

// openJournal makes a journal of ten records in a real directory, still open.
func openJournal(t *testing.T) (dir string, log *journal.Log) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "journal")
	engine, err := aio.OpenEngine(aio.EnginePwrite, aio.EngineOptions{Depth: 4})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := aio.NewPool(aio.PoolOptions{Size: 64 << 10, Count: 32})
	if err != nil {
		t.Fatal(err)
	}
	o := journal.Options{Geometry: datafile.Geometry{BlockShift: 12, Capacity: 64}, Slots: 10, WriteMax: 64 << 10}
	log, err = journal.OpenLog(newFS(), dir, journal.LogOptions{
		Options: o, Engine: engine, Pool: pool, Instance: journal.Member{7},
		Salt: 42, Now: func() journal.Now { return journal.Now{} },
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := log.Append(context.Background(), journal.Record{Kind: journal.KindAdd, Body: []byte("body")}); err != nil {
			t.Fatal(err)
		}
	}
	return dir, log
}

func TestJournalInspect(t *testing.T) {
	dir, log := openJournal(t)
	// Beside the writer, and after it.
	for _, open := range []bool{true, false} {
		if !open {
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
		}
		code, out, errs := hind("journal", "inspect", dir)
		if code != 0 || errs != "" || !strings.Contains(out, "journal   "+dir+"\n") || !strings.Contains(out, "blocks of 4096") {
			t.Fatalf("open %v: %d\n%s\n%s", open, code, out, errs)
		}
		code, out, errs = hind("journal", "inspect", "--json", dir)
		var r inspect.Report
		if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
			t.Fatalf("open %v: %d, %v\n%s\n%s", open, code, err, out, errs)
		}
		live := uint64(0)
		for _, f := range r.Files {
			live += f.Live
		}
		if live != 10 || r.Dir != dir || r.Damage != "" {
			t.Errorf("open %v: %+v", open, r)
		}
	}
}

func TestJournalVerify(t *testing.T) {
	dir, log := openJournal(t)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	code, out, errs := hind("journal", "verify", dir)
	if code != 0 || errs != "" || !strings.HasSuffix(out, "bytes read: everything is as it was written\n") {
		t.Fatalf("%d\n%s\n%s", code, out, errs)
	}
	flip(t, dir)
	code, out, errs = hind("journal", "verify", dir)
	if code != exitDamaged || !strings.Contains(out, "then came damage") || !strings.Contains(errs, "hind: journal in "+dir+": journal is damaged: ") {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	code, out, _ = hind("journal", "verify", "--json", dir)
	var r verifyReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitDamaged || !strings.Contains(r.Damage, "offset") {
		t.Errorf("%d, %v\n%s", code, err, out)
	}
	if code, _, errs = hind("journal", "inspect", dir); code != exitDamaged || !strings.Contains(errs, "journal is damaged") {
		t.Errorf("inspect: %d\n%s", code, errs)
	}
}

// flip changes one bit in the first page of records of the journal's file.
func flip(t *testing.T, dir string) {
	t.Helper()
	code, out, _ := hind("journal", "inspect", "--json", dir)
	var r inspect.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
		t.Fatalf("%d, %v", code, err)
	}
	path := filepath.Join(dir, datafile.SlotName(r.Files[0].Slot))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[2*4096+100] ^= 1 // behind page 0 and its copy
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// What is no journal is said so, and left alone.
func TestNoJournal(t *testing.T) {
	empty := t.TempDir()
	foreign := write(t, "slot-0000.dat", strings.Repeat("x", 8192))
	for _, dir := range []string{empty, filepath.Join(empty, "nowhere"), filepath.Dir(foreign)} {
		for _, command := range []string{"inspect", "verify"} {
			code, out, errs := hind("journal", command, dir)
			if code != exitFailed || out != "" || !strings.Contains(errs, "journal in "+dir+": ") {
				t.Errorf("%s %s: %d\n%s\n%s", command, dir, code, out, errs)
			}
		}
	}
	if entries, err := os.ReadDir(empty); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if code, _, errs := hind("journal", "verify"); code != exitUsage || !strings.Contains(errs, "accepts 1 arg(s), received 0") {
		t.Errorf("%d %s", code, errs)
	}
}
