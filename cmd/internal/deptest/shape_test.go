package deptest

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// Measures of the house. The exceptions are written out with their reason.
const (
	fileLinesMax     = 600
	functionLinesMax = 70
	structFieldsMax  = 20
	parametersMax    = 6 // think at 4
)

// longFunctions may have more than functionLinesMax lines: a switch that only dispatches, or a table.
var longFunctions = map[string]string{
	"net/core/wire.Type.name":                    "one line per packet",
	"net/core/wire.Type.nameOfConnectionPackets": "one line per packet",
}

// variables that are allowed at package level beside errors and tables that nothing changes.
var variables = map[string]string{
	"aio.begun":        "the time base of systems without a boot clock; read once",
	"cmd/hind.version": "set by the linker",
}

// Every package tells what it is in doc.go, and has a name that says something.
func TestEveryPackageHasADoc(t *testing.T) {
	vague := []string{"util", "utils", "common", "helper", "helpers", "base", "manager", "misc", "shared", "types"}
	for _, p := range load(t).packages {
		if slices.Contains(vague, path.Base(p.path)) {
			t.Errorf("%s: a package is named after what it holds", p.path)
		}
		if p.path == "net" {
			t.Errorf("net: no Go file lives directly in net, so that the standard net keeps its name")
		}
		var doc *file
		for _, f := range p.files {
			if f.name == "doc.go" {
				doc = f
			}
		}
		switch {
		case doc == nil && (p.source() || p.path == "cmd/internal/deptest"):
			t.Errorf("%s has no doc.go", p.path)
		case doc != nil && doc.ast.Doc == nil:
			t.Errorf("%s has no package comment", doc.path)
		case doc != nil && len(doc.ast.Decls) > 0:
			t.Errorf("%s holds more than the package comment", doc.path)
		}
	}
}

// Files and functions can be read in one go.
func TestSizes(t *testing.T) {
	tr := load(t)
	used := make(map[string]bool)
	for _, p := range tr.packages {
		for _, f := range p.files {
			if f.lines > fileLinesMax {
				t.Errorf("%s has %d lines; split it by idea at %d", f.path, f.lines, fileLinesMax)
			}
			if f.test {
				continue
			}
			for _, d := range f.ast.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Body == nil {
					continue
				}
				name := p.path + "." + functionName(fn)
				lines := tr.fset.Position(fn.End()).Line - tr.fset.Position(fn.Pos()).Line + 1
				if lines > functionLinesMax && longFunctions[name] == "" {
					t.Errorf("%s in %s has %d lines; stop at %d", name, f.path, lines, functionLinesMax)
				}
				used[name] = used[name] || lines > functionLinesMax
				if n := fn.Type.Params.NumFields(); n > parametersMax {
					t.Errorf("%s in %s has %d parameters; group them", name, f.path, n)
				}
			}
			checkStructs(t, f)
		}
	}
	for name := range longFunctions {
		if !used[name] {
			t.Errorf("%s needs no exception any more; remove it", name)
		}
	}
}

func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	recv := fn.Recv.List[0].Type
	if star, ok := recv.(*ast.StarExpr); ok {
		recv = star.X
	}
	if index, ok := recv.(*ast.IndexExpr); ok {
		recv = index.X
	}
	if id, ok := recv.(*ast.Ident); ok {
		return id.Name + "." + fn.Name.Name
	}
	return fn.Name.Name
}

func checkStructs(t *testing.T, f *file) {
	t.Helper()
	ast.Inspect(f.ast, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok && s.Fields.NumFields() > structFieldsMax {
			t.Errorf("%s: %s has %d fields; group them by owner at %d", f.path, spec.Name.Name, s.Fields.NumFields(), structFieldsMax)
		}
		return true
	})
}

// Two brokers live in one process, so nothing at package level changes: errors, interface checks and tables only.
func TestNoPackageState(t *testing.T) {
	for _, p := range load(t).packages {
		changed := changedNames(p)
		for _, f := range p.files {
			if f.test {
				continue
			}
			for _, d := range f.ast.Decls {
				gen, ok := d.(*ast.GenDecl)
				if !ok || gen.Tok != token.VAR {
					continue
				}
				for _, spec := range gen.Specs {
					checkVar(t, p, f, spec.(*ast.ValueSpec), changed)
				}
			}
			if fn := initFunction(f); fn != nil {
				t.Errorf("%s has an init function; build what it makes where it is used", f.path)
			}
		}
	}
}

func checkVar(t *testing.T, p *pkg, f *file, spec *ast.ValueSpec, changed map[string]bool) {
	t.Helper()
	for i, id := range spec.Names {
		name := p.path + "." + id.Name
		if id.Name == "_" || variables[name] != "" {
			continue
		}
		if changed[id.Name] && id.IsExported() == false {
			t.Errorf("%s: %s is changed somewhere; no state at package level", f.path, id.Name)
			continue
		}
		if i >= len(spec.Values) || !constant(spec.Values[i]) {
			t.Errorf("%s: %s is neither an error nor a table; no state at package level", f.path, id.Name)
		}
	}
}

// constant says whether a value looks like one that never changes.
func constant(value ast.Expr) bool {
	switch v := value.(type) {
	case *ast.CompositeLit, *ast.BasicLit:
		return true
	case *ast.SelectorExpr: // another package's error under a name of this one
		return strings.HasPrefix(v.Sel.Name, "Err")
	case *ast.UnaryExpr:
		_, literal := v.X.(*ast.CompositeLit)
		return v.Op == token.AND && literal
	case *ast.CallExpr:
		sel, ok := v.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		x, _ := sel.X.(*ast.Ident)
		if x == nil {
			return false
		}
		switch x.Name + "." + sel.Sel.Name {
		case "errors.New", "fmt.Errorf", "crc32.MakeTable":
			return true
		}
	}
	return false
}

// changedNames are the names that some statement of the package assigns to, takes the address of, or deletes from. Local
// variables of the same name are counted too: a table that shares a name with them is better renamed.
func changedNames(p *pkg) map[string]bool {
	changed := make(map[string]bool)
	for _, f := range p.files {
		if f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch s := n.(type) {
			case *ast.AssignStmt:
				if s.Tok != token.DEFINE {
					for _, left := range s.Lhs {
						changed[rootName(left)] = true
					}
				}
			case *ast.IncDecStmt:
				changed[rootName(s.X)] = true
			}
			return true
		})
	}
	return changed
}

// rootName is the variable at the bottom of x.f[i].
func rootName(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x.Name
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return ""
		}
	}
}

func initFunction(f *file) *ast.FuncDecl {
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			return fn
		}
	}
	return nil
}

// What tests must not do, and what must not be left lying about.
func TestNothingIsPutOff(t *testing.T) {
	marks := []string{"TO" + "DO", "FIX" + "ME", "XX" + "X:"}
	for _, p := range load(t).packages {
		for _, f := range p.files {
			for _, m := range marks {
				if strings.Contains(f.text, m) {
					t.Errorf("%s holds %s; do it, or open an issue", f.path, m)
				}
			}
			if f.test {
				checkTest(t, f)
			}
		}
	}
}

func checkTest(t *testing.T, f *file) {
	t.Helper()
	ast.Inspect(f.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, _ := sel.X.(*ast.Ident)
		switch {
		case x != nil && x.Name == "time" && sel.Sel.Name == "Sleep":
			t.Errorf("%s sleeps; wait for an event, or use testing/synctest", f.path)
		case sel.Sel.Name == "Skip" || sel.Sel.Name == "Skipf" || sel.Sel.Name == "SkipNow":
			t.Errorf("%s skips; a mechanism that is missing is a failure", f.path)
		}
		return true
	})
}

// The clock and the global randomness are read at the rim only.
func TestTimeIsAnArgument(t *testing.T) {
	for _, p := range load(t).packages {
		if !arrowOf(p.path).pure {
			continue
		}
		for _, f := range p.files {
			if f.test {
				continue
			}
			ast.Inspect(f.ast, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				x, _ := sel.X.(*ast.Ident)
				if x != nil && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "NewTimer",
					"NewTicker", "Tick"}, sel.Sel.Name) {
					t.Errorf("%s uses time.%s; time is an argument there", f.path, sel.Sel.Name)
				}
				return true
			})
		}
	}
}
