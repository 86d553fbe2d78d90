package ark

import (
	"slices"
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// What a task is when nothing else is said.
const (
	defaultSeconds    = 5
	defaultResolution = "720p"
)

// videoModel is what a version of Seedance takes.
type videoModel struct {
	// mark is what is in the ids of the model at both clouds, name what messages call it.
	mark, name  string
	resolutions []string
	// minSeconds and maxSeconds bound the duration.
	minSeconds, maxSeconds int
	// seed says that the model takes one, silent that its videos have no sound.
	seed, silent bool
}

// videoModelOf finds the model of an id. The last one stands for ids that say no version, such as those of endpoints: it takes
// what any version takes, and the vendor is the judge. Facts from ModelArk/1520757 and 2291680.
func videoModelOf(id string) videoModel {
	all := []string{"480p", "720p", "1080p", "4k"}
	for _, m := range [...]videoModel{
		{mark: "seedance-2-0-fast", name: "Seedance 2.0 fast", resolutions: all[:2], minSeconds: 4, maxSeconds: 15},
		{mark: "seedance-2-0-mini", name: "Seedance 2.0 mini", resolutions: all[:2], minSeconds: 4, maxSeconds: 15},
		{mark: "seedance-2-0", name: "Seedance 2.0", resolutions: all, minSeconds: 4, maxSeconds: 15},
		{mark: "seedance-2-5", name: "Seedance 2.5", resolutions: all[:3], minSeconds: 4, maxSeconds: 30},
		{mark: "seedance-1-5", name: "Seedance 1.5", resolutions: all[:3], minSeconds: 4, maxSeconds: 12, seed: true},
		{mark: "seedance-1-0", name: "Seedance 1.0", resolutions: all[:3], minSeconds: 2, maxSeconds: 12, seed: true, silent: true},
	} {
		if strings.Contains(id, m.mark) {
			return m
		}
	}
	return videoModel{name: "Seedance", resolutions: all, minSeconds: 2, maxSeconds: 30, seed: true}
}

// ratios are the values of ratio, of all versions.
func ratios() []string { return []string{"16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "adaptive"} }

// check refuses what the model does not take.
func (m *videoModel) check(in *provider.VideoRequest) error {
	switch {
	case in.Prompt == "" && in.Image == "":
		return provider.Invalid("prompt", "%s needs a prompt or an image.", m.name)
	case in.LastImage != "" && in.Image == "":
		return provider.Invalid("last_image", "%s takes a last frame only with a first one: send image, too.", m.name)
	case in.NegativePrompt != "":
		return provider.Invalid("negative_prompt", "%s takes no negative prompt: say in the prompt what not to show.", m.name)
	case m.silent && in.Audio != nil && *in.Audio:
		return provider.Invalid("audio", "%s makes videos without sound. Leave audio out.", m.name)
	}
	if err := m.checkShape(in); err != nil {
		return err
	}
	return checkSeed(m.name, in.Seed, m.seed, maxVideoSeed)
}

// checkShape refuses lengths and sizes that the model does not make.
func (m *videoModel) checkShape(in *provider.VideoRequest) error {
	switch d := in.Duration; {
	case in.Resolution != "" && !slices.Contains(m.resolutions, in.Resolution):
		return provider.Invalid("resolution", "%s makes %s, not %q.", m.name, strings.Join(m.resolutions, ", "), in.Resolution)
	case in.AspectRatio != "" && !slices.Contains(ratios(), in.AspectRatio):
		return provider.Invalid("aspect_ratio", "%s takes %s, not %q.", m.name, strings.Join(ratios(), ", "), in.AspectRatio)
	case d != 0 && (d < m.minSeconds || d > m.maxSeconds):
		return provider.Invalid("duration", "%s makes videos of %d to %d seconds, not %d.", m.name, m.minSeconds, m.maxSeconds, d)
	}
	return nil
}
