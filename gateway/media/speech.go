package media

import (
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// Bounds of speech requests. OpenAI's own limit is 4,096 characters; some vendors take more, and say so when it is too much.
const (
	maxVoice = 256
	minSpeed = 0.25
	maxSpeed = 4
)

// Speech is what a client asked of POST /v1/audio/speech.
type Speech struct {
	provider.SpeechRequest
	// Events says that the client wants an event stream (stream_format sse) rather than bytes.
	Events bool
}

// ParseSpeech reads a speech request. The model is somebody else's to read. The voice is as the client named it.
func ParseSpeech(o *openai.Object) (Speech, *openai.Error) {
	f := &fields{object: o}
	f.known("model", "input", "voice", "response_format", "speed", "instructions", "stream_format", "user")
	var in Speech
	in.Input = f.required("input", maxText)
	in.Voice = f.voice()
	in.Format = f.choice("response_format", provider.FormatMP3, provider.FormatOpus, provider.FormatAAC, provider.FormatFLAC, provider.FormatWAV, provider.FormatPCM)
	if in.Format == "" {
		in.Format = provider.FormatMP3
	}
	in.Speed = f.number("speed", minSpeed, maxSpeed, 1)
	in.Instructions = f.text("instructions", maxText)
	in.Events = f.choice("stream_format", "audio", "sse") == "sse"
	f.text("user", maxText)
	return in, f.problem
}

// voice reads a voice: a name, or OpenAI's object {"id": …}. It is required.
func (f *fields) voice() string {
	raw, ok := f.raw("voice")
	if !ok || raw[0] != '{' {
		return f.required("voice", maxVoice)
	}
	var object struct {
		ID string `json:"id"`
	}
	f.read("voice", `a string or an object {"id": …}`, &object)
	if object.ID == "" || len(object.ID) > maxVoice {
		f.refusef("voice", "missing_required_parameter", "voice needs an id of at most %d characters.", maxVoice)
	}
	return object.ID
}
