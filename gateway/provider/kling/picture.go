package kling

import (
	"slices"
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// picture returns an image as the vendor takes it: a URL as it is, and of a data URI the base64 alone. Param is what the client
// calls the image.
func picture(param, image string) (string, error) {
	const scheme = "data:"
	if len(image) < len(scheme) || !strings.EqualFold(image[:len(scheme)], scheme) {
		return image, nil
	}
	head, data, found := strings.Cut(image, ",")
	kind, encoding, _ := strings.Cut(strings.ToLower(head[len(scheme):]), ";")
	switch {
	case !found || !strings.HasSuffix(";"+encoding, ";base64"):
		return "", provider.Invalid(param, "%s must be a URL, or a data URI in base64.", param)
	case !slices.Contains([]string{"image/jpeg", "image/jpg", "image/png"}, kind):
		return "", provider.Invalid(param, "Kling takes images of type image/jpeg and image/png, not %q.", kind)
	}
	return data, nil
}

// pictures returns the first and the last frame as the vendor takes them, empty for those that were not given.
func pictures(in *provider.VideoRequest) (first, last string, err error) {
	if first, err = picture("image", in.Image); err != nil {
		return "", "", err
	}
	if last, err = picture("last_image", in.LastImage); err != nil {
		return "", "", err
	}
	return first, last, nil
}
