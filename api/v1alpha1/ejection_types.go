package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// EjectedTarget is a target of a route that gets no requests for a while, because of what its last requests showed.
type EjectedTarget struct {
	// target is namespace/route/name of the target.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=384
	Target string `json:"target"`

	// credential is namespace/name of the ProviderCredential that the target uses.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=320
	Credential string `json:"credential,omitempty"`

	// reason is why, such as ConsecutiveFailures, ErrorRate, Timeouts, or where somebody must mend something CredentialRefused,
	// NoBalance, Forbidden, ModelNotFound or QuotaExhausted.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Z][A-Za-z]*$`
	Reason string `json:"reason"`

	// since is when the target was ejected.
	//
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// until is when a request is tried again. Unset: when the Secret changes or a probe succeeds.
	//
	// +optional
	Until *metav1.Time `json:"until,omitempty"`
}
