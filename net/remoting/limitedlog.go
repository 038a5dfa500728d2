package remoting

import (
	"log/slog"
	"sync"
	"time"
)

// unknownEvery is how often one acceptor logs connections that never spoke a protocol: port scanners and load
// balancers' checks must not fill the log.
const unknownEvery = 10 * time.Second

// limitedLog logs the first at once, then a count.
type limitedLog struct {
	mu struct {
		sync.Mutex
		last    time.Time
		skipped int
	}
}

func (l *limitedLog) log(log *slog.Logger, acceptor string, err error) {
	l.mu.Lock()
	now := time.Now()
	if !l.mu.last.IsZero() && now.Sub(l.mu.last) < unknownEvery {
		l.mu.skipped++
		l.mu.Unlock()
		return
	}
	skipped := l.mu.skipped
	l.mu.last, l.mu.skipped = now, 0
	l.mu.Unlock()
	log.Warn("a connection ended before it spoke a protocol", "acceptor", acceptor, "error", err, "notLogged", skipped)
}
