package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ApiKeySourceType says where the plaintext of a key comes from.
//
// +kubebuilder:validation:Enum=Generated;SecretRef;Hashes
type ApiKeySourceType string

const (
	// ApiKeySourceGenerated lets the operator make the key and keep it in a Secret beside the ApiKey.
	ApiKeySourceGenerated ApiKeySourceType = "Generated"
	// ApiKeySourceSecretRef reads a key that somebody else put into a Secret.
	ApiKeySourceSecretRef ApiKeySourceType = "SecretRef"
	// ApiKeySourceHashes takes SHA-256 hashes: nothing secret exists in the cluster.
	ApiKeySourceHashes ApiKeySourceType = "Hashes"
)

// DeletionPolicy says what happens to a generated Secret when its ApiKey is deleted.
//
// +kubebuilder:validation:Enum=Delete;Retain
type DeletionPolicy string

const (
	// DeletionPolicyDelete lets the Secret go with the ApiKey.
	DeletionPolicyDelete DeletionPolicy = "Delete"
	// DeletionPolicyRetain leaves the Secret; an ApiKey of the same name takes it up again.
	DeletionPolicyRetain DeletionPolicy = "Retain"
)

// ApiKeySpec says who may use the gateway, and for what.
//
// +kubebuilder:validation:XValidation:rule="!has(self.rotation) || !has(self.source) || !has(self.source.type) || self.source.type != 'Hashes'",message="rotation does not go with source.type Hashes; give each hash a notAfter instead"
// +kubebuilder:validation:XValidation:rule="!has(self.rotation) || !has(self.source) || !has(self.source.type) || self.source.type != 'SecretRef' || (!has(self.rotation.every) && !has(self.rotation.trigger))",message="with source.type SecretRef only rotation.overlap applies; replace the value in the Secret to rotate"
type ApiKeySpec struct {
	// gatewayRef is the instance that accepts this key; exactly one does. Unset: the oldest instance that serves the keys of
	// this namespace.
	//
	// +optional
	GatewayRef *ObjectReference `json:"gatewayRef,omitempty"`

	// project is for accounting only and reported as namespace/project. Unset: the namespace.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`
	Project string `json:"project,omitempty"`

	// source is where the key comes from. Unset: Generated.
	//
	// +optional
	Source *ApiKeySource `json:"source,omitempty"`

	// rotation replaces the key from time to time. Unset: never.
	//
	// +optional
	Rotation *ApiKeyRotation `json:"rotation,omitempty"`

	// models are patterns on public model names that this key may use. Unset: all it may see.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Models []ModelGlob `json:"models,omitempty"`

	// previewModels are patterns on public names of Preview models that this key may use. Unset: none.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	PreviewModels []ModelGlob `json:"previewModels,omitempty"`

	// limits of the key, each for itself: unset is unlimited, 0 allows nothing. Unset: unlimited.
	//
	// +optional
	Limits *KeyLimits `json:"limits,omitempty"`

	// budget is what may be spent with the key; beyond it requests are answered 402. Unset: unlimited.
	//
	// +optional
	Budget *Budget `json:"budget,omitempty"`

	// expiresAt ends the key. Unset: never.
	//
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// revoked refuses the key at once, in every replica. Default: false.
	//
	// +optional
	Revoked bool `json:"revoked,omitempty"`
}

// ApiKeySource is where a key comes from.
//
// +kubebuilder:validation:XValidation:rule="self.type == 'Generated' || !has(self.generated)",message="generated belongs to type: Generated; remove it or change type"
// +kubebuilder:validation:XValidation:rule="self.type == 'SecretRef' ? has(self.secretRef) : !has(self.secretRef)",message="secretRef belongs to type: SecretRef, which needs it; set type to SecretRef or remove secretRef"
// +kubebuilder:validation:XValidation:rule="self.type == 'Hashes' ? (has(self.hashes) && size(self.hashes) > 0) : !has(self.hashes)",message="hashes belongs to type: Hashes, which needs 1 to 4 of them; set type to Hashes or remove hashes"
type ApiKeySource struct {
	// type is Generated (the operator makes the key), SecretRef (the key is in a Secret that you make) or Hashes (only hashes
	// of keys are known to the cluster).
	//
	// +required
	Type ApiKeySourceType `json:"type"`

	// generated says where the operator puts the key it makes. Only with type Generated.
	//
	// +optional
	Generated *GeneratedKey `json:"generated,omitempty"`

	// secretRef is the entry that holds the plaintext: 32 to 512 printable ASCII characters. Only with type SecretRef.
	//
	// +optional
	SecretRef *EntryReference `json:"secretRef,omitempty"`

	// hashes are SHA-256 hashes of keys that are valid. Only with type Hashes.
	//
	// +optional
	// +listType=map
	// +listMapKey=sha256
	// +kubebuilder:validation:MaxItems=4
	Hashes []KeyHash `json:"hashes,omitempty"`
}

// GeneratedKey says where the operator puts the key it makes.
//
// +kubebuilder:validation:XValidation:rule="has(self.secretName) == has(oldSelf.secretName) && (!has(self.secretName) || self.secretName == oldSelf.secretName)",message="secretName cannot be changed; delete the ApiKey and create it again"
type GeneratedKey struct {
	// secretName is the Secret that the operator creates, with the entries api-key, OPENAI_API_KEY and OPENAI_BASE_URL.
	// Unset: the name of the ApiKey. Cannot be changed.
	//
	// +optional
	SecretName ObjectName `json:"secretName,omitempty"`

	// deletionPolicy is Delete (the Secret goes with the ApiKey) or Retain. Default: Delete.
	//
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// KeyHash is the hash of a valid key.
type KeyHash struct {
	// sha256 of the key's characters, in lower-case hexadecimal.
	//
	// +required
	// +kubebuilder:validation:MinLength=64
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{64}$`
	SHA256 string `json:"sha256"`

	// notAfter ends this hash. Unset: never.
	//
	// +optional
	NotAfter *metav1.Time `json:"notAfter,omitempty"`
}

// ApiKeyRotation replaces a key from time to time.
type ApiKeyRotation struct {
	// every is the age at which a generated key is replaced. Unset: only by trigger.
	//
	// +optional
	Every Duration `json:"every,omitempty"`

	// overlap is how long the replaced key stays valid. Default: 24h.
	//
	// +optional
	Overlap Duration `json:"overlap,omitempty"`

	// trigger is any text; a change rotates a generated key now.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Trigger string `json:"trigger,omitempty"`
}

// ApiKeyStatus is what became of an ApiKey.
type ApiKeyStatus struct {
	// conditions: Ready, and while they hold Reconciling or Stalled; Accepted, ResolvedRefs, ModelsResolved, Programmed;
	// PreviousKeyInUse while a key that was rotated out is valid.
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

	// gateway is the one instance that accepts this key.
	//
	// +optional
	Gateway *ObjectReference `json:"gateway,omitempty"`

	// project is the project in force, as namespace/project.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Project string `json:"project,omitempty"`

	// prefix is the first 8 characters of a key that begins with vc-sk-, for finding it in logs.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=8
	Prefix string `json:"prefix,omitempty"`

	// secretName is the Secret that holds the key, unless the source is Hashes.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName,omitempty"`

	// hashes are the SHA-256 hashes that the gateway accepts: the current key first, then a rotated-out one with its end.
	// Empty with source Hashes, which are read from the spec.
	//
	// +optional
	// +listType=map
	// +listMapKey=sha256
	// +kubebuilder:validation:MaxItems=4
	Hashes []KeyHash `json:"hashes,omitempty"`

	// previousKeyLastUsed is when the rotated-out key in hashes was last used, to the minute. Unset: it was not since it was
	// replaced, or there is none.
	//
	// +optional
	PreviousKeyLastUsed *metav1.Time `json:"previousKeyLastUsed,omitempty"`

	// createdAt is when the current key was made or first seen.
	//
	// +optional
	CreatedAt *metav1.Time `json:"createdAt,omitempty"`

	// nextRotation is when the key will be replaced. Unset: no rotation is planned.
	//
	// +optional
	NextRotation *metav1.Time `json:"nextRotation,omitempty"`

	// baseURL is what OPENAI_BASE_URL in the Secret says.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=512
	BaseURL string `json:"baseURL,omitempty"`

	// effective is what holds once the constraints of the instance are applied. Unset: no instance accepts the key.
	//
	// +optional
	Effective *EffectiveKey `json:"effective,omitempty"`

	// usage is what was spent. Unset: not computed yet.
	//
	// +optional
	Usage *KeyUsage `json:"usage,omitempty"`
}

// ApiKey lets an application use a gateway.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=apikeys,shortName=ak,categories=vipcloud
// +kubebuilder:printcolumn:name="PROJECT",type=string,JSONPath=`.status.project`
// +kubebuilder:printcolumn:name="PREFIX",type=string,JSONPath=`.status.prefix`
// +kubebuilder:printcolumn:name="SPENT",type=string,JSONPath=`.status.usage.spent`,description="spent in the budget's period, or in the month"
// +kubebuilder:printcolumn:name="BUDGET",type=string,JSONPath=`.status.usage.budget`,description="the budget of which least remains"
// +kubebuilder:printcolumn:name="LAST-USED",type=date,JSONPath=`.status.usage.lastUsed`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="(has(self.spec.source) && has(self.spec.source.generated) && has(self.spec.source.generated.secretName)) == (has(oldSelf.spec.source) && has(oldSelf.spec.source.generated) && has(oldSelf.spec.source.generated.secretName)) || (has(self.spec.source) ? self.spec.source.type : 'Generated') != (has(oldSelf.spec.source) ? oldSelf.spec.source.type : 'Generated')",message="source.generated.secretName cannot be added or removed; delete the ApiKey and create it again"
type ApiKey struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the admin wants.
	//
	// +required
	Spec ApiKeySpec `json:"spec"`

	// status is what became of it.
	//
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ApiKeyStatus `json:"status,omitempty"`
}

// ApiKeyList is a list of ApiKeys.
//
// +kubebuilder:object:root=true
type ApiKeyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// Items are the keys.
	Items []ApiKey `json:"items"`
}
