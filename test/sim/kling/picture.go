package kling

import (
	"bytes"
	"encoding/base64"
	"image"
	_ "image/jpeg" // a format that the vendor takes
	_ "image/png"  // a format that the vendor takes
	"strings"
)

// maxPicture is the size of the largest image, in bytes.
const maxPicture = 50 << 20

// picture checks an image: a URL, which is believed, or the raw base64 of a JPEG or PNG of at most 50 MB, with sides of at least
// 300 pixels and a ratio between 1:2.5 and 2.5:1.
func picture(name string, value *string) *problem {
	switch {
	case value == nil || *value == "":
		return invalid("%s is required", name)
	case strings.HasPrefix(*value, "data:"):
		return invalid("%s: base64 must not have a data: prefix", name)
	case isLink(*value):
		return nil
	}
	data, err := base64.StdEncoding.Strict().DecodeString(*value)
	if err != nil {
		return invalid("%s is neither a URL nor base64", name)
	}
	return checkPicture(name, data)
}

func checkPicture(name string, data []byte) *problem {
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	short, long := min(config.Width, config.Height), max(config.Width, config.Height)
	switch {
	case len(data) > maxPicture:
		return invalid("%s is larger than 50 MB", name)
	case err != nil || format != "jpeg" && format != "png":
		return invalid("%s is neither a jpg nor a png", name)
	case short < 300:
		return invalid("%s has a side under 300 pixels", name)
	case 2*long > 5*short:
		return invalid("%s has a ratio beyond 1:2.5", name)
	}
	return nil
}
