package media

import (
	"fmt"
	"slices"
	"strings"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// maxSeconds bounds the length of a video; no vendor makes longer ones.
const maxSeconds = 120

// ParseVideo reads the body of POST /v1/videos/generations. The model is somebody else's to read.
func ParseVideo(o *openai.Object) (provider.VideoRequest, *openai.Error) {
	f := &fields{object: o}
	f.known("model", "prompt", "duration", "seconds", "resolution", "aspect_ratio", "size", "image", "last_image", "seed", "negative_prompt",
		"audio", "watermark", "n", "user")
	in := provider.VideoRequest{
		Prompt:         f.text("prompt", maxText),
		Duration:       f.seconds(),
		Resolution:     strings.ToLower(f.text("resolution", 16)),
		AspectRatio:    f.choice("aspect_ratio", "16:9", "9:16", "4:3", "3:4", "1:1", "21:9", "9:21", "adaptive"),
		Image:          f.reference("image"),
		LastImage:      f.reference("last_image"),
		Seed:           f.integer("seed", 0, 1<<32-1),
		NegativePrompt: f.text("negative_prompt", maxText),
		Audio:          f.boolean("audio"),
		Watermark:      f.boolean("watermark"),
	}
	f.resolution(&in)
	f.shape(&in)
	f.text("user", maxText)
	if n := f.integer("n", 1, maxImages); n != nil && *n != 1 {
		f.refusef("n", "unsupported_value", "n must be 1: a request makes one video. Send several requests for several.")
	}
	switch {
	case strings.TrimSpace(in.Prompt) == "" && in.Image == "":
		f.refusef("prompt", "missing_required_parameter", "Missing required parameter: 'prompt'.")
	case in.LastImage != "" && in.Image == "":
		f.refusef("last_image", "unsupported_value", "last_image needs image, the first frame, beside it.")
	}
	return in, f.problem
}

// seconds reads duration, or seconds as OpenAI's videos have it: a string of digits.
func (f *fields) seconds() int {
	duration := f.integer("duration", 1, maxSeconds)
	seconds := f.integer("seconds", 1, maxSeconds)
	switch {
	case duration != nil && seconds != nil && *duration != *seconds:
		f.refusef("seconds", "unsupported_value", "duration and seconds differ; send duration alone.")
	case duration != nil:
		return int(*duration)
	case seconds != nil:
		return int(*seconds)
	}
	return 0
}

// resolutions are the words for the height of a picture.
var resolutions = []string{"480p", "512p", "540p", "720p", "768p", "1080p", "2k", "4k"}

// resolution checks the word; which of them a model makes is its adapter's to say.
func (f *fields) resolution(in *provider.VideoRequest) {
	if in.Resolution == "" {
		return
	}
	if slices.Contains(resolutions, in.Resolution) {
		return
	}
	f.refusef("resolution", "unsupported_value", "resolution must be one of %s.", strings.Join(resolutions, ", "))
}

// shape takes resolution and aspect ratio from size where a client of OpenAI's videos gives that.
func (f *fields) shape(in *provider.VideoRequest) {
	width, height := f.size("size")
	if width == 0 {
		return
	}
	resolution, ok := map[int]string{480: "480p", 720: "720p", 1024: "1080p", 1080: "1080p", 2160: "4k"}[min(width, height)]
	if !ok {
		f.refusef("size", "unsupported_value",
			"size must be one of 1280x720, 720x1280, 1920x1080, 1080x1920, 1792x1024, 1024x1792; or send resolution and aspect_ratio.")
		return
	}
	ratio := ratioOf(width, height)
	if (in.Resolution != "" && in.Resolution != resolution) || (in.AspectRatio != "" && in.AspectRatio != ratio) {
		f.refusef("size", "unsupported_value", "size says %s %s, but resolution or aspect_ratio says otherwise; send one of them.", resolution, ratio)
		return
	}
	in.Resolution, in.AspectRatio = resolution, ratio
}

// ratioOf is the aspect ratio that a size is meant to have: 1792x1024 is OpenAI's 16:9.
func ratioOf(width, height int) string {
	best, distance := "1:1", 10.0
	for _, r := range [...][2]int{{16, 9}, {9, 16}, {4, 3}, {3, 4}, {1, 1}, {21, 9}, {9, 21}} {
		quotient := float64(width) / float64(height) * float64(r[1]) / float64(r[0])
		if d := max(quotient, 1/quotient) - 1; d < distance {
			best, distance = fmt.Sprintf("%d:%d", r[0], r[1]), d
		}
	}
	return best
}
