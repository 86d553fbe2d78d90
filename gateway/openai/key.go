package openai

// Key is what a caller may know of its own key. OpenAI has no such endpoint. Amounts are decimal strings in Currency.
type Key struct {
	// Object is "key".
	Object string `json:"object"`
	// Name is the ApiKey as namespace/name, Project what it accounts to.
	Name    string `json:"name"`
	Project string `json:"project"`
	// Prefix is the first characters of the key, where it was made by the gateway's operator.
	Prefix    string `json:"prefix,omitempty"`
	ExpiresAt int64  `json:"expires_at,omitempty"`
	Currency  string `json:"currency"`
	// Limits are null where there are none; 0 allows nothing.
	Limits KeyLimits `json:"limits"`
	// Spend is what the key has cost by day, week, month and lifetime, in UTC, running jobs included.
	Spend map[string]string `json:"spend"`
	// Budgets all hold; none: the key may spend without bound.
	Budgets []KeyBudget `json:"budgets"`
}

// KeyLimits are the limits of a key.
type KeyLimits struct {
	RequestsPerMinute  *int64 `json:"requests_per_minute"`
	TokensPerMinute    *int64 `json:"tokens_per_minute"`
	ConcurrentRequests *int64 `json:"concurrent_requests"`
}

// KeyBudget is where a budget stands.
type KeyBudget struct {
	// Scope is key, namespace for one that all keys of the namespace share, or demo for one of all who have no key.
	Scope     string `json:"scope"`
	Period    string `json:"period"`
	Amount    string `json:"amount"`
	Spent     string `json:"spent"`
	Remaining string `json:"remaining"`
	// ResetsAt is when the budget begins anew, in Unix seconds; left out for a lifetime.
	ResetsAt int64 `json:"resets_at,omitempty"`
}

// JSON implements Document.
func (k Key) JSON() ([]byte, error) { return marshal(k) }

// KeyUsageList is what a key has used by day and model.
type KeyUsageList struct {
	// Object is "list".
	Object   string `json:"object"`
	Currency string `json:"currency"`
	// Data are by day, then by model; never null.
	Data []KeyUsage `json:"data"`
}

// JSON implements Document.
func (l KeyUsageList) JSON() ([]byte, error) { return marshal(l) }

// KeyUsage is what a key has used of a model on a day in UTC.
type KeyUsage struct {
	Date             string `json:"date"`
	Model            string `json:"model"`
	Requests         int64  `json:"requests"`
	Estimated        int64  `json:"estimated_requests,omitempty"`
	PromptTokens     int64  `json:"prompt_tokens"`
	CachedTokens     int64  `json:"cached_tokens,omitempty"`
	CompletionTokens int64  `json:"completion_tokens"`
	ReasoningTokens  int64  `json:"reasoning_tokens,omitempty"`
	Images           int64  `json:"images,omitempty"`
	Seconds          int64  `json:"seconds,omitempty"`
	Characters       int64  `json:"characters,omitempty"`
	Songs            int64  `json:"songs,omitempty"`
	Cost             string `json:"cost"`
}
