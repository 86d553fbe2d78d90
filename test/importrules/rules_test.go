package importrules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// rule judges one package by what it reaches: directly, or through others.
type rule struct {
	name string
	// applies says which packages the rule fences, by path below the module.
	applies func(path string) bool
	// transitive looks at everything the package is linked with, else only at its own imports.
	transitive bool
	// forbids says what the fenced package must not reach.
	forbids func(path, importPath string) bool
	why     string
}

func rules() []rule {
	return []rule{
		{
			name:       "the gateway knows nothing of the operator",
			applies:    func(path string) bool { return within(path, "gateway") },
			transitive: true,
			forbids:    func(_, dep string) bool { return ours(dep, "controllers", "cmd") },
			why:        "gateway never imports controllers or cmd",
		},
		{
			name:       "controllers share the compile function, the key hash, the key ring and the ledger with the gateway, and what those stand on",
			applies:    func(path string) bool { return within(path, "controllers") },
			transitive: true,
			forbids: func(_, dep string) bool {
				return oursBut(dep, "api", "controllers", "gateway/table$", "gateway/apikey$", "gateway/keyring$", "gateway/ledger$", "gateway/provider$", "gateway/openai$",
					"gateway/jsonscan$", "gateway/money$")
			},
			why: "controllers reach api, gateway/table, gateway/apikey, gateway/keyring (they make and rotate the ring that gateways seal " +
				"with) and gateway/ledger (they merge what gateways count), and through these gateway/provider, openai and money",
		},
		{
			name:    "controllers import only table, apikey, keyring and ledger of the gateway",
			applies: func(path string) bool { return within(path, "controllers") },
			forbids: func(_, dep string) bool {
				return ours(dep, "gateway") && !ours(dep, "gateway/table$", "gateway/apikey$", "gateway/keyring$", "gateway/ledger$")
			},
			why: "take what the controllers need out of gateway/table",
		},
		{
			name:       "the ledger counts and does nothing else",
			applies:    func(path string) bool { return within(path, "gateway/ledger") },
			transitive: true,
			forbids: func(_, dep string) bool {
				_, own := below(dep)
				return oursBut(dep, "gateway/money$") || (!own && !standard(dep)) || dep == "net" || dep == "log" || dep == "log/slog"
			},
			why: "gateways and controllers add up alike only if the ledger sees nothing but what it is given",
		},
		{
			name:    "keys for sealing are handled in keyring alone",
			applies: func(path string) bool { return !within(path, "gateway/keyring") },
			forbids: func(_, dep string) bool { return inModule(dep, "github.com/tink-crypto/tink-go") },
			why:     "Tink gives keys in clear text to whoever asks; gateway/keyring does not let them be printed",
		},
		{
			name:    "API objects are read in table, source and report",
			applies: func(path string) bool { return within(path, "gateway") && !readsObjects(path) },
			forbids: func(_, dep string) bool { return ours(dep, "api") },
			why:     "the rest of the gateway sees the plain Go that gateway/table returns",
		},
		{
			name:       "the API server is reached from source and report alone",
			applies:    func(path string) bool { return within(path, "gateway") && !talksToCluster(path) },
			transitive: true,
			forbids:    func(_, dep string) bool { return clientLibrary(dep) },
			why:        "client-go and controller-runtime stay in gateway/source and gateway/report",
		},
		{
			name:       "vendors do not lean on each other",
			applies:    func(path string) bool { return vendorOf(path) != "" },
			transitive: true,
			forbids: func(path, dep string) bool {
				other, ok := below(dep)
				return ok && vendorOf(other) != "" && vendorOf(other) != vendorOf(path)
			},
			why: "a change for one vendor must not break another; share through openaicompat",
		},
		{
			name:       "adapters translate and know nothing of who serves",
			applies:    adapter,
			transitive: true,
			forbids: func(path, dep string) bool {
				return oursBut(dep, "gateway/provider$", "gateway/provider/openaicompat", "gateway/openai$", "gateway/jsonscan$", "gateway/sse$", "gateway/money$", path)
			},
			why: "an adapter reaches the contract and the shapes it translates between",
		},
		{
			name:    "adapters do not log",
			applies: adapter,
			forbids: func(_, dep string) bool { return dep == "log" || dep == "log/slog" },
			why:     "an adapter says what happened in what it returns",
		},
		{
			name:    "provider/all alone lists the vendors",
			applies: func(path string) bool { return !within(path, "gateway/provider/all") && !adapter(path) },
			forbids: func(_, dep string) bool {
				path, ok := below(dep)
				return ok && adapter(path)
			},
			why: "import gateway/provider/all and look the vendor up",
		},
		{
			name:    "the API types are data",
			applies: func(path string) bool { return within(path, "api") },
			forbids: func(_, dep string) bool {
				return !standard(dep) && !ours(dep, "api") && !inModule(dep, "k8s.io/api") && !inModule(dep, "k8s.io/apimachinery")
			},
			why: "whoever imports the types must get nothing else with them",
		},
		{
			name:       "the API types pull no client in",
			applies:    func(path string) bool { return within(path, "api") },
			transitive: true,
			forbids:    func(_, dep string) bool { return clientLibrary(dep) || ours(dep, "gateway", "controllers", "cmd") },
			why:        "whoever imports the types must get nothing else with them",
		},
		{
			name:       "nothing that ships is linked with tests",
			applies:    ships,
			transitive: true,
			forbids: func(_, dep string) bool {
				return ours(dep, "test", "hack", "gateway/provider/providertest") || dep == "testing" || inModule(dep, "github.com/google/go-cmp")
			},
			why: "test helpers live in _test.go files, in providertest and under test/",
		},
	}
}

func ships(path string) bool {
	return within(path, "api", "cmd", "config", "controllers", "gateway") && !within(path, "gateway/provider/providertest")
}

func readsObjects(path string) bool {
	return within(path, "gateway/table", "gateway/source", "gateway/report")
}

func talksToCluster(path string) bool {
	return within(path, "gateway/source", "gateway/report")
}

func clientLibrary(importPath string) bool {
	return inModule(importPath, "k8s.io/client-go") || inModule(importPath, "sigs.k8s.io/controller-runtime")
}

func inModule(importPath, root string) bool {
	return importPath == root || strings.HasPrefix(importPath, root+"/")
}

// standard says whether an import path is one of the standard library: those have no dot in their first element.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// ours says whether an import path is in one of our trees.
func ours(importPath string, trees ...string) bool {
	path, ok := below(importPath)
	return ok && within(path, trees...)
}

// oursBut says whether an import path is ours and in none of the trees.
func oursBut(importPath string, trees ...string) bool {
	path, ok := below(importPath)
	return ok && !within(path, trees...)
}

// violations lists what a rule refuses in a graph, each with one way from the fenced package to what it must not reach.
func (r rule) violations(g *graph) []string {
	var found []string
	for path, p := range g.own {
		if !r.applies(path) || p.Name == "main" && within(path, "hack", "test") {
			continue
		}
		reached := p.Imports
		if r.transitive {
			reached = p.Deps
		}
		for _, dep := range reached {
			if dep != p.ImportPath && r.forbids(path, dep) {
				found = append(found, fmt.Sprintf("%s reaches %s: %s", path, dep, strings.Join(g.way(p.ImportPath, dep), " -> ")))
			}
		}
	}
	slices.Sort(found)
	return found
}

// way finds a shortest chain of imports.
func (g *graph) way(from, to string) []string {
	came := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == to {
			break
		}
		p := g.all[queue[0]]
		if p == nil {
			continue
		}
		for _, next := range p.Imports {
			if _, seen := came[next]; !seen {
				came[next] = queue[0]
				queue = append(queue, next)
			}
		}
	}
	var chain []string
	for at := to; at != ""; at = came[at] {
		chain = append(chain, at)
	}
	slices.Reverse(chain)
	return chain
}

func TestImportRules(t *testing.T) {
	g := loadGraph(t)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			for _, violation := range r.violations(g) {
				t.Errorf("%s\n\t%s", violation, r.why)
			}
		})
	}
}

func TestClientLibrariesOnlyWhereTheClusterIsReached(t *testing.T) {
	g := loadGraph(t)
	for path, p := range g.own {
		if p.Name == "main" || within(path, "controllers", "cmd", "test", "hack") || talksToCluster(path) {
			continue
		}
		for _, dep := range p.Deps {
			if clientLibrary(dep) {
				t.Errorf("%s is linked with %s: %s", path, dep, strings.Join(g.way(p.ImportPath, dep), " -> "))
				break
			}
		}
	}
}

func TestPackagesAreNamedForWhatTheyProvide(t *testing.T) {
	empty := []string{"util", "utils", "common", "helper", "helpers", "base", "types", "misc", "shared"}
	for path, p := range loadGraph(t).own {
		if slices.Contains(empty, p.Name) || slices.Contains(empty, path[strings.LastIndex(path, "/")+1:]) {
			t.Errorf("package %s at %s: the name says nothing", p.Name, path)
		}
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	for path, p := range loadGraph(t).own {
		if p.Doc == "" {
			t.Errorf("%s has no package comment: say what it decides and what it refuses to know", path)
			continue
		}
		if want := "Package " + p.Name + " "; p.Name != "main" && !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: the package comment begins with %q, want %q", path, p.Doc, want)
		}
	}
}
