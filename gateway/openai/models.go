package openai

import (
	"encoding/json"
	"fmt"
)

// Document is an answer that knows its JSON.
type Document interface {
	// JSON returns the document, or an error if it cannot be marshalled, which is a programmer's error.
	JSON() ([]byte, error)
}

// RawDocument is JSON that was made before.
type RawDocument []byte

// JSON implements Document.
func (d RawDocument) JSON() ([]byte, error) { return d, nil }

// ModelList is the answer of GET /v1/models and of the catalog.
type ModelList struct {
	Object string  `json:"object"`
	Data   []Model `json:"data"`
}

// JSON implements Document.
func (l ModelList) JSON() ([]byte, error) { return marshal(l) }

// Model is OpenAI's model object, with the members of ModelDetail beside it unless that is nil.
type Model struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
	*ModelDetail
}

// JSON implements Document.
func (m Model) JSON() ([]byte, error) { return marshal(m) }

// ModelDetail is what people want to know of a model. Prices are decimal strings; their names tell the unit.
type ModelDetail struct {
	Label        string   `json:"label"`
	Org          string   `json:"org"`
	Context      int64    `json:"ctx,omitempty"`
	Description  string   `json:"description,omitempty"`
	Tags         []string `json:"tags"`
	Modality     string   `json:"modality"`
	Availability string   `json:"availability"`
	Aliases      []string `json:"aliases,omitempty"`
	Pricing      *Pricing `json:"pricing"`
}

// Pricing is null for a model without a price.
type Pricing struct {
	Currency string `json:"currency"`
	Prices
	Variants []PriceVariant `json:"variants,omitempty"`
	Windows  []PriceWindow  `json:"windows,omitempty"`
}

// Prices are decimal strings.
type Prices struct {
	Input       string `json:"input_per_million_tokens,omitempty"`
	CachedInput string `json:"cached_input_per_million_tokens,omitempty"`
	CacheWrite  string `json:"cache_write_per_million_tokens,omitempty"`
	Output      string `json:"output_per_million_tokens,omitempty"`
	PerRequest  string `json:"per_request,omitempty"`
}

// PriceVariant are other prices for requests that match.
type PriceVariant struct {
	Name string           `json:"name"`
	When map[string]int64 `json:"when,omitempty"`
	Prices
}

// PriceWindow is when prices are multiplied.
type PriceWindow struct {
	Name       string   `json:"name"`
	Days       []string `json:"days"`
	Start      string   `json:"start"`
	End        string   `json:"end"`
	TimeZone   string   `json:"time_zone"`
	Multiplier string   `json:"multiplier"`
}

// marshal wraps the one place where documents become bytes.
func marshal(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("marshalling answer: %w", err)
	}
	return b, nil
}
