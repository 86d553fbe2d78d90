package controllers

import (
	"context"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// checkInvariants checks what must hold of every status at any moment.
func (w *world) checkInvariants() {
	for _, list := range []client.ObjectList{&v1alpha1.ModelRouteList{}, &v1alpha1.ApiKeyList{},
		&v1alpha1.ProviderCredentialList{}, &v1alpha1.GatewayInstanceList{}} {
		if err := w.List(context.Background(), list); err != nil {
			w.t.Errorf("listing %T: %v", list, err)
		}
		_ = meta.EachListItem(list, func(item runtime.Object) error {
			obj := item.(client.Object)
			for _, problem := range brokenInvariants(conditionsOf(obj), obj.GetGeneration()) {
				w.t.Errorf("%T %s/%s: %s%s", obj, obj.GetNamespace(), obj.GetName(), problem, describeConditions(obj))
			}
			return nil
		})
	}
}

// brokenInvariants returns the rules that conditions break. An object that nobody has looked at yet has none.
func brokenInvariants(conditions []metav1.Condition, generation int64) []string {
	if len(conditions) == 0 {
		return nil
	}
	var broken []string
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	reconciling := meta.FindStatusCondition(conditions, v1alpha1.ConditionReconciling)
	stalled := meta.FindStatusCondition(conditions, v1alpha1.ConditionStalled)
	if ready == nil {
		broken = append(broken, "Ready is absent")
	}
	if reconciling != nil && stalled != nil {
		broken = append(broken, "Reconciling and Stalled are both present")
	}
	for _, abnormal := range []*metav1.Condition{reconciling, stalled} {
		switch {
		case abnormal == nil:
		case abnormal.Status != metav1.ConditionTrue:
			broken = append(broken, abnormal.Type+" is present and not True")
		case ready != nil && ready.Status == metav1.ConditionTrue:
			broken = append(broken, "Ready is True beside "+abnormal.Type)
		case ready != nil && ready.Reason != abnormal.Reason:
			broken = append(broken, abnormal.Type+" has another reason than Ready")
		}
	}
	for _, c := range conditions {
		if c.ObservedGeneration > generation {
			broken = append(broken, fmt.Sprintf("%s is ahead of the object: %d > %d", c.Type, c.ObservedGeneration, generation))
		}
		if len(c.Message) > maxMessage {
			broken = append(broken, c.Type+" has too long a message")
		}
		if c.Reason == "" || c.LastTransitionTime.IsZero() {
			broken = append(broken, c.Type+" lacks reason or time")
		}
	}
	return broken
}

func TestBrokenInvariants_FindsWhatMustNotBe(t *testing.T) {
	at := metav1.Now()
	c := func(kind string, status metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Reason: reason, LastTransitionTime: at, ObservedGeneration: 1}
	}
	cases := map[string]struct {
		conditions []metav1.Condition
		want       int
	}{
		"ready":                       {[]metav1.Condition{c("Ready", "True", "Ready")}, 0},
		"on its way":                  {[]metav1.Condition{c("Ready", "False", "X"), c("Reconciling", "True", "X")}, 0},
		"ready beside stalled":        {[]metav1.Condition{c("Ready", "True", "Ready"), c("Stalled", "True", "X")}, 1},
		"stalled for another reason":  {[]metav1.Condition{c("Ready", "False", "Y"), c("Stalled", "True", "X")}, 1},
		"both abnormal":               {[]metav1.Condition{c("Ready", "False", "X"), c("Stalled", "True", "X"), c("Reconciling", "True", "X")}, 1},
		"no ready, abnormal is false": {[]metav1.Condition{c("Stalled", "False", "X")}, 2},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := brokenInvariants(tc.conditions, 1); len(got) != tc.want {
				t.Errorf("broken: %q, want %d", got, tc.want)
			}
		})
	}
	if got := brokenInvariants([]metav1.Condition{c("Ready", "True", "Ready")}, 0); len(got) != 1 {
		t.Errorf("a condition ahead of its object is not found: %q", got)
	}
}
