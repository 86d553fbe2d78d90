package table

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// Defaults of a route.
const (
	DefaultOrg             = "vipcloud"
	DefaultResponseTimeout = 60 * time.Second
	DefaultIdleTimeout     = 120 * time.Second
	DefaultTotalTimeout    = 15 * time.Minute
	DefaultAttempts        = 2
	DefaultWeight          = 100
)

// candidate is a route on its way into the table.
type candidate struct {
	object *v1alpha1.ModelRoute
	ref    ObjectRef
	// own says that the route lives in the instance's own namespace, where the platform's people write.
	own   bool
	route *Route
	// rejected keeps the route out of the table.
	rejected bool
	// accepted are problems of Accepted, resolved those of ResolvedRefs.
	accepted, resolved []*Problem
	// lostAliases are sentences on aliases that went to others, notes further things worth knowing.
	lostAliases, notes []string
	priced             Finding
}

// reject keeps a route out of the table.
func (c *candidate) reject(p *Problem) {
	c.rejected = true
	c.accepted = append(c.accepted, p)
}

// selectRoutes finds the routes that the instance serves.
func (b *build) selectRoutes() {
	own := b.in.Instance.Namespace
	served := b.namespaces.set(routesSelection(b.in.Instance), own)
	for _, object := range ordered(b.in.Routes) {
		if !served.has(object.Namespace) {
			continue
		}
		b.candidates = append(b.candidates, &candidate{
			object: object,
			ref:    refOf(KindModelRoute, object),
			own:    object.Namespace == own,
			route:  newRoute(object),
		})
	}
}

// newRoute fills in what needs no checks.
func newRoute(object *v1alpha1.ModelRoute) *Route {
	spec := &object.Spec
	r := &Route{
		Namespace:    object.Namespace,
		Name:         object.Name,
		UID:          string(object.UID),
		Model:        string(cmp.Or(spec.Model, v1alpha1.ModelName(object.Name))),
		Modality:     string(cmp.Or(spec.Modality, v1alpha1.ModalityChat)),
		Availability: string(cmp.Or(spec.Availability, v1alpha1.AvailabilityLive)),
		Private:      spec.Visibility == v1alpha1.VisibilityPrivate,
		Affinity:     string(spec.Affinity),
		Created:      createdUnix(object),
		allowed:      namespaceSet{all: true},
	}
	r.Display = newDisplay(spec.Display, r.Model)
	return r
}

// newDisplay fills in what the admin left out.
func newDisplay(d *v1alpha1.Display, model string) Display {
	if d == nil {
		d = &v1alpha1.Display{}
	}
	return Display{
		Label:         cmp.Or(d.Label, model),
		Org:           cmp.Or(d.Org, DefaultOrg),
		ContextWindow: d.ContextWindow,
		Tags:          slices.Clone(d.Tags),
		Description:   d.Description,
	}
}

// compileRoutes checks what stands in a route alone.
func (b *build) compileRoutes() {
	for _, c := range b.candidates {
		for _, check := range []func(*candidate) *Problem{checkKinds, b.allowedKeys, timeouts, retries, voices, results} {
			if p := check(c); p != nil {
				c.reject(p)
			}
		}
	}
}

// checkKinds refuses words that a schema would have refused.
func checkKinds(c *candidate) *Problem {
	switch v1alpha1.Modality(c.route.Modality) {
	case v1alpha1.ModalityChat, v1alpha1.ModalityImage, v1alpha1.ModalityVideo, v1alpha1.ModalitySpeech, v1alpha1.ModalityMusic:
	default:
		return invalid("modality is %q; use Chat, Image, Video, Speech or Music", c.route.Modality)
	}
	if p := checkAffinity(c.route); p != nil {
		return p
	}
	switch v1alpha1.Availability(c.route.Availability) {
	case v1alpha1.AvailabilitySoon:
		return nil
	case v1alpha1.AvailabilityLive, v1alpha1.AvailabilityPreview:
		if len(c.object.Spec.Targets) == 0 {
			return invalid("targets needs at least one entry unless availability is Soon")
		}
		return nil
	}
	return invalid("availability is %q; use Live, Preview or Soon", c.route.Availability)
}

// checkAffinity refuses what a schema would have refused.
func checkAffinity(r *Route) *Problem {
	switch {
	case r.Affinity == "":
		return nil
	case v1alpha1.Affinity(r.Affinity) != v1alpha1.AffinityConversation:
		return invalid("affinity is %q; use Conversation, or remove it", r.Affinity)
	case v1alpha1.Modality(r.Modality) != v1alpha1.ModalityChat:
		return invalid("affinity is for modality Chat, whose requests are conversations; remove affinity, or set modality to Chat")
	}
	return nil
}

// allowedKeys resolves whose keys may use the route.
func (b *build) allowedKeys(c *candidate) *Problem {
	allowed := c.object.Spec.AllowedKeys
	if allowed == nil {
		return nil
	}
	c.route.allowed = b.namespaces.set(&allowed.Namespaces, c.object.Namespace)
	return SelectionProblem("allowedKeys.namespaces", &allowed.Namespaces, b.in.WatchedNamespaces)
}

// timeouts reads the timeouts or fills in their defaults.
func timeouts(c *candidate) *Problem {
	declared := c.object.Spec.Timeouts
	if declared == nil {
		declared = &v1alpha1.Timeouts{}
	}
	r := c.route
	for _, t := range []struct {
		field string
		text  v1alpha1.Duration
		unset time.Duration
		into  *time.Duration
	}{
		{"timeouts.response", declared.Response, DefaultResponseTimeout, &r.ResponseTimeout},
		{"timeouts.idle", declared.Idle, DefaultIdleTimeout, &r.IdleTimeout},
		{"timeouts.total", declared.Total, DefaultTotalTimeout, &r.TotalTimeout},
	} {
		if t.text == "" {
			*t.into = t.unset
			continue
		}
		d, err := time.ParseDuration(string(t.text))
		if err != nil || d <= 0 {
			return invalid("%s is %q; use a duration above zero such as 60s or 15m", t.field, t.text)
		}
		*t.into = d
	}
	if r.TotalTimeout < r.ResponseTimeout {
		c.notes = append(c.notes, fmt.Sprintf("timeouts.total (%s) ends a request before timeouts.response (%s) can",
			r.TotalTimeout, r.ResponseTimeout))
	}
	return nil
}

// retries reads how often another target is tried.
func retries(c *candidate) *Problem {
	c.route.Attempts = DefaultAttempts
	declared := c.object.Spec.Retries
	if declared == nil {
		return nil
	}
	c.route.RetryOnTimeout = declared.OnTimeout == v1alpha1.RetryOnTimeoutNextTarget
	if declared.Attempts == nil {
		return nil
	}
	if *declared.Attempts < 0 {
		return invalid("retries.attempts is %d; use 0 or more", *declared.Attempts)
	}
	c.route.Attempts = int(*declared.Attempts)
	return nil
}

// publishRoutes puts the routes that are left into the table.
func (b *build) publishRoutes() {
	for _, c := range b.candidates {
		if c.rejected {
			continue
		}
		b.table.routes = append(b.table.routes, c.route)
		b.table.byObject[keyOf(c.object)] = c.route
		b.table.byName[c.route.Model] = c.route
		for _, alias := range c.route.Aliases {
			b.table.byName[alias] = c.route
		}
	}
	slices.SortFunc(b.table.routes, func(a, b *Route) int { return cmp.Compare(a.Model, b.Model) })
}

// reportRoutes writes the findings of all candidates.
func (b *build) reportRoutes() {
	for _, c := range b.candidates {
		b.report(c.acceptedFinding())
		b.report(c.resolvedFinding())
		b.report(c.priced)
	}
}

// acceptedFinding says whether the instance takes the route.
func (c *candidate) acceptedFinding() Finding {
	if p := merge(c.accepted); p != nil {
		return p.finding(c.ref, v1alpha1.ConditionAccepted)
	}
	message := strings.Join(slices.Concat([]string{fmt.Sprintf("served as %q", c.route.Model)}, c.lostAliases, c.notes), "; ")
	if len(c.lostAliases) > 0 {
		return holds(c.ref, v1alpha1.ConditionAccepted, v1alpha1.ReasonPartiallyAccepted, message)
	}
	return holds(c.ref, v1alpha1.ConditionAccepted, v1alpha1.ReasonAccepted, message)
}

// resolvedFinding says whether everything that the route names can be used.
func (c *candidate) resolvedFinding() Finding {
	if p := merge(c.resolved); p != nil {
		return p.finding(c.ref, v1alpha1.ConditionResolvedRefs)
	}
	return holds(c.ref, v1alpha1.ConditionResolvedRefs, v1alpha1.ReasonResolvedRefs, "everything this route names can be used")
}
