package dashscope

import (
	"strconv"
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// ratios are the shapes that models make of which they are known.
func ratios() []string { return []string{"16:9", "9:16", "1:1", "4:3", "3:4"} }

// sizes are the values of size by resolution and shape, for models that take it.
func sizes() map[string]map[string]string {
	return map[string]map[string]string{
		"480p":  {"16:9": "832*480", "9:16": "480*832", "1:1": "624*624"},
		"720p":  {"16:9": "1280*720", "9:16": "720*1280", "1:1": "960*960", "4:3": "1088*832", "3:4": "832*1088"},
		"1080p": {"16:9": "1920*1080", "9:16": "1080*1920", "1:1": "1440*1440", "4:3": "1632*1248", "3:4": "1248*1632"},
	}
}

// sizeOf is the size of a request.
func (m *videoModel) sizeOf(in *provider.VideoRequest) string {
	shape := in.AspectRatio
	if shape == "" {
		shape = defaultRatio
	}
	return sizes()[m.resolutionOf(in)][shape]
}

// resolutionOf is the resolution of a request, or the model's default.
func (m *videoModel) resolutionOf(in *provider.VideoRequest) string {
	if in.Resolution == "" {
		return m.resolution
	}
	return in.Resolution
}

// tierOf is the resolution that a size W*H is billed as: sizes of a tier have about the same number of pixels.
func tierOf(s string) string {
	w, h, _ := strings.Cut(s, "*")
	width, err := strconv.Atoi(w)
	height, err2 := strconv.Atoi(h)
	switch pixels := width * height; {
	case err != nil || err2 != nil:
		return ""
	case pixels < 640*1000:
		return "480p"
	case pixels < 1400*1000:
		return "720p"
	}
	return "1080p"
}
