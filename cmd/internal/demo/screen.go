package demo

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// screen shows a run while it goes on: one line that stays per kill, and on a terminal one that changes.
type screen struct {
	out   io.Writer
	live  bool
	width int // of the changing line that is on the screen
}

// newScreen shows nothing if out is nil.
func newScreen(out io.Writer) *screen {
	s := &screen{out: out}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			s.live = info.Mode()&os.ModeCharDevice != 0
		}
	}
	if out == nil {
		s.out = io.Discard
	}
	return s
}

func (s *screen) wipe() {
	if s.width > 0 {
		fmt.Fprintf(s.out, "\r%s\r", strings.Repeat(" ", s.width))
		s.width = 0
	}
}

// say prints a line that stays.
func (s *screen) say(format string, args ...any) {
	s.wipe()
	fmt.Fprintf(s.out, format+"\n", args...)
}

// show replaces the changing line.
func (s *screen) show(format string, args ...any) {
	if !s.live {
		return
	}
	line := fmt.Sprintf(format, args...)
	s.wipe()
	s.width = len(line)
	fmt.Fprint(s.out, line)
}

const rowFormat = "%5v  %-8s %10s %13s %13s %9s %8s %9s"

func (s *screen) head() {
	s.say(rowFormat, "kill", "killed", "failover", "back in sync", "acknowledged", "missing", "doubled", "disorder")
}

func (s *screen) row(k Kill) {
	s.say(rowFormat, k.Number, k.Victim, k.Failover, k.InSync, fmt.Sprint(k.Acknowledged), missing(&k.Counts), fmt.Sprint(k.Doubled),
		fmt.Sprint(k.Disordered))
}

// missing is not yet lost: a message may be on its way.
func missing(c *Counts) string {
	if c.Lost == 0 {
		return "0"
	}
	return fmt.Sprintf("%d yet", c.Lost)
}

// progress shows what is going on.
func (s *screen) progress(what string, since time.Duration, c Counts) {
	s.show("       %s, %.1f s; %d acknowledged, %d delivered", what, since.Seconds(), c.Acknowledged, c.Delivered)
}
