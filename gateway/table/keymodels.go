package table

import (
	"fmt"
	"slices"
	"strings"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// usableRoutes are those that the rules of the instance let some key use.
func (b *build) usableRoutes() []*Route {
	rules := b.table.settings.KeyRules
	return slices.DeleteFunc(slices.Clone(b.table.routes), func(r *Route) bool { return !rules.allows(r.Model) })
}

// patternCache remembers which patterns match a model that a namespace may see: thousands of keys share a few patterns.
type patternCache struct {
	routes []*Route
	known  map[[2]string]bool
}

// newPatternCache returns an empty cache.
func newPatternCache(routes []*Route) *patternCache {
	return &patternCache{routes: routes, known: map[[2]string]bool{}}
}

// matches says whether a pattern matches a model that the keys of a namespace may see.
func (c *patternCache) matches(pattern, namespace string) bool {
	key := [2]string{pattern, namespace}
	found, ok := c.known[key]
	if !ok {
		g := compileGlob(pattern)
		found = slices.ContainsFunc(c.routes, func(r *Route) bool { return r.AllowsNamespace(namespace) && g.match(r.Model) })
		c.known[key] = found
	}
	return found
}

// modelsFinding says whether all patterns of a key match something. The key works all the same.
func modelsFinding(ref ObjectRef, ak *v1alpha1.ApiKey, patterns *patternCache) Finding {
	var idle []string
	for _, pattern := range slices.Concat(ak.Spec.Models, ak.Spec.PreviewModels) {
		if !patterns.matches(string(pattern), ak.Namespace) && !slices.Contains(idle, string(pattern)) {
			idle = append(idle, string(pattern))
		}
	}
	if len(idle) == 0 {
		return holds(ref, v1alpha1.ConditionModelsResolved, v1alpha1.ReasonModelsResolved, "every pattern matches a model")
	}
	return Finding{Object: ref, Type: v1alpha1.ConditionModelsResolved, Severity: Info, Reason: v1alpha1.ReasonUnknownModels,
		Message: fmt.Sprintf("no model that this key may see matches %s; correct models, or add a route", strings.Join(idle, ", "))}
}
