package worker

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/history"
	"github.com/hindmq/hind/bench/interop/internal/proc"
)

// java puts a shell script in the place of java.
func java(t *testing.T, script string) Java {
	t.Helper()
	bin, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "java"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	s := proc.NewSupervisor()
	t.Cleanup(s.Close)
	return Java{Super: s, ClassPath: "cp", Dir: dir}
}

func limited(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

const talker = `echo '{"t":1,"e":"send.invoke","p":"p","q":"q","id":"p-0"}'
echo '{"t":2,"e":"send.ok","id":"p-0"}'
echo '{"t":3,"e":"tx.ok","ids":["a","b"]}'
read command
echo '{"t":4,"e":"end","err":"told '$command'"}'`

func TestWorkerKeepsTheHistory(t *testing.T) {
	ctx := limited(t, 20*time.Second)
	j := java(t, talker)
	w, err := j.Start("Load", true)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AwaitConfirmed(ctx, 3); err != nil {
		t.Fatal(err)
	}
	w.Record(history.Event{E: history.Fault, Kind: "kill", Target: "x"})
	events, err := w.Finish(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, string(e.E))
	}
	if got := strings.Join(kinds, " "); got != "send.invoke send.ok tx.ok fault end" {
		t.Fatalf("history %s", got)
	}
	if events[3].T <= 0 || events[4].Err != "told stop" {
		t.Fatalf("fault %+v, end %+v", events[3], events[4])
	}
	f, err := os.Open(filepath.Join(j.Dir, "load-history.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kept, err := history.Read(f)
	if err != nil || len(kept) != len(events) {
		t.Fatalf("the file has %d events of %d: %v", len(kept), len(events), err)
	}
}

func TestAwaitDropsWhatItPassed(t *testing.T) {
	ctx := limited(t, 20*time.Second)
	w, err := java(t, `for i in 1 2 3; do echo '{"t":'$i',"e":"report"}'; done; read x`).Start("GapProbe", false)
	if err != nil {
		t.Fatal(err)
	}
	for want := int64(1); want <= 3; want++ {
		e, err := w.Await(ctx, "report", func(e history.Event) bool { return e.E == "report" })
		if err != nil || e.T != want {
			t.Fatalf("%+v, %v; want the report of %d", e, err, want)
		}
	}
	if _, err := w.Await(limited(t, 50*time.Millisecond), "report", func(e history.Event) bool { return e.E == "report" }); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a fourth report: %v", err)
	}
}

func TestWorkerThatDies(t *testing.T) {
	w, err := java(t, `echo '{"t":1,"e":"send.info","err":"no route"}'; exit 3`).Start("Load", true)
	if err != nil {
		t.Fatal(err)
	}
	err = w.AwaitConfirmed(limited(t, 20*time.Second), 1)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no route") {
		t.Fatalf("error %v tells neither the end nor the last error", err)
	}
}

func TestUnreadableOutputIsAnError(t *testing.T) {
	w, err := java(t, `echo nonsense; read x`).Start("Load", true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Finish(limited(t, 20*time.Second)); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Fatalf("error %v", err)
	}
}

func TestFinishKillsADeafWorker(t *testing.T) {
	w, err := java(t, `echo '{"t":1,"e":"started"}'; trap "" TERM; while :; do sleep 1; done`).Start("Load", true)
	if err != nil {
		t.Fatal(err)
	}
	events, err := w.Finish(limited(t, 300*time.Millisecond))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v", err)
	}
	if w.process.Running() {
		t.Fatal("the deaf worker runs on")
	}
	if len(events) > 1 {
		t.Fatalf("events %v", events)
	}
}

func TestOutputIsStandardOutputAlone(t *testing.T) {
	j := java(t, `echo noise >&2; echo '{"a":1}'; exit $1`)
	var got []string
	if err := j.Output(limited(t, 20*time.Second), "RateProbe", func(l string) { got = append(got, l) }); err == nil {
		t.Fatal("java's first argument is a flag, so the script must fail")
	}
	if len(got) != 1 || got[0] != `{"a":1}` {
		t.Fatalf("lines %q", got)
	}
	if log, err := os.ReadFile(filepath.Join(j.Dir, "RateProbe.log")); err != nil || !strings.Contains(string(log), "noise") {
		t.Fatalf("log %q, %v", log, err)
	}
}

func TestMonotonicRises(t *testing.T) {
	a := Monotonic()
	b := Monotonic()
	if a <= 0 || b < a {
		t.Fatalf("%d then %d", a, b)
	}
}
