package deptest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// docs/concurrency.md has the full list of locks: a file with a mutex that it does not name, or a file that it names and
// that has none any more, is a failure. Harnesses under bench and fuzz are not part of a broker.
func TestLocksAreListed(t *testing.T) {
	tr := load(t)
	text, err := os.ReadFile(filepath.Join(tr.root, "docs", "concurrency.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, ok := strings.Cut(string(text), "## Locks\n")
	if !ok {
		t.Fatal("docs/concurrency.md has no section Locks")
	}
	locks := make(map[string]bool)
	for _, p := range tr.packages {
		if _, harness := below(p.path, free); harness {
			continue
		}
		for _, f := range p.files {
			if !f.test && (strings.Contains(f.text, "sync.Mutex") || strings.Contains(f.text, "sync.RWMutex") || strings.Contains(f.text, "sync.Cond")) {
				locks[f.path] = true
			}
		}
	}
	for path := range locks {
		if !strings.Contains(list, "| `"+path+"` |") {
			t.Errorf("%s has a lock that docs/concurrency.md does not list; say there what it guards", path)
		}
	}
	for _, line := range strings.Split(list, "\n") {
		path, _, found := strings.Cut(strings.TrimPrefix(line, "| `"), "` |")
		if strings.HasPrefix(line, "| `") && found && !locks[path] {
			t.Errorf("docs/concurrency.md lists a lock in %s, which has none", path)
		}
	}
}
