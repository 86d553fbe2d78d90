package arkmedia

import (
	"math"
	"regexp"
	"slices"
	"strings"
)

// videoModel is what a Seedance model takes.
type videoModel struct {
	// two marks 2.0 and 2.5, one marks 1.0, drafts 1.5 and 2.5, newest 2.5.
	two, one, drafts, newest bool
	resolutions              []string
	longest                  int // seconds
}

// videoModelOf finds a model by its name at either cloud. Of the 1.x models the documents at hand say little: what they do not
// grant is refused.
func videoModelOf(name string) (videoModel, *problem) {
	all := []string{"480p", "720p", "1080p"}
	name = strings.TrimPrefix(strings.TrimPrefix(name, "doubao-"), "dreamina-")
	models := map[string]videoModel{
		"seedance-2-0-260128":      {two: true, resolutions: append(slices.Clone(all), "4k"), longest: 15},
		"seedance-2-0-fast-260128": {two: true, resolutions: all[:2], longest: 15},
		"seedance-2-0-mini-260615": {two: true, resolutions: all[:2], longest: 15},
		"seedance-2-5-260628":      {two: true, newest: true, drafts: true, resolutions: all, longest: 30},
		"seedance-1-5-pro-251215":  {drafts: true, resolutions: all, longest: 15},
	}
	m, ok := models[name]
	switch {
	case ok:
		return m, nil
	case isEndpoint(name):
		return models["seedance-2-0-260128"], nil
	case regexp.MustCompile(`^seedance-1-0-[a-z0-9-]+-[0-9]{6}$`).MatchString(name):
		return videoModel{one: true, resolutions: all, longest: 15}, nil
	}
	if _, isImage := imageModels()[name]; isImage || imageModels()["doubao-"+name].side > 0 {
		return m, known("UnsupportedModel", "The model "+name+" does not support this API.")
	}
	return m, known("InvalidEndpointOrModel.NotFound", "The model or endpoint "+name+" does not exist or you do not have access to it.")
}

// ratios are the shapes of a video, adaptive apart.
func ratios() []string { return []string{"16:9", "4:3", "1:1", "3:4", "9:16", "21:9"} }

// framesPerSecond is that of every Seedance model.
const framesPerSecond = 24

// pixels is the size of a video. Of 480p only 16:9 is documented, of 4k none: those are in proportion.
func pixels(resolution, ratio string) (width, height int) {
	wide, high, _ := strings.Cut(ratio, ":")
	if len(wide) < len(high) || len(wide) == len(high) && wide < high {
		height, width = pixels(resolution, high+":"+wide)
		return width, height
	}
	hd := map[string][2]int{"16:9": {1280, 720}, "4:3": {1112, 834}, "1:1": {960, 960}, "21:9": {1470, 630}}
	full := map[string][2]int{"16:9": {1920, 1080}, "4:3": {1664, 1248}, "1:1": {1440, 1440}, "21:9": {2206, 946}}
	switch {
	case resolution == "480p" && ratio == "16:9":
		return 864, 496
	case resolution == "480p":
		return hd[ratio][0] * 2 / 3, hd[ratio][1] * 2 / 3
	case resolution == "720p":
		return hd[ratio][0], hd[ratio][1]
	case resolution == "4k":
		return 2 * full[ratio][0], 2 * full[ratio][1]
	}
	return full[ratio][0], full[ratio][1]
}

// nearest is the ratio that comes closest to a picture's.
func nearest(width, height int) string {
	best, distance := "16:9", math.Inf(1)
	for _, ratio := range ratios() {
		w, h := pixels("720p", ratio)
		if d := math.Abs(math.Log(float64(w*height) / float64(h*width))); d < distance {
			best, distance = ratio, d
		}
	}
	return best
}
