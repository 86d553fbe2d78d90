package importrules

import (
	"testing"
)

// TestRulesRefuse shows that each rule bites: a made-up graph in which one package breaks it, and one in which the same
// package keeps it.
func TestRulesRefuse(t *testing.T) {
	tests := map[string]struct {
		from       string
		imports    []string
		wantBroken []string
	}{
		"a gateway package that imports a reconciler": {
			from: "gateway/proxy", imports: []string{module + "/controllers"},
			wantBroken: []string{"the gateway knows nothing of the operator"},
		},
		"a reconciler that imports the proxy": {
			from: "controllers", imports: []string{module + "/gateway/proxy"},
			wantBroken: []string{
				"controllers share the compile function, the key hash, the key ring and the ledger with the gateway, and what those stand on",
				"controllers import only table, apikey, keyring and ledger of the gateway",
			},
		},
		"a reconciler that imports the contract of adapters itself": {
			from: "controllers/render", imports: []string{module + "/gateway/provider"},
			wantBroken: []string{"controllers import only table, apikey, keyring and ledger of the gateway"},
		},
		"a reconciler that keeps the rules": {
			from: "controllers", imports: []string{
				module + "/gateway/table", module + "/gateway/apikey", module + "/gateway/keyring", module + "/gateway/ledger",
				module + "/api/v1alpha1", "sigs.k8s.io/controller-runtime",
			},
		},
		"a ledger that reads the table": {
			from: "gateway/ledger", imports: []string{module + "/gateway/table"},
			wantBroken: []string{"the ledger counts and does nothing else"},
		},
		"a ledger that logs": {
			from: "gateway/ledger", imports: []string{"log/slog"}, wantBroken: []string{"the ledger counts and does nothing else"},
		},
		"a ledger that leans on a library": {
			from: "gateway/ledger", imports: []string{"github.com/google/uuid"}, wantBroken: []string{"the ledger counts and does nothing else"},
		},
		"a ledger": {
			from: "gateway/ledger", imports: []string{module + "/gateway/money", "time", "encoding/base64"},
		},
		"a reconciler that makes keys itself": {
			from: "controllers", imports: []string{"github.com/tink-crypto/tink-go/v2/keyset"},
			wantBroken: []string{"keys for sealing are handled in keyring alone"},
		},
		"a key ring": {
			from: "gateway/keyring", imports: []string{"github.com/tink-crypto/tink-go/v2/keyset"},
		},
		"a proxy that reads API objects": {
			from: "gateway/proxy", imports: []string{module + "/api/v1alpha1"},
			wantBroken: []string{"API objects are read in table, source and report"},
		},
		"a table that reads API objects": {
			from: "gateway/table", imports: []string{module + "/api/v1alpha1"},
		},
		"a table with a client": {
			from: "gateway/table", imports: []string{"k8s.io/client-go/rest"},
			wantBroken: []string{"the API server is reached from source and report alone"},
		},
		"a source with a client": {
			from: "gateway/source/kubernetes", imports: []string{"k8s.io/client-go/rest", module + "/api/v1alpha1"},
		},
		"a vendor that imports a vendor": {
			from: "gateway/provider/kling", imports: []string{module + "/gateway/provider/vidu"},
			wantBroken: []string{"vendors do not lean on each other", "adapters translate and know nothing of who serves"},
		},
		"a vendor that imports the shared adapter": {
			from: "gateway/provider/kling", imports: []string{module + "/gateway/provider/openaicompat", module + "/gateway/provider", module + "/gateway/openai"},
		},
		"a vendor that imports the metrics": {
			from: "gateway/provider/kling", imports: []string{module + "/gateway/metrics"},
			wantBroken: []string{"adapters translate and know nothing of who serves"},
		},
		"a shared adapter that logs": {
			from: "gateway/provider/openaicompat", imports: []string{"log/slog"},
			wantBroken: []string{"adapters do not log"},
		},
		"a server that imports a vendor": {
			from: "gateway", imports: []string{module + "/gateway/provider/kling"},
			wantBroken: []string{"provider/all alone lists the vendors"},
		},
		"the list of vendors": {
			from: "gateway/provider/all", imports: []string{module + "/gateway/provider/kling", module + "/gateway/provider/openaicompat"},
		},
		"API types with the runtime's scheme builder": {
			from: "api/v1alpha1", imports: []string{"sigs.k8s.io/controller-runtime/pkg/scheme"},
			wantBroken: []string{"the API types are data", "the API types pull no client in"},
		},
		"API types": {
			from: "api/v1alpha1", imports: []string{"k8s.io/api/core/v1", "k8s.io/apimachinery/pkg/runtime", "strings"},
		},
		"a binary that is linked with a simulator": {
			from: "cmd/vipcloud", imports: []string{module + "/test/sim"},
			wantBroken: []string{"nothing that ships is linked with tests"},
		},
		"a gateway that is linked with the suite of the adapters": {
			from: "gateway/proxy", imports: []string{module + "/gateway/provider/providertest"},
			wantBroken: []string{"nothing that ships is linked with tests"},
		},
		"the suite of the adapters": {
			from: "gateway/provider/providertest", imports: []string{"testing", "github.com/google/go-cmp/cmp", module + "/gateway/provider"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := &pkg{ImportPath: module + "/" + tc.from, Name: "p", Imports: tc.imports, Deps: tc.imports}
			g := &graph{own: map[string]*pkg{tc.from: p}, all: map[string]*pkg{p.ImportPath: p}}
			broken := map[string]bool{}
			for _, r := range rules() {
				if len(r.violations(g)) > 0 {
					broken[r.name] = true
				}
			}
			for _, want := range tc.wantBroken {
				if !broken[want] {
					t.Errorf("rule %q let it pass", want)
				}
				delete(broken, want)
			}
			for name := range broken {
				t.Errorf("rule %q refused it", name)
			}
		})
	}
}

func TestWayGoesThroughThePackagesInBetween(t *testing.T) {
	g := &graph{all: map[string]*pkg{
		"a": {Imports: []string{"b", "c"}},
		"b": {Imports: []string{"d"}},
		"c": {Imports: []string{"b"}},
	}}
	got := g.way("a", "d")
	if len(got) != 3 || got[0] != "a" || got[1] != "b" || got[2] != "d" {
		t.Errorf("way = %v, want a, b, d", got)
	}
}
