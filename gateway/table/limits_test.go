package table_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/table"
)

// keyLimits makes limits of a key in the order requests, tokens, concurrency; a negative number is an unset one.
func keyLimits(requests, tokens, concurrent int64) *v1alpha1.KeyLimits {
	pointer := func(n int64) *int64 {
		if n < 0 {
			return nil
		}
		return &n
	}
	return &v1alpha1.KeyLimits{
		RequestsPerMinute: pointer(requests), TokensPerMinute: pointer(tokens), ConcurrentRequests: pointer(concurrent),
	}
}

// limits is what keyLimits compile to.
func limits(requests, tokens, concurrent int64) table.Limits {
	limit := func(n int64) table.Limit {
		if n < 0 {
			return table.Limit{}
		}
		return table.LimitOf(n)
	}
	return table.Limits{RequestsPerMinute: limit(requests), TokensPerMinute: limit(tokens), ConcurrentRequests: limit(concurrent)}
}

// budgetOf makes a budget; the currency may be empty.
func budgetOf(amount, currency, period string) *v1alpha1.Budget {
	return &v1alpha1.Budget{Amount: v1alpha1.Decimal(amount), Currency: v1alpha1.Currency(currency), Period: v1alpha1.BudgetPeriod(period)}
}

func TestLimit_LowerKeepsUnsetZeroAndUnlimitedApart(t *testing.T) {
	unset, zero, five, nine := table.Limit{}, table.LimitOf(0), table.LimitOf(5), table.LimitOf(9)
	tests := map[string]struct{ a, b, want table.Limit }{
		"two that are unset":        {unset, unset, unset},
		"a bound beside none":       {five, unset, five},
		"none beside a bound":       {unset, five, five},
		"the lower of two":          {nine, five, five},
		"the lower of two, turned":  {five, nine, five},
		"zero beats a bound":        {five, zero, zero},
		"zero is not unlimited":     {zero, unset, zero},
		"unlimited is not zero":     {unset, zero, zero},
		"zero stays beside a bound": {zero, five, zero},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tc.a.Lower(tc.b); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestCompileKey_Limits(t *testing.T) {
	tests := map[string]struct {
		limits *v1alpha1.KeyLimits
		want   table.Limits
	}{
		"unset":                    {nil, table.Limits{}},
		"an empty object":          {&v1alpha1.KeyLimits{}, table.Limits{}},
		"zero allows nothing":      {keyLimits(0, 0, 0), limits(0, 0, 0)},
		"each stands for itself":   {keyLimits(600, -1, 0), limits(600, -1, 0)},
		"the largest there can be": {keyLimits(10_000_000, 1_000_000_000, 1_000_000), limits(10_000_000, 1_000_000_000, 1_000_000)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			key := makeKey("shop", "k", func(k *v1alpha1.ApiKey) { k.Spec.Limits = tc.limits })
			got := table.CompileKey(key, defaultInstance)
			if diff := cmp.Diff(tc.want, got.Limits); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got.Limits.Unlimited() != (tc.want == table.Limits{}) {
				t.Errorf("Unlimited is %t", got.Limits.Unlimited())
			}
		})
	}
}

func TestBuild_CredentialLimits(t *testing.T) {
	requests, none := int64(3000), int64(0)
	tests := map[string]struct {
		limits *v1alpha1.CredentialLimits
		want   table.Limits
	}{
		"unset":                  {nil, table.Limits{}},
		"zero allows nothing":    {&v1alpha1.CredentialLimits{ConcurrentRequests: &none, RequestsPerMinute: &none}, limits(0, -1, 0)},
		"each stands for itself": {&v1alpha1.CredentialLimits{RequestsPerMinute: &requests}, limits(3000, -1, -1)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			built, _ := table.Build(input(makeRoute("shop", "r"), makeCredential("shop", "cred", func(s *v1alpha1.ProviderCredentialSpec) { s.Limits = tc.limits })))
			got := built.Resolve("r").Tiers[0].Targets[0].Credential.Limits
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCompileKey_Budget(t *testing.T) {
	tests := map[string]struct {
		budget *v1alpha1.Budget
		want   []table.Budget
	}{
		"none":                      {nil, nil},
		"zero allows what is free":  {budgetOf("0", "", "Day"), []table.Budget{{Period: table.PeriodDay}}},
		"an amount":                 {budgetOf("50.00", "USD", "Month"), []table.Budget{{Amount: 50 * money.Unit, Currency: "USD", Period: table.PeriodMonth}}},
		"the largest there can be":  {budgetOf("9000000", "", "Lifetime"), []table.Budget{{Amount: 9_000_000 * money.Unit, Period: table.PeriodLifetime}}},
		"the smallest there can be": {budgetOf("0.000001", "", "Week"), []table.Budget{{Amount: money.Unit / 1_000_000, Period: table.PeriodWeek}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			key := makeKey("shop", "k", func(k *v1alpha1.ApiKey) { k.Spec.Budget = tc.budget })
			if diff := cmp.Diff(tc.want, table.CompileKey(key, defaultInstance).Budgets); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
