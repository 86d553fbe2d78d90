package doubaospeech

import (
	"context"
	"encoding/json"
	"math"
	"net/http"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// pathV3 is where V3 speaks in server-sent events.
const pathV3 = "/api/v3/tts/unidirectional/sse"

// minSpeedV3 is the slowest speech of V3.
const minSpeedV3 = 0.5

// newRequestV3 builds a call of V3. The longest text is not published; the vendor tells when one is too long.
func newRequestV3(ctx context.Context, up *provider.Upstream, in *provider.SpeechRequest) (*http.Request, error) {
	resource := resourceOf(up.Model, in.Voice)
	if err := checkCommon(in, minSpeedV3); err != nil {
		return nil, err
	}
	if in.Instructions != "" && firstGeneration(resource) {
		return nil, provider.Invalid("instructions", "Doubao's voices of 1.0 take no instructions. Leave them out, or choose a voice of 2.0.")
	}
	req, err := newCall(ctx, pathV3, up, bodyV3(up, in))
	if err != nil {
		return nil, err
	}
	h := req.Header
	h.Set("Accept", "text/event-stream")
	h.Set("X-Api-Resource-Id", resource)
	h.Set("X-Control-Require-Usage-Tokens-Return", "text_words")
	if in.ID != "" {
		h.Set("X-Api-Request-Id", in.ID)
	}
	if err := authenticateV3(h, up); err != nil {
		return nil, err
	}
	return req, nil
}

// authenticateV3 adds the key of the new console, or the app and the token of the old one.
func authenticateV3(h http.Header, up *provider.Upstream) error {
	if key := secret(up, keyEntry); key != "" {
		h.Set("X-Api-Key", key)
		return nil
	}
	app, token := secret(up, appEntry), secret(up, tokenEntry)
	if app == "" || token == "" {
		return missing(errCredentialV3)
	}
	h.Set("X-Api-App-Id", app)
	h.Set("X-Api-Access-Key", token)
	return nil
}

// bodyV3 translates a request that was checked. WAV is made of pcm: the vendor's has a header in front of every piece.
func bodyV3(up *provider.Upstream, in *provider.SpeechRequest) provider.Body {
	format, rate := encodingOf(in.Format), usualRate
	switch in.Format {
	case provider.FormatWAV:
		format = provider.FormatPCM
	case provider.FormatOpus:
		rate = opusRate
	}
	params := provider.Body{
		"text": in.Input, "speaker": in.Voice, "additions": additions(in),
		"audio_params": provider.Body{"format": format, "sample_rate": rate, "speech_rate": speechRate(in.Speed)},
	}
	provider.Set(params, "model", modelOf(up.Model, resourceOf(up.Model, in.Voice)))
	b := provider.Body{"user": provider.Body{"uid": caller}, "req_params": params}
	up.Parameters.Override(b)
	return b
}

// speechRate is a speed in the vendor's measure: -50 is half of the usual one, 100 twice.
func speechRate(speed float64) int { return int(math.Round((speed - 1) * 100)) }

// additions is the member of that name: an object, as JSON within a string. What is in parentheses is to be spoken; one page says that
// it is by default, and another that it is not.
func additions(in *provider.SpeechRequest) string {
	b := provider.Body{"max_length_to_filter_parenthesis": 0}
	if in.Instructions != "" {
		b["context_texts"] = []string{in.Instructions}
	}
	raw, err := json.Marshal(b)
	if err != nil {
		return "{}" // strings and numbers can always be written
	}
	return string(raw)
}

// headerOf is the WAV header of what was asked for, in which the admin had the last word; nil if that was another format than pcm.
func headerOf(up *provider.Upstream, in *provider.SpeechRequest) []byte {
	raw, err := json.Marshal(bodyV3(up, in)["req_params"])
	if err != nil {
		return nil
	}
	audio := gjson.GetBytes(raw, "audio_params")
	if audio.Get("format").String() != provider.FormatPCM {
		return nil
	}
	rate := audio.Get("sample_rate").Int()
	if rate <= 0 || rate > 1<<20 {
		rate = usualRate
	}
	return wavHeader(int(rate))
}
