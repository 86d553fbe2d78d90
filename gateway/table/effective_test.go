package table_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

func TestKey_Effective(t *testing.T) {
	type globs = []v1alpha1.ModelGlob
	type effective = []v1alpha1.EffectiveGlob
	tests := map[string]struct {
		key  func(*v1alpha1.ApiKeySpec)
		caps v1alpha1.KeyConstraints
		want v1alpha1.EffectiveKey
	}{
		"nothing is bounded": {func(*v1alpha1.ApiKeySpec) {}, v1alpha1.KeyConstraints{}, v1alpha1.EffectiveKey{PreviewModels: effective{}}},
		"limits and budgets of both": {
			func(s *v1alpha1.ApiKeySpec) {
				s.Limits, s.Budget = keyLimits(600, -1, 0), budgetOf("50.00", "USD", "Month")
			},
			v1alpha1.KeyConstraints{Limits: keyLimits(100, 1000, 10), Budget: budgetOf("1.50", "", "Day"), NamespaceBudget: budgetOf("9", "", "Week")},
			v1alpha1.EffectiveKey{
				Limits: keyLimits(100, 1000, 0), PreviewModels: effective{},
				Budgets:         []v1alpha1.Budget{*budgetOf("1.5", "USD", "Day"), *budgetOf("50", "USD", "Month")},
				NamespaceBudget: budgetOf("9", "USD", "Week"),
			},
		},
		"the models of one alone": {
			func(s *v1alpha1.ApiKeySpec) { s.PreviewModels = globs{"wan*"} }, v1alpha1.KeyConstraints{Models: globs{"a*b", "c"}},
			v1alpha1.EffectiveKey{Models: effective{"a*b", "c"}, PreviewModels: effective{"wan*"}},
		},
		"the narrower pattern": {
			func(s *v1alpha1.ApiKeySpec) { s.Models = globs{"deepseek-*", "qwen3-max", "glm-5"} },
			v1alpha1.KeyConstraints{Models: globs{"*", "qwen*"}},
			v1alpha1.EffectiveKey{Models: effective{"deepseek-*", "qwen3-max", "glm-5"}, PreviewModels: effective{}},
		},
		"two that only overlap": {
			func(s *v1alpha1.ApiKeySpec) { s.Models = globs{"deepseek-*"} }, v1alpha1.KeyConstraints{Models: globs{"*-pro", "qwen*"}},
			v1alpha1.EffectiveKey{Models: effective{"deepseek-* & *-pro"}, PreviewModels: effective{}},
		},
		"none at all": {
			func(s *v1alpha1.ApiKeySpec) { s.Models, s.PreviewModels = globs{"a"}, globs{"a"} },
			v1alpha1.KeyConstraints{Models: globs{"b"}, PreviewModels: globs{}},
			v1alpha1.EffectiveKey{Models: effective{}, PreviewModels: effective{}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			key, p := apply(t, makeInstance(constrain(tc.caps)), makeKey("shop", "k", func(k *v1alpha1.ApiKey) { tc.key(&k.Spec) }))
			if p != nil {
				t.Fatal(p.Message)
			}
			if diff := cmp.Diff(&tc.want, key.Effective()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestKey_EffectiveSaysWhatMayBeUsed compares the patterns of the status with what two patterns match, for random patterns and
// every short name.
func TestKey_EffectiveSaysWhatMayBeUsed(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	names := shortNames("ab", 6)
	for range 3000 {
		own, limit := randomGlob(random), randomGlob(random)
		key, _ := apply(t, makeInstance(constrain(v1alpha1.KeyConstraints{Models: []v1alpha1.ModelGlob{limit}})),
			makeKey("shop", "k", func(k *v1alpha1.ApiKey) { k.Spec.Models = []v1alpha1.ModelGlob{own} }))
		effective := key.Effective().Models
		a, b := table.CompileGlobs([]v1alpha1.ModelGlob{own}), table.CompileGlobs([]v1alpha1.ModelGlob{limit})
		some := false
		for _, name := range names {
			want := a.Match(name) && b.Match(name)
			some = some || want
			if got := slices.ContainsFunc(effective, func(e v1alpha1.EffectiveGlob) bool { return matchesAll(e, name) }); got != want {
				t.Fatalf("%q and %q give %q: %q matches %t, want %t", own, limit, effective, name, got, want)
			}
		}
		// Patterns have four characters at most, so what two of them share shows in names of six.
		if !some && len(effective) > 0 {
			t.Fatalf("%q and %q give %q, which matches nothing", own, limit, effective)
		}
	}
}

// matchesAll says whether a name matches every pattern of an entry of the status.
func matchesAll(e v1alpha1.EffectiveGlob, name string) bool {
	for pattern := range strings.SplitSeq(string(e), " & ") {
		if !table.CompileGlobs([]string{pattern}).Match(name) {
			return false
		}
	}
	return true
}

// randomGlob makes a pattern of one to four characters.
func randomGlob(random *rand.Rand) v1alpha1.ModelGlob {
	text := make([]byte, 1+random.IntN(4))
	for i := range text {
		text[i] = "ab*"[random.IntN(3)]
	}
	return v1alpha1.ModelGlob(text)
}

// shortNames are all texts of an alphabet up to a length, but the empty one.
func shortNames(alphabet string, length int) []string {
	var names []string
	last := []string{""}
	for range length {
		var next []string
		for _, stem := range last {
			for _, r := range alphabet {
				next = append(next, stem+string(r))
			}
		}
		names, last = append(names, next...), next
	}
	return names
}
