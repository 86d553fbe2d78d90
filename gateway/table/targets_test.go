package table_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
)

func TestBuild_ResolvesTargets(t *testing.T) {
	problem := func(p *table.Problem) func(*table.Input) {
		return func(in *table.Input) {
			in.CredentialStates[types.NamespacedName{Namespace: "shop", Name: "cred"}] = table.CredentialState{Problem: p}
		}
	}
	tests := map[string]struct {
		route       *routeBuilder
		credentials []any
		change      func(*table.Input)
		want        string // of ResolvedRefs
		wantPart    string // of its message
		wantUsable  string
	}{
		"a credential of the same namespace": {
			route: makeRoute("shop", "r"), credentials: []any{makeCredential("shop", "cred")},
			want: "True ResolvedRefs", wantUsable: "1/1",
		},
		"its namespace may be written out": {
			route: makeRoute("shop", "r").noTargets().target("main", "shop/cred"), credentials: []any{makeCredential("shop", "cred")},
			want: "True ResolvedRefs", wantUsable: "1/1",
		},
		"no such credential": {
			route: makeRoute("shop", "r"), credentials: []any{makeCredential("bank", "cred")},
			want: "False/missing RefNotFound", wantPart: "targets[main].credential: ProviderCredential shop/cred does not exist", wantUsable: "0/1",
		},
		"another namespace's credential that says nothing": {
			route: makeRoute("shop", "r").noTargets().target("main", "bank/cred"), credentials: []any{makeCredential("bank", "cred")},
			want: "False/invalid RefNotPermitted", wantPart: "allowedNamespaces", wantUsable: "0/1",
		},
		"another namespace's credential for that namespace alone": {
			route: makeRoute("shop", "r").noTargets().target("main", "bank/cred"), credentials: []any{makeCredential("bank", "cred", allow(fromSame))},
			want: "False/invalid RefNotPermitted", wantUsable: "0/1",
		},
		"another namespace's credential for all": {
			route: makeRoute("shop", "r").noTargets().target("main", "bank/cred"), credentials: []any{makeCredential("bank", "cred", allow(fromAll))},
			want: "True ResolvedRefs", wantUsable: "1/1",
		},
		"another namespace's credential for a selection that fits": {
			route: makeRoute("shop", "r").noTargets().target("main", "bank/cred"), credentials: []any{makeCredential("bank", "cred", allow(selector("team", "retail")))},
			want: "True ResolvedRefs", wantUsable: "1/1",
		},
		"another namespace's credential for a selection that does not fit": {
			route: makeRoute("shop", "r").noTargets().target("main", "bank/cred"), credentials: []any{makeCredential("bank", "cred", allow(selector("team", "other")))},
			want: "False/invalid RefNotPermitted", wantUsable: "0/1",
		},
		"the label that every namespace has": {
			route:       makeRoute("shop", "r").noTargets().target("main", "bank/cred"),
			credentials: []any{makeCredential("bank", "cred", allow(selector("kubernetes.io/metadata.name", "shop")))},
			want:        "True ResolvedRefs", wantUsable: "1/1",
		},
		"all means the watched namespaces": {
			route: makeRoute("shop", "r").noTargets().target("main", "bank/cred"), credentials: []any{makeCredential("bank", "cred", allow(fromAll))},
			change: func(in *table.Input) { in.WatchedNamespaces = []string{"shop", "bank"} },
			want:   "True ResolvedRefs", wantUsable: "1/1",
		},
		"a selection grants nothing in namespaced mode": {
			route: makeRoute("shop", "r").noTargets().target("main", "bank/cred"), credentials: []any{makeCredential("bank", "cred", allow(selector("team", "retail")))},
			change: func(in *table.Input) { in.WatchedNamespaces = []string{"shop", "bank"} },
			want:   "False/invalid RefNotPermitted", wantUsable: "0/1",
		},
		"a selection for others does no harm at home in namespaced mode": {
			route: makeRoute("shop", "r"), credentials: []any{makeCredential("shop", "cred", allow(selector("team", "retail")))},
			change: func(in *table.Input) { in.WatchedNamespaces = []string{"shop"} },
			want:   "True ResolvedRefs", wantUsable: "1/1",
		},
		"a credential whose Secret is missing": {
			route: makeRoute("shop", "r"), credentials: []any{makeCredential("shop", "cred")},
			change:   problem(&table.Problem{Severity: table.Missing, Reason: "RefNotFound", Message: "Secret gone"}),
			want:     "False/missing CredentialNotReady",
			wantPart: "ProviderCredential shop/cred is not ready (RefNotFound): Secret gone", wantUsable: "0/1",
		},
		"a credential whose Secret is no good": {
			route: makeRoute("shop", "r"), credentials: []any{makeCredential("shop", "cred")},
			change: problem(&table.Problem{Severity: table.Invalid, Reason: "Invalid", Message: "no PEM"}),
			want:   "False/invalid CredentialNotReady", wantUsable: "0/1",
		},
		"a credential nobody looked at": {
			route: makeRoute("shop", "r"), credentials: []any{makeCredential("shop", "cred")},
			change: func(in *table.Input) { in.CredentialStates = nil },
			want:   "False/missing CredentialNotReady", wantPart: "not read yet", wantUsable: "0/1",
		},
		"a credential whose spec is invalid": {
			route:       makeRoute("shop", "r"),
			credentials: []any{makeCredential("shop", "cred", func(s *v1alpha1.ProviderCredentialSpec) { s.Region = "mars" })},
			want:        "False/invalid CredentialNotReady", wantPart: "UnknownRegion", wantUsable: "0/1",
		},
		"a provider that does not chat": {
			route:       makeRoute("shop", "r"),
			credentials: []any{makeCredential("shop", "cred", func(s *v1alpha1.ProviderCredentialSpec) { s.Provider = v1alpha1.ProviderSpark })},
			want:        "False/invalid Invalid", wantPart: "provider Spark does not serve modality Chat", wantUsable: "0/1",
		},
		"one broken target of two": {
			route: makeRoute("shop", "r").target("second", "nobody"), credentials: []any{makeCredential("shop", "cred")},
			want: "False/degraded RefNotFound", wantPart: "targets[second]", wantUsable: "1/2",
		},
		"a forbidden target beside a good one": {
			route: makeRoute("shop", "r").target("second", "bank/cred"), credentials: []any{makeCredential("shop", "cred")},
			want: "False/degraded RefNotPermitted", wantUsable: "1/2",
		},
		"what may still turn up comes before what cannot": {
			route: makeRoute("shop", "r").noTargets().target("a", "bank/cred").target("b", "cred"),
			want:  "False/missing RefNotFound", wantPart: "; targets[a].credential: there is no ProviderCredential bank/cred", wantUsable: "0/2",
		},
		"a drained target counts as usable": {
			route: makeRoute("shop", "r").noTargets().target("a", "cred", weight(0)).target("b", "nobody"), credentials: []any{makeCredential("shop", "cred")},
			want: "False/degraded RefNotFound", wantUsable: "1/2",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			in := input(append(tc.credentials, tc.route)...)
			if tc.change != nil {
				tc.change(&in)
			}
			built, findings := table.Build(in)
			message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionResolvedRefs, tc.want)
			if !strings.Contains(message, tc.wantPart) {
				t.Errorf("the message %q does not say %q", message, tc.wantPart)
			}
			r := built.Route("shop", "r")
			if r == nil {
				t.Fatal("the route is not in the table; without targets it answers 503, not 404")
			}
			if got := fmt.Sprintf("%d/%d", r.UsableTargets, r.AllTargets); got != tc.wantUsable {
				t.Errorf("usable targets: %s, want %s", got, tc.wantUsable)
			}
		})
	}
}

func TestBuild_NobodyLearnsWhatExistsElsewhere(t *testing.T) {
	route := func() *routeBuilder { return makeRoute("shop", "r").noTargets().target("main", "bank/cred") }
	_, absent := table.Build(input(route()))
	for name, credential := range map[string]*v1alpha1.ProviderCredential{
		"one that grants nothing":      makeCredential("bank", "cred"),
		"one that grants it to others": makeCredential("bank", "cred", allow(selector("team", "finance"))),
		"one that is broken":           makeCredential("bank", "cred", func(s *v1alpha1.ProviderCredentialSpec) { s.Endpoint = "ftp://x" }),
	} {
		t.Run(name, func(t *testing.T) {
			_, present := table.Build(input(route(), credential))
			ref := table.ObjectRef{Kind: table.KindModelRoute, Namespace: "shop", Name: "r"}
			if diff := cmp.Diff(absent.For(ref), present.For(ref)); diff != "" {
				t.Errorf("a credential can be told from none (-absent +present):\n%s", diff)
			}
		})
	}
}

func TestBuild_ParticularsOfACredentialStayInItsNamespace(t *testing.T) {
	route := makeRoute("shop", "r").noTargets().target("main", "bank/cred")
	in := input(route, makeCredential("bank", "cred", allow(fromAll)))
	in.CredentialStates[types.NamespacedName{Namespace: "bank", Name: "cred"}] = table.CredentialState{
		Problem: &table.Problem{Severity: table.Missing, Reason: "RefNotFound", Message: `Secret "vault-7" does not exist`}}
	_, findings := table.Build(in)
	message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionResolvedRefs, "False/missing CredentialNotReady")
	if strings.Contains(message, "vault-7") {
		t.Errorf("the message says too much: %s", message)
	}
}

func TestBuild_OrdersTargetsIntoTiers(t *testing.T) {
	route := makeRoute("shop", "r").model("public").noTargets().
		target("z", "cred", func(t *v1alpha1.Target) { t.Model = "up/z" }).
		target("backup", "cred", priority(5), weight(1)).
		target("drained", "cred", weight(0)).
		target("alone-and-drained", "cred", priority(1), weight(0)).
		target("a", "cred", weight(300))
	built, findings := table.Build(input(route, makeCredential("shop", "cred")))
	wantFinding(t, findings, "shop", "r", v1alpha1.ConditionResolvedRefs, "True ResolvedRefs")
	var got []string
	r := built.Route("shop", "r")
	for _, tier := range r.Tiers {
		for _, target := range tier.Targets {
			got = append(got, fmt.Sprintf("%d/%d %s %s %d %s", tier.Priority, tier.TotalWeight, target.ID, target.Model, target.Weight, target.Credential.ID()))
		}
	}
	want := []string{
		"0/400 shop/r/a public 300 shop/cred",
		"0/400 shop/r/z up/z 100 shop/cred",
		"5/1 shop/r/backup public 1 shop/cred",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if r.UsableTargets != 5 || r.AllTargets != 5 {
		t.Errorf("usable targets: %d/%d, want 5/5", r.UsableTargets, r.AllTargets)
	}
	if r.Tiers[0].Targets[0].Credential != r.Tiers[1].Targets[0].Credential {
		t.Error("targets do not share their credential")
	}
}

func TestBuild_SaysWhenEverythingIsDrained(t *testing.T) {
	route := makeRoute("shop", "r").noTargets().target("a", "cred", weight(0))
	built, findings := table.Build(input(route, makeCredential("shop", "cred")))
	message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionAccepted, "True Accepted")
	if !strings.Contains(message, "drained") || len(built.Route("shop", "r").Tiers) != 0 {
		t.Errorf("the message is %q", message)
	}
}

func TestBuild_Parameters(t *testing.T) {
	value := func(name, text string) provider.Parameter {
		return provider.Parameter{Name: name, Value: json.RawMessage(text)}
	}
	tests := map[string]struct {
		parameters *v1alpha1.Parameters
		want       provider.Parameters
		wantPart   string // of the message of a refusal
	}{
		"none":  {},
		"empty": {parameters: &v1alpha1.Parameters{}},
		"all kinds": {
			parameters: &v1alpha1.Parameters{
				Defaults:  members("top_p", "0.5", "a", `{"b":[1, 2]}`),
				Overrides: members("seed", "12345678901234567890", "logprobs", "null"),
				Drop:      []string{"user", "logit_bias", "user"},
			},
			want: provider.Parameters{
				Defaults:  []provider.Parameter{value("a", `{"b":[1, 2]}`), value("top_p", "0.5")},
				Overrides: []provider.Parameter{value("logprobs", "null"), value("seed", "12345678901234567890")},
				Drop:      []string{"logit_bias", "user"},
			},
		},
		"a default for the model":         {parameters: &v1alpha1.Parameters{Defaults: members("model", `"x"`)}, wantPart: "must not name model"},
		"an override of the messages":     {parameters: &v1alpha1.Parameters{Overrides: members("messages", `[]`)}, wantPart: "must not name messages"},
		"no stream":                       {parameters: &v1alpha1.Parameters{Drop: []string{"stream"}}, wantPart: "must not name stream"},
		"options of a stream":             {parameters: &v1alpha1.Parameters{Defaults: members("stream_options", `{}`)}, wantPart: "stream_options"},
		"a value that would break bodies": {parameters: &v1alpha1.Parameters{Overrides: members("a", `1,"model":"x"`)}, wantPart: "a is not valid JSON"},
		"a value that is nothing":         {parameters: &v1alpha1.Parameters{Overrides: members("a", ``)}, wantPart: "a is not valid JSON"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			route := makeRoute("shop", "r").noTargets().target("main", "cred", func(t *v1alpha1.Target) { t.Parameters = tc.parameters })
			built, findings := table.Build(input(route, makeCredential("shop", "cred")))
			if tc.wantPart != "" {
				message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionAccepted, "False/invalid Invalid")
				if !strings.Contains(message, tc.wantPart) || built.Route("shop", "r") != nil {
					t.Errorf("the message is %q, the table has %v", message, served(built))
				}
				return
			}
			wantFinding(t, findings, "shop", "r", v1alpha1.ConditionAccepted, "True Accepted")
			if diff := cmp.Diff(tc.want, built.Route("shop", "r").Tiers[0].Targets[0].Parameters); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestBuild_RefusesTargetsNoSchemaWouldTake(t *testing.T) {
	for name, route := range map[string]*routeBuilder{
		"a name twice":            makeRoute("shop", "r").target("main", "cred"),
		"a weight below zero":     makeRoute("shop", "r").target("b", "cred", weight(-1)),
		"a weight beyond measure": makeRoute("shop", "r").target("b", "cred", weight(10001)),
	} {
		t.Run(name, func(t *testing.T) {
			built, findings := table.Build(input(route, makeCredential("shop", "cred")))
			wantFinding(t, findings, "shop", "r", v1alpha1.ConditionAccepted, "False/invalid Invalid")
			if len(built.Routes()) != 0 {
				t.Errorf("the table has %v", served(built))
			}
		})
	}
}

func TestReferencedCredentials(t *testing.T) {
	in := input(
		makeRoute("shop", "a").target("b", "bank/shared").target("c", "bank/private").target("d", "nobody"),
		makeRoute("shop", "b"),
		makeRoute("bank", "c").noTargets().target("a", "broken"),
		makeCredential("shop", "cred"), makeCredential("shop", "unused"),
		makeCredential("bank", "shared", allow(fromAll)), makeCredential("bank", "private"), makeCredential("bank", "elsewhere", allow(fromAll)),
		makeCredential("bank", "broken", func(s *v1alpha1.ProviderCredentialSpec) { s.Region = "mars" }),
	)
	want := []string{"bank/broken", "bank/shared", "shop/cred"}
	var got []string
	for _, key := range table.ReferencedCredentials(in) {
		got = append(got, key.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	in.Instance.Spec.Serves = nil
	if got := table.ReferencedCredentials(in); len(got) != 0 {
		t.Errorf("an instance that serves none of the routes needs %v", got)
	}
}

func TestBuild_LinksFallbacks(t *testing.T) {
	soon := makeRoute("shop", "soon").noTargets().with(func(s *v1alpha1.ModelRouteSpec) { s.Availability = v1alpha1.AvailabilitySoon })
	others := []any{
		makeCredential("shop", "cred"), makeRoute("shop", "b").aliases("b2").fallbacks("c"), makeRoute("shop", "c"), soon,
		makeRoute("shop", "broken").with(func(s *v1alpha1.ModelRouteSpec) { s.Timeouts = &v1alpha1.Timeouts{Total: "x"} }),
	}
	tests := map[string]struct {
		route    *routeBuilder
		want     []string
		wantRefs string
		wantPart string
	}{
		"none":                               {makeRoute("shop", "r"), nil, "True ResolvedRefs", ""},
		"in their order":                     {makeRoute("shop", "r").fallbacks("c", "b"), []string{"c", "b"}, "True ResolvedRefs", ""},
		"by an alias":                        {makeRoute("shop", "r").fallbacks("b2"), []string{"b"}, "True ResolvedRefs", ""},
		"the same route by two names":        {makeRoute("shop", "r").fallbacks("b2", "b"), []string{"b"}, "True ResolvedRefs", ""},
		"one that comes soon":                {makeRoute("shop", "r").fallbacks("soon"), []string{"soon"}, "True ResolvedRefs", ""},
		"an unknown one, and the rest":       {makeRoute("shop", "r").fallbacks("x", "b"), []string{"b"}, "False/degraded FallbackUnresolved", `"x" is no model`},
		"one that is not served":             {makeRoute("shop", "r").fallbacks("broken"), nil, "False/degraded FallbackUnresolved", `"broken"`},
		"itself":                             {makeRoute("shop", "r").fallbacks("r"), nil, "False/degraded FallbackUnresolved", "the route itself"},
		"itself by an alias":                 {makeRoute("shop", "r").aliases("me").fallbacks("me"), nil, "False/degraded FallbackUnresolved", "the route itself"},
		"a missing credential is said first": {makeRoute("shop", "r").noTargets().target("a", "nobody").fallbacks("x"), nil, "False/missing RefNotFound", `"x" is no model`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			built, findings := table.Build(input(append(others, tc.route)...))
			message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionResolvedRefs, tc.wantRefs)
			if !strings.Contains(message, tc.wantPart) {
				t.Errorf("the message %q does not say %q", message, tc.wantPart)
			}
			var got []string
			for _, f := range built.Route("shop", "r").Fallbacks {
				got = append(got, f.Model)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
