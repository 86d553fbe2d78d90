package tencent

import (
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"
)

// resolution is the form of a Resolution.
var resolution = regexp.MustCompile(`^([1-9][0-9]{0,4}):([1-9][0-9]{0,4})$`)

// size is an image's, in pixels.
type size struct{ width, height int }

// readSize reads "W:H".
func readSize(s string) (size, bool) {
	m := resolution.FindStringSubmatch(s)
	if m == nil {
		return size{}, false
	}
	width, _ := strconv.Atoi(m[1])
	height, _ := strconv.Atoi(m[2])
	return size{width, height}, true
}

// sizes takes a Resolution that a rule accepts.
func sizes(says string, accepts func(size) bool) check {
	return func(name string, v gjson.Result) *problem {
		if v.Type != gjson.String {
			return wrongType(name, "string")
		}
		if z, ok := readSize(v.Str); !ok || !accepts(z) {
			return refusal(wrongValue, "%s %q: %s", name, v.Str, says)
		}
		return nil
	}
}

// jobSize is the rule of SubmitTextToImageJob.
func jobSize(z size) bool {
	return min(z.width, z.height) >= 512 && max(z.width, z.height) <= 2048 && z.width*z.height <= 1024*1024
}

// liteSize is the rule of TextToImageLite: a long side from a list, and a short one that makes the ratio 1:1, 4:3 or 16:9
// either way, rounded up or down.
func liteSize(z size) bool {
	long, short := max(z.width, z.height), min(z.width, z.height)
	sides := []int{160, 200, 225, 258, 512, 520, 608, 768, 1024, 1080, 1280, 1600, 1620, 1920, 2048, 2400, 2560, 2592, 3440, 3840, 4096}
	if !slices.Contains(sides, long) {
		return false
	}
	for _, ratio := range [][2]int{{1, 1}, {4, 3}, {16, 9}} {
		if off := short*ratio[0] - long*ratio[1]; max(off, -off) < ratio[0] {
			return true
		}
	}
	return false
}

// snapped is the listed size whose ratio is nearest: what comes out of a job with reference images.
func snapped(z size) size {
	listed := []size{{1472, 576}, {1408, 640}, {1344, 704}, {1280, 768}, {1216, 832}, {1152, 896}, {1088, 960}, {1024, 1024},
		{960, 1088}, {896, 1152}, {832, 1216}, {768, 1280}, {704, 1344}, {640, 1408}, {576, 1472},
		{768, 1024}, {720, 1280}, {1024, 768}, {1280, 720}}
	for long := 1536; long <= 2048; long += 64 {
		listed = append(listed, size{long, 512}, size{512, long})
	}
	best, least := z, math.Inf(1)
	for _, l := range listed {
		off := math.Abs(math.Log(float64(l.width*z.height) / float64(l.height*z.width)))
		if off < least {
			best, least = l, off
		}
	}
	return best
}
