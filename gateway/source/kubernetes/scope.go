package kubernetes

import (
	"slices"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// routeScope returns the namespaces whose routes an instance needs to see.
func routeScope(instance *v1alpha1.GatewayInstance, watched []string) []string {
	from := v1alpha1.NamespacesFromSame
	if s := instance.Spec.Serves; s != nil && s.Routes != nil {
		from = s.Routes.Namespaces.From
	}
	return scopeOf(from, instance.Namespace, watched)
}

// keyScope returns the namespaces whose API keys an instance needs to see.
func keyScope(instance *v1alpha1.GatewayInstance, watched []string) []string {
	from := v1alpha1.NamespacesFromAll
	if s := instance.Spec.Serves; s != nil && s.Keys != nil && s.Keys.Namespaces != nil {
		from = s.Keys.Namespaces.From
	}
	return scopeOf(from, instance.Namespace, watched)
}

// scopeOf turns a selection into namespaces to watch. A Selector needs all of them: the labels decide later.
func scopeOf(from v1alpha1.NamespacesFrom, own string, watched []string) []string {
	switch {
	case from == v1alpha1.NamespacesFromSame:
		return []string{own}
	case watched != nil:
		return slices.Compact(slices.Sorted(slices.Values(watched)))
	default:
		return []string{everywhere}
	}
}

// selects says whether a selection needs the labels of namespaces.
func selects(s *v1alpha1.NamespaceSelection) bool {
	return s != nil && s.From == v1alpha1.NamespacesFromSelector
}

// selectsAllowed is selects of what is wrapped.
func selectsAllowed(a *v1alpha1.AllowedNamespaces) bool { return a != nil && selects(&a.Namespaces) }

// instanceSelects says whether whose routes an instance serves depends on labels. Keys do not count: which instance accepts
// a key is written in its status.
func instanceSelects(instance *v1alpha1.GatewayInstance) bool {
	return instance.Spec.Serves != nil && selectsAllowed(instance.Spec.Serves.Routes)
}
