package aio

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// TestEnginesSayWhatTheyAre: each is usable, or says why not and what to do; the portable one always is.
func TestEnginesSayWhatTheyAre(t *testing.T) {
	infos := Engines()
	if last := infos[len(infos)-1]; last.Name != EnginePwrite || last.Err != nil {
		t.Errorf("the portable engine: %+v", last)
	}
	for _, i := range infos {
		if i.Err != nil && (!errors.Is(i.Err, ErrUnavailable) || !strings.Contains(i.Err.Error(), EnginePwrite)) {
			t.Errorf("%s is refused with %v", i.Name, i.Err)
		}
		t.Logf("%s: %v", i.Name, i.Err)
	}
}

func TestAdvice(t *testing.T) {
	for err, want := range map[error]string{
		syscall.EPERM: "seccomp", syscall.ENOSYS: "kernel", syscall.ENOMEM: "MEMLOCK", syscall.EAGAIN: "aio-max-nr",
		syscall.EMFILE: "LimitNOFILE", syscall.EIO: "",
	} {
		got := advice(fmt.Errorf("setup: %w", err))
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%v: %q", err, got)
		}
	}
}

// TestUnstartedEngineCloses: an engine that was opened and never used gives everything back.
func TestUnstartedEngineCloses(t *testing.T) {
	for _, i := range Engines() {
		if i.Err != nil {
			continue
		}
		e, err := OpenEngine(i.Name, EngineOptions{})
		if err == nil {
			err = e.Close()
		}
		if err != nil {
			t.Errorf("%s: %v", i.Name, err)
		}
		if err := e.Submit(Op{}); err == nil {
			t.Errorf("%s took an operation after Close", i.Name)
		}
	}
}
