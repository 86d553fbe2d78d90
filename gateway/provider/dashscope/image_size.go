package dashscope

import (
	"fmt"
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// size is a width and a height in pixels.
type size struct{ width, height int }

// String returns WIDTHxHEIGHT.
func (s size) String() string { return fmt.Sprintf("%dx%d", s.width, s.height) }

const (
	// anySide is a side that is too long for any model.
	anySide = 16_384
	// sideStep is what the sides of sizes that nobody named are multiples of.
	sideStep = 16
)

// sizeFor returns the size to ask for when a client wants one. A size that the model takes stays as it is. A smaller one, such as
// 512x512, keeps its ratio: it becomes the usual size of about that ratio, or else the smallest of it. Edit says that there
// are references.
func (m *imageModel) sizeFor(want size, edit bool) (size, error) {
	low, high := min(want.width, want.height), max(want.width, want.height)
	switch {
	case low < 1, high > anySide, m.ratio > 0 && high > m.ratio*low:
		return size{}, m.refuse(want, edit)
	case m.takes(want, edit):
		return want, nil
	case low >= m.minSide && low*high >= m.minPixels:
		return size{}, m.refuse(want, edit)
	}
	for _, s := range m.sizes {
		if s.near(want) {
			return s, nil
		}
	}
	if s := want.grown(m.minPixels, m.minSide); m.takes(s, edit) {
		return s, nil
	}
	return size{}, m.refuse(want, edit)
}

// takes says whether the model takes a size of a ratio within bounds.
func (m *imageModel) takes(s size, edit bool) bool {
	pixels, most := s.width*s.height, m.most(edit)
	return pixels >= m.minPixels && (most == 0 || pixels <= most) &&
		(m.maxSide == 0 || min(s.width, s.height) >= m.minSide && max(s.width, s.height) <= m.maxSide)
}

// most is the largest number of pixels, 0 if it is not known.
func (m *imageModel) most(edit bool) int {
	if m.maxPlain > 0 && !edit {
		return m.maxPlain
	}
	return m.maxPixels
}

// refuse is the error of a size that the model does not take.
func (m *imageModel) refuse(s size, edit bool) error {
	var bounds []string
	switch most := m.most(edit); {
	case m.maxSide > 0:
		bounds = append(bounds, fmt.Sprintf("sides of %d to %d", m.minSide, m.maxSide))
	case most > 0:
		bounds = append(bounds, fmt.Sprintf("%d to %d pixels in all", m.minPixels, most))
	default:
		bounds = append(bounds, fmt.Sprintf("at least %d pixels in all", m.minPixels))
	}
	if m.ratio > 0 {
		bounds = append(bounds, fmt.Sprintf("ratios of 1:%d to %d:1", m.ratio, m.ratio))
	}
	usual := strings.ReplaceAll(strings.Trim(fmt.Sprint(m.sizes), "[]"), " ", ", ")
	return provider.Invalid("size", "%s cannot make %v. It takes %s, such as %s.", m.name, s, strings.Join(bounds, " and "), usual)
}

// near says whether two sizes have the same ratio but for 3 percent: 1792x1024 stands for 16:9.
func (s size) near(o size) bool {
	a, b := s.width*o.height, s.height*o.width
	return 100*max(a-b, b-a) <= 3*b
}

// grown returns the smallest size of about the same ratio with at least so many pixels and no shorter side. The ratio never grows
// beyond the next whole number.
func (s size) grown(pixels, side int) size {
	low, high := min(s.width, s.height), max(s.width, s.height)
	step := func(n int) int { return (n + sideStep - 1) / sideStep * sideStep }
	long := func(short int) int { return step((short*high + low - 1) / low) }
	short := step(max(low, side))
	for short*long(short) < pixels {
		short += sideStep
	}
	if s.width < s.height {
		return size{short, long(short)}
	}
	return size{long(short), short}
}
