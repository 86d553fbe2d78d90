package dashscope

import (
	"slices"
	"strconv"
	"strings"
)

// videoModel is what a Wan video model takes.
type videoModel struct {
	input, parameters                   []string
	media                               map[string]int // most of each type
	needsPrompt, needsImage, needsStart bool
	// exclusive forbids frames beside other media.
	exclusive bool
	// resolutions end with the default; ratio is the default ratio.
	resolutions []string
	ratio       string
	// sizes are the values of size, with resolution and ratio.
	sizes map[string][2]string
	// shortest and longest are in seconds; chooses allows -1, fixed only 5 and 10.
	shortest, longest       int
	chooses, fixed, extends bool
}

// ratios are the shapes of a video.
func ratios() []string { return []string{"16:9", "9:16", "1:1", "4:3", "3:4"} }

// sizeNames lists the values of size.
func (m videoModel) sizeNames() []string {
	names := make([]string, 0, len(m.sizes))
	for name := range m.sizes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// mixes says why so many media of each type cannot stand together; "" if they can. That a frame and a clip exclude each other is
// the stricter reading.
func (m videoModel) mixes(counts map[string]int, total int) string {
	first, last, clip := counts["first_frame"], counts["last_frame"], counts["first_clip"]
	switch {
	case m.needsStart && first+clip == 0:
		return "want a first_frame or a first_clip"
	case last > first:
		return "last_frame needs first_frame"
	case first > 0 && clip > 0:
		return "want either first_frame or first_clip"
	case counts["file"]+counts["link"] > 1:
		return "want either file or link"
	case m.exclusive && first+last > 0 && total > first+last:
		return "first and last frame cannot be mixed with references"
	}
	return ""
}

// videoModels are the models by name.
func videoModels() map[string]videoModel {
	three, text, frames := wan3(), wan27(), wan27Frames()
	oldText, oldImage := legacy(), legacyImage()
	return map[string]videoModel{
		"wan3.0-video": three, "wan3.0-video-prime": three,
		"wan2.7-t2v": text, "wan2.7-t2v-2026-06-12": text, "wan2.7-i2v": frames, "wan2.7-i2v-2026-04-25": frames,
		"wan2.6-t2v": oldText, "wan2.5-t2v-preview": oldText, "wan2.2-t2v-plus": oldText,
		"wan2.6-i2v": oldImage, "wan2.6-i2v-flash": oldImage,
	}
}

// wan3 makes videos from anything. Its ratios are taken to be those of 2.7 and adaptive.
func wan3() videoModel {
	return videoModel{
		input: []string{"prompt", "media"}, parameters: []string{"resolution", "ratio", "duration", "audio", "seed", "watermark"},
		media: map[string]int{"first_frame": 1, "last_frame": 1, "reference_image": 10, "reference_video": 5, "reference_audio": 5,
			"file": 1, "link": 1},
		needsPrompt: true, exclusive: true, resolutions: []string{"480P", "720P", "1080P"}, ratio: "adaptive",
		shortest: 2, longest: 30, chooses: true,
	}
}

// wan27 makes videos from text, always with sound. Its default resolution is not in the documents at hand: the dearer one is taken.
func wan27() videoModel {
	return videoModel{
		input: []string{"prompt", "negative_prompt", "audio_url"}, needsPrompt: true,
		parameters:  []string{"resolution", "ratio", "duration", "prompt_extend", "watermark", "seed"},
		resolutions: []string{"720P", "1080P"}, ratio: "16:9", shortest: 2, longest: 15, extends: true,
	}
}

// wan27Frames makes videos from frames, a clip and a voice.
func wan27Frames() videoModel {
	m := wan27()
	m.input, m.needsPrompt, m.needsStart = []string{"prompt", "negative_prompt", "media"}, false, true
	m.media = map[string]int{"first_frame": 1, "last_frame": 1, "driving_audio": 1, "first_clip": 1}
	return m
}

// legacy is 2.6 and older. Sizes and lengths differ by model and are not in the documents at hand: what all have is taken.
func legacy() videoModel {
	return videoModel{
		input: []string{"prompt", "negative_prompt", "audio_url"}, needsPrompt: true,
		parameters: []string{"size", "duration", "shot_type", "audio", "prompt_extend", "seed", "watermark"},
		sizes: map[string][2]string{"1280*720": {"720P", "16:9"}, "720*1280": {"720P", "9:16"}, "960*960": {"720P", "1:1"},
			"1920*1080": {"1080P", "16:9"}, "1080*1920": {"1080P", "9:16"}, "1440*1440": {"1080P", "1:1"}},
		resolutions: []string{"1080P"}, ratio: "16:9", shortest: 5, longest: 10, fixed: true, extends: true,
	}
}

// legacyImage makes videos from a first frame.
func legacyImage() videoModel {
	m := legacy()
	m.input, m.needsPrompt, m.needsImage = []string{"prompt", "negative_prompt", "img_url", "audio_url"}, false, true
	m.parameters = append([]string{"resolution"}, m.parameters[1:]...)
	m.sizes, m.resolutions = nil, []string{"720P", "1080P"}
	return m
}

// dimensions are the pixels of a video: all ratios of a resolution have about the same area, in steps of 16.
func dimensions(resolution, ratio string) (width, height int) {
	w, h, _ := strings.Cut(ratio, ":")
	wide, _ := strconv.Atoi(w)
	high, _ := strconv.Atoi(h)
	areas := map[string][2]int{"480P": {848, 480}, "720P": {1280, 720}, "1080P": {1920, 1080}}
	area := areas[resolution]
	switch ratio {
	case "16:9":
		return area[0], area[1]
	case "9:16":
		return area[1], area[0]
	}
	return sameArea(area[0]*area[1], max(wide, 1), max(high, 1))
}
