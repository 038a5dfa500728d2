//go:build planted

package planted

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// plant is one patch.
type plant struct {
	file string // name of the patch
	pkg  string
	run  string // regexp of the tests that must see it
}

// TestPlanted applies one patch after the other to a copy of the tree.
func TestPlanted(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	plants := read(t)
	tree := filepath.Join(t.TempDir(), "tree")
	copyTree(t, root, tree)
	checked := map[string]bool{}
	caught := 0
	for _, p := range plants {
		t.Run(strings.TrimSuffix(p.file, ".patch"), func(t *testing.T) {
			if key := p.pkg + " " + p.run; !checked[key] {
				checked[key] = true
				if out, err := goTest(tree, p); err != nil {
					t.Fatalf("without the mistake the test is red, so it proves nothing: %v\n%s", err, out)
				} else if strings.Contains(out, "no tests to run") {
					t.Fatalf("no test of %s is called %s", p.pkg, p.run)
				}
			}
			patch := filepath.Join(root, "fuzz/planted", p.file)
			if out, err := apply(tree, patch); err != nil {
				t.Fatalf("%s applies no more: %v\n%s\nmake it anew against the present source", p.file, err, out)
			}
			out, err := goTest(tree, p)
			if back, err := apply(tree, patch, "--reverse"); err != nil {
				t.Fatalf("take the patch back: %v\n%s", err, back)
			}
			switch {
			case err == nil:
				t.Errorf("not caught: %s stays green with the mistake of %s", p.pkg, p.file)
			case !strings.Contains(out, "--- FAIL") && !strings.Contains(out, "panic:"):
				t.Errorf("red for another reason than a test:\n%s", out)
			default:
				caught++
				t.Logf("caught: %s", firstComplaint(out))
			}
		})
	}
	fmt.Printf("%d of %d caught\n", caught, len(plants))
}

// read finds the patches and what their first lines say.
func read(t *testing.T) []plant {
	files, err := filepath.Glob("*.patch")
	if err != nil || len(files) == 0 {
		t.Fatalf("no patches here: %v", err)
	}
	slices.Sort(files)
	var plants []plant
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := bytes.Cut(text, []byte("\n"))
		f := strings.Fields(strings.TrimPrefix(string(first), "# test:"))
		if !strings.HasPrefix(string(first), "# test: ") || len(f) != 2 {
			t.Fatalf("%s begins with %q, not with \"# test: PACKAGE REGEXP\"", file, first)
		}
		plants = append(plants, plant{file, f[0], f[1]})
	}
	return plants
}

// copyTree copies what belongs to the project, committed or not.
func copyTree(t *testing.T, from, to string) {
	list := exec.Command("git", "ls-files", "-co", "--exclude-standard", "-z")
	list.Dir = from
	names, err := list.Output()
	if err != nil {
		t.Fatalf("list the files of the tree: %v", err)
	}
	for _, name := range strings.Split(strings.TrimRight(string(names), "\x00"), "\x00") {
		info, err := os.Stat(filepath.Join(from, name))
		if err != nil || !info.Mode().IsRegular() {
			continue // deleted and not committed, or no file
		}
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(to, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), text, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
}

// apply applies a patch. The copy lies in no repository, or git would take the patch's paths for that one's.
func apply(tree, patch string, options ...string) (string, error) {
	cmd := exec.Command("git", append(append([]string{"apply"}, options...), patch)...)
	cmd.Dir = tree
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(tree))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func goTest(tree string, p plant) (string, error) {
	cmd := exec.Command("go", "test", "-short", "-count=1", "-timeout=10m", "-run", p.run, p.pkg)
	cmd.Dir = tree
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// firstComplaint is the first line of the output that says what was wrong.
func firstComplaint(out string) string {
	for _, line := range strings.Split(out, "\n") {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "_test.go:") || strings.HasPrefix(line, "panic:") {
			return line[:min(200, len(line))]
		}
	}
	return "red"
}
