package controllers

import (
	"fmt"
	"testing"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

func TestGatewayInstance_DisruptionBudgetFollowsTheSpec(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default"}}
	missing := func(want int) {
		t.Helper()
		w.eventually("the budget", func() error {
			if err := w.Get(w.ctx, client.ObjectKeyFromObject(budget), budget); err != nil {
				return err
			}
			if got := budget.Spec.MaxUnavailable.IntValue(); got != want {
				return fmt.Errorf("maxUnavailable %d, want %d", got, want)
			}
			return nil
		})
	}
	missing(1)
	three, off := int32(3), false
	w.change(instance, func() { instance.Spec.PodDisruptionBudget = &v1alpha1.PodDisruptionBudget{MaxUnavailable: &three} })
	missing(3)
	w.change(instance, func() { instance.Spec.PodDisruptionBudget = &v1alpha1.PodDisruptionBudget{Enabled: &off} })
	w.eventually("the budget goes", func() error { return w.gone(budget) })
	w.change(instance, func() { instance.Spec.PodDisruptionBudget = nil })
	missing(1)
}
