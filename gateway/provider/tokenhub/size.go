package tokenhub

import (
	"fmt"
	"math"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// Bounds of images in pixels.
const (
	minSide   = 512
	maxSide   = 2048
	maxPixels = 1024 * 1024
)

// size is an image's in pixels.
type size struct{ width, height int }

// String is the size as the vendor writes it.
func (s size) String() string { return fmt.Sprintf("%d:%d", s.width, s.height) }

// turned is the size upright instead of lying, and the other way round.
func (s size) turned() size { return size{s.height, s.width} }

// made says whether the vendor makes images of the size.
func (s size) made() bool {
	return min(s.width, s.height) >= minSide && max(s.width, s.height) <= maxSide && s.width*s.height <= maxPixels
}

// largest are the sizes that Tencent Cloud names for the model, of about as many pixels as it makes (document/product/1668/124632): the
// square and the lying ones.
func largest() []size {
	list := []size{
		{1024, 1024}, {1024, 768}, {1088, 960}, {1152, 896}, {1216, 832}, {1280, 720}, {1280, 768}, {1344, 704}, {1408, 640}, {1472, 576},
	}
	for width := 1536; width <= maxSide; width += 64 {
		list = append(list, size{width, minSide})
	}
	return list
}

// sizeFor maps a size to one that the vendor makes, of the same or nearly the same aspect ratio: a small one grows, for a large one
// the nearest of the sizes that the vendor names is taken.
func sizeFor(asked size) (size, error) {
	short, long := min(asked.width, asked.height), max(asked.width, asked.height)
	switch {
	case short <= 0, long > short*(maxSide/minSide):
		return size{}, provider.Invalid("size",
			"HunyuanImage makes aspect ratios from 1:4 to 4:1, of sides from %d to %d pixels and at most %d pixels in all, such as 1024x1024, "+
				"1280x720 and 720x1280; not %dx%d.", minSide, maxSide, maxPixels, asked.width, asked.height)
	case asked.made():
		return asked, nil
	case short < minSide:
		return size{grow(asked.width, short), grow(asked.height, short)}, nil
	}
	return nearest(asked), nil
}

// grow lengthens a side so that the short one becomes the shortest that is made.
func grow(side, short int) int {
	return int(math.Round(float64(side) * minSide / float64(short)))
}

// nearest is the size of the nearest aspect ratio among those that the vendor names.
func nearest(asked size) size {
	lying := asked
	if asked.height > asked.width {
		lying = asked.turned()
	}
	ratio := func(s size) float64 { return float64(s.width) / float64(s.height) }
	best, distance := size{}, math.Inf(1)
	for _, s := range largest() {
		if d := math.Abs(math.Log(ratio(s) / ratio(lying))); d < distance {
			best, distance = s, d
		}
	}
	if lying != asked {
		return best.turned()
	}
	return best
}
