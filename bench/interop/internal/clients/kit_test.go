package clients

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hindmq/hind/bench/interop/internal/proc"
)

func kit(t *testing.T) *Kit {
	t.Helper()
	s := proc.NewSupervisor()
	t.Cleanup(s.Close)
	return &Kit{Cache: t.TempDir(), Out: io.Discard, Super: s}
}

func TestOnceMakesAWholeFolderOrNone(t *testing.T) {
	k := kit(t)
	dir := filepath.Join(k.Cache, "thing")
	broken := errors.New("broken")
	calls := 0
	fill := func(result error) func(string) error {
		return func(part string) error {
			calls++
			return errors.Join(os.WriteFile(filepath.Join(part, "file"), []byte("x"), 0o644), result)
		}
	}
	if err := k.once(dir, "make a thing", fill(broken)); !errors.Is(err, broken) {
		t.Fatalf("error %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Fatal("a half-made folder counts as made")
	}
	for range 3 {
		if err := k.once(dir, "make a thing", fill(nil)); err != nil {
			t.Fatal(err)
		}
	}
	if calls != 2 {
		t.Fatalf("filled %d times, want once broken and once whole", calls)
	}
}

func TestSourcesSpeakTheClientsVocabulary(t *testing.T) {
	k := kit(t)
	javax, h1, err := k.sources(Client{})
	if err != nil {
		t.Fatal(err)
	}
	jakarta, h2, err := k.sources(Client{Jakarta: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(javax) < 10 || len(javax) != len(jakarta) || h1 == h2 {
		t.Fatalf("%d and %d sources, hashes %s and %s", len(javax), len(jakarta), h1, h2)
	}
	for name, text := range jakarta {
		if strings.Contains(text, "javax.jms") {
			t.Errorf("%s still says javax.jms", name)
		}
		if strings.Contains(javax[name], "jakarta.") {
			t.Errorf("%s says jakarta before it is renamed", name)
		}
	}
}

func TestToolShowsTheOutputOfAFailure(t *testing.T) {
	k := kit(t)
	err := k.tool(context.Background(), "sh", "-c", "echo the reason; exit 2")
	if err == nil || !strings.Contains(err.Error(), "the reason") || !strings.Contains(err.Error(), "exit status 2") {
		t.Fatalf("error %v", err)
	}
	if err := k.tool(context.Background(), "no-such-tool"); err == nil || !strings.Contains(err.Error(), "Maven") {
		t.Fatalf("a missing tool: %v", err)
	}
	if err := k.tool(context.Background(), "true"); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(k.Cache, "*.log"))
	if err != nil || len(left) > 0 {
		t.Fatalf("left %v, %v", left, err)
	}
}

func archive(t *testing.T, entries ...tar.Header) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, h := range entries {
		body := []byte(strings.Repeat("x", int(h.Size)))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.tar.gz")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUnpack(t *testing.T) {
	dir := t.TempDir()
	err := unpack(archive(t, tar.Header{Name: "top/", Typeflag: tar.TypeDir, Mode: 0o755}, tar.Header{Name: "top/bin/run", Typeflag: tar.TypeReg, Mode: 0o755, Size: 5}), dir)
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(filepath.Join(dir, "bin", "run"))
	if err != nil || st.Size() != 5 || st.Mode()&0o100 == 0 {
		t.Fatalf("%v, %v", st, err)
	}
	for _, name := range []string{"top/../../evil", "top//etc/evil"} {
		if err := unpack(archive(t, tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: 1}), t.TempDir()); err == nil {
			t.Errorf("entry %q was unpacked", name)
		}
	}
}

func TestNamed(t *testing.T) {
	for _, c := range All() {
		if got, err := Named(c.Name); err != nil || got != c {
			t.Errorf("%s: %+v, %v", c.Name, got, err)
		}
	}
	if _, err := Named("1.0"); err == nil || !strings.Contains(err.Error(), "jakarta-2.56.0") {
		t.Errorf("an unknown client: %v", err)
	}
}
