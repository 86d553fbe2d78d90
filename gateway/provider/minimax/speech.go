package minimax

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// speechPath is where texts are spoken.
const speechPath = "/t2a_v2"

// What T2A v2 takes. A text must be shorter than 10,000 characters.
const (
	minSpeed, maxSpeed = 0.5, 2
	maxCharacters      = 9999
)

// Rates in Hz: the vendor's default, and the one that clients of OpenAI expect of pcm.
const (
	defaultRate = 32000
	pcmRate     = 24000
)

// speechFormats are what can be had. Opus is not among them: the newest schema lists the word, but not for which models, nor that
// it comes in an Ogg container, which is what clients mean by it.
func speechFormats() []string {
	return []string{provider.FormatMP3, provider.FormatFLAC, provider.FormatWAV, provider.FormatPCM}
}

// voices speaks with T2A v2. It has no state.
type voices struct{}

var _ provider.Speech = voices{}

// Speech returns the adapter of T2A v2. Answers are always streamed; WAV, which the vendor does not stream, is made of pcm by putting a
// header in front of it.
func Speech() provider.Speech { return voices{} }

// NewRequest implements provider.Speech.
func (voices) NewRequest(ctx context.Context, up *provider.Upstream, in *provider.SpeechRequest) (*http.Request, error) {
	if err := checkSpeech(in); err != nil {
		return nil, err
	}
	req, err := newCall(ctx, http.MethodPost, speechPath, up, speechBody(up, in))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	return req, nil
}

// checkSpeech refuses what the vendor does not take.
func checkSpeech(in *provider.SpeechRequest) error {
	switch n := utf8.RuneCountInString(in.Input); {
	case !slices.Contains(speechFormats(), in.Format):
		return provider.Invalid("response_format", "MiniMax makes %s, not %q.", strings.Join(speechFormats(), ", "), in.Format)
	case !(in.Speed >= minSpeed && in.Speed <= maxSpeed):
		return provider.Invalid("speed", "MiniMax takes speeds from %g to %g, not %g.", minSpeed, float64(maxSpeed), in.Speed)
	case n > maxCharacters:
		return provider.Invalid("input", "MiniMax takes texts of at most %d characters, not %d.", maxCharacters, n)
	case in.Instructions != "":
		return provider.Invalid("instructions", "MiniMax takes no instructions. Leave instructions out.")
	}
	return nil
}

// speechBody translates a request that was checked. The last event would repeat all of the audio if it were not asked to leave it out.
func speechBody(up *provider.Upstream, in *provider.SpeechRequest) provider.Body {
	format, rate := in.Format, defaultRate
	if format == provider.FormatWAV {
		format = provider.FormatPCM
	}
	if format == provider.FormatPCM {
		rate = pcmRate
	}
	b := provider.Body{
		"model": up.Model, "text": in.Input, "stream": true,
		"stream_options": map[string]any{"exclude_aggregated_audio": true},
		"voice_setting":  map[string]any{"voice_id": in.Voice, "speed": in.Speed},
		"audio_setting":  map[string]any{"format": format, "sample_rate": rate, "channel": 1},
	}
	up.Parameters.Override(b)
	return b
}

// Decode implements provider.Speech.
func (voices) Decode(up *provider.Upstream, in *provider.SpeechRequest, header http.Header, body io.Reader) provider.SpeechStream {
	s := &speechStream{events: newEvents(body), answer: header}
	if in.Format == provider.FormatWAV {
		s.head = headerOf(up, in)
	}
	return s
}

// headerOf is the WAV header of what was asked for, in which the admin had the last word; nil if that was another format than pcm.
func headerOf(up *provider.Upstream, in *provider.SpeechRequest) []byte {
	setting := member(speechBody(up, in), "audio_setting")
	if setting.Get("format").String() != provider.FormatPCM {
		return nil
	}
	rate, channels := setting.Get("sample_rate").Int(), setting.Get("channel").Int()
	if rate <= 0 || rate > 1<<20 {
		rate = defaultRate
	}
	if channels != 2 {
		channels = 1
	}
	return wavHeader(int(rate), int(channels))
}

// Error implements provider.Speech.
func (voices) Error(status int, header http.Header, body []byte) *provider.Error {
	return failure(status, header, body, "input")
}
