package vidu

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	_ "image/jpeg" // a format that the vendor takes
	_ "image/png"  // a format that the vendor takes
	"strings"
)

// picture checks an image: a URL, which is believed, or the data URI of a png, jpeg or webp with a ratio between 1:4 and 4:1.
// Of a webp only the signature is looked at. The vendor's limit of 50 MB cannot be met by what the body may hold.
func picture(name, value string) *problem {
	if isLink(value) {
		return nil
	}
	kind, encoded, ok := strings.Cut(strings.TrimPrefix(value, "data:image/"), ";base64,")
	if !ok || !strings.HasPrefix(value, "data:image/") {
		return invalid("%s is neither a URL nor a data URI of an image", name)
	}
	data, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return invalid("%s is not in base64", name)
	}
	width, height, ok := measure(kind, data)
	switch {
	case !ok:
		return &problem{"ImageFormatInvalid", fmt.Sprintf("%s is no %s", name, kind)}
	case max(width, height) > 4*min(width, height):
		return invalid("%s has a ratio beyond 1:4", name)
	}
	return nil
}

// measure returns the size of an image, if it is one of the kind that it is said to be.
func measure(kind string, data []byte) (width, height int, ok bool) {
	if kind == "webp" {
		return 1, 1, len(data) > 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP"
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	ok = err == nil && (format == "png" && kind == "png" || format == "jpeg" && (kind == "jpeg" || kind == "jpg"))
	return config.Width, config.Height, ok
}
