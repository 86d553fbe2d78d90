package kubernetes

import (
	"cmp"
	"time"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// heldNames remembers public names of the instance's own namespace whose routes are gone, for table.NameTenure.
type heldNames struct {
	namespace string
	present   map[string]struct{}
	until     map[string]time.Time
}

// observe takes the names that routes of the namespace have now; names that it had before and that are missing are held
// from now on.
func (h *heldNames) observe(now time.Time, present map[string]struct{}) {
	for name := range h.present {
		if _, still := present[name]; !still {
			if h.until == nil {
				h.until = map[string]time.Time{}
			}
			h.until[name] = now.Add(table.NameTenure)
		}
	}
	for name, end := range h.until {
		if _, back := present[name]; back || !now.Before(end) {
			delete(h.until, name)
		}
	}
	h.present = present
}

// names returns what a table's input wants: held names and the namespace that held them. Nil if there are none.
func (h *heldNames) names() map[string]string {
	if len(h.until) == 0 {
		return nil
	}
	held := make(map[string]string, len(h.until))
	for name := range h.until {
		held[name] = h.namespace
	}
	return held
}

// next is when the first held name becomes free; zero if there are none.
func (h *heldNames) next() time.Time {
	var first time.Time
	for _, end := range h.until {
		if first.IsZero() || end.Before(first) {
			first = end
		}
	}
	return first
}

// namesOf returns the names that the routes of a namespace claim: what they are called, and their aliases.
func namesOf(namespace string, routes []*v1alpha1.ModelRoute) map[string]struct{} {
	names := map[string]struct{}{}
	for _, route := range routes {
		if route.Namespace != namespace {
			continue
		}
		names[cmp.Or(string(route.Spec.Model), route.Name)] = struct{}{}
		for _, alias := range route.Spec.Aliases {
			names[string(alias)] = struct{}{}
		}
	}
	return names
}
