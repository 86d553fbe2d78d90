package tencent

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image"
	_ "image/jpeg" // input pictures may be JPEG
	_ "image/png"  // and PNG
	"net/url"
	"strings"

	"github.com/tidwall/gjson"
)

// pictureLimits bound a picture that a client gives, with the codes that its breaches have.
type pictureLimits struct {
	bytes  int // of its base64
	aspect int // how many times one side may be the other; 0 means any
	// The codes: of what is no picture, too heavy, of sides outside 50 to 5000 pixels, of a wrong aspect ratio.
	format, size, resolution, ratio string
}

// either takes an address or base64 in one string.
func (l pictureLimits) either(name string, v gjson.Result) *problem {
	if v.Type == gjson.String && strings.Contains(v.Str, "://") {
		return l.address(name, v)
	}
	return l.inline(name, v)
}

// address takes an absolute address. The simulator downloads nothing, so what stands there is not looked at; a name under
// .invalid, which never resolves, is a download that fails.
func (l pictureLimits) address(name string, v gjson.Result) *problem {
	if v.Type != gjson.String {
		return wrongType(name, "string")
	}
	u, err := url.Parse(v.Str)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return refusal(illegalURL, "%s is not an address", name)
	case strings.HasSuffix(u.Hostname(), ".invalid"):
		return refusal(downloadError, "%s cannot be downloaded", name)
	}
	return nil
}

// inline takes plain base64. A data URI is not that: nothing documented says that its prefix is understood.
func (l pictureLimits) inline(name string, v gjson.Result) *problem {
	if v.Type != gjson.String {
		return wrongType(name, "string")
	}
	if len(v.Str) >= l.bytes {
		return refusal(l.size, "%s is heavier than %d bytes", name, l.bytes)
	}
	data, err := base64.StdEncoding.DecodeString(v.Str)
	if err != nil || len(data) == 0 {
		return refusal(decodeFailed, "%s is not base64", name)
	}
	width, height, ok := dimensions(data)
	if !ok {
		return refusal(l.format, "%s is not a picture of a supported format", name)
	}
	return l.sides(name, width, height)
}

// sides checks the size of a picture.
func (l pictureLimits) sides(name string, width, height int) *problem {
	switch {
	case width == 0: // a format whose size is not read here
		return nil
	case min(width, height) < 50 || max(width, height) > 5000:
		return refusal(l.resolution, "the sides of %s must be from 50 to 5000 pixels", name)
	case l.aspect > 0 && max(width, height) > l.aspect*min(width, height):
		return refusal(l.ratio, "the aspect ratio of %s must be from 1:%d to %d:1", name, l.aspect, l.aspect)
	}
	return nil
}

// dimensions reads the size of a PNG, JPEG or BMP, and recognizes WebP and TIFF, for which it returns no size.
func dimensions(data []byte) (width, height int, ok bool) {
	if config, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil {
		return config.Width, config.Height, true
	}
	head := string(data[:min(len(data), 12)])
	switch {
	case strings.HasPrefix(head, "BM") && len(data) >= 26:
		side := func(at int) int { // the height is negative when rows run downwards
			n := int32(binary.LittleEndian.Uint32(data[at:]))
			return int(max(n, -n))
		}
		return side(18), side(22), true
	case strings.HasPrefix(head, "RIFF") && strings.HasSuffix(head, "WEBP"),
		strings.HasPrefix(head, "II*\x00"), strings.HasPrefix(head, "MM\x00*"):
		return 0, 0, true
	}
	return 0, 0, false
}
