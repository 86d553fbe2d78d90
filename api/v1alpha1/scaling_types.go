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
