package dashscope

import (
	"math"
	"strings"
)

// imageModel is what an image model takes.
type imageModel struct {
	// mark is how the ids of the model begin, empty if the model is not known; name is what messages call it.
	mark, name string
	// synthesis says that the model has the older form of requests, with plain prompts and without references.
	synthesis bool
	// negative says that the model takes a negative prompt.
	negative bool
	// maxText bounds the prompt in characters, 0 if no bound is known.
	maxText int
	// maxImages bounds the number of references.
	maxImages int
	// minPixels and maxPixels bound width times height; maxPixels 0: the vendor knows. Without references maxPlain is the upper
	// bound, unless it is 0.
	minPixels, maxPixels, maxPlain int
	// minSide and maxSide bound each side, 0 if only the pixels count.
	minSide, maxSide int
	// ratio bounds the longer side by the shorter, 0 if no bound is known.
	ratio int
	// sizes are usual ones.
	sizes []size
}

// Numbers of pixels.
const (
	pixels768  = 768 * 768
	pixels1280 = 1280 * 1280
	pixels1440 = 1440 * 1440
	pixels2048 = 2048 * 2048
	pixels4096 = 4096 * 4096
)

// imageModelOf finds the model of an id. The last one stands for ids that say nothing, and for models whose bounds are not known: it
// takes what any model takes, and the vendor is the judge, as it is of the largest size of 2.5, which is not certain. Facts
// from model-studio/wan-image-generation-and-editing-api-reference and text-to-image-v2-api-reference.
func imageModelOf(id string) imageModel {
	usual := []size{{1024, 1024}, {1536, 1024}, {1024, 1536}, {1792, 1024}, {1024, 1792}, {1152, 864}, {864, 1152}}
	larger := []size{{1280, 1280}, {1536, 1152}, {1152, 1536}, {1584, 1056}, {1056, 1584}, {1792, 1024}, {1024, 1792}}
	smaller := []size{{1024, 1024}, {1152, 864}, {864, 1152}, {1440, 960}, {960, 1440}, {1280, 720}, {720, 1280}}
	older := func(mark, name string, maxText int) imageModel {
		return imageModel{
			mark: mark, name: name, synthesis: true, negative: true, maxText: maxText,
			maxPixels: pixels1440, minSide: 512, maxSide: 1440, sizes: smaller,
		}
	}
	for _, m := range [...]imageModel{
		{mark: "wan2.7-image-pro", name: "Wan 2.7 image pro", maxText: 5000, maxImages: 9,
			minPixels: pixels768, maxPixels: pixels2048, maxPlain: pixels4096, ratio: 8, sizes: usual},
		{mark: "wan2.7-image", name: "Wan 2.7 image", maxText: 5000, maxImages: 9,
			minPixels: pixels768, maxPixels: pixels2048, ratio: 8, sizes: usual},
		{mark: "wan2.6-t2i", name: "Wan 2.6", negative: true, maxText: 2100,
			minPixels: pixels1280, maxPixels: pixels1440, ratio: 4, sizes: larger},
		{mark: "wan2.5-t2i", name: "Wan 2.5", synthesis: true, negative: true, maxText: 2000, minPixels: pixels768, sizes: usual},
		older("wan2.2-t2i", "Wan 2.2", 500),
		older("wan2.1-t2i", "Wan 2.1", 500),
		older("wanx2.1-t2i", "Wan 2.1", 500), // the same model by its former name
		older("wanx2.0-t2i", "Wan 2.0", 800),
	} {
		if strings.HasPrefix(id, m.mark) {
			return m
		}
	}
	return imageModel{name: "The model", negative: true, maxImages: math.MaxInt, minPixels: pixels768, sizes: usual}
}
