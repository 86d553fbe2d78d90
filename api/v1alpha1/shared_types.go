package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Duration is a length of time as Go writes it: 500ms, 60s, 15m, 1h30m.
//
// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
// +kubebuilder:validation:MaxLength=32
type Duration string

// Decimal is a non-negative decimal number in plain notation with at most nine digits before and six after the
// point: 0, 0.28, 12.5. It is a string so that no tool rounds it.
//
// +kubebuilder:validation:Pattern=`^[0-9]{1,9}(\.[0-9]{1,6})?$`
// +kubebuilder:validation:MaxLength=16
type Decimal string

// Currency is an ISO 4217 code in capitals: USD, CNY.
//
// +kubebuilder:validation:Pattern=`^[A-Z]{3}$`
// +kubebuilder:validation:MaxLength=3
type Currency string

// ModelName is a public model name: what clients send as model. It may contain slashes.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=128
// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9._:/@+-]*[A-Za-z0-9])?$`
type ModelName string

// ModelGlob is a pattern on public model names; * stands for any run of characters, slashes included.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=128
// +kubebuilder:validation:Pattern=`^[A-Za-z0-9._:/@+*-]+$`
type ModelGlob string

// ObjectName is the name of an object of the same namespace.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`
type ObjectName string

// NamespaceName is the name of a namespace.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
type NamespaceName string

// SecretEntryName is the name of one entry of a Secret or ConfigMap.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
type SecretEntryName string

// ObjectReference names an object that may live in another namespace.
type ObjectReference struct {
	// name of the object.
	//
	// +required
	Name ObjectName `json:"name"`

	// namespace of the object. Unset: the namespace of the referring object.
	//
	// +optional
	Namespace NamespaceName `json:"namespace,omitempty"`
}

// LocalObjectReference names an object of the same namespace.
type LocalObjectReference struct {
	// name of the object.
	//
	// +required
	Name ObjectName `json:"name"`
}

// EntryReference names one entry of a Secret or ConfigMap of the same namespace.
type EntryReference struct {
	// name of the Secret or ConfigMap.
	//
	// +required
	Name ObjectName `json:"name"`

	// key is the entry to read.
	//
	// +required
	Key SecretEntryName `json:"key"`
}

// NamespacesFrom says which namespaces are meant.
//
// +kubebuilder:validation:Enum=Same;All;Selector
type NamespacesFrom string

const (
	// NamespacesFromSame means the namespace of the object itself.
	NamespacesFromSame NamespacesFrom = "Same"
	// NamespacesFromAll means every namespace.
	NamespacesFromAll NamespacesFrom = "All"
	// NamespacesFromSelector means the namespaces whose labels match the selector.
	NamespacesFromSelector NamespacesFrom = "Selector"
)

// NamespaceSelection chooses namespaces, as allowed routes do in the Gateway API.
//
// +kubebuilder:validation:XValidation:rule="self.from == 'Selector' ? has(self.selector) : !has(self.selector)",message="selector belongs to from: Selector, which needs one; set from to Selector or remove selector"
type NamespaceSelection struct {
	// from is Same (the object's own namespace), All, or Selector (namespaces whose labels match selector).
	//
	// +required
	From NamespacesFrom `json:"from"`

	// selector matches labels of namespaces. Needed with from: Selector, forbidden otherwise.
	//
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// AllowedNamespaces wraps a selection the way Gateway API objects do.
type AllowedNamespaces struct {
	// namespaces that are allowed.
	//
	// +required
	Namespaces NamespaceSelection `json:"namespaces"`
}
