package controllers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// ejects lets a replica report which targets get no requests from it.
func (w *world) ejects(replica *v1alpha1.GatewayReplica, list ...v1alpha1.EjectedTarget) {
	w.t.Helper()
	w.report(replica, func(st *v1alpha1.GatewayReplicaStatus) { st.Ejected = list })
}

// refusedTarget is a target of the route chat whose credential the vendor refuses.
func (w *world) refusedTarget(name, credential string) v1alpha1.EjectedTarget {
	since := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	return v1alpha1.EjectedTarget{
		Target: w.ns + "/chat/" + name, Credential: w.ns + "/" + credential, Reason: "CredentialRefused", Since: &since,
	}
}

// twoTargets adds a second target to a route.
func twoTargets(credential string) func(*v1alpha1.ModelRoute) {
	return func(r *v1alpha1.ModelRoute) {
		r.Spec.Targets = append(r.Spec.Targets,
			v1alpha1.Target{Name: "backup", Credential: v1alpha1.ObjectReference{Name: v1alpha1.ObjectName(credential)}})
	}
}

// expectTargets waits until a route counts its targets so and names those that are ejected.
func (w *world) expectTargets(route *v1alpha1.ModelRoute, want string, ejected ...string) {
	w.t.Helper()
	w.eventually("targets of "+route.Name, func() error {
		w.get(route)
		var names []string
		for _, e := range route.Status.Ejected {
			names = append(names, e.Target[strings.LastIndex(e.Target, "/")+1:])
		}
		if got := route.Status.Targets; got != want || !cmp.Equal(names, ejected, cmpopts.EquateEmpty()) {
			return fmt.Errorf("targets are %s and %v is ejected, want %s and %v", got, names, want, ejected)
		}
		return nil
	})
}

// expectEvent waits for an event about an object.
func (w *world) expectEvent(kind, name, reason, kindOfEvent string) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("an event %s about %s %s", reason, kind, name), func() error {
		events := &eventsv1.EventList{}
		if err := w.List(w.ctx, events, client.InNamespace(w.ns)); err != nil {
			return err
		}
		for i := range events.Items {
			e := &events.Items[i]
			if e.Regarding.Kind == kind && e.Regarding.Name == name && e.Reason == reason && e.Type == kindOfEvent {
				return nil
			}
		}
		return fmt.Errorf("none among %d", len(events.Items))
	})
}

func TestEjections_ShowWhileAnyReplicaSaysSo(t *testing.T) {
	w := newWorld(t)
	w.instance("default")
	one, two := w.attend("default", "r1"), w.attend("default", "r2")
	refused, other := w.credential("deepseek", "sk-1"), w.credential("spare", "sk-2")
	route := w.route("chat", "deepseek", twoTargets("spare"))
	w.ready(route, refused, other)
	healthy, sick := expect{"Healthy": "True/Healthy", "Ready": "True/Ready"}, expect{"Healthy": "False/TargetsEjected", "Ready": "True/Ready"}
	w.expectConditions(route, healthy)
	w.expectConditions(refused, healthy)
	w.expectTargets(route, "2/2")

	w.ejects(one, w.refusedTarget("primary", "deepseek"))
	w.expectTargets(route, "1/2", "primary")
	w.expectConditions(route, expect{"Healthy": "False/TargetsEjected", "Ready": "True/Ready", "Programmed": "True/Programmed"})
	w.expectConditions(refused, sick)
	want := []v1alpha1.EjectedTarget{w.refusedTarget("primary", "deepseek")}
	for name, got := range map[string][]v1alpha1.EjectedTarget{"route": route.Status.Ejected, "credential": refused.Status.Ejected} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ejected of the %s (-want +got):\n%s", name, diff)
		}
	}
	w.expectConditions(other, healthy)
	w.expectEvent("ModelRoute", "chat", "TargetsEjected", "Warning")
	w.expectEvent("ProviderCredential", "deepseek", "TargetsEjected", "Warning")

	// A new operator does not forget it in between.
	before := meta.FindStatusCondition(route.Status.Conditions, "Healthy").LastTransitionTime
	w.restart()
	w.ejects(two, w.refusedTarget("primary", "deepseek"))
	w.eventually("both replicas are counted", func() error {
		w.get(route)
		if text := meta.FindStatusCondition(route.Status.Conditions, "Healthy").Message; !strings.Contains(text, "2 replicas") {
			return fmt.Errorf("message is %s", text)
		}
		return nil
	})
	if after := meta.FindStatusCondition(route.Status.Conditions, "Healthy").LastTransitionTime; !after.Equal(&before) {
		t.Errorf("Healthy changed at %v and again at %v", before, after)
	}

	// It stays while one of them says so, and goes when that one goes.
	w.ejects(one)
	w.eventually("one is left", func() error {
		w.get(route)
		if text := meta.FindStatusCondition(route.Status.Conditions, "Healthy").Message; !strings.Contains(text, "1 replica)") {
			return fmt.Errorf("message is %s", text)
		}
		return nil
	})
	w.ejects(two)
	w.expectTargets(route, "2/2")
	w.expectConditions(route, healthy)
	w.expectConditions(refused, healthy)
	w.expectEvent("ModelRoute", "chat", "TargetsReturned", "Normal")
	w.expectEvent("ProviderCredential", "deepseek", "TargetsReturned", "Normal")
}

func TestEjections_GoWithTheReplicaThatToldOfThem(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	w.attend("default", "stays")
	gone := w.replica("default", "goes")
	w.catchUp(gone)
	cred := w.credential("deepseek", "sk-1")
	route := w.route("chat", "deepseek")
	w.ejects(gone, w.refusedTarget("primary", "deepseek"))
	w.expectTargets(route, "0/1", "primary")
	w.expectConditions(cred, expect{"Healthy": "False/TargetsEjected"})
	w.remove(gone)
	w.expectTargets(route, "1/1")
	w.expectConditions(route, expect{"Healthy": "True/Healthy"})
	w.expectConditions(cred, expect{"Healthy": "True/Healthy"})

	// What is no target of the route, or cannot be used anyway, is not counted.
	again := w.replica("default", "again")
	w.ejects(again, w.refusedTarget("unknown", "deepseek"), v1alpha1.EjectedTarget{Target: "nonsense", Reason: "Timeouts"})
	w.expectConditions(cred, expect{"Healthy": "False/TargetsEjected"})
	w.expectTargets(route, "1/1")
	w.remove(instance)
	w.expectConditions(cred, expect{"Healthy": ""})
}

func TestEjection_mergesWhatReplicasSay(t *testing.T) {
	at := func(second int64) *metav1.Time { return &metav1.Time{Time: time.Unix(second, 0)} }
	said := func(reason string, since, until *metav1.Time) ejection {
		return ejection{EjectedTarget: v1alpha1.EjectedTarget{Target: "a/b/c", Reason: reason, Since: since, Until: until}, replicas: 1}
	}
	failing, later, refused := said("Timeouts", at(5), at(20)), said("ErrorRate", at(7), at(30)), said("NoBalance", at(9), nil)
	cases := map[string]struct {
		say  []ejection
		want ejection
	}{
		"what lasts longer": {[]ejection{failing, later}, ejection{
			EjectedTarget: v1alpha1.EjectedTarget{Target: "a/b/c", Reason: "ErrorRate", Since: at(5), Until: at(30)}, replicas: 2}},
		"what somebody must mend": {[]ejection{failing, refused, later}, ejection{
			EjectedTarget: v1alpha1.EjectedTarget{Target: "a/b/c", Reason: "NoBalance", Since: at(5)}, replicas: 3}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			forth := mergeEjections(tc.say)
			tc.say[0], tc.say[1] = tc.say[1], tc.say[0]
			for _, got := range [][]ejection{forth, mergeEjections(tc.say)} {
				if diff := cmp.Diff([]ejection{tc.want}, got, cmp.AllowUnexported(ejection{})); diff != "" {
					t.Errorf("merged (-want +got):\n%s", diff)
				}
			}
		})
	}
}
