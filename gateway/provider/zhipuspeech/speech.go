package zhipuspeech

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// Where texts are spoken: below the vendor's root, and below a version of the API.
const (
	basePath   = "/api/paas/v4"
	speechPath = "/audio/speech"
)

// keyEntry is the entry of the Secret that holds the API key.
const keyEntry = "api-key"

// What GLM-TTS takes.
const (
	minSpeed, maxSpeed = 0.5, 2
	maxCharacters      = 1024
)

// Encodings of audio inside of events.
const (
	encodingBase64 = "base64"
	encodingHex    = "hex"
)

// formats are what can be had.
func formats() []string { return []string{provider.FormatWAV, provider.FormatPCM} }

// versioned is an endpoint that leads to a version of the API already.
var versioned = regexp.MustCompile(`://[^/]+/(?:.*/)?v[0-9]+$`)

// voices speaks with GLM-TTS. It has no state.
type voices struct{}

var _ provider.Speech = voices{}

// Speech returns the adapter of GLM-TTS. Answers are always streamed; WAV, which the vendor does not stream, is made of pcm by putting a
// header in front of it.
func Speech() provider.Speech { return voices{} }

// NewRequest implements provider.Speech.
func (voices) NewRequest(ctx context.Context, up *provider.Upstream, in *provider.SpeechRequest) (*http.Request, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	base := strings.TrimRight(up.Endpoint, "/")
	if !versioned.MatchString(base) {
		base += basePath
	}
	req, err := provider.NewRequest(ctx, http.MethodPost, base+speechPath, up, newBody(up, in))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	// Secrets made by hand often end with a line feed.
	if key := strings.TrimSpace(up.Secrets[keyEntry].Reveal()); key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	return req, nil
}

// check refuses what the vendor does not take.
func check(in *provider.SpeechRequest) error {
	switch n := utf8.RuneCountInString(in.Input); {
	case !slices.Contains(formats(), in.Format):
		return provider.Invalid("response_format", "GLM-TTS makes %s, not %q.", strings.Join(formats(), ", "), in.Format)
	case !(in.Speed >= minSpeed && in.Speed <= maxSpeed):
		return provider.Invalid("speed", "GLM-TTS takes speeds from %g to %g, not %g.", minSpeed, float64(maxSpeed), in.Speed)
	case n > maxCharacters:
		return provider.Invalid("input", "GLM-TTS takes texts of at most %d characters, not %d.", maxCharacters, n)
	case in.Instructions != "":
		return provider.Invalid("instructions", "GLM-TTS takes no instructions. Leave instructions out.")
	}
	return nil
}

// newBody translates a request that was checked.
func newBody(up *provider.Upstream, in *provider.SpeechRequest) provider.Body {
	b := provider.Body{
		"model": up.Model, "input": in.Input, "voice": in.Voice, "speed": in.Speed,
		"response_format": provider.FormatPCM, "stream": true, "encode_format": encodingBase64,
	}
	up.Parameters.Override(b)
	return b
}

// Decode implements provider.Speech.
func (voices) Decode(up *provider.Upstream, in *provider.SpeechRequest, header http.Header, body io.Reader) provider.SpeechStream {
	return &stream{events: newEvents(body), answer: header, hexadecimal: inHex(up, in), headless: in.Format == provider.FormatWAV}
}

// inHex says that the admin, who has the last word, wants audio in hexadecimal digits rather than in base64.
func inHex(up *provider.Upstream, in *provider.SpeechRequest) bool {
	raw, err := json.Marshal(newBody(up, in)["encode_format"])
	return err == nil && string(raw) == `"`+encodingHex+`"`
}

// Error implements provider.Speech.
func (voices) Error(status int, header http.Header, body []byte) *provider.Error {
	return failure(status, header, body)
}
