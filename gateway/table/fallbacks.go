package table

import (
	"fmt"
	"slices"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// linkFallbacks finds the routes that step in for others. What they fall back to themselves is not followed.
func (b *build) linkFallbacks() {
	for _, c := range b.candidates {
		for _, name := range c.object.Spec.Fallbacks {
			fallback := b.table.byName[string(name)]
			if why := unfit(c.route, fallback); why != "" {
				c.resolved = append(c.resolved, &Problem{
					Severity: Degraded,
					Reason:   v1alpha1.ReasonFallbackUnresolved,
					Message:  fmt.Sprintf("fallbacks: %q %s; name another model", name, why),
				})
			} else if !slices.Contains(c.route.Fallbacks, fallback) {
				c.route.Fallbacks = append(c.route.Fallbacks, fallback)
			}
		}
	}
}

// unfit says why a route cannot step in for another; it is empty if it can.
func unfit(r, fallback *Route) string {
	switch {
	case fallback == nil:
		return "is no model that this instance serves"
	case fallback == r:
		return "is the route itself"
	case fallback.Modality != r.Modality:
		return "is of modality " + fallback.Modality
	}
	return ""
}
