package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Modality is the kind of work a model does.
//
// +kubebuilder:validation:Enum=Chat;Image;Video;Speech;Music
type Modality string

const (
	// ModalityChat is served at /v1/chat/completions.
	ModalityChat Modality = "Chat"
	// ModalityImage is served at /v1/images/generations.
	ModalityImage Modality = "Image"
	// ModalityVideo is served as jobs at /v1/videos/generations.
	ModalityVideo Modality = "Video"
	// ModalitySpeech is served at /v1/audio/speech.
	ModalitySpeech Modality = "Speech"
	// ModalityMusic is served as jobs at /v1/music/generations.
	ModalityMusic Modality = "Music"
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

// Affinity says which requests go to one and the same target.
//
// +kubebuilder:validation:Enum=Conversation
type Affinity string

const (
	// AffinityConversation keeps the requests of a conversation together.
	AffinityConversation Affinity = "Conversation"
)

// ModelRouteSpec says which public model this is, who may use it, what it costs and which upstreams serve it.
//
// +kubebuilder:validation:XValidation:rule="self.availability == 'Soon' || (has(self.targets) && size(self.targets) > 0)",message="targets needs at least one entry unless availability is Soon"
// +kubebuilder:validation:XValidation:rule="!has(self.model) || !has(self.aliases) || !(self.model in self.aliases)",message="aliases repeats model; remove it from aliases"
// +kubebuilder:validation:XValidation:rule="!has(self.model) || !has(self.fallbacks) || !(self.model in self.fallbacks)",message="fallbacks names the route itself; name another model"
// +kubebuilder:validation:XValidation:rule="self.modality == 'Chat' || !has(self.pricing) || (!has(self.pricing.inputPerMillionTokens) && !has(self.pricing.cachedInputPerMillionTokens) && !has(self.pricing.cacheWritePerMillionTokens) && !has(self.pricing.outputPerMillionTokens) && (!has(self.pricing.variants) || self.pricing.variants.all(v, !has(v.inputPerMillionTokens) && !has(v.cachedInputPerMillionTokens) && !has(v.cacheWritePerMillionTokens) && !has(v.outputPerMillionTokens))))",message="prices per million tokens are for modality Chat; use perImage for Image, perSecond or perVideo for Video, perMillionCharacters for Speech, perSong for Music, or perRequest"
// +kubebuilder:validation:XValidation:rule="self.modality == 'Image' || !has(self.pricing) || (!has(self.pricing.perImage) && (!has(self.pricing.variants) || self.pricing.variants.all(v, !has(v.perImage))))",message="perImage is for modality Image; remove it, or set modality to Image (perRequest fits every modality)"
// +kubebuilder:validation:XValidation:rule="self.modality == 'Video' || !has(self.pricing) || (!has(self.pricing.perSecond) && !has(self.pricing.perVideo) && (!has(self.pricing.variants) || self.pricing.variants.all(v, !has(v.perSecond) && !has(v.perVideo))))",message="perSecond and perVideo are for modality Video; remove them, or set modality to Video (perRequest fits every modality)"
// +kubebuilder:validation:XValidation:rule="self.modality == 'Speech' || !has(self.pricing) || (!has(self.pricing.perMillionCharacters) && (!has(self.pricing.variants) || self.pricing.variants.all(v, !has(v.perMillionCharacters))))",message="perMillionCharacters is for modality Speech; remove it, or set modality to Speech (perRequest fits every modality)"
// +kubebuilder:validation:XValidation:rule="self.modality == 'Music' || !has(self.pricing) || (!has(self.pricing.perSong) && (!has(self.pricing.variants) || self.pricing.variants.all(v, !has(v.perSong))))",message="perSong is for modality Music; remove it, or set modality to Music (perRequest fits every modality)"
// +kubebuilder:validation:XValidation:rule="self.modality == 'Chat' || !has(self.pricing) || !has(self.pricing.variants) || self.pricing.variants.all(v, !has(v.when.inputTokensAbove))",message="when.inputTokensAbove is for modality Chat; remove that condition, or set modality to Chat"
// +kubebuilder:validation:XValidation:rule="self.modality == 'Video' || !has(self.pricing) || !has(self.pricing.variants) || self.pricing.variants.all(v, !has(v.when.resolution) && !has(v.when.audio))",message="when.resolution and when.audio are for modality Video; remove that condition, or set modality to Video"
// +kubebuilder:validation:XValidation:rule="self.modality == 'Speech' || !has(self.voices) || size(self.voices) == 0",message="voices are for modality Speech; remove voices, or set modality to Speech"
// +kubebuilder:validation:XValidation:rule="self.modality in ['Video', 'Music'] || !has(self.results)",message="results is for modality Video or Music, whose results are files; remove results, or set modality"
// +kubebuilder:validation:XValidation:rule="self.modality == 'Chat' || !has(self.affinity)",message="affinity is for modality Chat, whose requests are conversations; remove affinity, or set modality to Chat"
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

	// modality is what the model does: Chat, Image, Video, Speech or Music. It decides which path serves the model, which
	// prices fit, and which fallbacks and credentials can be used. Default: Chat.
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

	// affinity keeps requests on one target, with modality Chat alone, so that the vendor's prompt cache helps. Conversation:
	// requests that begin with the same messages, up to the first one of the user, go to the same target of a tier while it can
	// be called; weights then hold for conversations rather than requests. Unset: every request goes by weight.
	//
	// +optional
	Affinity Affinity `json:"affinity,omitempty"`

	// voices are the public names of the vendor's voices, with modality Speech alone. A name that stands here becomes the
	// vendor's id; any other passes as it is. Unset: clients send the vendor's ids.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=200
	Voices []Voice `json:"voices,omitempty"`

	// results say how clients get the files that jobs make, with modality Video or Music alone. Unset: see each field.
	//
	// +optional
	Results *Results `json:"results,omitempty"`
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

// ModelRouteStatus is what became of a ModelRoute.
type ModelRouteStatus struct {
	// conditions: Ready, and while they hold Reconciling or Stalled; Accepted, ResolvedRefs, Priced, Programmed,
	// Healthy.
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

	// targets is the number of targets that get requests over all, such as 1/2. Those that cannot be used and those in ejected get
	// none.
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

	// ejected are targets of this route that get no requests at the moment, in one replica at least.
	//
	// +optional
	// +listType=map
	// +listMapKey=target
	// +kubebuilder:validation:MaxItems=64
	Ejected []EjectedTarget `json:"ejected,omitempty"`
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
// +kubebuilder:printcolumn:name="TARGETS",type=string,JSONPath=`.status.targets`,description="targets that get requests/all"
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
