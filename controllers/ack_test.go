package controllers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

func TestLivenessOf(t *testing.T) {
	ago := func(d time.Duration) *metav1.MicroTime {
		at := metav1.NewMicroTime(noon().Add(-d))
		return &at
	}
	pod := func(status corev1.ConditionStatus, deleting bool) *corev1.Pod {
		p := &corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}}}
		if deleting {
			now := metav1.NewTime(noon())
			p.DeletionTimestamp = &now
		}
		return p
	}
	cases := map[string]struct {
		podName  string
		pod      *corev1.Pod
		renewed  *metav1.MicroTime
		draining bool
		want     liveness
	}{
		"in a ready pod":               {podName: "p", pod: pod("True", false), renewed: ago(time.Hour), want: liveness{ready: true}},
		"draining in a ready pod":      {podName: "p", pod: pod("True", false), draining: true, want: liveness{}},
		"in a pod that is not ready":   {podName: "p", pod: pod("False", false), renewed: ago(0), want: liveness{}},
		"in a pod being deleted":       {podName: "p", pod: pod("True", true), renewed: ago(0), want: liveness{}},
		"in a pod without conditions":  {podName: "p", pod: &corev1.Pod{}, want: liveness{}},
		"its pod is not there":         {podName: "p", renewed: ago(time.Second), want: liveness{again: noon().Add(replicaGone - time.Second)}},
		"its pod is gone for good":     {podName: "p", renewed: ago(replicaGone), want: liveness{gone: true}},
		"alive outside the cluster":    {renewed: ago(10 * time.Second), want: liveness{ready: true, again: noon().Add(20 * time.Second)}},
		"draining outside the cluster": {renewed: ago(0), draining: true, want: liveness{again: noon().Add(replicaStale)}},
		"silent for half a minute":     {renewed: ago(replicaStale), want: liveness{again: noon().Add(replicaGone - replicaStale)}},
		"silent for five minutes":      {renewed: ago(replicaGone), want: liveness{gone: true}},
		"never heard of":               {want: liveness{again: noon().Add(replicaStale - time.Second)}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			ready := metav1.ConditionTrue
			if tc.draining {
				ready = metav1.ConditionFalse
			}
			r := &v1alpha1.GatewayReplica{
				ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(noon().Add(-time.Second))},
				Spec:       v1alpha1.GatewayReplicaSpec{PodName: v1alpha1.ObjectName(tc.podName)},
				Status: v1alpha1.GatewayReplicaStatus{
					Conditions: []metav1.Condition{{Type: "Ready", Status: ready}},
					RenewTime:  tc.renewed,
				},
			}
			if diff := cmp.Diff(tc.want, livenessOf(r, tc.pod, noon()), cmp.AllowUnexported(liveness{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestNeed_Met(t *testing.T) {
	all := func(v string) v1alpha1.LoadedVersions {
		return v1alpha1.LoadedVersions{ModelRoutes: v, ApiKeys: v, Credentials: v, GatewayInstance: v}
	}
	cases := map[string]struct {
		need   need
		loaded v1alpha1.LoadedVersions
		want   bool
	}{
		"exactly":                    {need{loaded: all("100")}, all("100"), true},
		"beyond, as numbers":         {need{loaded: all("99")}, all("100"), true},
		"before, as numbers":         {need{loaded: all("100")}, all("99"), false},
		"nothing is needed":          {need{}, v1alpha1.LoadedVersions{}, true},
		"nothing is loaded":          {need{loaded: v1alpha1.LoadedVersions{ModelRoutes: "1"}}, v1alpha1.LoadedVersions{}, false},
		"another kind is loaded":     {need{loaded: v1alpha1.LoadedVersions{ApiKeys: "5"}}, v1alpha1.LoadedVersions{ModelRoutes: "9"}, false},
		"what cannot be compared":    {need{loaded: v1alpha1.LoadedVersions{ApiKeys: "5"}}, v1alpha1.LoadedVersions{ApiKeys: "abc"}, false},
		"not written yet":            {need{pending: true}, all("100"), false},
		"an instance that is behind": {need{loaded: all("7")}, v1alpha1.LoadedVersions{ModelRoutes: "7", ApiKeys: "7", Credentials: "7", GatewayInstance: "6"}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.need.met(replica{loaded: tc.loaded}); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestAcknowledge(t *testing.T) {
	a, b := types.NamespacedName{Namespace: "n", Name: "a"}, types.NamespacedName{Namespace: "n", Name: "b"}
	at := func(v string) replica { return replica{loaded: v1alpha1.LoadedVersions{ModelRoutes: v}} }
	needs := func(names ...types.NamespacedName) []need {
		var out []need
		for _, name := range names {
			out = append(out, need{instance: name, loaded: v1alpha1.LoadedVersions{ModelRoutes: "10"}})
		}
		return out
	}
	cases := map[string]struct {
		needs        []need
		fleet        map[types.NamespacedName][]replica
		wantComplete bool
		wantGateways []v1alpha1.GatewayStatus
	}{
		"nobody serves":     {nil, nil, false, nil},
		"no replica at all": {needs(a), nil, false, []v1alpha1.GatewayStatus{{Namespace: "n", Name: "a"}}},
		"one of two": {needs(a), map[types.NamespacedName][]replica{a: {at("9"), at("10")}}, false,
			[]v1alpha1.GatewayStatus{{Namespace: "n", Name: "a", ReadyReplicas: 2, LoadedReplicas: 1}}},
		"both": {needs(a), map[types.NamespacedName][]replica{a: {at("11"), at("10")}}, true,
			[]v1alpha1.GatewayStatus{{Namespace: "n", Name: "a", ReadyReplicas: 2, LoadedReplicas: 2}}},
		"an instance without replicas holds nobody up": {needs(a, b), map[types.NamespacedName][]replica{b: {at("10")}}, true,
			[]v1alpha1.GatewayStatus{{Namespace: "n", Name: "a"}, {Namespace: "n", Name: "b", ReadyReplicas: 1, LoadedReplicas: 1}}},
		"an instance that is behind does": {needs(a, b), map[types.NamespacedName][]replica{a: {at("9")}, b: {at("10")}}, false,
			[]v1alpha1.GatewayStatus{{Namespace: "n", Name: "a", ReadyReplicas: 1}, {Namespace: "n", Name: "b", ReadyReplicas: 1, LoadedReplicas: 1}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, _ := acknowledge(tc.needs, func(n types.NamespacedName) ([]replica, bool) { return tc.fleet[n], true })
			if got.complete() != tc.wantComplete {
				t.Errorf("complete is %v", got.complete())
			}
			if diff := cmp.Diff(tc.wantGateways, got.gateways); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestAcknowledge_ConcludesNothingFromWhatNobodyCounted(t *testing.T) {
	a, b := types.NamespacedName{Name: "a"}, types.NamespacedName{Name: "b"}
	f := newFleets()
	f.set(a, []replica{{name: "r"}})
	if got, counted := acknowledge([]need{{instance: a}, {instance: b}}, f.ready); counted || got.ready != 0 {
		t.Errorf("got %+v, counted %v", got, counted)
	}
}

func TestProgrammedBy(t *testing.T) {
	cases := map[string]struct {
		ack     acknowledgement
		already bool
		want    string
	}{
		"no replica":                        {acknowledgement{}, false, "NoReadyReplica"},
		"no replica is left":                {acknowledgement{}, true, "NoReadyReplica"},
		"some":                              {acknowledgement{ready: 2, loaded: 1}, false, "Progressing"},
		"all":                               {acknowledgement{ready: 2, loaded: 2}, false, "Programmed"},
		"a newcomer does not undo what was": {acknowledgement{ready: 3, loaded: 2}, true, "Programmed"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := programmedBy(tc.ack, tc.already)
			if got.reason != tc.want || got.ok != (tc.want == "Programmed") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestSightings(t *testing.T) {
	c := &shiftedClock{}
	s := newSightings(c)
	ref := instanceRef(types.NamespacedName{Namespace: "n", Name: "a"})
	if got := s.see(ref, "u", "1", "10"); got.version != "10" || !got.changed.IsZero() {
		t.Errorf("first sight: %+v", got)
	}
	if got := s.see(ref, "u", "1", "11"); got.version != "10" {
		t.Errorf("a status update counts as news: %+v", got)
	}
	if got := s.see(ref, "u", "2", "12"); got.version != "12" || got.changed.IsZero() {
		t.Errorf("a new generation: %+v", got)
	}
	if got := s.see(ref, "v", "2", "13"); got.version != "13" || !got.changed.IsZero() {
		t.Errorf("another object of the name: %+v", got)
	}
	s.forget(ref)
	if got := s.see(ref, "v", "2", "14"); got.version != "14" {
		t.Errorf("after forgetting: %+v", got)
	}
}

func TestFleets_DueAreThoseWhoGainFromIt(t *testing.T) {
	f := newFleets()
	a, b := types.NamespacedName{Name: "a"}, types.NamespacedName{Name: "b"}
	route := table.ObjectRef{Kind: v1alpha1.KindModelRoute, Name: "r"}
	key := table.ObjectRef{Kind: v1alpha1.KindApiKey, Name: "k"}
	wants := need{instance: b, loaded: v1alpha1.LoadedVersions{ApiKeys: "10"}}
	at := func(v string) replica { return replica{loaded: v1alpha1.LoadedVersions{ApiKeys: v}} }
	f.wait(route, need{instance: a}, need{instance: b})
	f.wait(key, wants)
	f.wait(key, wants)
	cases := map[string]struct {
		ready []replica
		want  int
	}{
		"nobody is ready":             {nil, 2},
		"one is behind":               {[]replica{at("10"), at("9")}, 1},
		"all have what the key needs": {[]replica{at("10"), at("11")}, 2},
	}
	for name, tc := range cases {
		f.set(b, tc.ready)
		if got := f.due(b); len(got) != tc.want {
			t.Errorf("%s: due are %v, want %d", name, got, tc.want)
		}
	}
	f.set(b, nil)
	f.rest(route)
	if got := len(f.due(a)) + len(f.due(b)); got != 1 {
		t.Errorf("%d are due after the route rests", got)
	}
}

func TestFleets_Ready(t *testing.T) {
	f := newFleets()
	a, b := types.NamespacedName{Name: "a"}, types.NamespacedName{Name: "b"}
	f.set(a, []replica{{name: "r"}})
	if ready, counted := f.ready(a); len(ready) != 1 || !counted {
		t.Errorf("%v, counted %v", ready, counted)
	}
	if ready, counted := f.ready(b); len(ready) != 0 || counted {
		t.Errorf("nobody counted, but there are %v, counted %v", ready, counted)
	}
	f.set(a, nil)
	if ready, counted := f.ready(a); len(ready) != 0 || !counted {
		t.Errorf("after the last one went: %v, counted %v", ready, counted)
	}
	f.forget(a)
	if _, counted := f.ready(a); counted {
		t.Error("an instance that is gone is remembered")
	}
}
