package replication

import (
	"os"
	"strconv"
	"testing"
)

// seedFromEnv is the one seed to run again, from HIND_SEED.
func seedFromEnv(t testing.TB) *uint64 {
	t.Helper()
	s := os.Getenv("HIND_SEED")
	if s == "" {
		return nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("HIND_SEED: %v", err)
	}
	return &n
}
