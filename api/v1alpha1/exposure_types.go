package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// GatewayTLS is the certificate of a gateway.
type GatewayTLS struct {
	// secretName is a Secret of the instance's namespace with the entries tls.crt and tls.key, such as cert-manager makes. It is read
	// again when it changes. It may come later than the instance.
	//
	// +required
	SecretName ObjectName `json:"secretName"`
}

// Hostname is a DNS name that may begin with "*.".
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
type Hostname string

// Expose leads requests from outside of the cluster to a gateway.
//
// +kubebuilder:validation:XValidation:rule="has(self.ingress) != has(self.httpRoute)",message="expose takes ingress or httpRoute; set exactly one"
type Expose struct {
	// ingress makes an Ingress vipcloud-<name>.
	//
	// +optional
	Ingress *ExposeIngress `json:"ingress,omitempty"`

	// httpRoute makes an HTTPRoute vipcloud-<name> of the Gateway API, where that API is installed.
	//
	// +optional
	HTTPRoute *ExposeHTTPRoute `json:"httpRoute,omitempty"`
}

// ExposeIngress shapes an Ingress.
type ExposeIngress struct {
	// className is the IngressClass. Unset: the cluster's default.
	//
	// +optional
	ClassName ObjectName `json:"className,omitempty"`

	// host that clients ask for.
	//
	// +required
	Host Hostname `json:"host"`

	// tlsSecretName is a Secret of the instance's namespace with the certificate of host. Unset: the Ingress names none.
	//
	// +optional
	TLSSecretName ObjectName `json:"tlsSecretName,omitempty"`

	// annotations of the Ingress, such as those that keep a controller from buffering streams.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317)",message="expose.ingress.annotations: a name has at most 317 characters"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`
}

// ExposeHTTPRoute shapes an HTTPRoute.
type ExposeHTTPRoute struct {
	// parentRefs are the Gateways to attach to.
	//
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	ParentRefs []GatewayParent `json:"parentRefs"`

	// hostnames that clients ask for. Unset: all of the Gateway's listeners.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Hostnames []Hostname `json:"hostnames,omitempty"`
}

// GatewayParent is a Gateway of the Gateway API.
type GatewayParent struct {
	// name of the Gateway.
	//
	// +required
	Name ObjectName `json:"name"`

	// namespace of the Gateway. Unset: the instance's own.
	//
	// +optional
	Namespace NamespaceName `json:"namespace,omitempty"`

	// sectionName is a listener of the Gateway. Unset: all.
	//
	// +optional
	SectionName Hostname `json:"sectionName,omitempty"`
}

// NetworkPolicy bounds who reaches the gateway's pods, and what they reach.
type NetworkPolicy struct {
	// enabled false makes no policy. Unset: true.
	//
	// +optional
	Enabled *bool `json:"enabled,omitempty"`

	// ingressFrom are who may reach the API. Unset: everybody.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	IngressFrom []NetworkPeer `json:"ingressFrom,omitempty"`

	// egressPorts are TCP ports that the gateway may reach anywhere, beside those that are derived: for an API server or a collector
	// at a port of its own.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	EgressPorts []NetworkPort `json:"egressPorts,omitempty"`
}

// NetworkPort is a TCP port.
//
// +kubebuilder:validation:Minimum=1
// +kubebuilder:validation:Maximum=65535
type NetworkPort int32

// NetworkPeer is who may connect.
//
// +kubebuilder:validation:XValidation:rule="has(self.cidr) != (has(self.namespaceSelector) || has(self.podSelector))",message="a peer has cidr, or namespaceSelector and podSelector (either or both); set the one or the others"
type NetworkPeer struct {
	// namespaceSelector selects namespaces by their labels; {} is all. Unset: the instance's own.
	//
	// +optional
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`

	// podSelector selects pods of those namespaces by their labels. Unset: all.
	//
	// +optional
	PodSelector *metav1.LabelSelector `json:"podSelector,omitempty"`

	// cidr is a range of addresses, such as 10.0.0.0/8.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=43
	// +kubebuilder:validation:XValidation:rule="isCIDR(self)",message="cidr must be a range of addresses such as 10.0.0.0/8"
	CIDR string `json:"cidr,omitempty"`
}
