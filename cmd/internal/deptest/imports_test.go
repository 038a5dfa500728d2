package deptest

import (
	"slices"
	"strings"
	"testing"
)

// layers are the houses of the one-way street, from the one that may import most to the one that may import nothing.
var layers = []string{"cmd", "net", "broker", "journal", "aio"}

// free may import anything and are imported by nothing but themselves.
var free = []string{"bench", "fuzz"}

// arrow is a rule for one package, and for those below it unless they have a rule of their own: what of its own layer it
// may import (layers to its right are open unless shut), and what else it must not touch.
type arrow struct {
	pkg      string
	siblings []string // of the same layer, with everything below them; a package below pkg may import pkg always
	shut     []string // of layers to the right
	noNet    bool     // no sockets
	pure     bool     // no sockets, no clock, no global randomness
}

// arrows has a line for every package that imports a sibling or is held to more than the street. Others may import
// nothing of their own layer.
var arrows = []arrow{
	{pkg: "aio", siblings: []string{"aio/internal"}},
	{pkg: "aio/internal"},
	{pkg: "aio/aiotest", siblings: []string{"aio"}},

	{pkg: "journal/record", shut: []string{"aio"}, pure: true},
	{pkg: "journal/datafile", siblings: []string{"journal/record"}, noNet: true},
	{pkg: "journal", siblings: []string{"journal/record", "journal/datafile"}, pure: true},
	{pkg: "journal/inspect", siblings: []string{"journal"}, noNet: true},
	{pkg: "journal/replication", siblings: []string{"journal"}, pure: true},

	{pkg: "broker/clock", pure: true},
	{pkg: "broker/fault", pure: true, shut: []string{"journal", "aio"}},
	{pkg: "broker/message", siblings: []string{"broker/fault"}, shut: []string{"journal", "aio"}, pure: true},
	{pkg: "broker/address", siblings: []string{"broker/fault"}, shut: []string{"journal", "aio"}, pure: true},
	{pkg: "broker/filter", siblings: []string{"broker/fault", "broker/message"}, shut: []string{"journal", "aio"}, pure: true},
	{pkg: "broker/config", shut: []string{"journal", "aio"}},
	{pkg: "broker/ha", siblings: []string{"broker/clock"}, shut: []string{"aio"}, pure: true},
	{pkg: "broker/queue", siblings: []string{"broker/clock", "broker/fault", "broker/message", "broker/address", "broker/filter"},
		shut: []string{"journal", "aio"}, pure: true},
	{pkg: "broker/postoffice", siblings: []string{"broker/clock", "broker/fault", "broker/message", "broker/address",
		"broker/filter", "broker/queue"}, shut: []string{"journal", "aio"}, pure: true},
	{pkg: "broker/storage", siblings: []string{"broker/clock", "broker/fault", "broker/message", "broker/address", "broker/filter",
		"broker/queue", "broker/postoffice"}, shut: []string{"aio"}, pure: true},
	{pkg: "broker/shard", siblings: []string{"broker/clock", "broker/fault", "broker/message", "broker/address", "broker/filter",
		"broker/queue", "broker/postoffice", "broker/storage"}, shut: []string{"aio"}, noNet: true},
	{pkg: "broker/session", siblings: []string{"broker/clock", "broker/fault", "broker/message", "broker/address", "broker/filter",
		"broker/queue", "broker/postoffice", "broker/storage", "broker/shard"}, shut: []string{"aio"}, noNet: true},
	{pkg: "broker", siblings: []string{"broker"}},

	{pkg: "net/transport", shut: []string{"broker", "journal", "aio"}},
	{pkg: "net/core/wire", shut: []string{"journal", "aio"}, pure: true},
	{pkg: "net/core", siblings: []string{"net/transport", "net/remoting"}, shut: []string{"aio"}},
	{pkg: "net/replication", siblings: []string{"net/transport"}},
	{pkg: "net/client", siblings: []string{"net/transport", "net/core/wire"}, shut: []string{"aio"}},
	{pkg: "net/remoting", siblings: []string{"net/transport"}, shut: []string{"broker", "journal", "aio"}}, // knows no protocol
}

// keepers are the only packages that may import a module or package of others.
var keepers = map[string][]string{
	"github.com/panjf2000/gnet/v2":        {"net/transport"},
	"golang.org/x/sys":                    {"aio", "bench"},
	"github.com/cespare/xxhash/v2":        {"journal", "broker/storage", "bench", "fuzz"},
	"github.com/klauspost/compress":       {"journal", "bench"},
	"github.com/spf13/cobra":              {"cmd"},
	"github.com/prometheus/client_golang": {"cmd", "net"},
	"github.com/google/pprof":             {"bench", "cmd"},
	"pgregory.net/rapid":                  nil, // tests only
	"unsafe":                              {"aio"},
}

// The street is one-way, and each package keeps to its rule.
func TestImports(t *testing.T) {
	for _, p := range load(t).packages {
		for _, f := range p.files {
			ours, others := f.imports()
			for _, target := range ours {
				if why := forbidden(p.path, target, f.test); why != "" {
					t.Errorf("%s imports %s: %s", f.path, target, why)
				}
			}
			for _, target := range others {
				if why := foreign(p.path, target, f.test); why != "" {
					t.Errorf("%s imports %s: %s", f.path, target, why)
				}
			}
		}
	}
}

// forbidden says why a package of ours may not be imported, or nothing.
func forbidden(from, to string, test bool) string {
	for _, f := range free {
		if within(from, f) {
			return ""
		}
		if within(to, f) {
			return f + " is imported by nothing"
		}
	}
	if test && (within(from, to) || within(to, from)) {
		return "" // a test may use what belongs to its own package
	}
	source, target := layerOf(from), layerOf(to)
	rule := arrowOf(from)
	switch {
	case source < 0 || target < 0:
		return "it is outside of the layers " + strings.Join(layers, ", ")
	case target < source:
		return "imports go one way: " + strings.Join(layers, " -> ")
	case target > source:
		if dir, hit := below(to, rule.shut); hit && !test {
			return rule.pkg + " must not know " + dir
		}
		return ""
	case within(to, from), within(from, to) && within(to, rule.pkg):
		return "" // a package and what lies below it belong together, unless the lower one has a rule of its own
	}
	if _, ok := below(to, rule.siblings); ok || source == 0 || test {
		return ""
	}
	return "it is not among the siblings that " + from + " may import"
}

// foreign says why a package of others may not be imported, or nothing.
func foreign(from, to string, test bool) string {
	for name, who := range keepers {
		if !within(to, name) {
			continue
		}
		if _, ok := below(from, who); !ok && !test {
			return "only " + strings.Join(who, ", ") + " may know it"
		}
		return ""
	}
	if strings.Contains(strings.Split(to, "/")[0], ".") {
		return "it is not in the table of modules"
	}
	rule := arrowOf(from)
	if rule.pkg == "" || test {
		return ""
	}
	if (rule.noNet || rule.pure) && (to == "net" || strings.HasPrefix(to, "net/")) && to != "net/url" {
		return rule.pkg + " has no sockets"
	}
	if rule.pure && (to == "math/rand" || to == "math/rand/v2" || to == "crypto/rand" || to == "os" || to == "syscall") {
		return rule.pkg + " is pure"
	}
	return ""
}

// layerOf is the index in layers, or -1.
func layerOf(pkg string) int {
	return slices.IndexFunc(layers, func(l string) bool { return within(pkg, l) })
}

// arrowOf is the most exact rule for a package; the zero arrow: none.
func arrowOf(pkg string) arrow {
	var best arrow
	for _, a := range arrows {
		if within(pkg, a.pkg) && len(a.pkg) > len(best.pkg) {
			best = a
		}
	}
	return best
}

// below says whether pkg is one of dirs or below one, and which.
func below(pkg string, dirs []string) (string, bool) {
	for _, d := range dirs {
		if within(pkg, d) {
			return d, true
		}
	}
	return "", false
}

// The rules themselves, so that a change to the walk cannot make them pass everything.
func TestForbidden(t *testing.T) {
	for _, c := range []struct {
		from, to string
		test, ok bool
	}{
		{"cmd/hind", "broker", false, true}, {"broker", "cmd/hind", false, false}, {"net/core", "broker/session", false, true},
		{"broker/session", "net/core", false, false}, {"broker/session", "broker/shard", false, true},
		{"broker/shard", "broker/session", false, false}, {"broker/queue", "journal", false, false},
		{"broker/queue", "journal", true, true}, {"journal", "aio", false, true}, {"aio", "journal", true, false},
		{"journal/record", "journal", false, false}, {"journal/record", "aio", false, false}, {"journal", "journal/record", false, true},
		{"net/core", "net/replication", false, false}, {"net/core", "net/core/wire", false, true}, {"net/remoting", "net/core", false, false}, {"net/core", "net/remoting", false, true},
		{"bench", "aio", false, true}, {"fuzz/sim", "broker", false, true}, {"broker", "bench", false, false},
		{"broker/config", "broker/address", false, false}, {"broker/config", "journal", false, false}, {"tools", "aio", false, false},
	} {
		if why := forbidden(c.from, c.to, c.test); (why == "") != c.ok {
			t.Errorf("%s -> %s (test %v): %q", c.from, c.to, c.test, why)
		}
	}
	for _, c := range []struct {
		from, to string
		test, ok bool
	}{
		{"net/transport", "github.com/panjf2000/gnet/v2/pkg/logging", false, true}, {"net/core", "github.com/panjf2000/gnet/v2", false, false},
		{"journal", "golang.org/x/sys/unix", false, false}, {"aio/internal/uring", "unsafe", false, true}, {"journal", "unsafe", false, false},
		{"broker/ha", "net", false, false}, {"broker/ha", "net", true, true}, {"broker/ha", "math/rand", false, false},
		{"broker/config", "net/url", false, true}, {"broker", "github.com/stretchr/testify", true, false},
		{"broker/ha", "pgregory.net/rapid", true, true}, {"broker/ha", "pgregory.net/rapid", false, false},
	} {
		if why := foreign(c.from, c.to, c.test); (why == "") != c.ok {
			t.Errorf("%s -> %s (test %v): %q", c.from, c.to, c.test, why)
		}
	}
}
