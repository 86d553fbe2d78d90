package kubernetes

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/table"
)

func TestOwner_publishesNothingBeforeEveryListArrived(t *testing.T) {
	lists := map[string]func(r *rig){
		"instance": func(r *rig) { r.send("instance/system", opList, instanceItem(1, v1alpha1.NamespacesFromSame)) },
		"secret":   func(r *rig) { r.send("secret/system", opList) },
		"routes":   func(r *rig) { r.send("routes/system", opList, routeItem("system", "a", 1)) },
		"keys":     func(r *rig) { r.send("keys/", opList, keyItem("shop", "k", true)) },
	}
	for missing := range lists {
		t.Run(missing+" is missing", func(t *testing.T) {
			r := newRig(t)
			for _, name := range []string{"instance", "secret", "routes", "keys"} {
				if name == missing || missing == "instance" && (name == "routes" || name == "keys") {
					continue // without an instance nobody knows which routes and keys to watch
				}
				lists[name](r)
			}
			r.pass(time.Second)
			if len(r.inputs) != 0 || len(r.loaded) != 0 || r.synced != 0 {
				t.Errorf("published before the list of %s: %d tables, versions %v, synced %d", missing, len(r.inputs), r.loaded, r.synced)
			}
			lists[missing](r)
			if missing == "instance" {
				lists["routes"](r)
				lists["keys"](r)
			}
			r.pass(quietTime)
			r.built()
			if diff := cmp.Diff([]string{"system/a"}, routeNames(r.last())); diff != "" {
				t.Errorf("first table (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"replace shop/k"}, r.keys); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
			if r.synced != 1 {
				t.Errorf("synced was called %d times, want once", r.synced)
			}
		})
	}
}

func TestOwner_instanceThatDoesNotExist(t *testing.T) {
	r := newRig(t)
	r.send("instance/system", opList)
	r.send("secret/system", opList)
	r.pass(time.Second)
	if len(r.inputs) != 0 {
		t.Fatal("a table was built without an instance")
	}
	r.send("instance/system", opPut, instanceItem(1, v1alpha1.NamespacesFromSame))
	r.send("routes/system", opList)
	r.send("keys/", opList)
	r.pass(quietTime)
	r.built()
	r.send("instance/system", opRemove, instanceItem(1, v1alpha1.NamespacesFromSame))
	r.send("routes/system", opPut, routeItem("system", "a", 1))
	r.pass(quietTime)
	if got := r.last(); got.Instance == nil || len(got.Routes) != 1 {
		t.Errorf("after the instance was deleted the table has instance %v and routes %v; want the last instance and new routes", got.Instance, routeNames(got))
	}
}

func TestOwner_coalesces(t *testing.T) {
	cases := map[string]struct {
		every time.Duration
		count int
		want  time.Duration // after the first change
	}{
		"one change waits for quiet":            {every: 0, count: 1, want: quietTime},
		"changes in one moment are one table":   {every: 0, count: 50, want: quietTime},
		"a stream of changes meets the ceiling": {every: 5 * time.Millisecond, count: 1000, want: ceilingTime},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.start(instanceItem(1, v1alpha1.NamespacesFromSame), "routes/system", "keys/")
			begin, before := r.clock.Now(), len(r.inputs)
			for i := range tc.count {
				r.send("routes/system", opPut, routeItem("system", fmt.Sprint("r", i), 1))
				if len(r.inputs) > before {
					break
				}
				r.pass(tc.every)
			}
			for range 200 {
				if len(r.inputs) > before {
					break
				}
				r.pass(time.Millisecond)
			}
			if got := r.clock.Since(begin); got != tc.want || len(r.inputs) != before+1 {
				t.Errorf("%d tables after %v, want one after %v", len(r.inputs)-before, got, tc.want)
			}
		})
	}
}

func TestOwner_waitsForTheBuildThatRuns(t *testing.T) {
	r := newRig(t)
	r.start(instanceItem(1, v1alpha1.NamespacesFromSame), "routes/system", "keys/")
	r.send("routes/system", opPut, routeItem("system", "a", 1))
	r.pass(quietTime)
	inBuild := r.loadedRoutes()
	r.send("routes/system", opPut, routeItem("system", "b", 1))
	r.pass(time.Second)
	if len(r.inputs) != 2 {
		t.Fatalf("%d builds were started, want 2: the third must wait", len(r.inputs))
	}
	if got := r.loadedRoutes(); got != inBuild {
		t.Errorf("loaded went from %q to %q while the table was being built", inBuild, got)
	}
	r.built()
	if diff := cmp.Diff([]string{"system/a", "system/b"}, routeNames(r.last())); diff != "" {
		t.Errorf("third table (-want +got):\n%s", diff)
	}
}

// loadedRoutes is what was told last of routes.
func (r *rig) loadedRoutes() string {
	if len(r.loaded) == 0 {
		return ""
	}
	return r.loaded[len(r.loaded)-1].ModelRoutes
}

func TestOwner_changesThatMeanNothing(t *testing.T) {
	accepted := func(status metav1.ConditionStatus, reason string) func(*v1alpha1.ModelRoute) {
		return func(r *v1alpha1.ModelRoute) {
			r.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionAccepted, Status: status, Reason: reason, ObservedGeneration: 1}}
		}
	}
	cases := map[string]struct {
		change item
		want   bool
	}{
		"the same route again":                    {change: routeItem("system", "a", 1)},
		"a new generation":                        {change: routeItem("system", "a", 2), want: true},
		"another object of the same name":         {change: routeItem("system", "a", 1, func(r *v1alpha1.ModelRoute) { r.UID = "new" }), want: true},
		"a status that says the name was refused": {change: routeItem("system", "a", 1, accepted(metav1.ConditionFalse, v1alpha1.ReasonNameTaken)), want: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.start(instanceItem(1, v1alpha1.NamespacesFromSame), "routes/system", "keys/", routeItem("system", "a", 1))
			version := r.send("routes/system", opPut, tc.change)
			r.pass(quietTime)
			if got := len(r.inputs) == 2; got != tc.want {
				t.Errorf("a table was built: %v, want %v", got, tc.want)
			}
			if told := r.loadedRoutes() == version; told == tc.want {
				t.Errorf("loaded says %q for version %q; it must say so at once exactly if there is nothing to build", r.loadedRoutes(), version)
			}
		})
	}
}

func TestOwner_versions(t *testing.T) {
	r := newRig(t)
	r.start(instanceItem(1, v1alpha1.NamespacesFromSame), "routes/system", "keys/") // versions 1 to 4
	bookmark := r.send("routes/system", opVersion)
	key := r.send("keys/", opPut, keyItem("shop", "k", true))
	secret := r.send("secret/system", opPut, secretItem("a"))
	afterSecret := r.loaded[len(r.loaded)-1]
	r.pass(quietTime)
	r.built()
	r.o.apply(change{from: r.open["routes/system"], op: opVersion, version: "2"}) // never back
	r.o.step()
	want := source.Versions{ModelRoutes: bookmark, ApiKeys: key, Credentials: secret, GatewayInstance: "1"}
	if diff := cmp.Diff(want, r.loaded[len(r.loaded)-1]); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
	if want := (source.Versions{ModelRoutes: bookmark, ApiKeys: key, Credentials: "2", GatewayInstance: "1"}); afterSecret != want {
		t.Errorf("before the table with the new Secret served, loaded was %v, want %v", afterSecret, want)
	}
	for i := 1; i < len(r.loaded); i++ {
		if r.loaded[i] == r.loaded[i-1] {
			t.Errorf("loaded was told the same thing twice: %v", r.loaded[i])
		}
	}
}

func TestOwner_buildThatFails(t *testing.T) {
	r := newRig(t)
	r.start(instanceItem(1, v1alpha1.NamespacesFromSame), "routes/system", "keys/")
	before := r.loadedRoutes()
	r.send("routes/system", opPut, routeItem("system", "a", 1))
	r.pass(quietTime)
	r.o.built(false)
	r.o.step()
	r.pass(time.Second)
	if got := r.loadedRoutes(); got != before || len(r.inputs) != 2 {
		t.Fatalf("loaded is %q after %d builds; want %q after 2: what failed does not serve, and is not tried again", got, len(r.inputs), before)
	}
	version := r.send("routes/system", opPut, routeItem("system", "a", 2))
	r.pass(quietTime)
	r.built()
	if got := r.loadedRoutes(); got != version {
		t.Errorf("loaded is %q after the next build, want %q", got, version)
	}
}

func TestOwner_keys(t *testing.T) {
	many := func(n int) (items []item) {
		for i := range n {
			items = append(items, keyItem("shop", fmt.Sprintf("k%03d", i), true))
		}
		return items
	}
	cases := map[string]struct {
		do   func(r *rig)
		want []string
	}{
		"a new key":                     {func(r *rig) { r.send("keys/", opPut, keyItem("shop", "b", true)) }, []string{"put shop/b"}},
		"a changed key":                 {func(r *rig) { r.send("keys/", opPut, keyItem("shop", "a", true, "x")) }, []string{"put shop/a"}},
		"a status that changes nothing": {func(r *rig) { r.send("keys/", opPut, keyItem("shop", "a", true)) }, nil},
		"a deleted key":                 {func(r *rig) { r.send("keys/", opRemove, keyItem("shop", "a", true)) }, []string{"delete shop/a"}},
		"a key that went to another":    {func(r *rig) { r.send("keys/", opPut, keyItem("shop", "a", false)) }, []string{"delete shop/a"}},
		"a key of another instance":     {func(r *rig) { r.send("keys/", opPut, keyItem("shop", "z", false)) }, nil},
		"another's key that goes":       {func(r *rig) { r.send("keys/", opRemove, keyItem("shop", "z", false)) }, nil},
		"a new list like the old one":   {func(r *rig) { r.send("keys/", opList, keyItem("shop", "a", true), keyItem("shop", "z", false)) }, nil},
		"a new list without the key":    {func(r *rig) { r.send("keys/", opList) }, []string{"delete shop/a"}},
		"a long list of changes": {func(r *rig) { r.send("keys/", opList, many(manyKeys)...) }, func() []string {
			call := "replace"
			for _, it := range many(manyKeys) {
				call += " " + it.id.String()
			}
			return []string{call}
		}()},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.start(instanceItem(1, v1alpha1.NamespacesFromSame), "routes/system", "keys/")
			r.send("keys/", opPut, keyItem("shop", "a", true))
			r.keys = nil
			builds := len(r.inputs)
			tc.do(r)
			if diff := cmp.Diff(tc.want, r.keys, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			r.pass(time.Second)
			if len(r.inputs) != builds {
				t.Error("a key made a table be built")
			}
		})
	}
}

func TestOwner_scopeChanges(t *testing.T) {
	r := newRig(t)
	r.start(instanceItem(1, v1alpha1.NamespacesFromSame), "routes/system", "keys/", routeItem("system", "a", 1))
	instance := r.send("instance/system", opPut, instanceItem(2, v1alpha1.NamespacesFromAll))
	r.pass(time.Second)
	r.send("routes/system", opPut, routeItem("system", "b", 1))
	r.pass(quietTime)
	if got := r.last(); got.Instance.Generation != 1 || len(got.Routes) != 2 {
		t.Fatalf("while the wider list is away the table has generation %d and routes %v; want the old generation and both own routes",
			got.Instance.Generation, routeNames(got))
	}
	r.built()
	if got := r.loaded[len(r.loaded)-1]; got.GatewayInstance == instance || got.ModelRoutes == "6" {
		t.Errorf("loaded claims %v before the wider scope is served", got)
	}
	routes := r.send("routes/", opList, routeItem("system", "a", 1), routeItem("system", "b", 1), routeItem("shop", "c", 1))
	r.pass(quietTime)
	r.built()
	if diff := cmp.Diff([]string{"shop/c", "system/a", "system/b"}, routeNames(r.last())); diff != "" || r.last().Instance.Generation != 2 {
		t.Errorf("generation %d with routes (-want +got):\n%s", r.last().Instance.Generation, diff)
	}
	if got := r.loaded[len(r.loaded)-1]; got.GatewayInstance != instance || got.ModelRoutes != routes {
		t.Errorf("loaded is %v, want instance %s and routes %s", got, instance, routes)
	}
	if _, still := r.open["routes/system"]; still {
		t.Error("the watch of the old scope is still open")
	}
	r.send("instance/system", opPut, instanceItem(3, v1alpha1.NamespacesFromSame))
	r.send("instance/system", opPut, instanceItem(4, v1alpha1.NamespacesFromAll))
	r.pass(quietTime)
	if _, open := r.open["routes/system"]; open || r.last().Instance.Generation != 4 {
		t.Errorf("after changing back, generation %d is served and the other watch is open: %v", r.last().Instance.Generation, open)
	}
}

func TestOwner_compiledSecret(t *testing.T) {
	cases := map[string]struct {
		do      func(r *rig)
		want    string
		version bool // whether the version goes along
	}{
		"a new one":                     {func(r *rig) { r.send("secret/system", opPut, secretItem("b")) }, "b", true},
		"one that cannot be read":       {func(r *rig) { r.send("secret/system", opPut, secretItem("garbage")) }, "a", false},
		"one that was deleted":          {func(r *rig) { r.send("secret/system", opRemove, secretItem("a")) }, "a", true},
		"one that is missing on a list": {func(r *rig) { r.send("secret/system", opList) }, "a", true},
		"a readable one after a bad one": {func(r *rig) {
			r.send("secret/system", opPut, secretItem("garbage"))
			r.send("secret/system", opPut, secretItem("c"))
		}, "c", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.send("secret/system", opList, secretItem("a"))
			r.send("instance/system", opList, instanceItem(1, v1alpha1.NamespacesFromSame))
			r.send("routes/system", opList)
			r.send("keys/", opList)
			r.pass(quietTime)
			r.built()
			tc.do(r)
			r.send("routes/system", opPut, routeItem("system", "x", 1)) // so that there is a table to look at
			r.pass(quietTime)
			r.built()
			if got := r.last().Credentials; len(got) != 1 || got[0].Name != tc.want {
				t.Errorf("credentials in use are %v, want %q", got, tc.want)
			}
			if moved := r.loaded[len(r.loaded)-1].Credentials != "1"; moved != tc.version {
				t.Errorf("the version of credentials moved: %v, want %v", moved, tc.version)
			}
		})
	}
}

func TestOwner_namespaceLabels(t *testing.T) {
	selects := func(r *v1alpha1.ModelRoute) {
		r.Spec.AllowedKeys = &v1alpha1.AllowedNamespaces{Namespaces: v1alpha1.NamespaceSelection{From: v1alpha1.NamespacesFromSelector}}
	}
	labels := item{id: types.NamespacedName{Name: "shop"}, value: map[string]string{"tier": "gold"}}

	t.Run("are watched only while somebody selects by them", func(t *testing.T) {
		r := newRig(t)
		r.start(instanceItem(1, v1alpha1.NamespacesFromSame), "routes/system", "keys/", routeItem("system", "a", 1))
		if _, open := r.open["namespaces/"]; open {
			t.Fatal("namespaces are watched without need")
		}
		r.send("routes/system", opPut, routeItem("system", "a", 2, selects))
		r.pass(quietTime)
		if len(r.inputs) != 1 {
			t.Fatal("the table was built before the labels came")
		}
		r.send("namespaces/", opList, labels)
		r.pass(quietTime)
		if diff := cmp.Diff(map[string]map[string]string{"shop": {"tier": "gold"}}, r.last().Namespaces); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
		r.built()
		r.send("routes/system", opPut, routeItem("system", "a", 3))
		r.pass(quietTime)
		if _, open := r.open["namespaces/"]; open {
			t.Error("namespaces are still watched")
		}
	})
	t.Run("that are denied hold up a table only for a while", func(t *testing.T) {
		r := newRig(t)
		r.start(instanceItem(1, v1alpha1.NamespacesFromSame), "routes/system", "keys/")
		r.send("routes/system", opPut, routeItem("system", "a", 1, selects))
		r.pass(quietTime)
		if wait := r.o.step(); wait != namespaceGrace {
			t.Errorf("the owner would sleep %v, want %v", wait, namespaceGrace)
		}
		r.pass(namespaceGrace)
		if got := r.last(); len(got.Routes) != 1 || got.Namespaces == nil || len(got.Namespaces) != 0 {
			t.Errorf("routes %v, namespaces %v; want the route and no labels", routeNames(got), got.Namespaces)
		}
	})
	t.Run("cannot be read in namespaced mode", func(t *testing.T) {
		r := newRig(t, "system")
		r.start(instanceItem(1, v1alpha1.NamespacesFromSame), "routes/system", "keys/system", routeItem("system", "a", 1, selects))
		if _, open := r.open["namespaces/"]; open || r.last().Namespaces != nil {
			t.Errorf("watched: %v, namespaces %v; want neither", open, r.last().Namespaces)
		}
	})
}

func TestOwner_heldNames(t *testing.T) {
	r := newRig(t)
	route := routeItem("system", "glm", 1, func(r *v1alpha1.ModelRoute) { r.Spec.Aliases = []v1alpha1.ModelName{"chat"} })
	r.start(instanceItem(1, v1alpha1.NamespacesFromSame), "routes/system", "keys/", route)
	r.send("routes/system", opRemove, route)
	r.pass(quietTime)
	r.built()
	if diff := cmp.Diff(map[string]string{"glm": "system", "chat": "system"}, r.last().Held); diff != "" {
		t.Errorf("held after the route was deleted (-want +got):\n%s", diff)
	}
	if wait := r.o.step(); wait != table.NameTenure {
		t.Errorf("the owner would sleep %v, want %v", wait, table.NameTenure)
	}
	r.pass(table.NameTenure)
	r.pass(ceilingTime)
	if len(r.inputs) != 3 || r.last().Held != nil {
		t.Errorf("%d tables, held %v; want a third table without held names", len(r.inputs), r.last().Held)
	}
}

func TestOwner_namespacedMode(t *testing.T) {
	r := newRig(t, "b", "system", "a")
	r.send("instance/system", opList, instanceItem(1, v1alpha1.NamespacesFromAll))
	r.send("secret/system", opList)
	for _, watch := range []string{"routes/a", "routes/b", "keys/a", "keys/b", "keys/system"} {
		r.send(watch, opList)
	}
	r.pass(time.Second)
	if len(r.inputs) != 0 {
		t.Fatal("a table was built before every namespace was listed")
	}
	r.send("routes/system", opList)
	r.pass(quietTime)
	r.built()
	if got := r.loadedRoutes(); got != "3" {
		t.Errorf("loaded is %q, want 3, as far as the watch of namespace a has come", got)
	}
	r.opened = nil
	r.pass(lagTolerance)
	if diff := cmp.Diff([]string{"routes/a", "routes/b"}, r.opened, cmpopts.SortSlices(func(a, b string) bool { return a < b }),
		cmpopts.IgnoreSliceElements(func(s string) bool { return s[0] == 'k' })); diff != "" {
		t.Errorf("watches started again because they were behind (-want +got):\n%s", diff)
	}
	r.send("routes/a", opList)
	r.send("routes/b", opList)
	if got := r.loadedRoutes(); got != "8" {
		t.Errorf("loaded is %q, want 8, as far as the watch of namespace system has come", got)
	}
}
