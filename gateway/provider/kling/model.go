package kling

import (
	"slices"
	"strings"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// What a video is when nothing else is said, and how long it can be, in seconds.
const (
	defaultSeconds    = 5
	defaultResolution = "720p"
	minSeconds        = 3
	maxSeconds        = 15
)

// The longest prompts, in characters.
const (
	maxCurrentPrompt = 3072
	maxLegacyPrompt  = 2500
)

// adaptive is the ratio that leaves the shape to the image. It is not the vendor's word.
const adaptive = "adaptive"

// model is what an upstream model takes.
type model struct {
	// id is the vendor's, name what messages call it.
	id, name string
	// legacy says that the older API is spoken.
	legacy bool
	// turbo models have neither sound nor several shots nor 4k; omni models have a door of their own.
	turbo, omni bool
}

// modelOf finds the model of an upstream.
func modelOf(up *provider.Upstream) model {
	m := model{id: up.Model, name: "Kling", legacy: up.Protocol == protocolLegacy}
	switch {
	case strings.HasSuffix(m.id, "-turbo"):
		m.turbo, m.name = true, "Kling turbo"
	case strings.HasSuffix(m.id, "-omni"):
		m.omni, m.name = true, "Kling omni"
	}
	return m
}

// resolutions are those that the model makes.
func (m *model) resolutions() []string {
	if m.turbo {
		return []string{"720p", "1080p"}
	}
	return []string{"720p", "1080p", "4k"}
}

// ratios are the shapes of a video that is made without an image.
func ratios() []string { return []string{"16:9", "9:16", "1:1"} }

// wanted says that the client has asked for what is off otherwise.
func wanted(b *bool) bool { return b != nil && *b }

// sound is the word for a video's sound: one of two. A video is silent, as the vendor has it, unless the client asks for sound.
func sound(in *provider.VideoRequest, on, off string) string {
	if wanted(in.Audio) {
		return on
	}
	return off
}

// blank says that a text says nothing.
func blank(s string) bool { return strings.TrimSpace(s) == "" }

// check refuses what the model does not take.
func (m *model) check(in *provider.VideoRequest) error {
	switch {
	case in.LastImage != "" && in.Image == "":
		return provider.Invalid("last_image", "%s takes a last frame only with a first one: send image, too.", m.name)
	case in.Image != "" && m.omni && m.legacy:
		return provider.Invalid("image", "%s takes no first frame over the legacy API. Leave image out.", m.name)
	case in.Seed != nil:
		return provider.Invalid("seed", "%s takes no seed. Leave seed out.", m.name)
	case m.turbo && wanted(in.Audio):
		return provider.Invalid("audio", "%s makes videos without sound. Leave audio out.", m.name)
	}
	if err := m.checkTexts(in); err != nil {
		return err
	}
	return m.checkShape(in)
}

// checkTexts refuses texts that are missing or too long, or that the API has no member for.
func (m *model) checkTexts(in *provider.VideoRequest) error {
	limit := maxCurrentPrompt
	if m.legacy {
		limit = maxLegacyPrompt
	}
	prompt, negative := utf8.RuneCountInString(in.Prompt), utf8.RuneCountInString(in.NegativePrompt)
	switch {
	case blank(in.Prompt) && in.Image == "":
		return provider.Invalid("prompt", "%s needs a prompt or an image.", m.name)
	case prompt > limit:
		return provider.Invalid("prompt", "%s takes prompts of at most %d characters, not %d.", m.name, limit, prompt)
	case negative > 0 && !m.legacy:
		return provider.Invalid("negative_prompt", "%s takes no negative prompt: say in the prompt what not to show.", m.name)
	case negative > maxLegacyPrompt:
		return provider.Invalid("negative_prompt", "%s takes negative prompts of at most %d characters, not %d.",
			m.name, maxLegacyPrompt, negative)
	}
	return nil
}

// checkShape refuses lengths and sizes that the model does not make.
func (m *model) checkShape(in *provider.VideoRequest) error {
	switch d := in.Duration; {
	case in.Resolution != "" && !slices.Contains(m.resolutions(), in.Resolution):
		return provider.Invalid("resolution", "%s makes %s, not %q.", m.name, strings.Join(m.resolutions(), ", "), in.Resolution)
	case d != 0 && (d < minSeconds || d > maxSeconds):
		return provider.Invalid("duration", "%s makes videos of %d to %d seconds, not %d.", m.name, minSeconds, maxSeconds, d)
	}
	return m.checkRatio(in.AspectRatio, in.Image != "")
}

// checkRatio refuses shapes. A video that is made from an image has the image's.
func (m *model) checkRatio(ratio string, framed bool) error {
	switch {
	case ratio == "", framed && ratio == adaptive:
		return nil
	case framed:
		return provider.Invalid("aspect_ratio", "%s takes the shape from the image: leave aspect_ratio (or size) out, or send %s.",
			m.name, adaptive)
	case !slices.Contains(ratios(), ratio):
		return provider.Invalid("aspect_ratio", "%s takes %s, not %q.", m.name, strings.Join(ratios(), ", "), ratio)
	}
	return nil
}
