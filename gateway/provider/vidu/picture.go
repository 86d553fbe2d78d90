package vidu

import (
	"slices"
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// picture returns an image as the vendor takes it: a URL as it is, a data URI with what stands before its data in lower case. Param
// is what the client calls the image.
func picture(param, image string) (string, error) {
	const scheme = "data:"
	if len(image) < len(scheme) || !strings.EqualFold(image[:len(scheme)], scheme) {
		return image, nil
	}
	head, data, found := strings.Cut(image, ",")
	head = strings.ToLower(head)
	kind, encoding, _ := strings.Cut(head[len(scheme):], ";")
	switch {
	case !found || encoding != "base64":
		return "", provider.Invalid(param, "%s must be a URL, or a data URI in base64 such as data:image/png;base64,….", param)
	case !slices.Contains([]string{"image/png", "image/jpeg", "image/jpg", "image/webp"}, kind):
		return "", provider.Invalid(param, "Vidu takes images of type image/png, image/jpeg and image/webp, not %q.", kind)
	}
	return head + "," + data, nil
}

// pictures returns the frames that were given, the first one first.
func pictures(in *provider.VideoRequest) ([]string, error) {
	var list []string
	for _, frame := range [...]struct{ param, image string }{{"image", in.Image}, {"last_image", in.LastImage}} {
		if frame.image == "" {
			continue
		}
		image, err := picture(frame.param, frame.image)
		if err != nil {
			return nil, err
		}
		list = append(list, image)
	}
	return list, nil
}
