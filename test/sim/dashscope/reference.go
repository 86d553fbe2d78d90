package dashscope

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	_ "image/jpeg" // reads references
	_ "image/png"  // reads references
	"net/url"
	"slices"
	"strings"
)

// Bounds of a reference image: pixels of a side, ratio either way, bytes.
const (
	minSide, maxSide = 240, 8000
	maxRatio         = 8
	maxImageBytes    = 20 << 20
)

// unreadable is the answer to an image whose data is none.
func unreadable(at, why string) *problem {
	return known("InvalidParameter.DataInspection", at+": unable to read the image: "+why)
}

// picture checks a reference image. Pixels are looked at only in data URIs of JPEG and PNG (0x0 is returned otherwise): the
// simulator fetches nothing.
func (r *reader) picture(at, value string) image.Point {
	rest, isData := strings.CutPrefix(value, "data:image/")
	if !isData {
		r.address(at, value)
		return image.Point{}
	}
	kind, encoded, isBase64 := strings.Cut(rest, ";base64,")
	data, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case !slices.Contains([]string{"jpeg", "png", "bmp", "webp"}, kind):
		r.fail(invalid(at, "want JPEG, PNG, BMP or WEBP"))
	case !isBase64 || err != nil || len(data) == 0:
		r.fail(unreadable(at, "no base64"))
	case len(data) > maxImageBytes:
		r.fail(invalid(at, "want at most 20 MB"))
	case kind == "jpeg" || kind == "png":
		return r.decoded(at, kind, data)
	}
	return image.Point{}
}

// decoded checks what can be seen of an image. That PNG must not have an alpha channel is documented; a palette with a
// transparent colour counts as one here.
func (r *reader) decoded(at, kind string, data []byte) image.Point {
	c, found, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || found != kind {
		r.fail(unreadable(at, "no "+kind))
		return image.Point{}
	}
	switch {
	case min(c.Width, c.Height) < minSide || max(c.Width, c.Height) > maxSide:
		r.fail(invalid(at, "want sides of %d to %d pixels", minSide, maxSide))
	case c.Width > maxRatio*c.Height || c.Height > maxRatio*c.Width:
		r.fail(invalid(at, "want a ratio from 1:8 to 8:1"))
	case hasAlpha(c.ColorModel):
		r.fail(invalid(at, "want a PNG without an alpha channel"))
	}
	return image.Pt(c.Width, c.Height)
}

func hasAlpha(m color.Model) bool {
	if palette, ok := m.(color.Palette); ok {
		return slices.ContainsFunc(palette, func(c color.Color) bool {
			_, _, _, alpha := c.RGBA()
			return alpha < 0xffff
		})
	}
	return m == color.NRGBAModel || m == color.NRGBA64Model
}

// address checks a URL without visiting it.
func (r *reader) address(at, value string) {
	if u, err := url.Parse(value); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		r.fail(known("InvalidURL", at+": the URL is invalid."))
	}
}
