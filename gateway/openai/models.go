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
	// Object is "list".
	Object string `json:"object"`
	// Data are the models, ordered by id; never null.
	Data []Model `json:"data"`
}

// JSON implements Document.
func (l ModelList) JSON() ([]byte, error) { return marshal(l) }

// Model is OpenAI's model object, with the members of ModelDetail beside it unless that is nil.
type Model struct {
	// ID is the public name.
	ID string `json:"id"`
	// Object is "model".
	Object string `json:"object"`
	// Created is when the route was made, in Unix seconds; 0 if unknown.
	Created int64 `json:"created"`
	// OwnedBy is who makes the model.
	OwnedBy string `json:"owned_by"`
	*ModelDetail
}

// JSON implements Document.
func (m Model) JSON() ([]byte, error) { return marshal(m) }

// ModelDetail is what people want to know of a model. Prices are decimal strings; their names tell the unit.
type ModelDetail struct {
	// Label is the name shown to people.
	Label string `json:"label"`
	// Org is who makes the model.
	Org string `json:"org"`
	// Context is the context window in tokens; left out if unknown.
	Context int64 `json:"ctx,omitempty"`
	// Description is a sentence or two.
	Description string `json:"description,omitempty"`
	// Tags are short words for filters; never null.
	Tags []string `json:"tags"`
	// Modality is the kind of work in lower case, such as chat.
	Modality string `json:"modality"`
	// Availability is live, preview or soon.
	Availability string `json:"availability"`
	// Aliases are further names of the model.
	Aliases []string `json:"aliases,omitempty"`
	// Pricing is null for an unpriced model.
	Pricing *Pricing `json:"pricing"`
	// Voices are the names that a speech model takes as voice beside the vendor's own; left out if there are none.
	Voices []Voice `json:"voices,omitempty"`
}

// Voice is a voice as clients know it.
type Voice struct {
	// ID is the public name: what to send as voice.
	ID string `json:"id"`
	// Label is the name shown to people; left out if unknown.
	Label string `json:"label,omitempty"`
	// Language is a tag such as en or zh-CN; left out if unknown.
	Language string `json:"language,omitempty"`
}

// Pricing is null for a model without a price.
type Pricing struct {
	// Currency is an ISO 4217 code.
	Currency string `json:"currency"`
	Prices
	// Variants replace prices for requests that match; the first match wins.
	Variants []PriceVariant `json:"variants,omitempty"`
	// Windows multiply prices at certain times; the first match wins.
	Windows []PriceWindow `json:"windows,omitempty"`
}

// Prices are decimal strings.
type Prices struct {
	// Input is the price of a million prompt tokens that were not cached.
	Input string `json:"input_per_million_tokens,omitempty"`
	// CachedInput is that of a million prompt tokens read from the vendor's cache; left out where it is Input.
	CachedInput string `json:"cached_input_per_million_tokens,omitempty"`
	// CacheWrite is that of a million prompt tokens written to the vendor's cache; left out where it is Input.
	CacheWrite string `json:"cache_write_per_million_tokens,omitempty"`
	// Output is that of a million answer tokens, reasoning included.
	Output string `json:"output_per_million_tokens,omitempty"`
	// PerImage is that of an image that was made.
	PerImage string `json:"per_image,omitempty"`
	// PerSecond is that of a second of video.
	PerSecond string `json:"per_second,omitempty"`
	// PerVideo is that of a video whatever its length, in addition to PerSecond.
	PerVideo string `json:"per_video,omitempty"`
	// PerMillionCharacters is that of a million characters of spoken text.
	PerMillionCharacters string `json:"per_million_characters,omitempty"`
	// PerSong is that of a song that was made.
	PerSong string `json:"per_song,omitempty"`
	// PerRequest is charged once for each request, in addition to all other prices.
	PerRequest string `json:"per_request,omitempty"`
}

// PriceVariant are other prices for requests that match.
type PriceVariant struct {
	// Name identifies the variant.
	Name string `json:"name"`
	// When says which requests are meant; all members must hold.
	When PriceCondition `json:"when"`
	Prices
}

// PriceCondition says which requests are meant. What is left out may be anything.
type PriceCondition struct {
	// InputTokensAbove means requests with more prompt tokens than this.
	InputTokensAbove *int64 `json:"input_tokens_above,omitempty"`
	// Resolution means videos of it, such as 720p.
	Resolution string `json:"resolution,omitempty"`
	// Audio means videos with sound or without.
	Audio *bool `json:"audio,omitempty"`
}

// PriceWindow is when prices are multiplied.
type PriceWindow struct {
	// Name identifies the window.
	Name string `json:"name"`
	// Days on which it starts: Mon to Sun.
	Days []string `json:"days"`
	// Start is its first minute as HH:MM.
	Start string `json:"start"`
	// End is the first minute after it as HH:MM, up to 24:00; before Start it is on the next day.
	End string `json:"end"`
	// TimeZone is where the clock hangs, as an IANA name.
	TimeZone string `json:"time_zone"`
	// Multiplier of every price.
	Multiplier string `json:"multiplier"`
}

// marshal wraps the one place where documents become bytes.
func marshal(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("marshalling answer: %w", err)
	}
	return b, nil
}
