package table_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

func TestBuild_FillsInDefaults(t *testing.T) {
	built, findings := table.Build(input(makeRoute("shop", "r"), makeCredential("shop", "cred")))
	want := &table.Route{
		Namespace: "shop", Name: "r", UID: "uid-shop-r", Model: "r", Modality: "Chat", Availability: table.AvailabilityLive,
		Created: epoch.Unix(), Display: table.Display{Label: "r", Org: "vipcloud"}, AllTargets: 1, UsableTargets: 1,
		ResponseTimeout: time.Minute, IdleTimeout: 2 * time.Minute, TotalTimeout: 15 * time.Minute, Attempts: 2,
	}
	ignore := []cmp.Option{cmpopts.IgnoreFields(table.Route{}, "Tiers"), cmpopts.IgnoreUnexported(table.Route{})}
	if diff := cmp.Diff(want, built.Resolve("r"), ignore...); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if built.Currency() != "USD" {
		t.Errorf("the currency is %s, want USD", built.Currency())
	}
	wantFinding(t, findings, "shop", "r", v1alpha1.ConditionPriced, "False/info Unpriced")
}

func TestBuild_KeepsWhatTheAdminSays(t *testing.T) {
	attempts := int32(0)
	route := makeRoute("shop", "r").model("org/m").with(func(s *v1alpha1.ModelRouteSpec) {
		s.Availability = v1alpha1.AvailabilityPreview
		s.Visibility = v1alpha1.VisibilityPrivate
		s.Display = &v1alpha1.Display{Label: "M", Org: "Org", ContextWindow: 7, Tags: []string{"b", "a"}, Description: "d"}
		s.Timeouts = &v1alpha1.Timeouts{Response: "1m30s", Idle: "500ms", Total: "1h"}
		s.Retries = &v1alpha1.Retries{Attempts: &attempts, OnTimeout: v1alpha1.RetryOnTimeoutNextTarget}
	})
	route.route.CreationTimestamp = metav1.Time{}
	built, _ := table.Build(input(route, makeCredential("shop", "cred")))
	got := built.Resolve("org/m")
	want := &table.Route{
		Namespace: "shop", Name: "r", UID: "uid-shop-r", Model: "org/m", Modality: "Chat", Availability: "Preview", Private: true,
		Display:    table.Display{Label: "M", Org: "Org", ContextWindow: 7, Tags: []string{"b", "a"}, Description: "d"},
		AllTargets: 1, UsableTargets: 1, ResponseTimeout: 90 * time.Second, IdleTimeout: 500 * time.Millisecond, TotalTimeout: time.Hour,
		RetryOnTimeout: true,
	}
	ignore := []cmp.Option{cmpopts.IgnoreFields(table.Route{}, "Tiers"), cmpopts.IgnoreUnexported(table.Route{})}
	if diff := cmp.Diff(want, got, ignore...); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	route.route.Spec.Display.Tags[0] = "changed"
	if got.Display.Tags[0] != "b" {
		t.Error("the table shares memory with its input")
	}
}

func TestBuild_ChecksRoutes(t *testing.T) {
	minusOne := int32(-1)
	timeouts := func(x v1alpha1.Timeouts) func(*v1alpha1.ModelRouteSpec) {
		return func(s *v1alpha1.ModelRouteSpec) { s.Timeouts = &x }
	}
	tests := map[string]struct {
		change     func(*v1alpha1.ModelRouteSpec)
		want       string
		wantPart   string
		wantServed bool
	}{
		"a timeout that is no duration":     {timeouts(v1alpha1.Timeouts{Response: "fast"}), "False/invalid Invalid", `timeouts.response is "fast"`, false},
		"a timeout of zero":                 {timeouts(v1alpha1.Timeouts{Idle: "0s"}), "False/invalid Invalid", "timeouts.idle", false},
		"a timeout below zero":              {timeouts(v1alpha1.Timeouts{Total: "-5s"}), "False/invalid Invalid", "timeouts.total", false},
		"a total below the response":        {timeouts(v1alpha1.Timeouts{Total: "5s"}), "True Accepted", "timeouts.total (5s)", true},
		"attempts below zero":               {func(s *v1alpha1.ModelRouteSpec) { s.Retries = &v1alpha1.Retries{Attempts: &minusOne} }, "False/invalid Invalid", "retries.attempts", false},
		"an unknown modality":               {func(s *v1alpha1.ModelRouteSpec) { s.Modality = "Smell" }, "False/invalid Invalid", `modality is "Smell"; use Chat, Image, Video, Speech or Music`, false},
		"an unknown availability":           {func(s *v1alpha1.ModelRouteSpec) { s.Availability = "Later" }, "False/invalid Invalid", `availability is "Later"`, false},
		"no targets":                        {func(s *v1alpha1.ModelRouteSpec) { s.Targets = nil }, "False/invalid Invalid", "targets needs at least one", false},
		"no targets, but soon":              {func(s *v1alpha1.ModelRouteSpec) { s.Targets, s.Availability = nil, v1alpha1.AvailabilitySoon }, "True Accepted", "", true},
		"two mistakes are both named":       {func(s *v1alpha1.ModelRouteSpec) { s.Timeouts, s.Modality = &v1alpha1.Timeouts{Total: "x"}, "Smell" }, "False/invalid Invalid", "timeouts.total", false},
		"allowed keys that nobody can mean": {func(s *v1alpha1.ModelRouteSpec) { s.AllowedKeys = &v1alpha1.AllowedNamespaces{} }, "False/invalid Invalid", "allowedKeys.namespaces.from", false},
		"allowed keys without their labels": {func(s *v1alpha1.ModelRouteSpec) {
			s.AllowedKeys = allowedKeys(v1alpha1.NamespaceSelection{From: "Selector"})
		}, "False/invalid Invalid", "selector is missing", false},
		"allowed keys by a selector's error": {func(s *v1alpha1.ModelRouteSpec) { s.AllowedKeys = allowedKeys(selector("a b", "c")) }, "False/invalid Invalid", "selector cannot be used", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			other := makeRoute("shop", "other")
			built, findings := table.Build(input(makeRoute("shop", "r").with(tc.change), other, makeCredential("shop", "cred")))
			message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionAccepted, tc.want)
			if !strings.Contains(message, tc.wantPart) {
				t.Errorf("the message %q does not say %q", message, tc.wantPart)
			}
			if got := built.Resolve("r") != nil; got != tc.wantServed {
				t.Errorf("served: %t, want %t", got, tc.wantServed)
			}
			if built.Resolve("other") == nil {
				t.Error("the mistake took another route down with it")
			}
		})
	}
}

// allowedKeys wraps a selection.
func allowedKeys(s v1alpha1.NamespaceSelection) *v1alpha1.AllowedNamespaces {
	return &v1alpha1.AllowedNamespaces{Namespaces: s}
}

func TestBuild_SoonNeedsNothing(t *testing.T) {
	route := makeRoute("shop", "r").noTargets().with(func(s *v1alpha1.ModelRouteSpec) { s.Availability = v1alpha1.AvailabilitySoon })
	built, findings := table.Build(input(route))
	wantFinding(t, findings, "shop", "r", v1alpha1.ConditionResolvedRefs, "True ResolvedRefs")
	if r := built.Resolve("r"); r == nil || r.Availability != table.AvailabilitySoon || r.AllTargets != 0 || r.Tiers != nil {
		t.Errorf("got %+v", r)
	}
}

func TestBuild_ServesTheRoutesItIsToldTo(t *testing.T) {
	tests := map[string]struct {
		serves  *v1alpha1.Serves
		watched []string
		want    []string
		problem string
	}{
		"its own namespace's unless told otherwise": {nil, nil, []string{"p=platform/p"}, "none"},
		"keys have nothing to do with it":           {&v1alpha1.Serves{Keys: &v1alpha1.ServedKeys{Namespaces: &fromAll}}, nil, []string{"p=platform/p"}, "none"},
		"the same namespace":                        {&v1alpha1.Serves{Routes: allowedKeys(fromSame)}, nil, []string{"p=platform/p"}, "none"},
		"everybody's":                               {&v1alpha1.Serves{Routes: allowedKeys(fromAll)}, nil, []string{"b=bank/b", "p=platform/p", "s=shop/s"}, "none"},
		"those of the watched namespaces":           {&v1alpha1.Serves{Routes: allowedKeys(fromAll)}, []string{"shop"}, []string{"s=shop/s"}, "none"},
		"those of selected namespaces":              {&v1alpha1.Serves{Routes: allowedKeys(selector("team", "finance"))}, nil, []string{"b=bank/b"}, "none"},
		"nobody's if labels cannot be read": {&v1alpha1.Serves{Routes: allowedKeys(selector("team", "finance"))}, []string{"bank"}, nil,
			"False/invalid SelectorNeedsClusterMode"},
		"nobody's if nobody knows whose": {&v1alpha1.Serves{Routes: allowedKeys(v1alpha1.NamespaceSelection{From: "Some"})}, nil, nil, "False/invalid Invalid"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			in := input(append(credentials(), makeRoute("platform", "p"), makeRoute("shop", "s"), makeRoute("bank", "b"))...)
			in.Instance.Spec.Serves, in.WatchedNamespaces = tc.serves, tc.watched
			built, findings := table.Build(in)
			if diff := cmp.Diff(tc.want, served(built)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			for _, r := range in.Routes {
				got, _ := routeFinding(findings, r.Namespace, r.Name, v1alpha1.ConditionAccepted)
				wantServed := built.Route(r.Namespace, r.Name) != nil
				if (got != "none") != wantServed {
					t.Errorf("%s/%s has the finding %q; routes of others get none", r.Namespace, r.Name, got)
				}
				if table.ServesRoutes(in.Instance, r.Namespace, in.Namespaces, in.WatchedNamespaces) != wantServed {
					t.Errorf("ServesRoutes disagrees on %s", r.Namespace)
				}
			}
			if got, _ := finding(findings, table.KindGatewayInstance, "platform", "default", v1alpha1.ConditionReady); got != tc.problem {
				t.Errorf("the instance has the finding %q, want %q", got, tc.problem)
			}
		})
	}
}

func TestRoute_AllowsNamespace(t *testing.T) {
	tests := map[string]struct {
		allowed *v1alpha1.AllowedNamespaces
		watched []string
		want    map[string]bool
	}{
		"all unless told otherwise": {nil, nil, map[string]bool{"shop": true, "bank": true, "unheard-of": true}},
		"the route's own":           {allowedKeys(fromSame), nil, map[string]bool{"shop": true, "bank": false}},
		"all":                       {allowedKeys(fromAll), nil, map[string]bool{"shop": true, "unheard-of": true}},
		"all that are watched":      {allowedKeys(fromAll), []string{"shop"}, map[string]bool{"shop": true, "unheard-of": false}},
		"those that are selected":   {allowedKeys(selector("team", "finance")), nil, map[string]bool{"bank": true, "shop": false, "unheard-of": false}},
		"all by an empty selector":  {allowedKeys(v1alpha1.NamespaceSelection{From: "Selector", Selector: &metav1.LabelSelector{}}), nil, map[string]bool{"bank": true, "shop": true}},
		"not those without the label": {allowedKeys(v1alpha1.NamespaceSelection{From: "Selector", Selector: &metav1.LabelSelector{
			MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"finance"}}},
		}}), nil, map[string]bool{"bank": false, "shop": true, "unheard-of": false}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			in := input(makeRoute("shop", "r").with(func(s *v1alpha1.ModelRouteSpec) { s.AllowedKeys = tc.allowed }), makeCredential("shop", "cred"))
			in.WatchedNamespaces = tc.watched
			built, _ := table.Build(in)
			for namespace, want := range tc.want {
				if got := built.Resolve("r").AllowsNamespace(namespace); got != want {
					t.Errorf("%s: %t, want %t", namespace, got, want)
				}
			}
		})
	}
}

func TestBuild_SelectorsNeedClusterMode(t *testing.T) {
	in := input(
		makeRoute("shop", "r").with(func(s *v1alpha1.ModelRouteSpec) { s.AllowedKeys = allowedKeys(selector("team", "finance")) }),
		makeCredential("shop", "cred", allow(selector("team", "finance"))),
	)
	in.WatchedNamespaces = []string{"shop", "platform"}
	built, findings := table.Build(in)
	message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionAccepted, "False/invalid SelectorNeedsClusterMode")
	if !strings.Contains(message, "allowedKeys.namespaces.from") || built.Resolve("r") != nil {
		t.Errorf("the message is %q, the table has %v", message, served(built))
	}
	got, message := finding(findings, table.KindProviderCredential, "shop", "cred", v1alpha1.ConditionAccepted)
	if got != "False/invalid SelectorNeedsClusterMode" || !strings.Contains(message, "allowedNamespaces.from") {
		t.Errorf("the credential has the finding %q (%s)", got, message)
	}
}
