package ha

import (
	"errors"
	"fmt"
	"time"
)

// Mode says how a pair decides who may act alone. Its numbers are stable: 2 is kept for drop-after, 3 for a register
// that a witness or a vote keeps.
type Mode uint8

const (
	// ModeWait gives the right to the backup (rule H5): the active never confirms alone before it knows that the
	// backup's right is gone.
	ModeWait Mode = 1
)

func (m Mode) String() string {
	if m == ModeWait {
		return "wait"
	}
	return fmt.Sprintf("mode %d", uint8(m))
}

// Config is what an operator decides about one broker of a pair. All durations are of boot time.
type Config struct {
	Primary       bool // configured as primary; only a primary founds a node id
	Mode          Mode
	AllowFailback bool // as active, obey a primary that asks for its role back
	Failback      bool // as primary, ask for the role back once in sync (check-for-active-server=true)
	Init          bool // found a node id in an empty journal without having heard the other broker (--init)

	// NewNodeID is used if this broker founds: random, made by the caller, never zero.
	NewNodeID NodeID
	// Peers are where the other brokers of the pair may be reached, for people: one for a pair, none for a broker alone.
	Peers []string

	Lease          time.Duration // L: silence, and twice the time that a paired active delivers without an echo
	HeartbeatEvery time.Duration // of either side; well below Lease/2
	AskEvery       time.Duration // how often a broker that looks for its peer repeats its ask
	RedialEvery    time.Duration // between two attempts to connect
	SyncTimeout    time.Duration // initial-replication-sync-timeout: to acknowledge what is missing and be told
	HandoverLimit  time.Duration // for a handover to become durable on the successor, and for an orderly stop
	QuestionAfter  time.Duration // how long a broker looks for a way before it asks a human
}

// peersMax limits Config.Peers.
const peersMax = 8

// DefaultConfig has the values used where nothing is configured.
func DefaultConfig() Config {
	return Config{
		Mode:           ModeWait,
		AllowFailback:  true,
		Lease:          2 * time.Second,
		HeartbeatEvery: 200 * time.Millisecond,
		AskEvery:       250 * time.Millisecond,
		RedialEvery:    100 * time.Millisecond,
		SyncTimeout:    30 * time.Second,
		HandoverLimit:  10 * time.Second,
		QuestionAfter:  10 * time.Second,
	}
}

// Validate names the first setting that cannot work.
func (c Config) Validate() error {
	switch {
	case c.Mode != ModeWait:
		return fmt.Errorf("ha: %v is not built yet; use mode wait", c.Mode)
	case len(c.Peers) > peersMax:
		return fmt.Errorf("ha: %d peers, at most %d", len(c.Peers), peersMax)
	case c.NewNodeID.IsZero():
		return errors.New("ha: no node id to found with; pass a random one")
	case c.Init && !c.Primary:
		return errors.New("ha: --init founds a pair and belongs to its primary; start the backup without it")
	case c.Lease <= 0, c.AskEvery <= 0, c.RedialEvery <= 0, c.SyncTimeout <= 0, c.HandoverLimit <= 0, c.QuestionAfter <= 0:
		return errors.New("ha: every duration of the ha policy must be positive")
	case c.HeartbeatEvery <= 0 || c.HeartbeatEvery > c.Lease/4:
		return fmt.Errorf("ha: heartbeat every %v does not fit the lease of %v; at most a quarter of it", c.HeartbeatEvery, c.Lease)
	}
	return nil
}
