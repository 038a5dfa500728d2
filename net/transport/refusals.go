package transport

import (
	"log/slog"
	"sync"
	"time"
)

// refusalsEvery is how often one acceptor logs connections that it did not take: a flood of them must not become a
// flood of log lines.
const refusalsEvery = 5 * time.Second

// refusals logs the first of a kind at once, then a count.
type refusals struct {
	mu struct {
		sync.Mutex
		last    time.Time
		skipped int
	}
}

func (r *refusals) log(log *slog.Logger, address string, err error) {
	r.mu.Lock()
	now := time.Now()
	if !r.mu.last.IsZero() && now.Sub(r.mu.last) < refusalsEvery {
		r.mu.skipped++
		r.mu.Unlock()
		return
	}
	skipped := r.mu.skipped
	r.mu.last, r.mu.skipped = now, 0
	r.mu.Unlock()
	log.Warn("a connection was not taken", "acceptor", address, "error", err, "notLogged", skipped)
}
