package ark

import (
	"fmt"
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// imageModel is what a version of Seedream takes.
type imageModel struct {
	// mark is what is in the ids of the model at both clouds, name what messages call it.
	mark, name string
	// sequential says that the model has the parameters of sets of images.
	sequential bool
	// seed says that the model takes one.
	seed bool
	// formats are the values of output_format. All models make jpeg unless told otherwise.
	formats []string
	// edits says that the model works on one reference, whose size the image has.
	edits bool
	// maxImages bounds the number of references.
	maxImages int
	// minPixels and maxPixels bound width times height.
	minPixels, maxPixels int
	// minSide and maxSide bound each side, 0 if only the pixels count.
	minSide, maxSide int
	// sizes are those that the vendor recommends.
	sizes []size
}

// size is a width and a height in pixels.
type size struct{ width, height int }

// String returns WIDTHxHEIGHT.
func (s size) String() string { return fmt.Sprintf("%dx%d", s.width, s.height) }

// imageModelOf finds the model of an id. The last one stands for ids that say no version, such as those of endpoints: it takes
// what any version takes, but the sizes below what all versions take are mapped, as nearly all clients ask for 1024x1024.
// Facts from ModelArk/1541523 and 1824121.
func imageModelOf(id string) imageModel {
	large := []size{{2048, 2048}, {2304, 1728}, {1728, 2304}, {2560, 1440}, {1440, 2560}, {2496, 1664}, {1664, 2496}, {3024, 1296}}
	small := []size{{1024, 1024}, {1152, 864}, {864, 1152}, {1280, 720}, {720, 1280}, {1248, 832}, {832, 1248}, {1512, 648}}
	jpeg, both := []string{"jpeg"}, []string{"jpeg", "png"}
	for _, m := range [...]imageModel{
		{mark: "seedream-5-0", name: "Seedream 5.0", sequential: true, formats: both, maxImages: 14,
			minPixels: 3_686_400, maxPixels: 10_404_496, sizes: large},
		{mark: "seedream-4-5", name: "Seedream 4.5", sequential: true, formats: jpeg, maxImages: 14,
			minPixels: 3_686_400, maxPixels: 16_777_216, sizes: large},
		{mark: "seedream-4-0", name: "Seedream 4.0", sequential: true, formats: jpeg, maxImages: 14,
			minPixels: 921_600, maxPixels: 16_777_216, sizes: large},
		{mark: "seedream-3-0", name: "Seedream 3.0", seed: true, formats: jpeg,
			minPixels: 512 * 512, maxPixels: 2048 * 2048, minSide: 512, maxSide: 2048, sizes: small},
		{mark: "seededit-3-0", name: "SeedEdit 3.0", seed: true, formats: jpeg, edits: true, maxImages: 1},
	} {
		if strings.Contains(id, m.mark) {
			return m
		}
	}
	return imageModel{name: "Seedream", seed: true, formats: both, maxImages: 14, minPixels: 3_686_400, maxPixels: 16_777_216, sizes: large}
}

// Bounds of the ratio of all sizes, and of a side: 16 times as wide as high, more is too many pixels for any model.
const (
	maxRatio = 16
	maxSide  = 16_384
)

// sizeFor returns the size to ask for when a client wants one. A size that the model takes stays as it is. A smaller one, such as
// 1024x1024 with Seedream 4.5, keeps its ratio: it becomes the recommended size of about that ratio, or else the smallest of it.
func (m *imageModel) sizeFor(want size) (size, error) {
	low, high := min(want.width, want.height), max(want.width, want.height)
	switch {
	case m.edits:
		return size{}, provider.Invalid("size", "%s takes no size: the image is as large as the reference. Leave size out.", m.name)
	case low < 1, high > maxSide, high > maxRatio*low:
		return size{}, m.refuse(want)
	case m.takes(want):
		return want, nil
	case low >= m.minSide && low*high >= m.minPixels:
		return size{}, m.refuse(want)
	}
	for _, s := range m.sizes {
		if s.near(want) {
			return s, nil
		}
	}
	if s := want.grown(m.minPixels); m.takes(s) {
		return s, nil
	}
	return size{}, m.refuse(want)
}

// takes says whether the model takes a size of a ratio within bounds.
func (m *imageModel) takes(s size) bool {
	pixels := s.width * s.height
	return pixels >= m.minPixels && pixels <= m.maxPixels &&
		(m.maxSide == 0 || min(s.width, s.height) >= m.minSide && max(s.width, s.height) <= m.maxSide)
}

// refuse is the error of a size that the model does not take.
func (m *imageModel) refuse(s size) error {
	sides := ""
	if m.maxSide > 0 {
		sides = fmt.Sprintf(", sides of %d to %d", m.minSide, m.maxSide)
	}
	return provider.Invalid("size", "%s cannot make %v. It takes %d to %d pixels in all%s and ratios of 1:%d to %d:1, such as %s.",
		m.name, s, m.minPixels, m.maxPixels, sides, maxRatio, maxRatio, list(m.sizes))
}

// list writes sizes for a message.
func list(sizes []size) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(sizes), "[]"), " ", ", ")
}

// near says whether two sizes have the same ratio but for 3 percent: 1792x1024 stands for 16:9.
func (s size) near(o size) bool {
	a, b := s.width*o.height, s.height*o.width
	return 100*max(a-b, b-a) <= 3*b
}

// grown returns the smallest size of the same ratio with at least so many pixels.
func (s size) grown(pixels int) size {
	low, high := min(s.width, s.height), max(s.width, s.height)
	long := func(short int) int { return (short*high + low - 1) / low }
	short := low
	for short*long(short) < pixels {
		short++
	}
	if s.width < s.height {
		return size{short, long(short)}
	}
	return size{long(short), short}
}
