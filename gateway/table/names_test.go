package table_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// credentials are one for each namespace of the tests.
func credentials() []any {
	return []any{makeCredential("platform", "cred"), makeCredential("shop", "cred"), makeCredential("bank", "cred")}
}

func TestBuild_GivesEachNameToOneRoute(t *testing.T) {
	tests := map[string]struct {
		routes      []*routeBuilder
		change      func(*table.Input)
		wantHolders map[string]string
		// wantAccepted are findings by namespace/name, with a part of the message after a colon.
		wantAccepted map[string]string
	}{
		"the name is that of the object unless the spec says otherwise": {
			routes:       []*routeBuilder{makeRoute("shop", "a"), makeRoute("shop", "b").model("org/b:1")},
			wantHolders:  map[string]string{"a": "shop/a", "org/b:1": "shop/b", "b": "nobody"},
			wantAccepted: map[string]string{"shop/a": `True Accepted:served as "a"`, "shop/b": "True Accepted"},
		},
		"the instance's own namespace beats an older route": {
			routes:      []*routeBuilder{makeRoute("bank", "x").age(90), makeRoute("platform", "x")},
			wantHolders: map[string]string{"x": "platform/x"},
			wantAccepted: map[string]string{
				"platform/x": "True Accepted", "bank/x": `False/invalid NameTaken:"x" is held by ModelRoute platform/x`,
			},
		},
		"elsewhere the oldest wins": {
			routes:       []*routeBuilder{makeRoute("bank", "x"), makeRoute("shop", "y").model("x").age(5)},
			wantHolders:  map[string]string{"x": "shop/y"},
			wantAccepted: map[string]string{"bank/x": "False/invalid NameTaken:ModelRoute shop/y", "shop/y": "True Accepted"},
		},
		"of equal age the first by namespace and name wins": {
			routes:      []*routeBuilder{makeRoute("shop", "x"), makeRoute("bank", "z").model("x"), makeRoute("bank", "y").model("x")},
			wantHolders: map[string]string{"x": "bank/y"},
			wantAccepted: map[string]string{
				"bank/y": "True Accepted", "bank/z": "False/invalid NameTaken", "shop/x": "False/invalid NameTaken",
			},
		},
		"a model beats an older alias": {
			routes:      []*routeBuilder{makeRoute("shop", "a").aliases("x", "y").age(9), makeRoute("bank", "x")},
			wantHolders: map[string]string{"x": "bank/x", "y": "shop/a", "a": "shop/a"},
			wantAccepted: map[string]string{
				"shop/a": `True PartiallyAccepted:alias lost: the name "x" is held by ModelRoute bank/x`, "bank/x": "True Accepted",
			},
		},
		"a tenant's model does not beat the platform's alias": {
			routes:      []*routeBuilder{makeRoute("platform", "p").aliases("x"), makeRoute("bank", "x").age(9)},
			wantHolders: map[string]string{"p": "platform/p", "x": "platform/p"},
			wantAccepted: map[string]string{
				"platform/p": "True Accepted", "bank/x": "False/invalid NameTaken:ModelRoute platform/p",
			},
		},
		"of two aliases the older wins": {
			routes:       []*routeBuilder{makeRoute("shop", "a").aliases("x").age(9), makeRoute("bank", "b").aliases("x")},
			wantHolders:  map[string]string{"x": "shop/a", "b": "bank/b"},
			wantAccepted: map[string]string{"shop/a": "True Accepted", "bank/b": "True PartiallyAccepted:ModelRoute shop/a"},
		},
		"a route without its model gets no aliases either": {
			routes:       []*routeBuilder{makeRoute("platform", "x"), makeRoute("shop", "x").aliases("y").age(9), makeRoute("bank", "b").aliases("y")},
			wantHolders:  map[string]string{"x": "platform/x", "y": "bank/b"},
			wantAccepted: map[string]string{"shop/x": "False/invalid NameTaken", "bank/b": "True Accepted"},
		},
		"aliases that repeat a name are no conflict": {
			routes:       []*routeBuilder{makeRoute("shop", "x").aliases("x", "y", "y")},
			wantHolders:  map[string]string{"x": "shop/x", "y": "shop/x"},
			wantAccepted: map[string]string{"shop/x": "True Accepted"},
		},
		"a broken route keeps its name, so that nobody else gets its prompts": {
			routes: []*routeBuilder{
				makeRoute("shop", "x").aliases("y").age(9).with(func(s *v1alpha1.ModelRouteSpec) { s.Timeouts = &v1alpha1.Timeouts{Idle: "soon"} }),
				makeRoute("bank", "x"), makeRoute("bank", "y").aliases("z"),
			},
			wantHolders: map[string]string{"x": "nobody", "y": "bank/y", "z": "bank/y"},
			wantAccepted: map[string]string{
				"shop/x": "False/invalid Invalid:timeouts.idle", "bank/x": "False/invalid NameTaken:ModelRoute shop/x",
			},
		},
		"whoever lost a name does not inherit it": {
			routes:      []*routeBuilder{makeRoute("shop", "x").refused(1)},
			wantHolders: map[string]string{"x": "nobody"},
			wantAccepted: map[string]string{
				"shop/x": "False/invalid NameTaken:held by another route when this one was made; change the spec of this route or recreate it",
			},
		},
		"a younger route that never lost the name gets it before one that did": {
			routes:       []*routeBuilder{makeRoute("shop", "x").refused(1).age(9), makeRoute("bank", "x")},
			wantHolders:  map[string]string{"x": "bank/x"},
			wantAccepted: map[string]string{"shop/x": "False/invalid NameTaken:ModelRoute bank/x", "bank/x": "True Accepted"},
		},
		"a changed spec claims the name anew": {
			routes:       []*routeBuilder{makeRoute("shop", "x").refused(0)},
			wantHolders:  map[string]string{"x": "shop/x"},
			wantAccepted: map[string]string{"shop/x": "True Accepted"},
		},
		"the instance's own namespace takes a name back at once": {
			routes:       []*routeBuilder{makeRoute("platform", "x").refused(1)},
			wantHolders:  map[string]string{"x": "platform/x"},
			wantAccepted: map[string]string{"platform/x": "True Accepted"},
		},
		"a refusal for another reason is no loss": {
			routes: []*routeBuilder{func() *routeBuilder {
				b := makeRoute("shop", "x").refused(1)
				b.route.Status.Conditions[0].Reason = v1alpha1.ReasonInvalid
				return b
			}()},
			wantHolders:  map[string]string{"x": "shop/x"},
			wantAccepted: map[string]string{"shop/x": "True Accepted"},
		},
		"a name that another namespace held lately is kept for it": {
			routes:       []*routeBuilder{makeRoute("shop", "x"), makeRoute("bank", "b").aliases("x")},
			change:       func(in *table.Input) { in.Held = map[string]string{"x": "platform"} },
			wantHolders:  map[string]string{"x": "nobody", "b": "bank/b"},
			wantAccepted: map[string]string{"shop/x": "False/invalid NameTaken:held by another", "bank/b": "True PartiallyAccepted:held by another"},
		},
		"a name that the same namespace held lately goes to its next route": {
			routes:       []*routeBuilder{makeRoute("shop", "x"), makeRoute("bank", "x").age(9)},
			change:       func(in *table.Input) { in.Held = map[string]string{"x": "shop"} },
			wantHolders:  map[string]string{"x": "shop/x"},
			wantAccepted: map[string]string{"shop/x": "True Accepted", "bank/x": "False/invalid NameTaken:ModelRoute shop/x"},
		},
		"a held alias is not taken over by a tenant's model": {
			routes:       []*routeBuilder{makeRoute("platform", "p").aliases("x"), makeRoute("bank", "x")},
			change:       func(in *table.Input) { in.Held = map[string]string{"x": "platform"} },
			wantHolders:  map[string]string{"x": "platform/p"},
			wantAccepted: map[string]string{"platform/p": "True Accepted", "bank/x": "False/invalid NameTaken"},
		},
		"the instance's own namespace does not wait for held names": {
			routes:       []*routeBuilder{makeRoute("platform", "x")},
			change:       func(in *table.Input) { in.Held = map[string]string{"x": "shop"} },
			wantHolders:  map[string]string{"x": "platform/x"},
			wantAccepted: map[string]string{"platform/x": "True Accepted"},
		},
		"without creation times a conflict is an error on each side": {
			routes:      []*routeBuilder{makeRoute("shop", "x").age(9), makeRoute("bank", "x"), makeRoute("bank", "z")},
			change:      func(in *table.Input) { in.NoCreationTimes = true },
			wantHolders: map[string]string{"x": "bank/x", "z": "bank/z"},
			wantAccepted: map[string]string{
				"shop/x": `False/invalid NameTaken:"x" is also claimed by ModelRoute bank/x`,
				"bank/x": `False/invalid NameTaken:"x" is also claimed by ModelRoute shop/x`, "bank/z": "True Accepted",
			},
		},
		"without creation times aliases conflict as well": {
			routes:      []*routeBuilder{makeRoute("shop", "a").aliases("x", "y"), makeRoute("bank", "b").aliases("y"), makeRoute("bank", "x")},
			change:      func(in *table.Input) { in.NoCreationTimes = true },
			wantHolders: map[string]string{"x": "bank/x", "y": "bank/b", "a": "shop/a", "b": "bank/b"},
			wantAccepted: map[string]string{
				"shop/a": "False/invalid NameTaken:ModelRoute bank/b", "bank/b": "False/invalid NameTaken:ModelRoute shop/a",
				"bank/x": "False/invalid NameTaken:ModelRoute shop/a",
			},
		},
		"without creation times a status of elsewhere means nothing": {
			routes:       []*routeBuilder{makeRoute("shop", "x").refused(1)},
			change:       func(in *table.Input) { in.NoCreationTimes = true },
			wantHolders:  map[string]string{"x": "shop/x"},
			wantAccepted: map[string]string{"shop/x": "True Accepted"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			objects := credentials()
			for _, r := range tc.routes {
				objects = append(objects, r)
			}
			in := input(objects...)
			if tc.change != nil {
				tc.change(&in)
			}
			built, findings := table.Build(in)
			for name, want := range tc.wantHolders {
				if got := holder(built, name); got != want {
					t.Errorf("%q is served by %s, want %s", name, got, want)
				}
			}
			for route, want := range tc.wantAccepted {
				namespace, name, _ := strings.Cut(route, "/")
				want, part, _ := strings.Cut(want, ":")
				message := wantFinding(t, findings, namespace, name, v1alpha1.ConditionAccepted, want)
				if !strings.Contains(message, part) {
					t.Errorf("%s: the message %q does not say %q", route, message, part)
				}
			}
		})
	}
}

// The story behind sticky losses: a tenant waits beside the platform's route until that one is deleted for a moment.
func TestBuild_SquattersNeverGetThePlatformsPrompts(t *testing.T) {
	platform, squatter := makeRoute("platform", "gpt"), makeRoute("shop", "gpt")
	both, findings := table.Build(input(append(credentials(), platform, squatter)...))
	if got := holder(both, "gpt"); got != "platform/gpt" {
		t.Fatalf("at first %s serves", got)
	}
	wantFinding(t, findings, "shop", "gpt", v1alpha1.ConditionAccepted, "False/invalid NameTaken")

	// The platform's route is deleted before anybody wrote the squatter's status.
	in := input(append(credentials(), squatter)...)
	in.Held = both.Holders()
	if alone, _ := table.Build(in); holder(alone, "gpt") != "nobody" {
		t.Errorf("right after the deletion %s serves", holder(alone, "gpt"))
	}

	// Later nobody remembers, but the status does.
	alone, _ := table.Build(input(append(credentials(), squatter.refused(1))...))
	if got := holder(alone, "gpt"); got != "nobody" {
		t.Errorf("later %s serves", got)
	}

	again, _ := table.Build(input(append(credentials(), squatter, platform)...))
	if got := holder(again, "gpt"); got != "platform/gpt" {
		t.Errorf("in the end %s serves", got)
	}
}

func TestTable_HoldersAreThoseWhoHaveNames(t *testing.T) {
	broken := makeRoute("bank", "b").aliases("c").with(func(s *v1alpha1.ModelRouteSpec) { s.Timeouts = &v1alpha1.Timeouts{Total: "-1s"} })
	built, _ := table.Build(input(append(credentials(), makeRoute("shop", "a").aliases("x"), broken, makeRoute("shop", "z").model("a"))...))
	want := map[string]string{"a": "shop", "x": "shop", "b": "bank", "c": "bank"}
	if diff := cmp.Diff(want, built.Holders()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
