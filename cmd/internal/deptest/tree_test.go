package deptest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/hindmq/hind"

// tree is the parsed source of the module.
type tree struct {
	root     string
	fset     *token.FileSet
	packages []*pkg // by path
}

// pkg is one directory with Go files. Its path is relative to the module, with slashes.
type pkg struct {
	path  string
	files []*file
}

type file struct {
	path  string // relative to the module
	name  string
	test  bool
	text  string
	ast   *ast.File
	lines int
}

// load parses the module once per test; a second is not worth a shared variable.
func load(t *testing.T) *tree {
	t.Helper()
	tr := &tree{root: moduleRoot(t), fset: token.NewFileSet()}
	byPath := make(map[string]*pkg)
	err := filepath.WalkDir(tr.root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return tr.enter(name, d)
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		f, err := tr.parse(name)
		if err != nil {
			return err
		}
		dir := path.Dir(f.path)
		if byPath[dir] == nil {
			byPath[dir] = &pkg{path: dir}
			tr.packages = append(tr.packages, byPath[dir])
		}
		byPath[dir].files = append(byPath[dir].files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sort.Slice(tr.packages, func(i, j int) bool { return tr.packages[i].path < tr.packages[j].path })
	if len(tr.packages) < 10 {
		t.Fatalf("only %d packages found below %s", len(tr.packages), tr.root)
	}
	return tr
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module "+module+"\n") {
			return dir
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no go.mod of " + module + " above the test")
		}
		dir = filepath.Dir(dir)
	}
}

// enter skips what is not part of the module.
func (tr *tree) enter(name string, d fs.DirEntry) error {
	base := d.Name()
	if name != tr.root && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata") {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil && name != tr.root {
		return filepath.SkipDir
	}
	return nil
}

func (tr *tree) parse(name string) (*file, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.ParseFile(tr.fset, name, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(tr.root, name)
	if err != nil {
		return nil, err
	}
	return &file{
		path: filepath.ToSlash(rel), name: filepath.Base(name), test: strings.HasSuffix(name, "_test.go"),
		text: string(text), ast: parsed, lines: strings.Count(string(text), "\n"),
	}, nil
}

// imports lists the import paths of a file; those of the module are relative to it and marked by ours.
func (f *file) imports() (ours, others []string) {
	for _, spec := range f.ast.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has checked it
		}
		if p == module || strings.HasPrefix(p, module+"/") {
			ours = append(ours, strings.TrimPrefix(strings.TrimPrefix(p, module), "/"))
		} else {
			others = append(others, p)
		}
	}
	return ours, others
}

// within says whether a package is dir or below it.
func within(pkg, dir string) bool { return pkg == dir || strings.HasPrefix(pkg, dir+"/") }

// source says whether a package has files besides tests.
func (p *pkg) source() bool {
	for _, f := range p.files {
		if !f.test {
			return true
		}
	}
	return false
}
