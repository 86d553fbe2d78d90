package render

import (
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

const (
	// defaultMaxUnavailable is how many replicas may be missing where the instance says nothing.
	defaultMaxUnavailable = 1
	// defaultMinReplicas and defaultCPUUtilization are those of autoscaling.
	defaultMinReplicas    = 2
	defaultCPUUtilization = 70

	// MetricInFlight is the metric of a gateway pod that targetInFlightRequests is about.
	MetricInFlight = "vipcloud_requests_in_flight"
)

// Scale is what a cluster has made of the number of replicas. Without autoscaling it does not matter.
type Scale struct {
	// Live is the number of replicas that the Deployment asks for now; nil: there is none yet.
	Live *int32
	// Taken says that somebody else has set it: an autoscaler, or a person.
	Taken bool
	// NoMetrics says that nothing serves the metric to scale by. No autoscaler is made then; one that exists stays.
	NoMetrics bool
}

// replicas is the number that the Deployment is given, nil to leave it to whoever has set it. As soon as the operator does not name
// the number any more, and nobody else does, the API server makes it 1: so what is there is named until somebody else has set it.
func replicas(in Input) *int32 {
	wanted := Replicas(in.Instance)
	a := in.Instance.Spec.Autoscaling
	switch live := in.Scale.Live; {
	case a == nil || wanted == 0:
		return &wanted
	case live == nil || *live == 0:
		// An autoscaler leaves a Deployment of 0 alone.
		wanted = min(max(wanted, minReplicas(a)), a.MaxReplicas)
		return &wanted
	case in.Scale.Taken:
		return nil
	default:
		return live
	}
}

// minReplicas is autoscaling.minReplicas with its default.
func minReplicas(a *v1alpha1.Autoscaling) int32 {
	if a.MinReplicas != nil {
		return *a.MinReplicas
	}
	return min(defaultMinReplicas, a.MaxReplicas)
}

// OwnAutoscaler says whether the operator makes an autoscaler for the instance.
func OwnAutoscaler(instance *v1alpha1.GatewayInstance) bool {
	a := instance.Spec.Autoscaling
	return a != nil && a.Type != v1alpha1.AutoscalingExternal
}

// autoscaler scales by CPU or by requests under way.
func autoscaler(instance *v1alpha1.GatewayInstance) *autoscalingv2.HorizontalPodAutoscaler {
	a := instance.Spec.Autoscaling
	least := minReplicas(a)
	return &autoscalingv2.HorizontalPodAutoscaler{
		TypeMeta:   metav1.TypeMeta{APIVersion: autoscalingv2.SchemeGroupVersion.String(), Kind: "HorizontalPodAutoscaler"},
		ObjectMeta: ownedMeta(instance, ""),
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{
				APIVersion: appsv1.SchemeGroupVersion.String(), Kind: "Deployment", Name: Name(instance.Name, "")},
			MinReplicas: &least,
			MaxReplicas: a.MaxReplicas,
			Metrics:     []autoscalingv2.MetricSpec{scalingMetric(a)},
		},
	}
}

// scalingMetric is what an autoscaler looks at.
func scalingMetric(a *v1alpha1.Autoscaling) autoscalingv2.MetricSpec {
	if n := a.TargetInFlightRequests; n != nil {
		return autoscalingv2.MetricSpec{
			Type: autoscalingv2.PodsMetricSourceType,
			Pods: &autoscalingv2.PodsMetricSource{
				Metric: autoscalingv2.MetricIdentifier{Name: MetricInFlight},
				Target: autoscalingv2.MetricTarget{
					Type: autoscalingv2.AverageValueMetricType, AverageValue: resource.NewQuantity(int64(*n), resource.DecimalSI)},
			},
		}
	}
	percent := int32(defaultCPUUtilization)
	if a.TargetCPUUtilization != nil {
		percent = *a.TargetCPUUtilization
	}
	return autoscalingv2.MetricSpec{
		Type: autoscalingv2.ResourceMetricSourceType,
		Resource: &autoscalingv2.ResourceMetricSource{
			Name:   corev1.ResourceCPU,
			Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: &percent},
		},
	}
}

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
