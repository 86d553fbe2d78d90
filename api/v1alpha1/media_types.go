package v1alpha1

// Voice is a public name for a vendor's voice.
type Voice struct {
	// name is the public name: what clients send as voice, and see in the model's detail.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`
	Name string `json:"name"`

	// id is the vendor's own id of the voice, as its list writes it. It may hold spaces and parentheses.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^\S(.*\S)?$`
	ID string `json:"id"`

	// label is the name shown to people. Unset: none is shown.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Label string `json:"label,omitempty"`

	// language that the voice speaks, as a tag such as en, zh-CN or yue. Unset: not shown.
	//
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=35
	// +kubebuilder:validation:Pattern=`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`
	Language string `json:"language,omitempty"`
}

// Results say how clients get the files that jobs make.
type Results struct {
	// proxy makes the gateway stream the files through itself, for clients that cannot reach the vendor's storage. Otherwise
	// clients get the vendor's own addresses. Default: false.
	//
	// +optional
	Proxy bool `json:"proxy,omitempty"`
}
