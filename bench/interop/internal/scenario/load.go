package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/hindmq/hind/bench/interop/internal/broker"
	"github.com/hindmq/hind/bench/interop/internal/history"
	"github.com/hindmq/hind/bench/interop/internal/worker"
)

const (
	floor       = 20               // confirmed sends before each fault, at least
	spread      = 300              // and up to that many more, by the seed
	afterHeal   = 10               // confirmed sends that prove service after a fault
	serviceTime = 60 * time.Second // within which service must be back: above the client's own longest time-out
	drainTime   = 90 * time.Second
)

// Load is how the load worker is set up.
type Load struct {
	Rate      int // sends per second and producer
	Producers int
	Tx        int
	Queues    int
	Size      int
}

// DefaultLoad keeps two cores busy without filling them, so that timings mean something.
func DefaultLoad() Load { return Load{Rate: 60, Producers: 4, Tx: 2, Queues: 3, Size: 1024} }

func (l Load) start(j worker.Java, url, prefix string) (*worker.Worker, error) {
	return j.Start("Load", true, "url="+url, "user="+broker.User, "password="+broker.Password, "prefix="+prefix,
		fmt.Sprintf("rate=%d", l.Rate), fmt.Sprintf("producers=%d", l.Producers), fmt.Sprintf("tx=%d", l.Tx),
		fmt.Sprintf("queues=%d", l.Queues), fmt.Sprintf("size=%d", l.Size))
}

// awaitMore waits until n more sends than now were confirmed, within limit.
func awaitMore(ctx context.Context, w *worker.Worker, n int64, limit time.Duration) error {
	ctx, cancel := stage(ctx, limit)
	defer cancel()
	return w.AwaitConfirmed(ctx, w.Confirmed()+n)
}

func fault(w *worker.Worker, kind string, n *broker.Node) {
	w.Record(history.Event{E: history.Fault, Kind: kind, Target: n.Name})
}

func healed(w *worker.Worker, kind string, n *broker.Node) {
	w.Record(history.Event{E: history.Healed, Kind: kind, Target: n.Name})
}
