package packaging

import (
	"slices"
	"strings"
	"testing"
)

// Who has view may read our kinds, and nobody gets to write them, or to read a Secret, by aggregation.
func TestAggregatedRightsOnlyRead(t *testing.T) {
	for _, o := range decode(t, build(t, "default")) {
		labels, _ := o.at("metadata", "labels").(map[string]any)
		aggregated := false
		for label := range labels {
			aggregated = aggregated || strings.HasPrefix(label, "rbac.authorization.k8s.io/aggregate-to-")
		}
		if !aggregated {
			continue
		}
		if o.name() != "vipcloud-viewer" {
			t.Errorf("%s is aggregated", o.key())
		}
		for _, rule := range rules(o) {
			for _, verb := range rule.verbs {
				if !slices.Contains([]string{"get", "list", "watch"}, verb) {
					t.Errorf("%s aggregates %s on %v", o.key(), verb, rule.resources)
				}
			}
			if !slices.Equal(rule.groups, []string{"vipcloud.ai"}) {
				t.Errorf("%s aggregates rights on groups %v", o.key(), rule.groups)
			}
		}
	}
}

func TestGatewayReaderReadsAndNothingElse(t *testing.T) {
	reader := decode(t, build(t, "default"))["ClusterRole//vipcloud-gateway-reader"]
	var resources []string
	for _, rule := range rules(reader) {
		if !slices.Equal(rule.verbs, []string{"get", "list", "watch"}) {
			t.Errorf("verbs %v on %v", rule.verbs, rule.resources)
		}
		resources = append(resources, rule.resources...)
	}
	slices.Sort(resources)
	if want := []string{"apikeys", "gatewayinstances", "modelroutes", "namespaces"}; !slices.Equal(resources, want) {
		t.Errorf("reads %v, want %v", resources, want)
	}
}

// The operator may hand out vipcloud-gateway-reader and nothing else that it does not have itself.
func TestOperatorHasNoRightsOfAnAdmin(t *testing.T) {
	operator := decode(t, build(t, "default"))["ClusterRole//vipcloud-operator"]
	if len(rules(operator)) == 0 {
		t.Fatal("the operator's ClusterRole has no rules")
	}
	for _, rule := range rules(operator) {
		for _, list := range [][]string{rule.verbs, rule.resources, rule.groups} {
			if slices.Contains(list, "*") {
				t.Errorf("a star in %+v", rule)
			}
		}
		if slices.Contains(rule.verbs, "escalate") || slices.Contains(rule.verbs, "impersonate") {
			t.Errorf("verbs %v on %v", rule.verbs, rule.resources)
		}
		if slices.Contains(rule.verbs, "bind") && !slices.Equal(rule.names, []string{"vipcloud-gateway-reader"}) {
			t.Errorf("bind on %v of %v, want vipcloud-gateway-reader alone", rule.names, rule.resources)
		}
	}
}

type rule struct {
	groups, resources, names, verbs []string
}

func rules(o object) []rule {
	var found []rule
	list, _ := o.at("rules").([]any)
	for _, entry := range list {
		r := object(entry.(map[string]any))
		found = append(found, rule{groups: words(r.at("apiGroups")), resources: words(r.at("resources")), names: words(r.at("resourceNames")), verbs: words(r.at("verbs"))})
	}
	return found
}

func words(value any) []string {
	var found []string
	list, _ := value.([]any)
	for _, word := range list {
		found = append(found, text(word))
	}
	return found
}
