package render

import (
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// defaultMaxUnavailable is how many replicas may be missing where the instance says nothing.
const defaultMaxUnavailable = 1

// disruptionBudget bounds how many replicas are evicted at a time, nil where the admin keeps that. Replicas that are not ready
// never hold up an eviction: they serve nobody, and a node with a broken one must still drain.
func disruptionBudget(instance *v1alpha1.GatewayInstance) *policyv1.PodDisruptionBudget {
	missing := intstr.FromInt32(defaultMaxUnavailable)
	if b := instance.Spec.PodDisruptionBudget; b != nil {
		if b.Enabled != nil && !*b.Enabled {
			return nil
		}
		if b.MaxUnavailable != nil {
			missing = intstr.FromInt32(*b.MaxUnavailable)
		}
	}
	always := policyv1.AlwaysAllow
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   metav1.TypeMeta{APIVersion: policyv1.SchemeGroupVersion.String(), Kind: "PodDisruptionBudget"},
		ObjectMeta: ownedMeta(instance, ""),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable:             &missing,
			Selector:                   &metav1.LabelSelector{MatchLabels: selector(instance)},
			UnhealthyPodEvictionPolicy: &always,
		},
	}
}
