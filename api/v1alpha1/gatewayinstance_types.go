package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// LogLevel is how much the gateway logs.
//
// +kubebuilder:validation:Enum=debug;info;warn;error
type LogLevel string

// LogFormat is how the gateway writes its log.
//
// +kubebuilder:validation:Enum=json;text
type LogFormat string

// ServiceType is the kind of Service in front of the gateway.
//
// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer
type ServiceType string

// GatewayInstanceSpec says how a gateway runs and what it serves.
//
// +kubebuilder:validation:XValidation:rule="!has(self.limitsFailurePolicy) || has(self.redis)",message="limitsFailurePolicy says what happens while Redis is away; set redis or remove limitsFailurePolicy"
// +kubebuilder:validation:XValidation:rule="!has(self.demo) || !has(self.demo.budget) || !has(self.demo.budget.currency) || self.demo.budget.currency == (has(self.currency) ? self.currency : 'USD')",message="demo.budget.currency must be the instance's currency; use that one or remove it"
// +kubebuilder:validation:XValidation:rule="!has(self.serves) || !has(self.serves.keys) || !has(self.serves.keys.constraints) || !has(self.serves.keys.constraints.budget) || !has(self.serves.keys.constraints.budget.currency) || self.serves.keys.constraints.budget.currency == (has(self.currency) ? self.currency : 'USD')",message="serves.keys.constraints.budget.currency must be the instance's currency; use that one or remove it"
// +kubebuilder:validation:XValidation:rule="!has(self.serves) || !has(self.serves.keys) || !has(self.serves.keys.constraints) || !has(self.serves.keys.constraints.namespaceBudget) || !has(self.serves.keys.constraints.namespaceBudget.currency) || self.serves.keys.constraints.namespaceBudget.currency == (has(self.currency) ? self.currency : 'USD')",message="serves.keys.constraints.namespaceBudget.currency must be the instance's currency; use that one or remove it"
// +kubebuilder:validation:XValidation:rule="!has(self.autoscaling) || (has(self.autoscaling.type) && self.autoscaling.type == 'External') || has(self.autoscaling.targetInFlightRequests) || !has(self.podTemplate) || !has(self.podTemplate.resources) || (has(self.podTemplate.resources.requests) && 'cpu' in self.podTemplate.resources.requests) || (has(self.podTemplate.resources.limits) && 'cpu' in self.podTemplate.resources.limits)",message="autoscaling on CPU needs podTemplate.resources.requests.cpu, which utilization is a percentage of; set it"
type GatewayInstanceSpec struct {
	// replicas is the number of gateway pods. Default: 2.
	//
	// +optional
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Replicas *int32 `json:"replicas,omitempty"`

	// autoscaling lets load choose the number of replicas; replicas is then the number to begin with, and 0 still stops all.
	// Unset: replicas.
	//
	// +optional
	Autoscaling *Autoscaling `json:"autoscaling,omitempty"`

	// podDisruptionBudget says how many replicas may be evicted at a time. Unset: one.
	//
	// +optional
	PodDisruptionBudget *PodDisruptionBudget `json:"podDisruptionBudget,omitempty"`

	// serves says whose routes and keys this instance takes. Unset: routes of its own namespace, keys of all.
	//
	// +optional
	Serves *Serves `json:"serves,omitempty"`

	// service shapes the Service vipcloud-<name>, port 80 and with tls port 443.
	//
	// +optional
	Service *GatewayService `json:"service,omitempty"`

	// tls serves port 443 beside port 80, which stays. Unset: port 80 alone.
	//
	// +optional
	TLS *GatewayTLS `json:"tls,omitempty"`

	// expose leads requests from outside of the cluster here. Unset: nothing does but service.type.
	//
	// +optional
	Expose *Expose `json:"expose,omitempty"`

	// networkPolicy bounds who reaches the pods, and what they reach. Unset: no policy.
	//
	// +optional
	NetworkPolicy *NetworkPolicy `json:"networkPolicy,omitempty"`

	// requestLimits bound what a client may send.
	//
	// +optional
	RequestLimits *RequestLimits `json:"requestLimits,omitempty"`

	// currency of all prices and spend of this instance. Default: USD.
	//
	// +optional
	// +kubebuilder:default=USD
	Currency Currency `json:"currency,omitempty"`

	// redis makes limits and budgets exact across replicas. Unset: each replica has a share of them.
	//
	// +optional
	Redis *Redis `json:"redis,omitempty"`

	// limitsFailurePolicy is what happens while Redis is away: Allow (replicas use their shares) or Deny (requests of keys with a
	// limit or a budget are answered 503). Only with redis. Unset: Allow.
	//
	// +optional
	LimitsFailurePolicy LimitsFailurePolicy `json:"limitsFailurePolicy,omitempty"`

	// demo lets anybody try models without a key. Unset: nobody.
	//
	// +optional
	Demo *Demo `json:"demo,omitempty"`

	// trustedProxyHops is how many proxies in front of the gateway append to X-Forwarded-For; the client's address is taken that
	// many entries from its end. 0 means the address that connects, whatever the header says. Default: 0.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=16
	TrustedProxyHops int32 `json:"trustedProxyHops,omitempty"`

	// drain says how a replica ends. terminationGracePeriodSeconds is delay + timeout + 30.
	//
	// +optional
	Drain *Drain `json:"drain,omitempty"`

	// logging of the gateway.
	//
	// +optional
	Logging *Logging `json:"logging,omitempty"`

	// tracing sends OpenTelemetry traces to a receiver. Unset: nothing is traced, at no cost.
	//
	// +optional
	Tracing *Tracing `json:"tracing,omitempty"`

	// podTemplate adds to the gateway's pods.
	//
	// +optional
	PodTemplate *PodTemplate `json:"podTemplate,omitempty"`
}

// Serves says whose routes and keys an instance takes.
type Serves struct {
	// routes says the ModelRoutes of which namespaces are served. Unset: those of the instance's own namespace. Whoever may
	// write a route that is served decides where prompts go.
	//
	// +optional
	Routes *AllowedNamespaces `json:"routes,omitempty"`

	// keys says the ApiKeys of which namespaces are accepted, and what none of them may exceed. Unset: all, without constraints.
	//
	// +optional
	Keys *ServedKeys `json:"keys,omitempty"`
}

// ServedKeys says whose ApiKeys an instance accepts, and what none of them may exceed.
type ServedKeys struct {
	// namespaces whose keys are accepted. Unset: all.
	//
	// +optional
	Namespaces *NamespaceSelection `json:"namespaces,omitempty"`

	// constraints cap every key. Unset: none.
	//
	// +optional
	Constraints *KeyConstraints `json:"constraints,omitempty"`
}

// GatewayService shapes the Service of an instance.
type GatewayService struct {
	// type is ClusterIP, NodePort or LoadBalancer. Default: ClusterIP.
	//
	// +optional
	Type ServiceType `json:"type,omitempty"`

	// annotations of the Service, such as those a cloud's load balancer reads.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317)",message="service.annotations: a name has at most 317 characters"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`
}

// AnnotationValue is the value of an annotation.
//
// +kubebuilder:validation:MaxLength=4096
type AnnotationValue string

// LabelValue is the value of a label.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$`
type LabelValue string

// RequestLimits bound what a client may send.
type RequestLimits struct {
	// bodyBytes is the largest request body; a larger one is answered 413. Default: 32Mi.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity('1Ki')) >= 0 && quantity(string(self)).compareTo(quantity('1Gi')) <= 0",message="requestLimits.bodyBytes must be between 1Ki and 1Gi"
	BodyBytes *resource.Quantity `json:"bodyBytes,omitempty"`

	// inFlightBodyBytes bounds the sum of all request bodies in memory; beyond it requests are answered 503 overloaded.
	// Default: 40 % of the container's memory limit, or 512Mi without a limit.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity('1Ki')) >= 0",message="requestLimits.inFlightBodyBytes must be at least 1Ki"
	InFlightBodyBytes *resource.Quantity `json:"inFlightBodyBytes,omitempty"`
}

// Drain says how a replica ends.
type Drain struct {
	// delay is how long a replica goes on accepting after it was told to end, until every proxy knows. Default: 10s.
	//
	// +optional
	Delay Duration `json:"delay,omitempty"`

	// timeout is how long running streams may take after that; then they end with an error event. Default: 5m.
	//
	// +optional
	Timeout Duration `json:"timeout,omitempty"`
}

// Logging of the gateway.
type Logging struct {
	// level is debug, info, warn or error. Bodies and credentials are never logged at any level. Default: info.
	//
	// +optional
	Level LogLevel `json:"level,omitempty"`

	// format is json or text. Default: json.
	//
	// +optional
	Format LogFormat `json:"format,omitempty"`
}

// PodTemplate adds to the gateway's pods.
type PodTemplate struct {
	// image of the gateway. Unset: the operator's own.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`

	// imagePullSecrets are Secrets of the instance's namespace to pull the image with.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	ImagePullSecrets []LocalObjectReference `json:"imagePullSecrets,omitempty"`

	// resources of the gateway container. Default: requests of 100m CPU and 128Mi memory, limit of 1Gi memory.
	//
	// +optional
	Resources *PodResources `json:"resources,omitempty"`

	// nodeSelector of the pods.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	NodeSelector map[string]LabelValue `json:"nodeSelector,omitempty"`

	// tolerations of the pods.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// affinity of the pods. Unset: replicas prefer different nodes.
	//
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// topologySpreadConstraints of the pods; one without labelSelector counts the pods of this instance. Unset: replicas prefer
	// different zones.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`

	// priorityClassName of the pods.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// labels added to the pods. Those of vipcloud.ai and app.kubernetes.io are the operator's.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && !k.startsWith('vipcloud.ai/') && !k.startsWith('app.kubernetes.io/'))",message="podTemplate.labels must not use the prefixes vipcloud.ai/ and app.kubernetes.io/, which are the operator's"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// annotations added to the pods.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && !k.startsWith('vipcloud.ai/'))",message="podTemplate.annotations must not use the prefix vipcloud.ai/, which is the operator's"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`

	// env are environment variables of the gateway container, for a proxy's or a debugger's sake; the gateway itself reads
	// none.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Env []EnvVar `json:"env,omitempty"`
}

// PodResources are requests and limits of the gateway container.
type PodResources struct {
	// requests are what the scheduler sets aside.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=8
	Requests corev1.ResourceList `json:"requests,omitempty"`

	// limits are what the container may not exceed.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=8
	Limits corev1.ResourceList `json:"limits,omitempty"`
}

// EnvVar is an environment variable.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.value) && has(self.secretKeyRef))",message="an env entry has value or secretKeyRef, not both; remove one"
type EnvVar struct {
	// name of the variable.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_]*$`
	Name string `json:"name"`

	// value of the variable.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Value string `json:"value,omitempty"`

	// secretKeyRef is an entry of a Secret of the instance's namespace.
	//
	// +optional
	SecretKeyRef *EntryReference `json:"secretKeyRef,omitempty"`
}

// GatewayInstanceStatus is what became of a GatewayInstance.
type GatewayInstanceStatus struct {
	// conditions: Ready, and while they hold Reconciling or Stalled; Available, CredentialsCompiled, and of what the spec
	// asks for RedisAvailable, Autoscaling, TLSReady, Exposed.
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

	// replicas is the number of ready replicas over the wanted ones, such as 2/2.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=16
	Replicas string `json:"replicas,omitempty"`

	// routes is the number of routes served.
	//
	// +optional
	Routes int32 `json:"routes"`

	// keys is the number of keys accepted.
	//
	// +optional
	Keys int32 `json:"keys"`

	// address is the base URL inside the cluster, the one handed out as OPENAI_BASE_URL.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Address string `json:"address,omitempty"`
}

// GatewayInstance is a gateway that the operator runs.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=gatewayinstances,shortName=gwi,categories=vipcloud
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.replicas`,description="ready/wanted replicas"
// +kubebuilder:printcolumn:name="ROUTES",type=integer,JSONPath=`.status.routes`
// +kubebuilder:printcolumn:name="KEYS",type=integer,JSONPath=`.status.keys`
// +kubebuilder:printcolumn:name="ADDRESS",type=string,JSONPath=`.status.address`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$')",message="metadata.name must be a DNS label that begins with a letter, at most 40 characters; owned objects are called vipcloud-<name>"
type GatewayInstance struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the admin wants.
	//
	// +optional
	// +kubebuilder:default={}
	Spec GatewayInstanceSpec `json:"spec,omitempty"`

	// status is what became of it.
	//
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status GatewayInstanceStatus `json:"status,omitempty"`
}

// GatewayInstanceList is a list of GatewayInstances.
//
// +kubebuilder:object:root=true
type GatewayInstanceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// Items are the instances.
	Items []GatewayInstance `json:"items"`
}
