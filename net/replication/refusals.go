package replication

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hindmq/hind/net/transport"
)

// refusalsEvery is how often a kind of refusal is logged: a peer with a wrong password tries again and again, and a
// scanner must not be able to fill the log.
const refusalsEvery = 10 * time.Second

// refusals logs callers that did not become links.
type refusals struct {
	mu struct {
		sync.Mutex
		strangers, peers limiter
	}
}

type limiter struct {
	last    time.Time
	skipped int
}

func (l *limiter) take(now time.Time) (skipped int, ok bool) {
	if !l.last.IsZero() && now.Sub(l.last) < refusalsEvery {
		l.skipped++
		return 0, false
	}
	skipped = l.skipped
	l.last, l.skipped = now, 0
	return skipped, true
}

func (r *refusals) log(log *slog.Logger, address string, err error) {
	// A broker that is configured wrongly must not drown among strangers: two limits.
	peer := errors.Is(err, ErrWrongProof) || errors.Is(err, ErrVersion) || errors.Is(err, ErrSelf)
	r.mu.Lock()
	kind := &r.mu.strangers
	if peer {
		kind = &r.mu.peers
	}
	skipped, ok := kind.take(time.Now())
	r.mu.Unlock()
	if !ok {
		return
	}
	if peer {
		log.Error("pair port refused a broker", "remote", address, "error", err, "notLogged", skipped)
		return
	}
	advice := "this port is for the other broker of the pair alone: send clients to the acceptors' ports, and keep " +
		"others off this one by a firewall"
	if errors.Is(err, transport.ErrHandshakeTimeout) {
		advice = "who connected did not speak; " + advice
	}
	log.Warn("pair port refused a stranger", "remote", address, "error", err, "advice", advice, "notLogged", skipped)
}
