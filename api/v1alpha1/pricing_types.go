package v1alpha1

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

	// perImage is the price of an image that was made. With modality Image alone.
	//
	// +optional
	PerImage *Decimal `json:"perImage,omitempty"`

	// perSecond is the price of a second of video, by the seconds that the vendor bills. With modality Video alone.
	//
	// +optional
	PerSecond *Decimal `json:"perSecond,omitempty"`

	// perVideo is the price of a video whatever its length, in addition to perSecond if both are set. With modality Video alone.
	//
	// +optional
	PerVideo *Decimal `json:"perVideo,omitempty"`

	// perMillionCharacters is the price of a million characters of text that were spoken, as the vendor counts them. With
	// modality Speech alone.
	//
	// +optional
	PerMillionCharacters *Decimal `json:"perMillionCharacters,omitempty"`

	// perSong is the price of a song that was made. With modality Music alone.
	//
	// +optional
	PerSong *Decimal `json:"perSong,omitempty"`

	// perRequest is charged once for every request that produced usage, in addition to all other prices. It fits every modality.
	//
	// +optional
	PerRequest *Decimal `json:"perRequest,omitempty"`
}

// Pricing is what a call costs.
//
// +kubebuilder:validation:XValidation:rule="has(self.inputPerMillionTokens) || has(self.outputPerMillionTokens) || has(self.perImage) || has(self.perSecond) || has(self.perVideo) || has(self.perMillionCharacters) || has(self.perSong) || has(self.perRequest)",message="pricing needs inputPerMillionTokens, outputPerMillionTokens, perImage, perSecond, perVideo, perMillionCharacters, perSong or perRequest; remove pricing for an unpriced route, or set \"0\" for a free one"
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
// +kubebuilder:validation:XValidation:rule="has(self.inputPerMillionTokens) || has(self.cachedInputPerMillionTokens) || has(self.cacheWritePerMillionTokens) || has(self.outputPerMillionTokens) || has(self.perImage) || has(self.perSecond) || has(self.perVideo) || has(self.perMillionCharacters) || has(self.perSong) || has(self.perRequest)",message="a variant needs at least one price; remove the variant or set one"
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
	// inputTokensAbove matches requests with more prompt tokens than this. With modality Chat alone.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000000
	InputTokensAbove *int64 `json:"inputTokensAbove,omitempty"`

	// resolution matches videos of this resolution, in lower case such as 720p, 1080p or 4k: that of the request, or the
	// model's default if the request names none. With modality Video alone.
	//
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^[1-9][0-9]*[pk]$`
	Resolution string `json:"resolution,omitempty"`

	// audio matches videos with sound (true) or without (false). Unset: both. With modality Video alone.
	//
	// +optional
	Audio *bool `json:"audio,omitempty"`
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

// Weekday is a day of the week in a price window.
//
// +kubebuilder:validation:Enum=Mon;Tue;Wed;Thu;Fri;Sat;Sun
type Weekday string
