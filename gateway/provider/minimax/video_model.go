package minimax

import (
	"slices"
	"strings"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// What a task is when nothing else is said, and how long a prompt may be, in characters.
const (
	defaultSeconds    = 6
	longSeconds       = 10
	defaultResolution = "768p"
	maxPrompt         = 2000
)

// videoModel is what a version of Hailuo takes.
type videoModel struct {
	// mark is what is in the ids of the model, name what messages call it.
	mark, name string
	// small says that the model makes 512p, last that it takes a last frame.
	small, last bool
}

// videoModelOf finds the model of an id. The last one stands for ids that say no version: it takes what any version takes, and
// the vendor is the judge. What is said of 512p and last frames is said of Hailuo-02 alone (video-generation-i2v, -fl2v).
func videoModelOf(id string) videoModel {
	id = strings.ToLower(id)
	for _, m := range [...]videoModel{
		{mark: "hailuo-02", name: "Hailuo-02", small: true, last: true},
		{mark: "hailuo-2.3-fast", name: "Hailuo-2.3-Fast"},
		{mark: "hailuo-2.3", name: "Hailuo-2.3"},
	} {
		if strings.Contains(id, m.mark) {
			return m
		}
	}
	return videoModel{name: "Hailuo", small: true, last: true}
}

// picture is a size of the vendor's: its name there and the public one.
type picture struct{ name, public string }

// pictureOf is the size that a public word stands for. 480p and 720p are not on the vendor's grid: the sizes of their class, which
// are the nearest, are made. False: there is none of that class.
func pictureOf(resolution string) (picture, bool) {
	switch resolution {
	case "480p", "512p":
		return picture{"512P", "512p"}, true
	case "", "720p", "768p":
		return picture{"768P", "768p"}, true
	case "1080p":
		return picture{"1080P", "1080p"}, true
	}
	return picture{}, false
}

// check refuses what the model does not take.
func (m *videoModel) check(in *provider.VideoRequest) error {
	switch n := utf8.RuneCountInString(in.Prompt); {
	case in.Prompt == "" && in.Image == "":
		return provider.Invalid("prompt", "%s needs a prompt or an image.", m.name)
	case n > maxPrompt:
		return provider.Invalid("prompt", "%s takes prompts of at most %d characters, not %d.", m.name, maxPrompt, n)
	case in.LastImage != "" && in.Image == "":
		return provider.Invalid("last_image", "%s takes a last frame only with a first one: send image, too.", m.name)
	case in.LastImage != "" && !m.last:
		return provider.Invalid("last_image", "%s takes no last frame. Leave last_image out.", m.name)
	}
	if err := m.checkShape(in); err != nil {
		return err
	}
	return m.checkManner(in)
}

// checkShape refuses lengths and sizes that the model does not make.
func (m *videoModel) checkShape(in *provider.VideoRequest) error {
	sizes := m.sizes(in)
	size, ok := pictureOf(in.Resolution)
	switch d := in.Duration; {
	case ok && size.public == "512p" && m.small && !slices.Contains(sizes, size.public):
		return provider.Invalid("resolution", "%s makes 512p of a lone first frame (image); otherwise it makes %s.",
			m.name, strings.Join(sizes, ", "))
	case !ok || !slices.Contains(sizes, size.public):
		return provider.Invalid("resolution", "%s makes %s here, not %q.", m.name, strings.Join(sizes, ", "), in.Resolution)
	case size.public == "1080p" && d == longSeconds:
		return provider.Invalid("duration", "%s makes 1080p of %d seconds, not %d: send duration %d, or resolution 768p.",
			m.name, defaultSeconds, d, defaultSeconds)
	case d != 0 && d != defaultSeconds && d != longSeconds:
		return provider.Invalid("duration", "%s makes videos of %d or %d seconds (1080p: %d), not %d.",
			m.name, defaultSeconds, longSeconds, defaultSeconds, d)
	}
	return nil
}

// sizes are the public names of the sizes that the model makes of a request's frames.
func (m *videoModel) sizes(in *provider.VideoRequest) []string {
	all := []string{"512p", "768p", "1080p"}
	if !m.small || in.Image == "" || in.LastImage != "" {
		return all[1:]
	}
	return all
}

// checkManner refuses parameters that no version has. Of the aspect ratios 16:9 passes, which is part of the sizes that clients of
// OpenAI's videos send, and adaptive, which asks for nothing: both are only not sent.
func (m *videoModel) checkManner(in *provider.VideoRequest) error {
	switch {
	case in.AspectRatio != "" && in.AspectRatio != "16:9" && in.AspectRatio != "adaptive":
		return provider.Invalid("aspect_ratio", "%s takes no aspect ratio; a first frame (image) decides it. Leave aspect_ratio out.", m.name)
	case in.Seed != nil:
		return provider.Invalid("seed", "%s takes no seed. Leave seed out.", m.name)
	case in.NegativePrompt != "":
		return provider.Invalid("negative_prompt", "%s takes no negative prompt: say in the prompt what not to show.", m.name)
	case in.Audio != nil && *in.Audio:
		return provider.Invalid("audio", "%s makes videos without sound. Leave audio out.", m.name)
	}
	return nil
}

// warnings say what becomes of parameters that the vendor has not.
func (m *videoModel) warnings(in *provider.VideoRequest) []string {
	var list []string
	if size, _ := pictureOf(in.Resolution); in.Resolution != "" && in.Resolution != size.public {
		list = append(list, "resolution: "+m.name+" makes "+size.public+", the nearest to "+in.Resolution+".")
	}
	if in.AspectRatio == "16:9" {
		list = append(list, "aspect_ratio: "+m.name+" has no such parameter, so it was not sent; the first frame or the model decides.")
	}
	return list
}
