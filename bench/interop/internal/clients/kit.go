package clients

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"github.com/hindmq/hind/bench/interop"
	"github.com/hindmq/hind/bench/interop/internal/proc"
)

const (
	plugin         = "org.apache.maven.plugins:maven-dependency-plugin:3.1.2"
	artemisVersion = "2.40.0"
	maxEntry       = 256 << 20 // bytes; no file of the distribution comes near
)

// Client names one client library by its exact coordinates.
type Client struct {
	Name     string // how flags and folders call it
	Group    string
	Artifact string
	Version  string
	Jakarta  bool // speaks jakarta.jms instead of javax.jms
}

// All returns the clients that can be asked for: the smallest useful set first, then one per further protocol version.
func All() []Client {
	const old = "org.apache.activemq"
	return []Client{
		{Name: "2.6.4", Group: old, Artifact: "artemis-jms-client", Version: "2.6.4"},
		{Name: "2.28.0", Group: old, Artifact: "artemis-jms-client", Version: "2.28.0"},
		{Name: "jakarta-2.56.0", Group: "org.apache.artemis", Artifact: "artemis-jakarta-client", Version: "2.56.0", Jakarta: true},
		{Name: "2.16.0", Group: old, Artifact: "artemis-jms-client", Version: "2.16.0"},
		{Name: "2.19.1", Group: old, Artifact: "artemis-jms-client", Version: "2.19.1"},
		{Name: "2.24.0", Group: old, Artifact: "artemis-jms-client", Version: "2.24.0"},
		{Name: "2.31.2", Group: old, Artifact: "artemis-jms-client", Version: "2.31.2"},
		{Name: "2.40.0", Group: old, Artifact: "artemis-jms-client", Version: "2.40.0"},
	}
}

// Smallest is how many of All make the smallest useful set.
const Smallest = 3

// Named returns the client of that name.
func Named(name string) (Client, error) {
	var known []string
	for _, c := range All() {
		if c.Name == name {
			return c, nil
		}
		known = append(known, c.Name)
	}
	return Client{}, fmt.Errorf("clients: no client %q; there are %s", name, strings.Join(known, ", "))
}

// Kit fetches and compiles below Cache and says on Out what it does.
type Kit struct {
	Cache string
	Out   io.Writer
	Super *proc.Supervisor
}

// ClassPath returns the class path that runs the probes with the client; it fetches and compiles what is missing.
func (k *Kit) ClassPath(ctx context.Context, c Client) (string, error) {
	jars := filepath.Join(k.Cache, "clients", c.Name)
	err := k.once(jars, "fetch "+c.Group+":"+c.Artifact+":"+c.Version, func(dir string) error {
		pom, err := k.pom()
		if err != nil {
			return err
		}
		return k.tool(ctx, "mvn", "-B", "-q", "-f", pom, plugin+":copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+dir,
			"-Dclient.group="+c.Group, "-Dclient.artifact="+c.Artifact, "-Dclient.version="+c.Version)
	})
	if err != nil {
		return "", err
	}
	sources, hash, err := k.sources(c)
	if err != nil {
		return "", err
	}
	classes := filepath.Join(k.Cache, "classes", c.Name+"-"+hash)
	err = k.once(classes, "compile the probes for "+c.Name, func(dir string) error { return k.compile(ctx, sources, jars, dir) })
	if err != nil {
		return "", err
	}
	return classes + string(os.PathListSeparator) + filepath.Join(jars, "*"), nil
}

// Distribution returns the folder of the reference broker, fetching it when it is missing.
func (k *Kit) Distribution(ctx context.Context) (string, error) {
	home := filepath.Join(k.Cache, "apache-artemis-"+artemisVersion)
	err := k.once(home, "fetch the reference broker "+artemisVersion, func(dir string) error {
		down := dir + ".download"
		defer os.RemoveAll(down)
		err := k.tool(ctx, "mvn", "-B", "-q", plugin+":copy", "-Dartifact=org.apache.activemq:apache-artemis:"+artemisVersion+":tar.gz:bin", "-DoutputDirectory="+down)
		if err != nil {
			return err
		}
		return unpack(filepath.Join(down, "apache-artemis-"+artemisVersion+"-bin.tar.gz"), dir)
	})
	return home, err
}

// once makes dir by calling fill on a folder beside it, unless dir is there.
func (k *Kit) once(dir, what string, fill func(dir string) error) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	fmt.Fprintf(k.Out, "%s into %s\n", what, dir)
	part := dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		return fmt.Errorf("clients: %s: %w", what, err)
	}
	if err := os.MkdirAll(part, 0o755); err != nil {
		return fmt.Errorf("clients: %s: %w", what, err)
	}
	if err := fill(part); err != nil {
		return fmt.Errorf("clients: %s: %w", what, err)
	}
	if err := os.Rename(part, dir); err != nil {
		return fmt.Errorf("clients: %s: %w", what, err)
	}
	return nil
}

func (k *Kit) pom() (string, error) {
	b, err := interop.Files.ReadFile("poms/client.xml")
	if err != nil {
		return "", err
	}
	path := filepath.Join(k.Cache, "client-pom.xml")
	return path, os.WriteFile(path, b, 0o644)
}

// sources returns the probes' sources by file name, in the client's vocabulary, and a hash of them.
func (k *Kit) sources(c Client) (map[string]string, string, error) {
	out := make(map[string]string)
	err := fs.WalkDir(interop.Files, "java", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".java") {
			return err
		}
		b, err := interop.Files.ReadFile(path)
		if err != nil {
			return err
		}
		text := string(b)
		if c.Jakarta {
			text = strings.ReplaceAll(text, "javax.jms.", "jakarta.jms.")
		}
		out[path] = text
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("clients: read the probes' sources: %w", err)
	}
	names := make([]string, 0, len(out))
	for n := range out {
		names = append(names, n)
	}
	sort.Strings(names)
	h := sha256.New()
	for _, n := range names {
		fmt.Fprintf(h, "%s %d\n%s", n, len(out[n]), out[n])
	}
	return out, hex.EncodeToString(h.Sum(nil))[:12], nil
}

func (k *Kit) compile(ctx context.Context, sources map[string]string, jars, dir string) error {
	src, err := os.MkdirTemp(k.Cache, "src-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(src)
	args := []string{"-nowarn", "-proc:none", "-Xlint:-options,-deprecation", "-encoding", "UTF-8", "--release", "17", "-cp", filepath.Join(jars, "*"), "-d", dir}
	for name, text := range sources {
		path := filepath.Join(src, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
		args = append(args, path)
	}
	return k.tool(ctx, "javac", args...)
}

// tool runs a program to its end; its output is shown when it fails.
func (k *Kit) tool(ctx context.Context, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return fmt.Errorf("%s is needed (Go, Java 17 and Maven must be installed): %w", name, err)
	}
	if err := os.MkdirAll(k.Cache, 0o755); err != nil {
		return err
	}
	log, err := os.CreateTemp(k.Cache, name+"-*.log")
	if err != nil {
		return err
	}
	defer os.Remove(log.Name())
	if err := log.Close(); err != nil {
		return err
	}
	p, err := k.Super.Start(proc.Spec{Path: path, Args: args, Dir: k.Cache, Log: log.Name()})
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("%s: %w", name, ctx.Err())
	}
	if p.Err() != nil {
		out, err := os.ReadFile(log.Name())
		return errors.Join(fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), p.Err(), out), err)
	}
	return nil
}

// unpack writes a tar.gz below dir, without the archive's first folder.
func unpack(archive, dir string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", archive, err)
		}
		_, name, ok := strings.Cut(h.Name, "/")
		if !ok || name == "" {
			continue
		}
		if !filepath.IsLocal(name) {
			return fmt.Errorf("%s: entry %q leaves the folder", archive, h.Name)
		}
		if err := extract(t, h, filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("%s: entry %q: %w", archive, h.Name, err)
		}
	}
}

func extract(t *tar.Reader, h *tar.Header, path string) error {
	if h.Typeflag == tar.TypeDir {
		return os.MkdirAll(path, 0o755)
	}
	if h.Typeflag != tar.TypeReg {
		return nil // the distribution runs without its links
	}
	if h.Size > maxEntry {
		return fmt.Errorf("%d bytes, more than %d", h.Size, maxEntry)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fs.FileMode(h.Mode)&0o755|0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, t, h.Size)
	return errors.Join(err, f.Close())
}
