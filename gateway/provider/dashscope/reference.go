package dashscope

import (
	"slices"
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// maxSeed is the largest seed.
const maxSeed = 1<<31 - 1

// checkSeed refuses a seed that no model takes.
func checkSeed(model string, seed *int64) error {
	if seed != nil && (*seed < 0 || *seed > maxSeed) {
		return provider.Invalid("seed", "%s takes seeds from 0 to %d, not %d.", model, maxSeed, *seed)
	}
	return nil
}

// checkReference refuses a data URI of what is no picture that the vendor reads. What is behind a URL is its own to find out.
func checkReference(param, model, address string) error {
	head, isData := dataHead(address)
	kind, encoding, _ := strings.Cut(strings.TrimPrefix(head, "data:image/"), ";")
	if isData && (encoding != "base64" || !slices.Contains([]string{"jpeg", "jpg", "png", "bmp", "webp"}, kind)) {
		return provider.Invalid(param, "%s reads data URIs of JPEG, PNG, BMP and WEBP images in base64, not %.64q.", model, head)
	}
	return nil
}

// reference writes what stands before the data of a data URI in lower case, as the vendor's documents do.
func reference(address string) string {
	if head, isData := dataHead(address); isData {
		return head + address[len(head):]
	}
	return address
}

// dataHead is what stands before the data of a data URI, in lower case.
func dataHead(address string) (head string, isData bool) {
	head, _, found := strings.Cut(address, ",")
	if !found || len(head) > maxWord {
		return "", false
	}
	lower := strings.ToLower(head)
	return lower, len(lower) == len(head) && strings.HasPrefix(lower, "data:")
}
