package render

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

func TestDisruptionBudget(t *testing.T) {
	zero, off, on := int32(0), false, true
	cases := map[string]struct {
		spec *v1alpha1.PodDisruptionBudget
		want string
	}{
		"one by default":       {nil, "1"},
		"one when it is empty": {&v1alpha1.PodDisruptionBudget{}, "1"},
		"none may be missing":  {&v1alpha1.PodDisruptionBudget{Enabled: &on, MaxUnavailable: &zero}, "0"},
		"left out":             {&v1alpha1.PodDisruptionBudget{Enabled: &off}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, obj := range render(t, Input{Image: "i", Instance: makeInstance(func(obj *v1alpha1.GatewayInstance) {
				obj.Spec.PodDisruptionBudget = tc.spec
			})}) {
				if b, ok := obj.(*policyv1.PodDisruptionBudget); ok {
					got = b.Spec.MaxUnavailable.String()
				}
			}
			if got != tc.want {
				t.Errorf("maxUnavailable %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTopologySpread_CountsOurPodsUnlessToldOtherwise(t *testing.T) {
	theirs := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "theirs"}}
	own := []corev1.TopologySpreadConstraint{{TopologyKey: "rack"}, {TopologyKey: "row", LabelSelector: theirs}}
	instance := makeInstance()
	got := topologySpread(instance, own)
	if diff := cmp.Diff(selector(instance), got[0].LabelSelector.MatchLabels); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got[1].LabelSelector != theirs || own[0].LabelSelector != nil {
		t.Errorf("selector %v, the instance's own %v", got[1].LabelSelector, own[0].LabelSelector)
	}
	if standard := topologySpread(instance, nil); len(standard) != 1 || standard[0].WhenUnsatisfiable != corev1.ScheduleAnyway {
		t.Errorf("by default %+v", standard)
	}
}
