package sim

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// lines puts what a broker logs into the trace.
type lines struct{ h *host }

// Enabled implements slog.Handler.
func (l lines) Enabled(_ context.Context, level slog.Level) bool { return level >= l.h.w.o.Level }

// Handle implements slog.Handler.
func (l lines) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Level.String())
	b.WriteByte(' ')
	b.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, "; %s %v", a.Key, a.Value)
		return true
	})
	l.h.w.say(l.h, "%s", b.String())
	return nil
}

// WithAttrs implements slog.Handler.
func (l lines) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements slog.Handler.
func (l lines) WithGroup(string) slog.Handler { return l }
