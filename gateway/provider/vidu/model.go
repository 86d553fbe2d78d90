package vidu

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
	minSeconds        = 1
	maxSeconds        = 16
)

// maxPrompt is the longest prompt, in characters. Older texts say 2000: the vendor is the judge between the two.
const maxPrompt = 5000

// adaptive is the ratio that leaves the shape to the image. It is not the vendor's word.
const adaptive = "adaptive"

// model is what an upstream model takes.
type model struct {
	// id is the vendor's, name what messages call it.
	id, name string
	// silent says that its videos have no sound, framed that they are made from one image and nothing else.
	silent, framed bool
}

// modelOf finds the model of an id: platform.vidu.com/docs/text-to-video.
func modelOf(id string) model {
	m := model{id: id, name: "Vidu"}
	switch {
	case strings.HasPrefix(id, "viduq1"), strings.HasPrefix(id, "viduq2"):
		m.silent = true
	case strings.HasPrefix(id, "viduq3") && strings.HasSuffix(id, "-fast"):
		m.framed, m.name = true, "Vidu Q3 fast"
	}
	return m
}

// resolutions are those that videos are made in.
func resolutions() []string { return []string{"540p", "720p", "1080p"} }

// ratios are the shapes of a video that is made without an image.
func ratios() []string { return []string{"16:9", "9:16", "3:4", "4:3", "1:1"} }

// blank says that a text says nothing.
func blank(s string) bool { return strings.TrimSpace(s) == "" }

// check refuses what the model does not take.
func (m *model) check(in *provider.VideoRequest) error {
	switch n := utf8.RuneCountInString(in.Prompt); {
	case blank(in.Prompt) && in.Image == "" && !m.framed:
		return provider.Invalid("prompt", "%s needs a prompt or an image.", m.name)
	case n > maxPrompt:
		return provider.Invalid("prompt", "%s takes prompts of at most %d characters, not %d.", m.name, maxPrompt, n)
	case in.NegativePrompt != "":
		return provider.Invalid("negative_prompt", "%s takes no negative prompt: say in the prompt what not to show.", m.name)
	case in.Seed != nil && *in.Seed <= 0:
		return provider.Invalid("seed", "%s takes seeds above 0, for 0 means a random one: send another, or leave seed out.", m.name)
	}
	if err := m.checkKind(in); err != nil {
		return err
	}
	return m.checkShape(in)
}

// checkKind refuses what there is no call for, or not with this model.
func (m *model) checkKind(in *provider.VideoRequest) error {
	switch {
	case m.framed && in.Image == "":
		return provider.Invalid("image", "%s makes videos from a first frame: send image, too.", m.name)
	case m.framed && in.LastImage != "":
		return provider.Invalid("last_image", "%s takes no last frame. Leave last_image out.", m.name)
	case in.LastImage != "" && in.Image == "":
		return provider.Invalid("last_image", "%s takes a last frame only with a first one: send image, too.", m.name)
	case m.silent && in.Audio != nil && *in.Audio:
		return provider.Invalid("audio", "%s makes videos without sound with this model. Leave audio out.", m.name)
	}
	return nil
}

// checkShape refuses lengths and sizes that the vendor does not make.
func (m *model) checkShape(in *provider.VideoRequest) error {
	switch d := in.Duration; {
	case in.Resolution != "" && !slices.Contains(resolutions(), in.Resolution):
		return provider.Invalid("resolution", "%s makes %s, not %q.", m.name, strings.Join(resolutions(), ", "), in.Resolution)
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
