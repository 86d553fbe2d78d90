package arkmedia

import (
	"bytes"
	"encoding/base64"
	"image"
	_ "image/gif"  // reads references
	_ "image/jpeg" // reads references
	_ "image/png"  // reads references
	"net/url"
	"slices"
	"strings"
)

// limits bound an image that a client gives.
type limits struct {
	types              []string // subtypes of data URIs
	minSide, maxSide   int      // pixels; 0 means no bound
	maxPixels          int
	minRatio, maxRatio float64 // width by height
	maxBytes           int
	assets             bool // asset:// is an address
}

// seedreamLimits are those of images/generations. WEBP, BMP, TIFF and GIF came with 4.0.
func seedreamLimits(modern bool) limits {
	l := limits{types: []string{"jpeg", "png"}, minSide: 15, maxPixels: 6000 * 6000, minRatio: 1. / 16, maxRatio: 16, maxBytes: 10 << 20}
	if modern {
		l.types = append(l.types, "webp", "bmp", "tiff", "gif")
	}
	return l
}

// seedanceLimits are those of video tasks, which list no formats: those of Seedream are taken.
func seedanceLimits() limits {
	return limits{types: []string{"jpeg", "png", "webp", "bmp", "tiff", "gif"}, minSide: 300, maxSide: 6000,
		minRatio: 0.4, maxRatio: 2.5, maxBytes: 30<<20 - 1, assets: true}
}

// picture checks a reference image. Pixels are looked at only in data URIs of JPEG, PNG and GIF (0x0 is returned otherwise):
// the simulator fetches nothing.
func (r *reader) picture(at, value string, l limits) image.Point {
	rest, isData := strings.CutPrefix(value, "data:image/")
	if !isData {
		r.address(at, value, l.assets)
		return image.Point{}
	}
	kind, encoded, isBase64 := strings.Cut(rest, ";base64,")
	data, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case !isBase64 || err != nil || len(data) == 0:
		r.fail(invalid(at, "want data:image/<type>;base64,<data>"))
		return image.Point{}
	case !slices.Contains(l.types, kind):
		r.fail(invalid(at, "want one of the image types %v, in lower case", l.types))
		return image.Point{}
	case len(data) > l.maxBytes:
		r.fail(invalid(at, "the image is larger than %d bytes", l.maxBytes))
	}
	if !slices.Contains([]string{"jpeg", "png", "gif"}, kind) {
		return image.Point{}
	}
	c, found, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || found != kind {
		r.fail(invalid(at, "the data is no %s image", kind))
	}
	r.pixels(at, c.Width, c.Height, l)
	return image.Pt(c.Width, c.Height)
}

// pixels checks the size of a reference image.
func (r *reader) pixels(at string, width, height int, l limits) {
	ratio := float64(width) / float64(height)
	switch {
	case min(width, height) < l.minSide, l.maxSide > 0 && max(width, height) > l.maxSide, l.maxPixels > 0 && width*height > l.maxPixels:
		r.fail(invalid(at, "an image of %dx%d pixels is not accepted", width, height))
	case ratio < l.minRatio || ratio > l.maxRatio:
		r.fail(invalid(at, "the ratio of width and height must be from %.4g to %.4g", l.minRatio, l.maxRatio))
	}
}

// address checks a URL without visiting it.
func (r *reader) address(at, value string, assets bool) {
	u, err := url.Parse(value)
	isWeb := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
	isAsset := err == nil && assets && u.Scheme == "asset" && u.Host != ""
	if !isWeb && !isAsset {
		r.fail(invalid(at, "want a URL or a base64 data URI"))
	}
}
