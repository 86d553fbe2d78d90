package provider

// Usage is what a vendor counted for one request. Absent, zero and estimated usage are three different things: Known is
// false when the vendor told nothing, and estimates are made elsewhere.
type Usage struct {
	// Known says that the vendor reported usage.
	Known bool
	// PromptTokens includes cached ones.
	PromptTokens int64
	// CompletionTokens includes reasoning ones.
	CompletionTokens int64
	// CachedTokens are prompt tokens read from the vendor's cache.
	CachedTokens int64
	// CacheWriteTokens are prompt tokens written to the vendor's cache.
	CacheWriteTokens int64
	// ReasoningTokens are completion tokens spent on reasoning.
	ReasoningTokens int64
	// Images that were made.
	Images int64
	// Seconds of video that were made, rounded up as the vendor bills.
	Seconds int64
	// Characters of text that were spoken, as the vendor counts them.
	Characters int64
	// Songs that were made.
	Songs int64
}
