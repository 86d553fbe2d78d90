package tencent

import (
	"slices"
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// formats are those of reference images, as media types name them.
func formats() []string { return []string{"jpeg", "jpg", "png", "bmp", "tiff", "webp"} }

// inline returns the base64 text of a data URI, "" for an address. The text may have most characters. What is no base64, and images
// too small or too large, are the vendor's to refuse.
func inline(reference string, most int) (string, error) {
	if isURL(reference) {
		return "", nil
	}
	head, data, found := strings.Cut(reference, ",")
	head, encoded := strings.CutSuffix(strings.ToLower(head), ";base64")
	kind, isImage := strings.CutPrefix(head, "data:image/")
	kind, _, _ = strings.Cut(kind, ";")
	switch {
	case !found, !isImage, !encoded, data == "":
		return "", provider.Invalid("image", "A reference image is an http(s) address or a data URI such as data:image/png;base64,….")
	case !slices.Contains(formats(), kind):
		return "", provider.Invalid("image", "Hunyuan takes reference images of the types %s, not %.32q.", strings.Join(formats(), ", "), kind)
	case len(data) > most:
		return "", provider.Invalid("image", "A reference image may have %d characters in base64; this one has %d. Send its address instead.",
			most, len(data))
	}
	return data, nil
}
