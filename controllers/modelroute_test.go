package controllers

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

func TestModelRoute_WithoutGatewayWaitsAMinuteAndStalls(t *testing.T) {
	w := newWorld(t)
	route := w.route("lonely", "none")
	w.expectConditions(route, expect{"Accepted": "False/NoGateway", "Ready": "False/NoGateway", "Reconciling": "True/NoGateway",
		"Stalled": "", "ResolvedRefs": ""})
	if route.Status.ObservedGeneration != route.Generation {
		t.Errorf("observed generation %d", route.Status.ObservedGeneration)
	}

	w.clock.step(missingGrace)
	w.poke(v1alpha1.KindModelRoute, route)
	w.expectConditions(route, expect{"Ready": "False/NoGateway", "Reconciling": "", "Stalled": "True/NoGateway"})

	w.attend("late", "r1")
	w.instance("late")
	w.expectConditions(route, expect{"Accepted": "True/Accepted", "ResolvedRefs": "False/RefNotFound", "Ready": "False/RefNotFound"})
}

func TestModelRoute_MissingCredentialIsWaitedForAnewWithEachGeneration(t *testing.T) {
	w := newWorld(t)
	w.instance("default")
	w.attend("default", "r1")
	route := w.route("chat", "later")
	w.expectConditions(route, expect{"ResolvedRefs": "False/RefNotFound", "Reconciling": "True/RefNotFound"})
	if got, want := route.Status.Targets, "0/1"; got != want {
		t.Errorf("targets %q, want %q", got, want)
	}
	w.clock.step(missingGrace)
	w.poke(v1alpha1.KindModelRoute, route)
	w.expectConditions(route, expect{"Stalled": "True/RefNotFound", "Reconciling": ""})

	w.change(route, func() { route.Spec.Aliases = []v1alpha1.ModelName{"another"} })
	w.expectConditions(route, expect{"ResolvedRefs": "False/RefNotFound", "Reconciling": "True/RefNotFound", "Stalled": ""})

	w.credential("later", "sk-late")
	w.ready(route)
	if got, want := route.Status.Targets, "1/1"; got != want {
		t.Errorf("targets %q, want %q", got, want)
	}
}

func TestModelRoute_ReadyIsNoEarlierThanTheLastReplica(t *testing.T) {
	w := newWorld(t)
	w.instance("default")
	w.credential("deepseek", "sk-1")
	one, two := w.replica("default", "r1"), w.replica("default", "r2")
	route := w.route("chat", "deepseek")
	w.eventually("the compiled Secret", func() error { return w.holds("default", w.ns+"/deepseek") })
	w.expectConditions(route, expect{"Accepted": "True/Accepted", "ResolvedRefs": "True/ResolvedRefs",
		"Programmed": "False/Progressing", "Reconciling": "True/Progressing"})

	w.eventually("the first replica counts", func() error {
		w.catchUp(one)
		return w.gateways(route, v1alpha1.GatewayStatus{Namespace: w.ns, Name: "default", ReadyReplicas: 2, LoadedReplicas: 1})
	})
	w.never("Ready with one of two", func() error { return w.notReady(route) })
	w.catchUp(two)
	w.ready(route)

	// A newcomer that has loaded nothing does not undo what was.
	three := w.replica("default", "r3")
	w.eventually("the newcomer is counted", func() error {
		return w.gateways(route, v1alpha1.GatewayStatus{Namespace: w.ns, Name: "default", ReadyReplicas: 3, LoadedReplicas: 2})
	})
	w.ready(route)

	// A new generation is loaded by nobody.
	w.change(route, func() { route.Spec.Aliases = []v1alpha1.ModelName{"alias"} })
	w.expectConditions(route, expect{"Programmed": "False/Progressing", "Ready": "False/Progressing"})
	w.catchUp(one)
	w.catchUp(two)
	w.never("Ready without the newcomer", func() error { return w.notReady(route) })
	w.catchUp(three)
	w.ready(route)
}

// notReady returns an error if an object is Ready at its generation.
func (w *world) notReady(obj client.Object) error {
	w.get(obj)
	c := meta.FindStatusCondition(conditionsOf(obj), v1alpha1.ConditionReady)
	if c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == obj.GetGeneration() {
		return fmt.Errorf("%s is Ready", obj.GetName())
	}
	return nil
}

// gateways compares status.gateways of a route.
func (w *world) gateways(route *v1alpha1.ModelRoute, want ...v1alpha1.GatewayStatus) error {
	w.get(route)
	if diff := cmp.Diff(want, route.Status.Gateways); diff != "" {
		return fmt.Errorf("-want +got:\n%s", diff)
	}
	return nil
}

// holds says whether the compiled Secret of an instance has a usable credential.
func (w *world) holds(instance, credential string) error {
	states, err := w.compiled(instance)
	if err != nil {
		return err
	}
	if state, ok := states[credential]; !ok || state.Problem != nil {
		return fmt.Errorf("there is no usable %s in %v", credential, states)
	}
	return nil
}

func TestModelRoute_ReadyNeedsEachThingThatServesIt(t *testing.T) {
	cases := map[string]func(*v1alpha1.LoadedVersions){
		"the route":                 func(l *v1alpha1.LoadedVersions) { l.ModelRoutes = "1" },
		"the credentials":           func(l *v1alpha1.LoadedVersions) { l.Credentials = "1" },
		"the instance":              func(l *v1alpha1.LoadedVersions) { l.GatewayInstance = "1" },
		"anything that is a number": func(l *v1alpha1.LoadedVersions) { l.ModelRoutes = "unknown" },
	}
	w := newWorld(t)
	w.instance("default")
	w.credential("deepseek", "sk-1")
	replica := w.replica("default", "r1")
	route := w.route("chat", "deepseek")
	w.eventually("the compiled Secret", func() error { return w.holds("default", w.ns+"/deepseek") })
	for name, behind := range cases {
		t.Run(name, func(t *testing.T) {
			w.change(route, func() {
				route.Spec.Aliases = []v1alpha1.ModelName{v1alpha1.ModelName(fmt.Sprintf("a%d", route.Generation))}
			})
			w.expectConditions(route, expect{"Programmed": "False/Progressing"})
			loaded := w.present("default")
			behind(&loaded)
			w.report(replica, func(st *v1alpha1.GatewayReplicaStatus) { st.Loaded = loaded })
			w.never("Ready without "+name, func() error { return w.notReady(route) })
			w.catchUp(replica)
			w.ready(route)
		})
	}
}

func TestModelRoute_CredentialThatTurnsUpMustBeLoadedToo(t *testing.T) {
	w := newWorld(t)
	w.instance("default")
	replica := w.replica("default", "r1")
	route := w.route("chat", "later")
	w.expectConditions(route, expect{"ResolvedRefs": "False/RefNotFound"})
	w.eventually("the route itself is loaded", func() error {
		w.catchUp(replica)
		w.get(route)
		return matchConditions(route, expect{"Programmed": "True/Programmed"})
	})

	w.credential("later", "sk-late")
	w.expectConditions(route, expect{"ResolvedRefs": "True/ResolvedRefs", "Programmed": "False/Progressing", "Ready": "False/Progressing"})
	w.never("Ready before the credential is loaded", func() error { return w.notReady(route) })
	w.catchUp(replica)
	w.ready(route)
}

func TestModelRoute_NotReadyWhenNoReplicaIsLeft(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	w.credential("deepseek", "sk-1")
	route, key := w.route("chat", "deepseek"), w.key("shop")
	replica := w.replica("default", "r1")
	w.eventually("both are Ready", func() error {
		w.catchUp(replica)
		w.get(route)
		w.get(key)
		if err := matchConditions(route, expect{"Ready": "True/Ready"}); err != nil {
			return err
		}
		return matchConditions(key, expect{"Ready": "True/Ready"})
	})

	w.report(replica, func(st *v1alpha1.GatewayReplicaStatus) { st.Conditions[0].Status = metav1.ConditionFalse })
	for _, obj := range []client.Object{route, key} {
		w.expectConditions(obj, expect{"Ready": "False/NoReadyReplica", "Reconciling": "True/NoReadyReplica"})
	}
	w.expectConditions(instance, expect{"Available": "False/NoReadyReplica", "Ready": "False/NoReadyReplica"})

	w.report(replica, func(st *v1alpha1.GatewayReplicaStatus) { st.Conditions[0].Status = metav1.ConditionTrue })
	w.catchUp(replica)
	w.ready(route, key, instance)
}

func TestModelRoute_AnInstanceWithoutReplicasDoesNotHoldUpAnother(t *testing.T) {
	w := newWorld(t)
	w.instance("empty")
	w.instance("full")
	w.credential("deepseek", "sk-1")
	route := w.route("chat", "deepseek")
	w.attend("full", "r1")
	w.ready(route)
	if err := w.gateways(route, v1alpha1.GatewayStatus{Namespace: w.ns, Name: "empty"},
		v1alpha1.GatewayStatus{Namespace: w.ns, Name: "full", ReadyReplicas: 1, LoadedReplicas: 1}); err != nil {
		t.Error(err)
	}
}

func TestModelRoute_OneBrokenTargetDegrades(t *testing.T) {
	w := newWorld(t)
	w.instance("default")
	w.credential("good", "sk-1")
	w.attend("default", "r1")
	route := w.route("chat", "good", func(r *v1alpha1.ModelRoute) {
		r.Spec.Pricing = nil
		r.Spec.Targets = append(r.Spec.Targets, v1alpha1.Target{Name: "spare", Credential: v1alpha1.ObjectReference{Name: "absent"}})
	})
	w.expectConditions(route, expect{"Accepted": "True/Accepted", "ResolvedRefs": "False/RefNotFound", "Programmed": "True/Programmed",
		"Priced": "False/Unpriced", "Ready": "False/RefNotFound", "Stalled": "", "Reconciling": ""})
	if got, want := route.Status.Targets, "1/2"; got != want {
		t.Errorf("targets %q, want %q", got, want)
	}
}

func TestModelRoute_ForeignCredentialOnlyWithAGrant(t *testing.T) {
	w := newWorld(t)
	tenant := w.namespace(map[string]string{"tier": "gold"})
	w.instance("default", servesAll)
	w.attend("default", "r1")
	credential := w.credential("deepseek", "sk-platform")
	route := w.route("chat", "deepseek", in[*v1alpha1.ModelRoute](tenant), func(r *v1alpha1.ModelRoute) {
		r.Spec.Targets[0].Credential.Namespace = v1alpha1.NamespaceName(w.ns)
	})
	w.expectConditions(route, expect{"ResolvedRefs": "False/RefNotPermitted", "Stalled": "True/RefNotPermitted"})
	if states, err := w.compiled("default"); err != nil || len(states) != 0 {
		t.Errorf("a credential that nobody may use is compiled: %v, %v", states, err)
	}

	w.change(credential, func() {
		credential.Spec.AllowedNamespaces = &v1alpha1.NamespaceSelection{From: v1alpha1.NamespacesFromSelector,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "gold"}}}
	})
	w.ready(route)

	w.change(credential, func() { credential.Spec.AllowedNamespaces.Selector.MatchLabels["tier"] = "platinum" })
	w.expectConditions(route, expect{"ResolvedRefs": "False/RefNotPermitted", "Stalled": "True/RefNotPermitted"})
	w.eventually("the credential leaves the compiled Secret", func() error {
		states, err := w.compiled("default")
		if err == nil && len(states) > 0 {
			return fmt.Errorf("still there: %v", states)
		}
		return err
	})
}

func TestModelRoute_SquatterNeverGetsTheName(t *testing.T) {
	w := newWorld(t)
	tenant := w.namespace(nil)
	w.instance("default", servesAll)
	w.credential("deepseek", "sk-platform")
	w.attend("default", "r1")
	squatter := w.route("chat", "evil", in[*v1alpha1.ModelRoute](tenant))
	w.expectConditions(squatter, expect{"Accepted": "True/Accepted"})

	platform := w.route("chat", "deepseek")
	w.ready(platform)
	w.expectConditions(squatter, expect{"Accepted": "False/NameTaken", "Programmed": "False/NameTaken", "Stalled": "True/NameTaken"})

	w.remove(platform)
	w.eventually("the platform's route is gone", func() error { return w.gone(&v1alpha1.ModelRoute{ObjectMeta: platform.ObjectMeta}) })
	w.never("the squatter gets the name", func() error {
		w.get(squatter)
		return matchConditions(squatter, expect{"Accepted": "False/NameTaken"})
	})
	again := w.route("chat", "deepseek")
	w.ready(again)
	w.expectConditions(squatter, expect{"Accepted": "False/NameTaken"})
}

// gone returns an error while an object exists.
func (w *world) gone(obj client.Object) error {
	err := w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%s exists", obj.GetName())
}

func TestModelRoute_LatecomerWaitsForTheNameOfThePlatform(t *testing.T) {
	w := newWorld(t)
	second := w.namespace(nil)
	w.instance("default", servesAll)
	w.attend("default", "r1")
	w.credential("one", "sk-1")
	w.credential("two", "sk-2", in[*v1alpha1.ProviderCredential](second))
	holder := w.route("chat", "one")
	w.ready(holder)
	w.remove(holder)
	latecomer := w.route("chat", "two", in[*v1alpha1.ModelRoute](second))
	w.expectConditions(latecomer, expect{"Accepted": "False/NameTaken", "Stalled": "True/NameTaken"})

	w.clock.step(table.NameTenure)
	w.change(latecomer, func() { latecomer.Spec.Display = &v1alpha1.Display{Label: "mine now"} })
	w.ready(latecomer)
}

func TestModelRoute_LostAliasesAreNoReasonNotToServe(t *testing.T) {
	w := newWorld(t)
	w.instance("default")
	w.credential("deepseek", "sk-1")
	w.attend("default", "r1")
	w.ready(w.route("chat", "deepseek"))
	second := w.route("second", "deepseek", func(r *v1alpha1.ModelRoute) { r.Spec.Aliases = []v1alpha1.ModelName{"chat"} })
	w.expectConditions(second, expect{"Accepted": "True/PartiallyAccepted", "Ready": "True/Ready"})
}

func TestModelRoute_SoonIsOnlyShown(t *testing.T) {
	w := newWorld(t)
	w.instance("default")
	w.attend("default", "r1")
	route := w.route("next-year", "", func(r *v1alpha1.ModelRoute) {
		r.Spec.Availability, r.Spec.Targets = v1alpha1.AvailabilitySoon, nil
	})
	w.expectConditions(route, expect{"Programmed": "True/Soon", "Ready": "True/Ready"})
}

func TestModelRoute_ASecondLookWritesNothing(t *testing.T) {
	w := newWorld(t)
	instance, credential := w.instance("default"), w.credential("deepseek", "sk-1")
	route, key := w.route("chat", "deepseek"), w.key("shop")
	w.attend("default", "r1")
	w.ready(instance, credential, route, key)
	objs := map[string]client.Object{v1alpha1.KindGatewayInstance: instance, v1alpha1.KindProviderCredential: credential,
		v1alpha1.KindModelRoute: route, v1alpha1.KindApiKey: key}
	// Counts and gateways may still settle after Ready.
	w.eventually("everything is still", func() error { return w.still(objs, calm) })

	for kind, obj := range objs {
		w.poke(kind, obj)
	}
	if err := w.still(objs, calm); err != nil {
		t.Errorf("after another look: %v", err)
	}
	w.restart()
	if err := w.still(objs, 5*calm); err != nil {
		t.Errorf("after a restart of the operator: %v", err)
	}
}

// still watches that no object changes for a while.
func (w *world) still(objs map[string]client.Object, during time.Duration) error {
	before := map[string]string{}
	for kind, obj := range objs {
		before[kind] = w.version(obj)
	}
	<-time.After(during)
	for kind, obj := range objs {
		if now := w.version(obj); now != before[kind] {
			return fmt.Errorf("%s %s was written again%s", kind, obj.GetName(), describeConditions(obj))
		}
	}
	return nil
}

func TestModelRoute_AReadyRouteStaysReadyOverARestart(t *testing.T) {
	w := newWorld(t)
	w.instance("default")
	w.credential("deepseek", "sk-1")
	route := w.route("chat", "deepseek")
	replica := w.replica("default", "r1")
	w.eventually("the route is Ready", func() error {
		w.catchUp(replica)
		w.get(route)
		return matchConditions(route, expect{"Ready": "True/Ready"})
	})
	// The replica reports nothing any more, and the operator remembers nothing.
	w.restart()
	w.never("the route falls back", func() error {
		w.get(route)
		return matchConditions(route, expect{"Ready": "True/Ready"})
	})
	unfinished := w.route("second", "deepseek")
	w.expectConditions(unfinished, expect{"Programmed": "False/Progressing"})
}
