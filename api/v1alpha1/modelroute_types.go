package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Modality is the kind of work a model does.
//
// +kubebuilder:validation:Enum=Chat
type Modality string

const (
	// ModalityChat is served at /v1/chat/completions.
	ModalityChat Modality = "Chat"
)

// Availability says who may call a model.
//
// +kubebuilder:validation:Enum=Live;Preview;Soon
type Availability string

const (
	// AvailabilityLive is open to every key that may see the route.
	AvailabilityLive Availability = "Live"
	// AvailabilityPreview is open to keys whose previewModels match; others get a 503.
	AvailabilityPreview Availability = "Preview"
	// AvailabilitySoon is announced in the catalog only; calls get a 503.
	AvailabilitySoon Availability = "Soon"
)

// Visibility says whether the public catalog shows a model.
//
// +kubebuilder:validation:Enum=Public;Private
type Visibility string

const (
	// VisibilityPublic is shown by /v1/catalog.
	VisibilityPublic Visibility = "Public"
	// VisibilityPrivate is shown only to keys that may use it.
	VisibilityPrivate Visibility = "Private"
)

// RetryOnTimeout says whether a target that did not answer in time is followed by another.
//
// +kubebuilder:validation:Enum=Never;NextTarget
type RetryOnTimeout string

const (
	// RetryOnTimeoutNever answers 504 at once: the upstream may already have produced a bill.
	RetryOnTimeoutNever RetryOnTimeout = "Never"
	// RetryOnTimeoutNextTarget tries another target, at the risk of paying twice.
	RetryOnTimeoutNextTarget RetryOnTimeout = "NextTarget"
)

// Weekday is a day of the week in a price window.
//
// +kubebuilder:validation:Enum=Mon;Tue;Wed;Thu;Fri;Sat;Sun
type Weekday string

// ModelRouteSpec says which public model this is, who may use it, what it costs and which upstreams serve it.
//
// +kubebuilder:validation:XValidation:rule="self.availability == 'Soon' || (has(self.targets) && size(self.targets) > 0)",message="targets needs at least one entry unless availability is Soon"
// +kubebuilder:validation:XValidation:rule="!has(self.model) || !has(self.aliases) || !(self.model in self.aliases)",message="aliases repeats model; remove it from aliases"
// +kubebuilder:validation:XValidation:rule="!has(self.model) || !has(self.fallbacks) || !(self.model in self.fallbacks)",message="fallbacks names the route itself; name another model"
type ModelRouteSpec struct {
	// model is the public name: what clients send and see. Unset: metadata.name.
	//
	// +optional
	Model ModelName `json:"model,omitempty"`

	// aliases are further names that resolve to this route. The model of another route beats an alias, unless the alias is one
	// of the instance's own namespace and the other route is not.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Aliases []ModelName `json:"aliases,omitempty"`

	// modality is what the model does. Default: Chat.
	//
	// +optional
	// +kubebuilder:default=Chat
	Modality Modality `json:"modality,omitempty"`

	// availability is Live, Preview (keys whose previewModels match; others get 503) or Soon (catalog only, 503).
	// Default: Live.
	//
	// +optional
	// +kubebuilder:default=Live
	Availability Availability `json:"availability,omitempty"`

	// visibility is Public or Private: whether /v1/catalog, which needs no key, shows the model. Default: Public.
	//
	// +optional
	// +kubebuilder:default=Public
	Visibility Visibility `json:"visibility,omitempty"`

	// allowedKeys says the keys of which namespaces may see and use this route. Unset: all that the instance serves.
	//
	// +optional
	AllowedKeys *AllowedNamespaces `json:"allowedKeys,omitempty"`

	// display is what people see in the catalog and in model lists.
	//
	// +optional
	Display *Display `json:"display,omitempty"`

	// pricing is what a call costs. Unset: the route is unpriced (condition Priced=False); "0" means free.
	//
	// +optional
	Pricing *Pricing `json:"pricing,omitempty"`

	// targets are the upstreams that serve the model. At least one, unless availability is Soon.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Targets []Target `json:"targets,omitempty"`

	// timeouts bound a request. Unset: see each field.
	//
	// +optional
	Timeouts *Timeouts `json:"timeouts,omitempty"`

	// retries say how often another target is tried. Unset: see each field.
	//
	// +optional
	Retries *Retries `json:"retries,omitempty"`

	// fallbacks are public names of other models of the same modality, tried in order when no target of this route can
	// serve. One level only; the key must be allowed to use them, and the price is that of the model that served.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	Fallbacks []ModelName `json:"fallbacks,omitempty"`
}

// Display is what people see of a model.
type Display struct {
	// label is the name shown to people. Unset: the public name.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Label string `json:"label,omitempty"`

	// org is who makes the model; also owned_by in model lists. Unset: vipcloud.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Org string `json:"org,omitempty"`

	// contextWindow is the largest number of tokens of prompt and answer together. Unset: not shown.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000000
	ContextWindow int64 `json:"contextWindow,omitempty"`

	// tags are short words for filters, such as reasoning or coding.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=32
	// +kubebuilder:validation:items:MinLength=1
	Tags []string `json:"tags,omitempty"`

	// description is a sentence or two.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Description string `json:"description,omitempty"`
}

// Prices are amounts per unit. An unset price is that of the enclosing pricing, or zero there. cachedInput and cacheWrite
// unset mean the input price.
type Prices struct {
	// inputPerMillionTokens is the price of a million prompt tokens that were not cached.
	//
	// +optional
	InputPerMillionTokens *Decimal `json:"inputPerMillionTokens,omitempty"`

	// cachedInputPerMillionTokens is the price of a million prompt tokens read from the vendor's cache.
	// Unset: inputPerMillionTokens.
	//
	// +optional
	CachedInputPerMillionTokens *Decimal `json:"cachedInputPerMillionTokens,omitempty"`

	// cacheWritePerMillionTokens is the price of a million prompt tokens written to the vendor's cache.
	// Unset: inputPerMillionTokens.
	//
	// +optional
	CacheWritePerMillionTokens *Decimal `json:"cacheWritePerMillionTokens,omitempty"`

	// outputPerMillionTokens is the price of a million answer tokens, reasoning included.
	//
	// +optional
	OutputPerMillionTokens *Decimal `json:"outputPerMillionTokens,omitempty"`

	// perRequest is charged once for every request that produced usage.
	//
	// +optional
	PerRequest *Decimal `json:"perRequest,omitempty"`
}

// Pricing is what a call costs.
//
// +kubebuilder:validation:XValidation:rule="has(self.inputPerMillionTokens) || has(self.outputPerMillionTokens) || has(self.perRequest)",message="pricing needs inputPerMillionTokens, outputPerMillionTokens or perRequest; remove pricing for an unpriced route, or set \"0\" for a free one"
type Pricing struct {
	// currency of all prices. Must be the currency of the serving instance.
	//
	// +required
	Currency Currency `json:"currency"`

	Prices `json:",inline"`

	// variants replace prices for requests that match. The first match wins.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Variants []PriceVariant `json:"variants,omitempty"`

	// windows multiply prices at certain times. The first match wins.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Windows []PriceWindow `json:"windows,omitempty"`
}

// PriceVariant replaces prices for requests that match.
//
// +kubebuilder:validation:XValidation:rule="has(self.inputPerMillionTokens) || has(self.cachedInputPerMillionTokens) || has(self.cacheWritePerMillionTokens) || has(self.outputPerMillionTokens) || has(self.perRequest)",message="a variant needs at least one price; remove the variant or set one"
type PriceVariant struct {
	// name identifies the variant.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// when says which requests are meant; all members must hold.
	//
	// +required
	When VariantCondition `json:"when"`

	Prices `json:",inline"`
}

// VariantCondition says which requests a price variant is for.
//
// +kubebuilder:validation:MinProperties=1
type VariantCondition struct {
	// inputTokensAbove matches requests with more prompt tokens than this.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000000
	InputTokensAbove *int64 `json:"inputTokensAbove,omitempty"`
}

// PriceWindow multiplies prices at certain times of the week.
//
// +kubebuilder:validation:XValidation:rule="self.start != self.end",message="start and end are equal, which is no window; use 00:00 and 24:00 for a whole day"
type PriceWindow struct {
	// name identifies the window.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// days on which the window starts. Unset: every day.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=7
	Days []Weekday `json:"days,omitempty"`

	// start is the first minute of the window, HH:MM in timeZone.
	//
	// +required
	// +kubebuilder:validation:Pattern=`^([01][0-9]|2[0-3]):[0-5][0-9]$`
	// +kubebuilder:validation:MaxLength=5
	Start string `json:"start"`

	// end is the first minute after the window, HH:MM in timeZone, up to 24:00. Before start: the window ends on the next day.
	//
	// +required
	// +kubebuilder:validation:Pattern=`^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$`
	// +kubebuilder:validation:MaxLength=5
	End string `json:"end"`

	// timeZone is an IANA name such as Asia/Shanghai. Unset: UTC.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9_+/-]*$`
	TimeZone string `json:"timeZone,omitempty"`

	// multiplier of every price within the window.
	//
	// +required
	Multiplier Decimal `json:"multiplier"`
}

// Target is one upstream of a route.
type Target struct {
	// name identifies the target within the route.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	Name string `json:"name"`

	// credential is the ProviderCredential to call with. One of another namespace must allow this one.
	//
	// +required
	Credential ObjectReference `json:"credential"`

	// model is the upstream's own id of the model. Unset: the route's public name.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Model string `json:"model,omitempty"`

	// priority of the target: lower ones are used first, the next tier when a tier cannot serve. Unset: 0.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Priority *int32 `json:"priority,omitempty"`

	// weight is the target's share within its tier. 0 drains it: no new request goes there. Unset: 100.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	Weight *int32 `json:"weight,omitempty"`

	// parameters change the members of the request body on the way to this target.
	//
	// +optional
	Parameters *Parameters `json:"parameters,omitempty"`
}

// Parameters change members of the request body.
type Parameters struct {
	// defaults are members set when the client did not send them.
	//
	// +optional
	Defaults *BodyMembers `json:"defaults,omitempty"`

	// overrides are members set whatever the client sent.
	//
	// +optional
	Overrides *BodyMembers `json:"overrides,omitempty"`

	// drop names members that are removed.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="!self.exists(m, m in ['model', 'messages', 'stream', 'stream_options'])",message="drop must not name model, messages, stream or stream_options; the gateway sets them itself"
	Drop []string `json:"drop,omitempty"`
}

// Timeouts bound a request.
type Timeouts struct {
	// response is the time to the upstream's first byte; keep-alive comments do not count. For a call without stream that is
	// usually the whole generation. Default: 60s.
	//
	// +optional
	Response Duration `json:"response,omitempty"`

	// idle is the longest silence between two bytes of an answer. Default: 120s.
	//
	// +optional
	Idle Duration `json:"idle,omitempty"`

	// total spans all attempts and the whole answer. Default: 15m.
	//
	// +optional
	Total Duration `json:"total,omitempty"`
}

// Retries say how often another target is tried. Nothing is ever retried after the first byte to the client.
type Retries struct {
	// attempts is the number of further attempts after the first. Default: 2.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=5
	Attempts *int32 `json:"attempts,omitempty"`

	// onTimeout is Never (a target that does not answer within timeouts.response ends the request with 504) or NextTarget.
	// Default: Never.
	//
	// +optional
	OnTimeout RetryOnTimeout `json:"onTimeout,omitempty"`
}

// ModelRouteStatus is what became of a ModelRoute.
type ModelRouteStatus struct {
	// conditions: Ready, and while they hold Reconciling or Stalled; Accepted, ResolvedRefs, Priced, Programmed.
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

	// targets is the number of usable targets over all, such as 1/2.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=16
	Targets string `json:"targets,omitempty"`

	// model is the public name in force.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Model string `json:"model,omitempty"`

	// gateways are the instances that serve this route.
	//
	// +optional
	// +listType=map
	// +listMapKey=namespace
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Gateways []GatewayStatus `json:"gateways,omitempty"`
}

// GatewayStatus is how far one instance is.
type GatewayStatus struct {
	// namespace of the GatewayInstance.
	//
	// +required
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace"`

	// name of the GatewayInstance.
	//
	// +required
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// readyReplicas is the number of ready replicas of the instance.
	//
	// +optional
	ReadyReplicas int32 `json:"readyReplicas"`

	// loadedReplicas is how many of them have loaded the observed generation.
	//
	// +optional
	LoadedReplicas int32 `json:"loadedReplicas"`
}

// ModelRoute maps a public model name to the upstreams that serve it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=modelroutes,shortName=mr,categories=vipcloud
// +kubebuilder:printcolumn:name="MODEL",type=string,JSONPath=`.status.model`
// +kubebuilder:printcolumn:name="MODALITY",type=string,JSONPath=`.spec.modality`
// +kubebuilder:printcolumn:name="AVAILABILITY",type=string,JSONPath=`.spec.availability`
// +kubebuilder:printcolumn:name="TARGETS",type=string,JSONPath=`.status.targets`,description="usable/all"
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
type ModelRoute struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the admin wants.
	//
	// +required
	Spec ModelRouteSpec `json:"spec"`

	// status is what became of it.
	//
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ModelRouteStatus `json:"status,omitempty"`
}

// ModelRouteList is a list of ModelRoutes.
//
// +kubebuilder:object:root=true
type ModelRouteList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// Items are the routes.
	Items []ModelRoute `json:"items"`
}
