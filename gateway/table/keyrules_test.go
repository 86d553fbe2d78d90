package table_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/table"
)

// defaultInstance is the instance of makeInstance and makeKey.
var defaultInstance = types.NamespacedName{Namespace: "platform", Name: "default"}

// constrain gives an instance constraints of its keys.
func constrain(c v1alpha1.KeyConstraints) func(*v1alpha1.GatewayInstanceSpec) {
	return func(s *v1alpha1.GatewayInstanceSpec) { s.Serves.Keys = &v1alpha1.ServedKeys{Constraints: &c} }
}

// maxKeys constrains the number of keys.
func maxKeys(n int32) func(*v1alpha1.GatewayInstanceSpec) {
	return constrain(v1alpha1.KeyConstraints{MaxKeys: &n})
}

// inCurrency makes an instance count in a currency.
func inCurrency(c v1alpha1.Currency) func(*v1alpha1.GatewayInstanceSpec) {
	return func(s *v1alpha1.GatewayInstanceSpec) { s.Currency = c }
}

// spend gives a key a budget.
func spend(amount, currency, period string) func(*v1alpha1.ApiKey) {
	return func(k *v1alpha1.ApiKey) { k.Spec.Budget = budgetOf(amount, currency, period) }
}

// apply compiles a key and applies the rules of an instance.
func apply(t *testing.T, instance *v1alpha1.GatewayInstance, key *v1alpha1.ApiKey) (*table.Key, *table.Problem) {
	t.Helper()
	declared := table.CompileKey(key, defaultInstance)
	before := *declared
	applied, p := table.CompileKeyRules(instance).Apply(declared)
	if diff := cmp.Diff(before, *declared, cmp.Exporter(exportAll)); diff != "" {
		t.Errorf("the declared key was changed:\n%s", diff)
	}
	return applied, p
}

func TestKeyRules_TheLowerLimitWins(t *testing.T) {
	tests := map[string]struct {
		own, cap *v1alpha1.KeyLimits
		want     table.Limits
	}{
		"neither":                                {nil, nil, table.Limits{}},
		"a key without limits gets the caps":     {nil, keyLimits(10, 20, 30), limits(10, 20, 30)},
		"a key's own where there are no caps":    {keyLimits(1, 2, 3), nil, limits(1, 2, 3)},
		"each for itself":                        {keyLimits(5, 50, -1), keyLimits(10, 20, 30), limits(5, 20, 30)},
		"a cap of zero stops every key":          {keyLimits(5, -1, 5), keyLimits(0, 0, 0), limits(0, 0, 0)},
		"a key of zero stays zero beside a cap":  {keyLimits(0, 0, 0), keyLimits(5, 5, 5), limits(0, 0, 0)},
		"a cap on one leaves the others as free": {nil, keyLimits(-1, 7, -1), limits(-1, 7, -1)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			instance := makeInstance(constrain(v1alpha1.KeyConstraints{Limits: tc.cap}))
			got, p := apply(t, instance, makeKey("shop", "k", func(k *v1alpha1.ApiKey) { k.Spec.Limits = tc.own }))
			if p != nil {
				t.Fatal(p.Message)
			}
			if diff := cmp.Diff(tc.want, got.Limits); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestKeyRules_BudgetsOfOnePeriodAreLoweredAndOfTwoBothHold(t *testing.T) {
	units := func(n money.Amount, currency string, p table.Period) table.Budget {
		return table.Budget{Amount: n * money.Unit, Currency: currency, Period: p}
	}
	tests := map[string]struct {
		own, cap *v1alpha1.Budget
		currency v1alpha1.Currency
		want     []table.Budget
	}{
		"neither":                         {nil, nil, "", nil},
		"the key's own":                   {budgetOf("50", "", "Month"), nil, "", []table.Budget{units(50, "USD", table.PeriodMonth)}},
		"that of the instance":            {nil, budgetOf("50", "", "Month"), "CNY", []table.Budget{units(50, "CNY", table.PeriodMonth)}},
		"the key's is lower":              {budgetOf("5", "", "Month"), budgetOf("50", "", "Month"), "", []table.Budget{units(5, "USD", table.PeriodMonth)}},
		"that of the instance is lower":   {budgetOf("50", "USD", "Month"), budgetOf("5", "USD", "Month"), "USD", []table.Budget{units(5, "USD", table.PeriodMonth)}},
		"zero is lower than anything":     {budgetOf("0", "", "Day"), budgetOf("5", "", "Day"), "", []table.Budget{units(0, "USD", table.PeriodDay)}},
		"two periods, the shortest first": {budgetOf("50", "", "Month"), budgetOf("10", "", "Day"), "", []table.Budget{units(10, "USD", table.PeriodDay), units(50, "USD", table.PeriodMonth)}},
		"a lower one of a longer period":  {budgetOf("50", "", "Week"), budgetOf("5", "", "Lifetime"), "", []table.Budget{units(50, "USD", table.PeriodWeek), units(5, "USD", table.PeriodLifetime)}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			instance := makeInstance(inCurrency(tc.currency), constrain(v1alpha1.KeyConstraints{Budget: tc.cap}))
			got, p := apply(t, instance, makeKey("shop", "k", func(k *v1alpha1.ApiKey) { k.Spec.Budget = tc.own }))
			if p != nil {
				t.Fatal(p.Message)
			}
			if diff := cmp.Diff(tc.want, got.Budgets); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestKeyRules_WhatCannotBeHeldIsNotAccepted(t *testing.T) {
	tests := map[string]struct {
		instance *v1alpha1.GatewayInstance
		key      *v1alpha1.ApiKey
		want     string
		wantPart string
	}{
		"a budget in another currency": {
			makeInstance(inCurrency("CNY")), makeKey("shop", "k", spend("5", "USD", "Day")), "invalid CurrencyMismatch", "CNY",
		},
		"a budget that is no number":     {makeInstance(), makeKey("shop", "k", spend("lots", "", "Day")), "invalid Invalid", "budget.amount"},
		"a budget that is too large":     {makeInstance(), makeKey("shop", "k", spend("9999999", "", "Day")), "invalid Invalid", "budget.amount"},
		"a budget of an unknown period":  {makeInstance(), makeKey("shop", "k", spend("5", "", "Year")), "invalid Invalid", "Lifetime"},
		"a cap in another currency":      {makeInstance(constrain(v1alpha1.KeyConstraints{Budget: budgetOf("5", "EUR", "Day")})), makeKey("shop", "k"), "invalid CurrencyMismatch", "platform/default"},
		"a sum in another currency":      {makeInstance(constrain(v1alpha1.KeyConstraints{NamespaceBudget: budgetOf("5", "EUR", "Day")})), makeKey("shop", "k"), "invalid CurrencyMismatch", "namespaceBudget"},
		"a cap that is no number at all": {makeInstance(constrain(v1alpha1.KeyConstraints{Budget: budgetOf("", "", "Day")})), makeKey("shop", "k"), "invalid Invalid", "constraints.budget.amount"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, p := apply(t, tc.instance, tc.key)
			if got != nil || p == nil {
				t.Fatalf("accepted: %+v, %v", got, p)
			}
			if text := p.Severity.String() + " " + p.Reason; text != tc.want || !strings.Contains(p.Message, tc.wantPart) {
				t.Errorf("got %q (%s), want %q (%s)", text, p.Message, tc.want, tc.wantPart)
			}
			built, findings := table.Build(input(tc.instance, tc.key))
			if len(built.Keys()) != 0 {
				t.Error("the table serves the key")
			}
			got2, _ := finding(findings, table.KindApiKey, "shop", "k", v1alpha1.ConditionAccepted)
			if want := "False/" + tc.want; got2 != want {
				t.Errorf("finding %q, want %q", got2, want)
			}
		})
	}
}

func TestKeyRules_AKeyMayUseWhatBothAllow(t *testing.T) {
	type globs = []v1alpha1.ModelGlob
	built, _ := table.Build(input(append(credentials(),
		makeRoute("shop", "deepseek-v4"), makeRoute("shop", "qwen3-max"), makeRoute("shop", "wan-2.7"))...))
	tests := map[string]struct {
		models, preview       globs
		capModels, capPreview globs
		want, wantPreview     []string
	}{
		"no constraints":                  {nil, globs{"wan*"}, nil, nil, []string{"deepseek-v4", "qwen3-max", "wan-2.7"}, []string{"wan-2.7"}},
		"a key of everything":             {nil, globs{"*"}, globs{"deepseek-*", "w*"}, globs{"wan-*"}, []string{"deepseek-v4", "wan-2.7"}, []string{"wan-2.7"}},
		"patterns that overlap":           {globs{"*-max", "*-v4"}, nil, globs{"deepseek-*"}, nil, []string{"deepseek-v4"}, nil},
		"patterns that do not":            {globs{"qwen*"}, globs{"qwen*"}, globs{"deepseek-*"}, globs{"wan-*"}, nil, nil},
		"no Preview model whatever it is": {nil, globs{"*"}, nil, globs{}, []string{"deepseek-v4", "qwen3-max", "wan-2.7"}, nil},
		"constraints grant nothing":       {globs{"qwen*"}, nil, globs{"*"}, globs{"*"}, []string{"qwen3-max"}, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			instance := makeInstance(constrain(v1alpha1.KeyConstraints{Models: tc.capModels, PreviewModels: tc.capPreview}))
			key, _ := apply(t, instance, makeKey("shop", "k", func(k *v1alpha1.ApiKey) { k.Spec.Models, k.Spec.PreviewModels = tc.models, tc.preview }))
			var got, preview []string
			for _, r := range built.Routes() {
				if key.MayUse(r) {
					got = append(got, r.Model)
				}
				if key.MayPreview(r) {
					preview = append(preview, r.Model)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("models (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantPreview, preview); diff != "" {
				t.Errorf("Preview models (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBuild_MaxKeysAcceptsTheOldest(t *testing.T) {
	const accepted, surplus = "True Accepted", "False/invalid TooManyKeys"
	tests := map[string]struct {
		max  int32
		keys []*v1alpha1.ApiKey
		want map[string]string
	}{
		"as many as may be": {2, []*v1alpha1.ApiKey{makeKey("shop", "a"), makeKey("shop", "b")}, map[string]string{"shop/a": accepted, "shop/b": accepted}},
		"the oldest win": {
			2, []*v1alpha1.ApiKey{makeKey("shop", "a"), makeKey("shop", "b", aged(9)), makeKey("shop", "c", aged(5))},
			map[string]string{"shop/a": surplus, "shop/b": accepted, "shop/c": accepted},
		},
		"of equally old ones the first by name": {
			1, []*v1alpha1.ApiKey{makeKey("shop", "b"), makeKey("shop", "a")}, map[string]string{"shop/a": accepted, "shop/b": surplus},
		},
		"each namespace for itself": {
			1, []*v1alpha1.ApiKey{makeKey("shop", "a"), makeKey("bank", "b"), makeKey("bank", "c", aged(1))},
			map[string]string{"shop/a": accepted, "bank/b": surplus, "bank/c": accepted},
		},
		"zero accepts none": {0, []*v1alpha1.ApiKey{makeKey("shop", "a")}, map[string]string{"shop/a": surplus}},
		"revoked keys count": {
			1, []*v1alpha1.ApiKey{makeKey("shop", "a"), makeKey("shop", "b", aged(9), func(k *v1alpha1.ApiKey) { k.Spec.Revoked = true })},
			map[string]string{"shop/a": surplus, "shop/b": accepted},
		},
		"keys of other instances do not": {
			1, []*v1alpha1.ApiKey{makeKey("shop", "a"), makeKey("shop", "b", aged(9), onGateway("platform", "other"))},
			map[string]string{"shop/a": accepted, "shop/b": "none"},
		},
		"a key that lost its hash hears of that first": {
			1, []*v1alpha1.ApiKey{makeKey("shop", "a", aged(9)), makeKey("shop", "b", brought("a"))},
			map[string]string{"shop/a": accepted, "shop/b": "False/invalid DuplicateKey"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			objects := []any{makeInstance(maxKeys(tc.max))}
			for _, k := range tc.keys {
				objects = append(objects, k)
			}
			built, findings := table.Build(input(objects...))
			served := map[string]bool{}
			for _, k := range built.Keys() {
				served[k.ID()] = true
			}
			for id, want := range tc.want {
				namespace, name, _ := strings.Cut(id, "/")
				got, message := finding(findings, table.KindApiKey, namespace, name, v1alpha1.ConditionAccepted)
				if got != want || served[id] != (want == accepted) {
					t.Errorf("%s: %q (%s), served %t; want %q", id, got, message, served[id], want)
				}
			}
		})
	}
}

func TestBuild_WithoutCreationTimesEveryKeyHearsOfTooMany(t *testing.T) {
	in := input(makeInstance(maxKeys(1)), makeKey("shop", "a"), makeKey("shop", "b"), makeKey("bank", "c"))
	in.NoCreationTimes = true
	built, findings := table.Build(in)
	for id, want := range map[string]string{"shop a": "False/invalid TooManyKeys", "shop b": "False/invalid TooManyKeys", "bank c": "True Accepted"} {
		namespace, name, _ := strings.Cut(id, " ")
		if got, _ := finding(findings, table.KindApiKey, namespace, name, v1alpha1.ConditionAccepted); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	var got []string
	for _, k := range built.Keys() {
		got = append(got, k.ID())
	}
	if diff := cmp.Diff([]string{"bank/c", "shop/a"}, got); diff != "" {
		t.Errorf("keys that are served (-want +got):\n%s", diff)
	}
}

func TestKeyRules_SurplusDoesNotDependOnOrder(t *testing.T) {
	rules := table.CompileKeyRules(makeInstance(maxKeys(3)))
	var keys []*table.Key
	for i, name := range []string{"a", "b", "c", "d", "e", "f"} {
		keys = append(keys, &table.Key{Namespace: "shop", Name: name, Created: int64(i / 2)})
	}
	for range 20 {
		slices.Reverse(keys)
		keys = append(keys[1:], keys[0])
		var got []string
		for _, k := range rules.Surplus(keys) {
			got = append(got, k.Name)
		}
		if diff := cmp.Diff([]string{"d", "e", "f"}, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	}
}

func TestBuild_SaysWhichPatternsTheInstanceExcludes(t *testing.T) {
	instance := makeInstance(constrain(v1alpha1.KeyConstraints{Models: []v1alpha1.ModelGlob{"a*"}}))
	key := makeKey("shop", "k", func(k *v1alpha1.ApiKey) { k.Spec.Models = []v1alpha1.ModelGlob{"a*", "b*"} })
	_, findings := table.Build(input(append(credentials(), instance, key, makeRoute("shop", "ab"), makeRoute("shop", "ba"))...))
	got, message := finding(findings, table.KindApiKey, "shop", "k", v1alpha1.ConditionModelsResolved)
	if got != "False/info UnknownModels" || !strings.Contains(message, "matches b*") {
		t.Errorf("got %q (%s)", got, message)
	}
}
