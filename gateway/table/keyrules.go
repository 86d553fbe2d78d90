package table

import (
	"cmp"
	"slices"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// KeyRules are what an instance says of all its keys: its currency and serves.keys.constraints. Read only.
type KeyRules struct {
	// Currency of all budgets.
	Currency string
	// Models are patterns of what keys may use at most; AnyModel if there are none.
	Models   Globs
	AnyModel bool
	// PreviewModels are patterns of the Preview models that keys may use at most; AnyPreviewModel if there are none.
	PreviewModels   Globs
	AnyPreviewModel bool
	// Limits cap those of each key.
	Limits Limits
	// Budget caps that of each key; nil: no cap.
	Budget *Budget
	// NamespaceBudget is what all keys of a namespace may spend together; nil: no bound.
	NamespaceBudget *Budget
	// MaxKeys is how many keys of a namespace are accepted, the oldest.
	MaxKeys Limit
	// Problem is why the rules cannot be applied; no key is accepted then. Nil: they can.
	Problem *Problem

	instance string
}

// CompileKeyRules compiles what an instance says of its keys. It is never nil.
func CompileKeyRules(instance *v1alpha1.GatewayInstance) *KeyRules {
	r := &KeyRules{
		Currency: currencyOf(instance), AnyModel: true, AnyPreviewModel: true,
		instance: keyOf(instance).String(),
	}
	if s := instance.Spec.Serves; s == nil || s.Keys == nil || s.Keys.Constraints == nil {
		return r
	}
	c := instance.Spec.Serves.Keys.Constraints
	// An empty list is not an unset one: it allows nothing.
	r.Models, r.AnyModel = CompileGlobs(c.Models), c.Models == nil
	r.PreviewModels, r.AnyPreviewModel = CompileGlobs(c.PreviewModels), c.PreviewModels == nil
	r.Limits, r.MaxKeys = compileLimits(c.Limits), compileLimit(c.MaxKeys)
	r.Budget, r.Problem = compileBudgetIn("serves.keys.constraints.budget", c.Budget, r.Currency)
	if r.Problem == nil {
		r.NamespaceBudget, r.Problem = compileBudgetIn("serves.keys.constraints.namespaceBudget", c.NamespaceBudget, r.Currency)
	}
	return r
}

// currencyOf is the currency of an instance.
func currencyOf(instance *v1alpha1.GatewayInstance) string {
	return string(cmp.Or(instance.Spec.Currency, DefaultCurrency))
}

// compileBudgetIn compiles a budget of a currency, calling it by the name of its field.
func compileBudgetIn(field string, b *v1alpha1.Budget, currency string) (*Budget, *Problem) {
	compiled, p := compileBudget(field, b)
	if p != nil {
		return nil, p
	}
	return compiled.in(currency, field)
}

// Apply returns a key with what holds for it: the lower of its own limits and those of the instance, budgets of both, and only
// models that both allow. The key itself stays as it is. A problem means that the key cannot be accepted.
func (r *KeyRules) Apply(k *Key) (*Key, *Problem) {
	if r.Problem != nil {
		return nil, &Problem{Severity: Invalid, Reason: r.Problem.Reason, Message: "GatewayInstance " + r.instance + ": " + r.Problem.Message}
	}
	if k.invalid != nil {
		return nil, k.invalid
	}
	budgets := []*Budget{r.Budget}
	for i := range k.Budgets {
		own, p := k.Budgets[i].in(r.Currency, "budget")
		if p != nil {
			return nil, p
		}
		budgets = append(budgets, own)
	}
	applied := *k
	applied.Limits = k.Limits.Lower(r.Limits)
	applied.Budgets = lowerBudgets(budgets...)
	applied.Rules = r
	return &applied, nil
}

// allows says whether keys may use a model at all.
func (r *KeyRules) allows(model string) bool { return r == nil || r.AnyModel || r.Models.Match(model) }

// allowsPreview says whether keys may have access to a Preview model at all.
func (r *KeyRules) allowsPreview(model string) bool {
	return r == nil || r.AnyPreviewModel || r.PreviewModels.Match(model)
}

// Surplus returns the keys that are beyond MaxKeys of their namespace: all but the oldest, and among equally old ones those that
// come later by name. Whether keys are revoked or expired makes no difference.
func (r *KeyRules) Surplus(keys []*Key) []*Key {
	if !r.MaxKeys.Set {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(keys), func(a, b *Key) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Created, b.Created), cmp.Compare(a.Name, b.Name))
	})
	var surplus []*Key
	first := 0
	for i, k := range sorted {
		if k.Namespace != sorted[first].Namespace {
			first = i
		}
		if int64(i-first) >= r.MaxKeys.Value {
			surplus = append(surplus, k)
		}
	}
	return surplus
}

// SurplusProblem tells a key that is beyond MaxKeys of its namespace what to do.
func (r *KeyRules) SurplusProblem(namespace string) *Problem {
	return because(v1alpha1.ReasonTooManyKeys,
		"of namespace %s GatewayInstance %s accepts no more than the oldest %d ApiKeys; delete those that are no longer needed, or raise "+
			"its serves.keys.constraints.maxKeys", namespace, r.instance, r.MaxKeys.Value)
}
