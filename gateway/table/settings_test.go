package table_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/table"
)

// changed makes an instance from its defaults.
func changed(change func(*v1alpha1.GatewayInstanceSpec)) *v1alpha1.GatewayInstance {
	return makeInstance(change)
}

func TestBuild_SettingsHaveDefaults(t *testing.T) {
	for name, in := range map[string]table.Input{"an empty spec": input(), "no instance": {}} {
		t.Run(name, func(t *testing.T) {
			built, _ := table.Build(in)
			if built.Replicas() != 2 || built.TrustedProxyHops() != 0 || built.LimitsFailurePolicy() != table.FailurePolicyAllow {
				t.Errorf("settings %+v", built.Settings())
			}
			if built.Demo() != nil || built.Redis() != nil || built.NamespaceBudget() != nil || built.MaxKeys().Set {
				t.Errorf("settings %+v", built.Settings())
			}
			if built.KeyRules().Currency != "USD" {
				t.Errorf("currency %q", built.KeyRules().Currency)
			}
		})
	}
}

func TestBuild_SettingsAreTaken(t *testing.T) {
	replicas, maxKeys := int32(5), int32(7)
	built, _ := table.Build(input(changed(func(s *v1alpha1.GatewayInstanceSpec) {
		s.Replicas, s.TrustedProxyHops, s.LimitsFailurePolicy = &replicas, 2, v1alpha1.LimitsFailurePolicyDeny
		constrain(v1alpha1.KeyConstraints{MaxKeys: &maxKeys, NamespaceBudget: budgetOf("9", "", "Day")})(s)
	})))
	if built.Replicas() != 5 || built.TrustedProxyHops() != 2 || built.LimitsFailurePolicy() != table.FailurePolicyDeny {
		t.Errorf("settings %+v", built.Settings())
	}
	if built.MaxKeys() != table.LimitOf(7) {
		t.Errorf("MaxKeys is %+v", built.MaxKeys())
	}
	want := &table.Budget{Amount: 9 * money.Unit, Currency: "USD", Period: table.PeriodDay}
	if diff := cmp.Diff(want, built.NamespaceBudget()); diff != "" {
		t.Errorf("NamespaceBudget (-want +got):\n%s", diff)
	}
}

func TestTable_EqualSeesSettings(t *testing.T) {
	base, _ := table.Build(input())
	for name, change := range map[string]func(*v1alpha1.GatewayInstanceSpec){
		"trustedProxyHops": func(s *v1alpha1.GatewayInstanceSpec) { s.TrustedProxyHops = 1 },
		"demo":             func(s *v1alpha1.GatewayInstanceSpec) { s.Demo = &v1alpha1.Demo{Models: []v1alpha1.ModelGlob{"a"}} },
		"redis":            func(s *v1alpha1.GatewayInstanceSpec) { s.Redis = &v1alpha1.Redis{Address: "a:6379"} },
		"constraints":      maxKeys(3),
	} {
		t.Run(name, func(t *testing.T) {
			other, _ := table.Build(input(changed(change)))
			if base.Equal(other) {
				t.Error("a table with other settings is taken for the same")
			}
			again, _ := table.Build(input(changed(change)))
			if !other.Equal(again) {
				t.Error("the same settings are taken for others")
			}
		})
	}
}

func TestBuild_Demo(t *testing.T) {
	requests, clients := int64(0), int32(9)
	tests := map[string]struct {
		demo        v1alpha1.Demo
		want        *table.Demo
		wantFinding string
	}{
		"defaults": {
			v1alpha1.Demo{Models: []v1alpha1.ModelGlob{"qwen*"}},
			&table.Demo{Namespace: "platform", Models: table.CompileGlobs([]string{"qwen*"}), RequestsPerMinute: 5, MaxClients: 1000}, "none",
		},
		"zero requests are none, not the default": {
			v1alpha1.Demo{Models: []v1alpha1.ModelGlob{"a"}, RequestsPerMinute: &requests, MaxClients: &clients, Budget: budgetOf("1", "", "Day")},
			&table.Demo{
				Namespace: "platform", Models: table.CompileGlobs([]string{"a"}), MaxClients: 9,
				Budget: &table.Budget{Amount: money.Unit, Currency: "USD", Period: table.PeriodDay},
			}, "none",
		},
		"a budget that cannot be held ends the demo": {
			v1alpha1.Demo{Models: []v1alpha1.ModelGlob{"a"}, Budget: budgetOf("1", "EUR", "Day")}, nil, "False/invalid CurrencyMismatch",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			built, findings := table.Build(input(changed(func(s *v1alpha1.GatewayInstanceSpec) { s.Demo = &tc.demo })))
			if diff := cmp.Diff(tc.want, built.Demo(), cmp.Exporter(exportAll)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got, _ := finding(findings, table.KindGatewayInstance, "platform", "default", v1alpha1.ConditionReady); got != tc.wantFinding {
				t.Errorf("finding %q, want %q", got, tc.wantFinding)
			}
		})
	}
}

func TestDemo_MayUse(t *testing.T) {
	with := func(change func(*v1alpha1.ModelRouteSpec)) func(string) *routeBuilder {
		return func(namespace string) *routeBuilder { return makeRoute(namespace, "qwen3").with(change) }
	}
	tests := map[string]struct {
		route     func(namespace string) *routeBuilder
		namespace string
		models    v1alpha1.ModelGlob
		want      bool
	}{
		"a route of the platform":     {with(func(*v1alpha1.ModelRouteSpec) {}), "platform", "qwen*", true},
		"a route of a tenant for all": {with(func(*v1alpha1.ModelRouteSpec) {}), "shop", "qwen*", true},
		"one that only a tenant's keys may use": {
			with(func(s *v1alpha1.ModelRouteSpec) { s.AllowedKeys = allowedKeys(fromSame) }), "shop", "*", false,
		},
		"a model that no pattern matches": {with(func(*v1alpha1.ModelRouteSpec) {}), "platform", "glm*", false},
		"a Preview model": {
			with(func(s *v1alpha1.ModelRouteSpec) { s.Availability = v1alpha1.AvailabilityPreview }), "platform", "*", false,
		},
		"a model that is served by jobs": {
			func(namespace string) *routeBuilder {
				return makeRoute(namespace, "qwen3").modality(v1alpha1.ModalityVideo).noTargets().target("main", "kling")
			}, "platform", "*", false,
		},
		"a Private model": {with(func(s *v1alpha1.ModelRouteSpec) { s.Visibility = v1alpha1.VisibilityPrivate }), "platform", "*", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			instance := changed(func(s *v1alpha1.GatewayInstanceSpec) {
				s.Demo = &v1alpha1.Demo{Models: []v1alpha1.ModelGlob{tc.models}}
			})
			built, _ := table.Build(input(append(credentials(), instance, tc.route(tc.namespace))...))
			route := built.Resolve("qwen3")
			if got := built.Demo().MayUse(route); got != tc.want {
				t.Errorf("MayUse: %t, want %t", got, tc.want)
			}
			if (*table.Demo)(nil).MayUse(route) {
				t.Error("no demo lets somebody in")
			}
		})
	}
}

func TestInstanceProblem_SpeaksOfConstraints(t *testing.T) {
	instance := makeInstance(constrain(v1alpha1.KeyConstraints{Budget: budgetOf("5", "EUR", "Day")}))
	p := table.InstanceProblem(instance, nil)
	if p == nil || p.Reason != v1alpha1.ReasonCurrencyMismatch || !strings.Contains(p.Message, "serves.keys.constraints.budget.currency") {
		t.Errorf("problem %+v", p)
	}
	if p := table.InstanceProblem(makeInstance(), nil); p != nil {
		t.Errorf("an instance without constraints has the problem %+v", p)
	}
}

func TestSettings_SharesAreThoseOfTheMostReplicasThatMayBe(t *testing.T) {
	five := int32(5)
	for name, tc := range map[string]struct {
		most int32
		want int
	}{"more than there are": {12, 12}, "fewer than there are": {3, 5}} {
		t.Run(name, func(t *testing.T) {
			instance := &v1alpha1.GatewayInstance{Spec: v1alpha1.GatewayInstanceSpec{
				Replicas: &five, Autoscaling: &v1alpha1.Autoscaling{MaxReplicas: tc.most}}}
			built, _ := table.Build(table.Input{Instance: instance})
			if got := built.Replicas(); got != tc.want {
				t.Errorf("replicas %d, want %d", got, tc.want)
			}
		})
	}
}
