package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// stdlib is the module that the standard library counts as.
const stdlib = "std"

// module is a module of which packages are linked.
type module struct {
	Path    string
	Version string
	Main    bool
	Dir     string
	Sum     string
	Replace *module

	packages map[string]string // import path to folder
	needs    map[string]bool   // paths of other modules
	files    []licenceFile
}

// goPackage is what go list says of a package.
type goPackage struct {
	ImportPath string
	Standard   bool
	Dir        string
	Imports    []string
	Module     *module
}

// linkedModules returns the modules of every package that a command links on any platform we build for, the command's own first
// and the others by path.
func linkedModules(command string) ([]*module, error) {
	modules, of := map[string]*module{}, map[string]string{}
	var packages []goPackage
	for _, arch := range []string{"amd64", "arm64"} {
		listed, err := list(command, arch)
		if err != nil {
			return nil, err
		}
		packages = append(packages, listed...)
	}
	for _, p := range packages {
		m := p.Module
		if p.Standard {
			m = &module{Path: stdlib, Version: strings.TrimPrefix(runtime.Version(), "go"), Dir: os.Getenv("GOROOT")}
		}
		if m == nil {
			return nil, fmt.Errorf("package %s belongs to no module", p.ImportPath)
		}
		if m.Replace != nil {
			m.Dir, m.Version = m.Replace.Dir, m.Replace.Version
		}
		known := modules[m.Path]
		if known == nil {
			known = m
			known.packages, known.needs = map[string]string{}, map[string]bool{}
			modules[m.Path] = known
		}
		known.packages[p.ImportPath], of[p.ImportPath] = p.Dir, m.Path
	}
	for _, p := range packages {
		for _, imported := range p.Imports {
			if from, to := of[p.ImportPath], of[imported]; to != "" && to != from {
				modules[from].needs[to] = true
			}
		}
	}
	return slices.SortedFunc(maps.Values(modules), func(a, b *module) int {
		if a.Main != b.Main {
			return map[bool]int{true: -1, false: 1}[a.Main]
		}
		return cmp.Compare(a.Path, b.Path)
	}), nil
}

// list asks the toolchain for the packages that are linked for Linux on an architecture.
func list(command, arch string) ([]goPackage, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Dir,Imports,Module", command)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing packages: %w\n%s", err, stderr.String())
	}
	var packages []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages, nil
		case err != nil:
			return nil, fmt.Errorf("reading what go list says: %w", err)
		}
		packages = append(packages, p)
	}
}
