package v1alpha1

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
