package table

import (
	"slices"
	"strings"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// maxEffectiveGlobs bounds lists of patterns in a status.
const maxEffectiveGlobs = 128

// Effective is what a key's status says of what holds for it. The key's Rules must have been applied.
func (k *Key) Effective() *v1alpha1.EffectiveKey {
	e := &v1alpha1.EffectiveKey{
		Models:        intersect(k.Models, k.AnyModel, k.Rules.Models, k.Rules.AnyModel),
		PreviewModels: intersect(k.PreviewModels, false, k.Rules.PreviewModels, k.Rules.AnyPreviewModel),
	}
	if !k.Limits.Unlimited() {
		e.Limits = &v1alpha1.KeyLimits{
			RequestsPerMinute:  k.Limits.RequestsPerMinute.pointer(),
			TokensPerMinute:    k.Limits.TokensPerMinute.pointer(),
			ConcurrentRequests: k.Limits.ConcurrentRequests.pointer(),
		}
	}
	for i := range k.Budgets {
		e.Budgets = append(e.Budgets, *k.Budgets[i].declared())
	}
	if k.Rules.NamespaceBudget != nil {
		e.NamespaceBudget = k.Rules.NamespaceBudget.declared()
	}
	return e
}

// declared is a budget as an API object has it.
func (b *Budget) declared() *v1alpha1.Budget {
	return &v1alpha1.Budget{
		Amount: v1alpha1.Decimal(b.Amount.Decimal()), Currency: v1alpha1.Currency(b.Currency), Period: v1alpha1.BudgetPeriod(b.Period),
	}
}

// intersect returns patterns of the names that both of two lists match; any stands for a list that matches everything. It is nil if
// everything matches and empty if nothing does.
func intersect(a Globs, anyA bool, b Globs, anyB bool) []v1alpha1.EffectiveGlob {
	switch {
	case anyA && anyB:
		return nil
	case anyA:
		return b.texts()
	case anyB:
		return a.texts()
	}
	both := []v1alpha1.EffectiveGlob{}
	for i := range a.globs {
		for j := range b.globs {
			if text, ok := overlap(&a.globs[i], &b.globs[j]); ok && !slices.Contains(both, text) {
				both = append(both, text)
			}
		}
	}
	return both[:min(len(both), maxEffectiveGlobs)]
}

// texts are the patterns of a list.
func (g Globs) texts() []v1alpha1.EffectiveGlob {
	texts := make([]v1alpha1.EffectiveGlob, 0, len(g.globs))
	for i := range g.globs {
		texts = append(texts, v1alpha1.EffectiveGlob(g.globs[i].String()))
	}
	return texts
}

// overlap returns a pattern for the names that two patterns match, the narrower one if there is one. It is false if no name matches
// both.
func overlap(a, b *glob) (v1alpha1.EffectiveGlob, bool) {
	x, y := a.String(), b.String()
	switch {
	case b.covers(a):
		return v1alpha1.EffectiveGlob(x), true
	case a.covers(b):
		return v1alpha1.EffectiveGlob(y), true
	case meet(x, y):
		return v1alpha1.EffectiveGlob(x + " & " + y), true
	}
	return "", false
}

// String is the pattern.
func (g *glob) String() string {
	if g.literal {
		return g.prefix
	}
	return strings.Join(slices.Concat([]string{g.prefix}, g.middle, []string{g.suffix}), "*")
}

// covers says that a pattern matches whatever another one matches. It is true only where that is certain: the other's stars are
// taken for a character that no name has, which only a star can match.
func (g *glob) covers(o *glob) bool {
	const noName = "\x00"
	return g.match(strings.ReplaceAll(o.String(), "*", noName))
}

// meet says that some text matches both of two patterns. It walks along both at once: reach[j] says that some text leads to i
// characters of x and j of y.
func meet(x, y string) bool {
	reach := make([]bool, len(y)+1)
	for i := range len(x) + 1 {
		next := make([]bool, len(y)+1)
		for j := range len(y) + 1 {
			next[j] = meetAt(x, y, i, j, reach, next)
		}
		reach = next
	}
	return reach[len(y)]
}

// meetAt says whether i characters of x and j of y can be reached. Above is the row of i-1, row that of i as far as j.
func meetAt(x, y string, i, j int, above, row []bool) bool {
	starX, starY := i > 0 && x[i-1] == '*', j > 0 && y[j-1] == '*'
	switch {
	case i == 0 && j == 0:
		return true
	case starX && starY:
		return above[j] || row[j-1]
	case starX: // the star is empty, or takes one more character of y
		return above[j] || (j > 0 && row[j-1])
	case starY:
		return row[j-1] || (i > 0 && above[j])
	}
	return i > 0 && j > 0 && x[i-1] == y[j-1] && above[j-1]
}
