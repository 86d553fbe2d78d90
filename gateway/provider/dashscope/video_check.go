package dashscope

import (
	"slices"
	"strings"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// check refuses what the model does not take.
func (m *videoModel) check(in *provider.VideoRequest) error {
	for _, check := range [...]func(*provider.VideoRequest) error{m.checkText, m.checkFrames, m.checkSound, m.checkSize, m.checkRatio} {
		if err := check(in); err != nil {
			return err
		}
	}
	return checkSeed(m.name, in.Seed)
}

// checkText refuses prompts that the model does not take, the lack of one that it needs, and any request to a model that is not
// for requests.
func (m *videoModel) checkText(in *provider.VideoRequest) error {
	switch {
	case m.other != "":
		return provider.Invalid("model", "%s cannot be used. %s", m.name, m.other)
	case in.Prompt == "" && (in.Image == "" || !m.frames):
		return provider.Invalid("prompt", "%s needs a prompt.", m.name)
	case in.NegativePrompt != "" && !m.negative:
		return provider.Invalid("negative_prompt", "%s takes no negative prompt: say in the prompt what not to show.", m.name)
	case utf8.RuneCountInString(in.NegativePrompt) > maxNegative: // more may be cut off without a word
		return provider.Invalid("negative_prompt", "%s reads negative prompts of at most %d characters.", m.name, maxNegative)
	}
	return nil
}

// checkFrames refuses frames that the model does not take, and the lack of one that it needs.
func (m *videoModel) checkFrames(in *provider.VideoRequest) error {
	switch {
	case in.Image != "" && !m.frames:
		return provider.Invalid("image", "%s takes no image. Leave image out.", m.name)
	case in.LastImage != "" && !m.last:
		return provider.Invalid("last_image", "%s takes no last frame. Leave last_image out.", m.name)
	case in.LastImage != "" && in.Image == "":
		return provider.Invalid("last_image", "%s takes a last frame only with a first one: send image, too.", m.name)
	case in.Image == "" && !m.plain:
		return provider.Invalid("image", "%s needs a first frame: send image.", m.name)
	}
	if err := checkReference("image", m.name, in.Image); err != nil {
		return err
	}
	return checkReference("last_image", m.name, in.LastImage)
}

// checkSound refuses sound, or the lack of it, that the model does not make.
func (m *videoModel) checkSound(in *provider.VideoRequest) error {
	switch {
	case in.Audio == nil:
		return nil
	case *in.Audio && m.sound == soundNever:
		return provider.Invalid("audio", "%s makes videos without sound. Leave audio out, or send false.", m.name)
	case !*in.Audio && m.sound == soundAlways:
		return provider.Invalid("audio", "%s makes videos with sound always. Leave audio out, or send true.", m.name)
	}
	return nil
}

// checkSize refuses lengths and resolutions that the model does not make.
func (m *videoModel) checkSize(in *provider.VideoRequest) error {
	switch d := in.Duration; {
	case in.Resolution != "" && !slices.Contains(m.resolutions, in.Resolution):
		return provider.Invalid("resolution", "%s makes %s, not %q.", m.name, strings.Join(m.resolutions, ", "), in.Resolution)
	case d != 0 && m.minSeconds != 0 && (d < m.minSeconds || d > m.maxSeconds):
		return provider.Invalid("duration", "%s makes videos of %d to %d seconds, not %d.", m.name, m.minSeconds, m.maxSeconds, d)
	}
	return nil
}

// checkRatio refuses shapes that the model does not make. Adaptive is the image's, which is what some models make anyway.
func (m *videoModel) checkRatio(in *provider.VideoRequest) error {
	shape, resolution := in.AspectRatio, m.resolutionOf(in)
	switch {
	case shape == "", m.follows && shape == "adaptive":
		return nil
	case m.follows:
		return provider.Invalid("aspect_ratio", "%s makes videos of the shape of the image. Leave aspect_ratio out, or send adaptive.", m.name)
	case m.ratios != nil && !slices.Contains(m.ratios, shape):
		return provider.Invalid("aspect_ratio", "%s takes %s, not %q.", m.name, strings.Join(m.ratios, ", "), shape)
	case m.sized() && sizes()[resolution][shape] == "":
		return provider.Invalid("aspect_ratio", "%s does not make %s in %s. Take 16:9, 9:16 or 1:1, or another resolution.",
			m.name, shape, resolution)
	}
	return nil
}
