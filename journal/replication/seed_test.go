package replication

import (
	"fmt"
	"os"
	"testing"
)

// seedsFromEnv are the seeds to run, from HIND_SEEDS: "first count".
func seedsFromEnv(t testing.TB) (first, count uint64, ok bool) {
	t.Helper()
	s := os.Getenv("HIND_SEEDS")
	if s == "" {
		return 0, 0, false
	}
	if _, err := fmt.Sscan(s, &first, &count); err != nil {
		t.Fatalf("HIND_SEEDS: %v", err)
	}
	return first, count, true
}
