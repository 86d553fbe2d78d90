package kubernetes

import (
	"cmp"
	"time"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// holdTime is how long a public name stays with the instance's own namespace after its route is gone. It covers the time in
// which a platform's route is deleted and created again, during which a tenant's route of the same name must not get the
// prompts that are meant for the platform's.
const holdTime = 10 * time.Minute

// heldNames remembers public names of routes that are gone.
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
			h.until[name] = now.Add(holdTime)
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

// namesOf returns the names that the routes of a namespace hold: what they are called, and their aliases unless another
// namespace's route is called that, which beats an alias.
func namesOf(namespace string, routes []*v1alpha1.ModelRoute) map[string]struct{} {
	names, foreign := map[string]struct{}{}, map[string]struct{}{}
	for _, route := range routes {
		model := cmp.Or(string(route.Spec.Model), route.Name)
		if route.Namespace == namespace {
			names[model] = struct{}{}
		} else {
			foreign[model] = struct{}{}
		}
	}
	for _, route := range routes {
		if route.Namespace != namespace {
			continue
		}
		for _, alias := range route.Spec.Aliases {
			if _, beaten := foreign[string(alias)]; !beaten {
				names[string(alias)] = struct{}{}
			}
		}
	}
	return names
}
