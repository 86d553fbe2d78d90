package importrules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// forbidden are names that an adapter may not use, by import path: what reads the clock, and what would let it serve.
func forbidden() map[string]map[string]string {
	clock := "an adapter does not read the clock"
	return map[string]map[string]string{
		"time": {
			"Now": clock, "Since": clock, "Until": clock, "Sleep": clock, "After": clock, "AfterFunc": clock, "Tick": clock,
			"NewTimer": clock, "NewTicker": clock,
		},
		"net/http": {
			"ResponseWriter": "an adapter never sees the client's connection",
			"DefaultClient":  "an adapter does not send", "DefaultTransport": "an adapter does not send",
			"Get": "an adapter does not send", "Post": "an adapter does not send", "PostForm": "an adapter does not send", "Head": "an adapter does not send",
		},
	}
}

func TestAdaptersTranslateOnly(t *testing.T) {
	found := 0
	for folder, p := range loadGraph(t).own {
		if !adapter(folder) {
			continue
		}
		found++
		for _, name := range p.GoFiles {
			problems, err := inspectFile(filepath.Join(p.Dir, name), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range problems {
				t.Error(problem)
			}
		}
	}
	if found == 0 {
		t.Error("no adapter found: has gateway/provider moved?")
	}
}

// inspectFile reads one file (from source, if given) and says what an adapter should not do there.
func inspectFile(name string, source any) ([]string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parsing %s: %w", name, err)
	}
	var problems []string
	report := func(at token.Pos, format string, args ...any) {
		problems = append(problems, fmt.Sprintf("%s: %s", files.Position(at), fmt.Sprintf(format, args...)))
	}
	local := localNames(file)
	for _, spec := range file.Imports {
		if spec.Name != nil && spec.Name.Name == "." {
			report(spec.Pos(), "imports %s by dot, which hides what is used of it", spec.Path.Value)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			report(n.Pos(), "an adapter does not start goroutines")
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				report(n.Pos(), "an adapter is listed by provider/all and registers nothing by itself")
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				if why := forbidden()[local[x.Name]][n.Sel.Name]; why != "" {
					report(n.Pos(), "%s.%s: %s", x.Name, n.Sel.Name, why)
				}
			}
		}
		return true
	})
	return problems, nil
}

// localNames maps the names that a file gives to the packages it imports to their import paths.
func localNames(file *ast.File) map[string]string {
	names := map[string]string{}
	for _, spec := range file.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = imported
	}
	return names
}

func TestInspectFile(t *testing.T) {
	tests := map[string]struct {
		body string
		want int
	}{
		"plain translation":             {body: "import \"net/http\"\nfunc f(r *http.Request) *http.Request { return r }"},
		"the clock":                     {body: "import \"time\"\nvar now = time.Now()", want: 1},
		"the clock under another name":  {body: "import clock \"time\"\nvar now = clock.Now", want: 1},
		"a duration is not the clock":   {body: "import \"time\"\nconst wait = time.Second"},
		"Now of something else":         {body: "import time \"example.com/clock\"\nvar now = time.Now()"},
		"the client's connection":       {body: "import \"net/http\"\nfunc f(w http.ResponseWriter) {}", want: 1},
		"a goroutine":                   {body: "func f() { go f() }", want: 1},
		"a goroutine inside a literal":  {body: "func f() { func() { go f() }() }", want: 1},
		"registering itself":            {body: "func init() {}", want: 1},
		"a method called init":          {body: "type t int\nfunc (t) init() {}"},
		"an import that hides its uses": {body: "import . \"time\"\nvar now = Now()", want: 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := inspectFile("a.go", "package p\n"+tc.body)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != tc.want {
				t.Errorf("%d problems, want %d: %v", len(got), tc.want, got)
			}
		})
	}
}
