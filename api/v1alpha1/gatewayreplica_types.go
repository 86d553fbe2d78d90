package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GatewayReplicaSpec says which replica of which instance this is.
type GatewayReplicaSpec struct {
	// instance is the name of the GatewayInstance, in the same namespace.
	//
	// +required
	Instance ObjectName `json:"instance"`

	// podName is the pod this replica runs in, which also owns this object. Unset: the replica runs outside the cluster, and
	// only status.renewTime tells that it lives.
	//
	// +optional
	PodName ObjectName `json:"podName,omitempty"`
}

// GatewayReplicaStatus is what a replica has loaded.
type GatewayReplicaStatus struct {
	// conditions: Ready, True from the first table until the replica drains; RedisAvailable, if the instance has a Redis.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation this status speaks of; -1 before the first look.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// loaded is how far the table that this replica serves has come.
	//
	// +optional
	Loaded LoadedVersions `json:"loaded,omitempty"`

	// version of the gateway's binary.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Version string `json:"version,omitempty"`

	// renewTime is when the replica last wrote this status; it does so at least every 10 seconds.
	//
	// +optional
	RenewTime *metav1.MicroTime `json:"renewTime,omitempty"`

	// ejected are targets that get no requests from this replica at the moment; the first 256 of them.
	//
	// +optional
	// +listType=map
	// +listMapKey=target
	// +kubebuilder:validation:MaxItems=256
	Ejected []EjectedTarget `json:"ejected,omitempty"`
}

// LoadedVersions are resource versions, comparable as numbers. What is served includes every change up to them.
type LoadedVersions struct {
	// modelRoutes is the resource version up to which ModelRoutes are served.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ModelRoutes string `json:"modelRoutes,omitempty"`

	// apiKeys is the resource version up to which ApiKeys are served.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ApiKeys string `json:"apiKeys,omitempty"`

	// credentials is the resource version of the compiled Secret in use.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Credentials string `json:"credentials,omitempty"`

	// gatewayInstance is the resource version of the instance's spec in use.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=64
	GatewayInstance string `json:"gatewayInstance,omitempty"`
}

// GatewayReplica is written by a running gateway: what it is and what it has loaded.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=gatewayreplicas,shortName=gwr,categories=vipcloud
// +kubebuilder:printcolumn:name="INSTANCE",type=string,JSONPath=`.spec.instance`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="VERSION",type=string,JSONPath=`.status.version`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
type GatewayReplica struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is which replica this is.
	//
	// +required
	Spec GatewayReplicaSpec `json:"spec"`

	// status is what it has loaded.
	//
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status GatewayReplicaStatus `json:"status,omitempty"`
}

// GatewayReplicaList is a list of GatewayReplicas.
//
// +kubebuilder:object:root=true
type GatewayReplicaList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// Items are the replicas.
	Items []GatewayReplica `json:"items"`
}
