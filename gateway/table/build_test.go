package table_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

var update = flag.Bool("update", false, "write golden files")

// city is an input with something of everything, good and bad.
func city() table.Input {
	pricing := &v1alpha1.Pricing{
		Currency: "USD", Prices: prices("0.28", "0.028", "", "0.42", ""),
		Variants: []v1alpha1.PriceVariant{variant("long", 128_000, prices("0.56", "", "", "", "0.01"))},
		Windows:  []v1alpha1.PriceWindow{window("MonTue", "22:00", "06:00", "Asia/Shanghai", "0.5")},
	}
	in := input(
		makeRoute("platform", "deepseek-v4").aliases("deepseek-chat", "chat").fallbacks("qwen3", "nothing").
			target("backup", "bank/shared", priority(1), func(t *v1alpha1.Target) {
				t.Model = "ds-v4"
				t.Parameters = &v1alpha1.Parameters{Defaults: members("top_p", "0.9", "a", "1"), Drop: []string{"user"}}
			}).
			target("drained", "cred", weight(0)).target("lost", "gone").
			with(func(s *v1alpha1.ModelRouteSpec) {
				s.Pricing = pricing
				s.Display = &v1alpha1.Display{Label: "DeepSeek V4", Org: "DeepSeek", Tags: []string{"coding"}}
			}),
		makeRoute("shop", "qwen3").aliases("chat", "q").age(60).with(func(s *v1alpha1.ModelRouteSpec) { s.AllowedKeys = allowedKeys(selector("team", "finance")) }),
		makeRoute("shop", "deepseek-v4").age(90), makeRoute("bank", "refused").refused(1),
		makeRoute("bank", "stranger").noTargets().target("main", "shop/cred"),
		makeRoute("bank", "yen").with(func(s *v1alpha1.ModelRouteSpec) {
			s.Pricing = &v1alpha1.Pricing{Currency: "JPY", Prices: prices("1", "", "", "", "")}
		}),
		makeRoute("bank", "soon").noTargets().with(func(s *v1alpha1.ModelRouteSpec) { s.Availability = v1alpha1.AvailabilitySoon }),
		makeRoute("bank", "typo").with(func(s *v1alpha1.ModelRouteSpec) { s.Timeouts = &v1alpha1.Timeouts{Total: "1 hour"} }),
		makeRoute("shop", "kling-3").modality(v1alpha1.ModalityVideo).fallbacks("qwen3").noTargets().target("main", "kling").
			with(func(s *v1alpha1.ModelRouteSpec) {
				s.Pricing, s.Results = kling(), &v1alpha1.Results{Proxy: true}
				s.Pricing.Currency = "USD"
			}),
		makeRoute("shop", "speech").modality(v1alpha1.ModalitySpeech).noTargets().target("main", "minimax").
			with(func(s *v1alpha1.ModelRouteSpec) { s.Voices = speakers() }),
		makeCredential("shop", "kling", protocol("Kling", "Legacy")), makeCredential("shop", "minimax", vendor("MiniMax", "")),
		makeCredential("platform", "cred"), makeCredential("shop", "cred"), makeCredential("bank", "cred", vendor("Qwen", "mars")),
		makeCredential("bank", "shared", vendor("Qwen", "intl"), allow(fromAll), headers("x-team", "a")),
		makeKey("shop", "web"), makeKey("bank", "copy", hashes("web", "own")), makeKey("bank", "idle", func(k *v1alpha1.ApiKey) {
			k.Spec.Models = []v1alpha1.ModelGlob{"qwen*", "gpt-*"}
		}),
		makeKey("bank", "elsewhere", onGateway("bank", "other")),
	)
	return in
}

// describe writes a table and findings for people to compare.
func describe(t *testing.T, built *table.Table, findings table.Findings) []byte {
	t.Helper()
	type route struct {
		*table.Route
		Fallbacks []string
		Allows    map[string]bool
	}
	view := struct {
		Currency string
		Names    map[string]string
		Holders  map[string]string
		Routes   []route
		Keys     []*table.Key
		Findings []string
	}{Currency: built.Currency(), Names: map[string]string{}, Holders: built.Holders()}
	for _, r := range built.Routes() {
		shown := route{Route: r, Allows: map[string]bool{"shop": r.AllowsNamespace("shop"), "bank": r.AllowsNamespace("bank")}}
		for _, f := range r.Fallbacks {
			shown.Fallbacks = append(shown.Fallbacks, f.Model)
		}
		for _, name := range append([]string{r.Model}, r.Aliases...) {
			view.Names[name] = holder(built, name)
		}
		view.Routes = append(view.Routes, shown)
	}
	view.Keys = built.Keys()
	for _, f := range findings {
		view.Findings = append(view.Findings, fmt.Sprintf("%s %s=%t %s %s: %s", f.Object, f.Type, f.Status, f.Severity, f.Reason, f.Message))
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(view); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBuild_Golden(t *testing.T) {
	built, findings := table.Build(city())
	got := describe(t, built, findings)
	if bytes.Contains(got, []byte("sk-upstream-secret")) {
		t.Fatal("a table prints its secrets")
	}
	path := filepath.Join("testdata", "city.golden.json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run with -update if this is right (-want +got):\n%s", diff)
	}
}

func TestBuild_OrderOfTheInputMeansNothing(t *testing.T) {
	for mode, change := range map[string]func(*table.Input){
		"a cluster":       func(*table.Input) {},
		"files":           func(in *table.Input) { in.NoCreationTimes = true },
		"namespaced mode": func(in *table.Input) { in.WatchedNamespaces = []string{"bank", "platform", "shop"} },
		"equal ages": func(in *table.Input) {
			for _, r := range in.Routes {
				r.CreationTimestamp = in.Routes[0].CreationTimestamp
			}
		},
	} {
		t.Run(mode, func(t *testing.T) {
			in := city()
			change(&in)
			wantTable, wantFindings := table.Build(in)
			random := rand.New(rand.NewPCG(7, 7))
			for range 30 {
				shuffle(random, in.Routes)
				shuffle(random, in.Credentials)
				shuffle(random, in.Keys)
				shuffle(random, in.WatchedNamespaces)
				gotTable, gotFindings := table.Build(in)
				if !wantTable.Equal(gotTable) || !gotTable.Equal(wantTable) {
					t.Fatal("another order gives another table")
				}
				if diff := cmp.Diff(wantFindings, gotFindings); diff != "" {
					t.Fatalf("another order gives other findings:\n%s", diff)
				}
			}
		})
	}
}

// shuffle puts a list into another order.
func shuffle[T any](random *rand.Rand, list []T) {
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

func TestTable_EqualNoticesEveryChange(t *testing.T) {
	base, _ := table.Build(city())
	for name, change := range map[string]func(*table.Input){
		"a route less":        func(in *table.Input) { in.Routes = in.Routes[1:] },
		"a weight":            func(in *table.Input) { weight(7)(&in.Routes[0].Spec.Targets[0]) },
		"a drained target":    func(in *table.Input) { weight(0)(&in.Routes[1].Spec.Targets[0]) },
		"a parameter":         func(in *table.Input) { in.Routes[0].Spec.Targets[1].Parameters.Defaults = members("top_p", "0.8") },
		"a price":             func(in *table.Input) { in.Routes[0].Spec.Pricing.OutputPerMillionTokens = decimal("0.43") },
		"a zone":              func(in *table.Input) { in.Routes[0].Spec.Pricing.Windows[0].TimeZone = "Asia/Tokyo" },
		"a label":             func(in *table.Input) { in.Routes[0].Spec.Display.Label = "X" },
		"an alias":            func(in *table.Input) { in.Routes[1].Spec.Aliases = nil },
		"a fallback":          func(in *table.Input) { in.Routes[0].Spec.Fallbacks = nil },
		"a namespace's label": func(in *table.Input) { in.Namespaces["shop"] = map[string]string{"team": "finance"} },
		"a secret": func(in *table.Input) {
			for _, state := range in.CredentialStates {
				state.Entries["api-key"] = table.NewSecret("sk-rotated")
			}
		},
		"a header":      func(in *table.Input) { headers("x-team", "b")(&in.Credentials[3].Spec) },
		"an endpoint":   func(in *table.Input) { endpoint("https://other.test")(&in.Credentials[0].Spec) },
		"a revoked key": func(in *table.Input) { in.Keys[0].Spec.Revoked = true },
		"a currency":    func(in *table.Input) { in.Instance.Spec.Currency = "CNY" },
	} {
		t.Run(name, func(t *testing.T) {
			in := city()
			change(&in)
			if changed, _ := table.Build(in); base.Equal(changed) {
				t.Error("the tables are called equal")
			}
		})
	}
	in := city()
	in.Routes[0].ResourceVersion, in.Routes[0].Annotations = "9", map[string]string{"a": "b"}
	if same, _ := table.Build(in); !base.Equal(same) {
		t.Error("a change that means nothing makes another table")
	}
	if base.Equal(nil) {
		t.Error("a table equals none")
	}
}

func TestBuild_TakesNothing(t *testing.T) {
	built, findings := table.Build(table.Input{})
	if len(built.Routes()) != 0 || len(built.Keys()) != 0 || len(findings) != 0 || built.Resolve("") != nil || built.Currency() != "USD" {
		t.Errorf("got %v, %v", served(built), findings)
	}
	in := input(makeRoute("shop", "r"), makeCredential("shop", "cred"))
	in.Routes = append(in.Routes, nil)
	in.Keys, in.Credentials = append(in.Keys, nil), append(in.Credentials, nil)
	if built, _ := table.Build(in); built.Resolve("r") == nil {
		t.Error("a nil object took the others down with it")
	}
}

func TestBuild_DoesNotChangeItsInput(t *testing.T) {
	in, pristine := city(), city()
	table.Build(in)
	if diff := cmp.Diff(pristine, in, cmp.Exporter(exportAll)); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
}

func TestFindings_AreOrderedAndUnique(t *testing.T) {
	_, findings := table.Build(city())
	seen := map[string]bool{}
	for i, f := range findings {
		id := f.Object.String() + " " + f.Type
		if seen[id] {
			t.Errorf("two findings for %s", id)
		}
		seen[id] = true
		if f.Reason == "" || f.Message == "" {
			t.Errorf("%s has the reason %q and the message %q", id, f.Reason, f.Message)
		}
		if f.Status && f.Severity != table.Info {
			t.Errorf("%s holds, but is %s", id, f.Severity)
		}
		if i > 0 && compareFindings(findings[i-1], f) >= 0 {
			t.Errorf("%s comes too late", id)
		}
	}
	for _, f := range findings {
		if !slices.Contains(findings.For(f.Object), f) {
			t.Errorf("For does not find %v", f)
		}
	}
	if got := findings.For(table.ObjectRef{Kind: "ModelRoute", Namespace: "shop", Name: "zzz"}); len(got) != 0 {
		t.Errorf("For finds %v of an object without findings", got)
	}
}

// compareFindings is the documented order.
func compareFindings(a, b table.Finding) int {
	key := func(f table.Finding) string {
		return strings.Join([]string{f.Object.Kind, f.Object.Namespace, f.Object.Name, f.Type}, "\x00")
	}
	return strings.Compare(key(a), key(b))
}
