package ark

import (
	"net/http"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// lifetime is how long addresses of results can be used.
const lifetime = 24 * time.Hour

// imageReader returns what reads the answer of a call for images. Base64 says which of two forms the client wants.
func imageReader(base64 bool) func(*provider.Response) (provider.ImageAnswer, *provider.Step[provider.ImageAnswer], error) {
	return func(r *provider.Response) (provider.ImageAnswer, *provider.Step[provider.ImageAnswer], error) {
		answer, err := readImages(r, base64)
		return answer, nil, err
	}
}

// readImages reads an answer. An error beside images says why a set was not finished; without any it is the call's.
func readImages(r *provider.Response, base64 bool) (provider.ImageAnswer, error) {
	root, err := readObject(r)
	if err != nil {
		return provider.ImageAnswer{}, err
	}
	var a provider.ImageAnswer
	if data := root.Get("data"); data.IsArray() {
		for _, v := range data.Array() {
			a.Images = append(a.Images, readImage(v, base64))
		}
	}
	e := root.Get("error")
	switch {
	case len(a.Images) == 0 && e.IsObject():
		return provider.ImageAnswer{}, reported(e, r.Status)
	case len(a.Images) == 0:
		return provider.ImageAnswer{}, provider.BadResponse(r.Status, "no_images", "The answer has no images.")
	case e.IsObject() && !slices.ContainsFunc(a.Images, failed):
		a.Images = append(a.Images, provider.ImageResult{Failure: reported(e, r.Status)})
	}
	a.Usage = imageUsage(root.Get("usage"), a.Images)
	return a, nil
}

// failed says that an image was not made.
func failed(i provider.ImageResult) bool { return i.Failure != nil }

// readImage reads one element of data.
func readImage(v gjson.Result, base64 bool) provider.ImageResult {
	if e := v.Get("error"); e.IsObject() {
		return provider.ImageResult{Failure: reported(e, http.StatusOK)}
	}
	i := provider.ImageResult{URL: address(v.Get("url")), Base64: v.Get("b64_json").Str, Size: word(v.Get("size").Str)}
	switch {
	case i.URL == "" && i.Base64 == "":
		return provider.ImageResult{Failure: provider.BadResponse(http.StatusOK, "no_image", "An image of the answer is missing.")}
	case i.URL == "", i.Base64 != "" && base64:
		i.URL = ""
	default:
		i.Base64, i.Lifetime = "", lifetime
	}
	return i
}

// imageUsage reads what was counted: successes, of which there are never more than images in the answer. Usage that is not told
// is not known, but the images are there to be counted.
func imageUsage(v gjson.Result, made []provider.ImageResult) provider.Usage {
	u := provider.Usage{Images: int64(len(made))}
	for _, i := range made {
		if failed(i) {
			u.Images--
		}
	}
	if counted := v.Get("generated_images"); counted.Type == gjson.Number && counted.Num >= 0 {
		u.Known = true
		if counted.Num < float64(u.Images) {
			u.Images = counted.Int()
		}
		u.CompletionTokens = max(v.Get("output_tokens").Int(), 0)
	}
	return u
}
