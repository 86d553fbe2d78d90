package v1alpha1

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// BodyMembers are members of a JSON request body, by name, with any JSON value. The members that the gateway itself
// decides (model, messages, stream, stream_options) are declared only so that the schema can refuse them.
//
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:validation:XValidation:rule="!has(self.model) && !has(self.messages) && !has(self.stream) && !has(self.stream_options)",message="parameters must not set model, messages, stream or stream_options; the gateway sets them itself (use target.model for the upstream's model id)"
type BodyMembers struct {
	// model is refused: use the target's model.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Model string `json:"model,omitempty"`

	// messages is refused.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1
	// +kubebuilder:validation:items:MaxLength=1
	Messages []string `json:"messages,omitempty"`

	// stream is refused: the client decides.
	//
	// +optional
	Stream bool `json:"stream,omitempty"`

	// stream_options is refused: the gateway always asks the upstream for usage.
	//
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MaxProperties=1
	StreamOptions map[string]bool `json:"stream_options,omitempty"`

	// Members holds every member as it was written, the refused ones included.
	Members map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps every member as it was written.
func (b *BodyMembers) UnmarshalJSON(data []byte) error {
	b.Members = nil
	if err := json.Unmarshal(data, &b.Members); err != nil {
		return fmt.Errorf("reading body members: %w", err)
	}
	return nil
}

// MarshalJSON writes the members back.
func (b BodyMembers) MarshalJSON() ([]byte, error) {
	if b.Members == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(b.Members)
}

// Names returns the member names in order.
func (b *BodyMembers) Names() []string {
	if b == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(b.Members))
}
