package arkmedia

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// imageModel is what a Seedream model takes.
type imageModel struct {
	// edits marks SeedEdit, which works on exactly one image; modern marks 4.0 and later.
	edits, modern bool
	// fast, formats, tools and layers are optimize_prompt_options.mode fast, output_format, tools and layer_decomposition.
	fast, formats, tools, layers bool
	// keywords are the sizes with a name. Others have from minPixels to maxPixels in all; sides, if set, bounds both sides.
	keywords             []string
	minPixels, maxPixels int
	sides                [2]int
	// side is that of the square which is the default.
	side int
}

// imageModels are the models of both clouds. That output_format, tools and prompt modes of the 5.0 models differ is the
// stricter reading of a table that says "5.0", "5.0 family" and "5.0 pro".
func imageModels() map[string]imageModel {
	three := imageModel{minPixels: 512 * 512, maxPixels: 2048 * 2048, sides: [2]int{512, 2048}, side: 1024}
	edit := imageModel{edits: true, keywords: []string{"adaptive"}, side: 1024}
	four := imageModel{modern: true, fast: true, keywords: []string{"1K", "2K", "4K"}, minPixels: 921_600, maxPixels: 16_777_216, side: 2048}
	fourFive := imageModel{modern: true, keywords: []string{"2K", "4K"}, minPixels: 3_686_400, maxPixels: 16_777_216, side: 2048}
	five := imageModel{modern: true, formats: true, tools: true, keywords: []string{"2K", "3K"},
		minPixels: 3_686_400, maxPixels: 10_404_496, side: 2048}
	pro := five
	pro.tools, pro.layers = false, true
	return map[string]imageModel{
		"doubao-seedream-3-0-t2i-250415": three, "doubao-seededit-3-0-i2i-250628": edit,
		"doubao-seedream-4-0-250828": four, "seedream-4-0-250828": four,
		"doubao-seedream-4-5-251128": fourFive, "seedream-4-5-251128": fourFive,
		"doubao-seedream-5-0-260128": five, "seedream-5-0-260128": five, "seedream-5-0-lite-260128": five,
		"doubao-seedream-5-0-pro-260628": pro, "dola-seedream-5-0-pro-260628": pro,
	}
}

// isEndpoint tells an endpoint of the account's own, which stands for Seedream 4.5 here and for Seedance 2.0 at videos.
func isEndpoint(model string) bool {
	return regexp.MustCompile(`^ep-[0-9]{14}-[a-z0-9]{5}$`).MatchString(model)
}

// imageModelOf finds a model. That a video model is "unsupported" and not unknown is a guess at the code; both are 404.
func imageModelOf(name string) (imageModel, *problem) {
	m, ok := imageModels()[name]
	if isEndpoint(name) {
		return imageModels()["doubao-seedream-4-5-251128"], nil
	}
	if _, isVideo := videoModelOf(name); !ok && isVideo == nil {
		return m, known("UnsupportedModel", "The model "+name+" does not support this API.")
	}
	if !ok {
		return m, known("InvalidEndpointOrModel.NotFound", "The model or endpoint "+name+" does not exist or you do not have access to it.")
	}
	return m, nil
}

// size reads the member: WxH, or a keyword with which the model takes the ratio from the prompt.
func (m imageModel) size(f *form, prompt string) (width, height int) {
	value := f.text("size")
	if !f.has("size") {
		return m.side, m.side
	}
	if slices.Contains(m.keywords, value) {
		return named(value, prompt)
	}
	found := regexp.MustCompile(`^([1-9][0-9]{1,4})x([1-9][0-9]{1,4})$`).FindStringSubmatch(value)
	if found == nil || m.edits {
		f.refusef("size", "want WxH or one of %v", m.keywords)
		return 0, 0
	}
	width, _ = strconv.Atoi(found[1])
	height, _ = strconv.Atoi(found[2])
	m.bound(f, width, height)
	return width, height
}

// bound checks explicit sizes.
func (m imageModel) bound(f *form, width, height int) {
	switch {
	case width*height < m.minPixels:
		f.refusef("size", "image size must be at least %d pixels", m.minPixels)
	case width*height > m.maxPixels:
		f.refusef("size", "image size must be at most %d pixels", m.maxPixels)
	case width > 16*height || height > 16*width:
		f.refusef("size", "the ratio of width and height must be from 1/16 to 16")
	case m.sides[1] > 0 && (min(width, height) < m.sides[0] || max(width, height) > m.sides[1]):
		f.refusef("size", "both sides must be from %d to %d pixels", m.sides[0], m.sides[1])
	}
}

// named is what a keyword and the ratio named in the prompt come to: the recommended sizes of 4.5, and a square otherwise.
func named(keyword, prompt string) (width, height int) {
	squares := map[string]int{"1K": 1024, "2K": 2048, "3K": 3072, "4K": 4096, "adaptive": 1024}
	sizes := map[string]map[string][2]int{
		"2K": {"4:3": {2304, 1728}, "16:9": {2560, 1440}, "3:2": {2496, 1664}, "21:9": {3024, 1296}},
		"4K": {"4:3": {4694, 3520}, "16:9": {5404, 3040}, "3:2": {4992, 3328}, "21:9": {6198, 2656}},
	}
	for ratio, size := range sizes[keyword] {
		wide, high, _ := strings.Cut(ratio, ":")
		switch said := regexp.MustCompile(`\b[0-9]+:[0-9]+\b`).FindString(prompt); said {
		case ratio:
			return size[0], size[1]
		case high + ":" + wide:
			return size[1], size[0]
		}
	}
	return squares[keyword], squares[keyword]
}
