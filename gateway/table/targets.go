package table

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// compileTargets resolves the targets of all candidates.
func (b *build) compileTargets() {
	for _, c := range b.candidates {
		if p := checkTargets(c.object.Spec.Targets); p != nil {
			c.reject(p)
		}
		b.resolveTargets(c)
	}
}

// checkTargets refuses what a schema would have refused.
func checkTargets(targets []v1alpha1.Target) *Problem {
	seen := map[string]bool{}
	for i := range targets {
		t := &targets[i]
		switch {
		case seen[t.Name]:
			return invalid("targets: the name %q appears twice; rename one", t.Name)
		case t.Weight != nil && (*t.Weight < 0 || *t.Weight > 10000):
			return invalid("targets[%s].weight is %d; use 0 to 10000", t.Name, *t.Weight)
		}
		seen[t.Name] = true
		if p := checkParameters(t); p != nil {
			return p
		}
	}
	return nil
}

// checkParameters refuses to touch what the gateway decides itself.
func checkParameters(t *v1alpha1.Target) *Problem {
	if t.Parameters == nil {
		return nil
	}
	names := slices.Concat(t.Parameters.Defaults.Names(), t.Parameters.Overrides.Names(), t.Parameters.Drop)
	for _, name := range names {
		switch name {
		case "model", "messages", "stream", "stream_options":
			return invalid("targets[%s].parameters must not name %s; the gateway sets it itself", t.Name, name)
		}
	}
	for _, members := range []*v1alpha1.BodyMembers{t.Parameters.Defaults, t.Parameters.Overrides} {
		for _, name := range members.Names() {
			if !json.Valid(members.Members[name]) {
				return invalid("targets[%s].parameters: %s is not valid JSON", t.Name, name)
			}
		}
	}
	return nil
}

// resolveTargets finds the credentials and builds the tiers.
func (b *build) resolveTargets(c *candidate) {
	var problems []*Problem
	tiers := map[int][]*Target{}
	for i := range c.object.Spec.Targets {
		declared := &c.object.Spec.Targets[i]
		c.route.AllTargets++
		credential, p := b.resolveCredential(c, declared)
		if p != nil {
			problems = append(problems, p)
			continue
		}
		c.route.UsableTargets++
		if t := newTarget(c.route, declared, credential); t.Weight > 0 {
			priority := int(deref(declared.Priority, 0))
			tiers[priority] = append(tiers[priority], t)
		}
	}
	c.route.Tiers = newTiers(tiers)
	if c.route.UsableTargets > 0 && len(tiers) == 0 {
		c.notes = append(c.notes, "every target that could be used is drained (weight 0), so no request can be served")
	}
	c.resolved = append(c.resolved, weigh(problems, c.route.UsableTargets)...)
}

// newTiers orders targets by priority, and by name within one.
func newTiers(byPriority map[int][]*Target) []Tier {
	var tiers []Tier
	for priority, targets := range byPriority {
		slices.SortFunc(targets, func(a, b *Target) int { return cmp.Compare(a.Name, b.Name) })
		tier := Tier{Priority: priority, Targets: targets}
		for _, t := range targets {
			tier.TotalWeight += t.Weight
		}
		tiers = append(tiers, tier)
	}
	slices.SortFunc(tiers, func(a, b Tier) int { return cmp.Compare(a.Priority, b.Priority) })
	return tiers
}

// weigh says what problems of targets mean for their route. If others can be used, it is degraded. If none can, what may still
// turn up comes first: the route is not beyond help.
func weigh(problems []*Problem, usable int) []*Problem {
	weighed := make([]*Problem, len(problems))
	for i, p := range problems {
		weighed[i] = p
		if usable > 0 {
			weighed[i] = &Problem{Severity: Degraded, Reason: p.Reason, Message: p.Message}
		}
	}
	slices.SortStableFunc(weighed, func(a, b *Problem) int { return cmp.Compare(a.Severity, b.Severity) })
	return weighed
}

// credentialOf finds the credential of a target. It is nil if there is none, or none that the route may know of.
func (b *build) credentialOf(c *candidate, t *v1alpha1.Target) (types.NamespacedName, *credentialEntry) {
	own := c.object.Namespace
	key := types.NamespacedName{Namespace: cmp.Or(string(t.Credential.Namespace), own), Name: string(t.Credential.Name)}
	entry := b.credentials[key]
	if entry != nil && key.Namespace != own && !entry.grants.has(own) {
		return key, nil
	}
	return key, entry
}

// resolveCredential returns what a target calls with, or why it cannot.
func (b *build) resolveCredential(c *candidate, t *v1alpha1.Target) (*Credential, *Problem) {
	key, entry := b.credentialOf(c, t)
	foreign := key.Namespace != c.object.Namespace
	switch {
	case entry == nil && foreign:
		// One message for both cases, so that nobody learns what exists in a namespace that is not theirs.
		return nil, because(v1alpha1.ReasonRefNotPermitted,
			"targets[%s].credential: there is no ProviderCredential %s that namespace %s may use; "+
				"use one of this namespace, or ask for it to be allowed by allowedNamespaces there", t.Name, key, c.object.Namespace)
	case entry == nil:
		return nil, missing(v1alpha1.ReasonRefNotFound, "targets[%s].credential: ProviderCredential %s does not exist; create it",
			t.Name, key)
	case entry.usable == nil:
		return nil, notReady(t, key, entry.problem, foreign)
	case !b.serves(entry.provider, c.route.Modality):
		return nil, invalid("targets[%s].credential: provider %s does not serve modality %s; use another credential",
			t.Name, entry.provider, c.route.Modality)
	}
	return entry.usable, nil
}

// serves says whether a provider's adapter serves a modality.
func (b *build) serves(p v1alpha1.Provider, modality string) bool {
	info := b.in.Providers[p]
	return info.Serves(provider.Modality(modality))
}

// notReady passes on what is wrong with a credential; the particulars stay in its namespace.
func notReady(t *v1alpha1.Target, key types.NamespacedName, cause *Problem, foreign bool) *Problem {
	message := fmt.Sprintf("targets[%s].credential: ProviderCredential %s is not ready (%s)", t.Name, key, cause.Reason)
	if !foreign {
		message += ": " + cause.Message
	}
	return &Problem{Severity: cause.Severity, Reason: v1alpha1.ReasonCredentialNotReady, Message: message}
}

// newTarget compiles one target.
func newTarget(r *Route, t *v1alpha1.Target, credential *Credential) *Target {
	return &Target{
		Name:       t.Name,
		ID:         r.Namespace + "/" + r.Name + "/" + t.Name,
		Model:      cmp.Or(t.Model, r.Model),
		Weight:     int(deref(t.Weight, DefaultWeight)),
		Parameters: newParameters(t.Parameters),
		Credential: credential,
	}
}

// newParameters compiles changes to request bodies, by name.
func newParameters(p *v1alpha1.Parameters) provider.Parameters {
	if p == nil {
		return provider.Parameters{}
	}
	drop := slices.Clone(p.Drop)
	slices.Sort(drop)
	return provider.Parameters{
		Defaults:  parameterList(p.Defaults),
		Overrides: parameterList(p.Overrides),
		Drop:      slices.Compact(drop),
	}
}

// parameterList lists members by name.
func parameterList(members *v1alpha1.BodyMembers) []provider.Parameter {
	var list []provider.Parameter
	for _, name := range members.Names() {
		list = append(list, provider.Parameter{Name: name, Value: slices.Clone(members.Members[name])})
	}
	return list
}

// clone returns a pointer to a copy of what p points to, or nil.
func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}

// deref returns what p points to, or a default.
func deref[T any](p *T, unset T) T {
	if p == nil {
		return unset
	}
	return *p
}
