package importrules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "vipcloud.ai/vipcloud"

// pkg is what `go list` says of a package; test files and their imports are left out of it.
type pkg struct {
	Dir        string
	ImportPath string
	Name       string
	Doc        string
	GoFiles    []string
	Imports    []string
	Deps       []string
	Standard   bool
	Error      *struct{ Err string }
}

// graph is every package that this module is made of, by path below the module ("gateway/table"), and by import path
// those it leans on.
type graph struct {
	own map[string]*pkg
	all map[string]*pkg
}

// loadGraph asks the toolchain. Packages that do not build are still listed: their imports can be judged.
func loadGraph(t *testing.T) *graph {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps",
		"-json=Dir,ImportPath,Name,Doc,GoFiles,Imports,Deps,Standard,Error", module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("listing packages: %v\n%s", err, stderr.String())
	}
	g, err := parseGraph(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.own) == 0 {
		t.Fatal("the toolchain lists no package of this module")
	}
	return g
}

func parseGraph(r io.Reader) (*graph, error) {
	g := &graph{own: map[string]*pkg{}, all: map[string]*pkg{}}
	decoder := json.NewDecoder(r)
	for {
		var p pkg
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return g, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the toolchain's list: %w", err)
		}
		g.all[p.ImportPath] = &p
		if path, ok := below(p.ImportPath); ok && len(p.GoFiles) > 0 {
			g.own[path] = &p
		}
	}
}

// below gives the path of a package of this module below the module.
func below(importPath string) (string, bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// within says whether a path is one of the trees or below it. A tree that ends in "$" means that one package alone.
func within(path string, trees ...string) bool {
	for _, tree := range trees {
		if exact, ok := strings.CutSuffix(tree, "$"); ok {
			if path == exact {
				return true
			}
			continue
		}
		if path == tree || strings.HasPrefix(path, tree+"/") {
			return true
		}
	}
	return false
}

// vendorOf names the vendor folder that a package belongs to, "" for what is no vendor's.
func vendorOf(path string) string {
	rest, ok := strings.CutPrefix(path, "gateway/provider/")
	if !ok {
		return ""
	}
	folder, _, _ := strings.Cut(rest, "/")
	switch folder {
	case "all", "providertest", "openaicompat":
		return ""
	}
	return folder
}

// adapter says whether a package is an adapter, which translates and does nothing else: a vendor folder or what they share.
func adapter(path string) bool {
	return vendorOf(path) != "" || within(path, "gateway/provider/openaicompat")
}
