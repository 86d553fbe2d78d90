package media

import (
	"strings"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// Bounds of music requests.
const (
	maxSongs       = 3
	maxSongSeconds = 600
)

// ParseMusic reads the body of POST /v1/music/generations. The model is somebody else's to read.
func ParseMusic(o *openai.Object) (provider.MusicRequest, *openai.Error) {
	f := &fields{object: o}
	f.known("model", "prompt", "lyrics", "duration", "n", "instrumental", "user")
	in := provider.MusicRequest{Prompt: f.text("prompt", maxText), Lyrics: f.text("lyrics", maxText), N: 1}
	if n := f.integer("n", 1, maxSongs); n != nil {
		in.N = int(*n)
	}
	if d := f.integer("duration", 1, maxSongSeconds); d != nil {
		in.Duration = int(*d)
	}
	if b := f.boolean("instrumental"); b != nil {
		in.Instrumental = *b
	}
	f.text("user", maxText)
	switch {
	case strings.TrimSpace(in.Prompt) == "" && strings.TrimSpace(in.Lyrics) == "":
		f.refusef("prompt", "missing_required_parameter", "Missing required parameter: 'prompt'; or send lyrics.")
	case in.Instrumental && in.Lyrics != "":
		f.refusef("lyrics", "unsupported_value", "Instrumental music has no lyrics; leave out lyrics or instrumental.")
	}
	return in, f.problem
}
