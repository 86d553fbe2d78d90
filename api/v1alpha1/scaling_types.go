package v1alpha1

// PodDisruptionBudget says how many replicas may be evicted at a time.
type PodDisruptionBudget struct {
	// enabled false leaves the budget out, for who keeps one of their own: two over the same pods refuse every eviction. Unset: true.
	//
	// +optional
	Enabled *bool `json:"enabled,omitempty"`

	// maxUnavailable is how many replicas may be missing before another one may be evicted. 0 refuses every eviction, so that nodes
	// cannot be drained. Unset: 1.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	MaxUnavailable *int32 `json:"maxUnavailable,omitempty"`
}

// AutoscalingType says who scales.
//
// +kubebuilder:validation:Enum=HorizontalPodAutoscaler;External
type AutoscalingType string

const (
	// AutoscalingHorizontalPodAutoscaler is a HorizontalPodAutoscaler that the operator makes.
	AutoscalingHorizontalPodAutoscaler AutoscalingType = "HorizontalPodAutoscaler"
	// AutoscalingExternal is somebody else, such as KEDA; the operator makes nothing and leaves the number to them.
	AutoscalingExternal AutoscalingType = "External"
)

// Autoscaling lets load choose the number of replicas.
//
// +kubebuilder:validation:XValidation:rule="!has(self.minReplicas) || self.minReplicas <= self.maxReplicas",message="autoscaling.minReplicas must not be above autoscaling.maxReplicas; lower it or raise maxReplicas"
// +kubebuilder:validation:XValidation:rule="!(has(self.targetCPUUtilization) && has(self.targetInFlightRequests))",message="autoscaling takes targetCPUUtilization or targetInFlightRequests, not both; remove one"
// +kubebuilder:validation:XValidation:rule="!(has(self.type) && self.type == 'External') || !(has(self.minReplicas) || has(self.targetCPUUtilization) || has(self.targetInFlightRequests))",message="autoscaling: with type External somebody else decides; remove minReplicas, targetCPUUtilization and targetInFlightRequests"
type Autoscaling struct {
	// type says who scales: HorizontalPodAutoscaler (the operator makes one) or External (somebody else, such as KEDA). Unset:
	// HorizontalPodAutoscaler.
	//
	// +optional
	Type AutoscalingType `json:"type,omitempty"`

	// minReplicas is the least number of replicas. Unset: 2, or maxReplicas if that is 1.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MinReplicas *int32 `json:"minReplicas,omitempty"`

	// maxReplicas is the greatest number of replicas. Without Redis it is also what limits and budgets are divided by.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxReplicas int32 `json:"maxReplicas"`

	// targetCPUUtilization is the mean use of CPU to aim at, in percent of what the container requests. Unset: 70, unless
	// targetInFlightRequests is set.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	TargetCPUUtilization *int32 `json:"targetCPUUtilization,omitempty"`

	// targetInFlightRequests is the mean number of requests under way in a replica to aim at, streams included. It needs an adapter
	// that serves the metric vipcloud_requests_in_flight as custom.metrics.k8s.io. Unset: CPU decides.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	TargetInFlightRequests *int32 `json:"targetInFlightRequests,omitempty"`
}
