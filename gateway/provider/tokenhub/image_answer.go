package tokenhub

import (
	"net/http"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// readImages reads the answer about a task. A status that is not known is one of a task that runs: the caller's patience ends it.
func readImages(r *provider.Response, t provider.Task) (provider.ImageAnswer, error) {
	root, status, e := readQuery(r)
	if e != nil && unknownTask(e) {
		return failed(e), nil
	}
	if e != nil {
		return provider.ImageAnswer{}, e
	}
	switch status {
	case statusFailed:
		return failed(taskFailure(root)), nil
	case statusCompleted:
		return finished(root), nil
	}
	return provider.ImageAnswer{Task: t}, nil
}

// failed is the answer about a task that made nothing.
func failed(e *provider.Error) provider.ImageAnswer {
	return provider.ImageAnswer{Images: []provider.ImageResult{{Failure: e}}}
}

// finished reads what a task has made. The vendor counts money, not images.
func finished(root gjson.Result) provider.ImageAnswer {
	var a provider.ImageAnswer
	for _, v := range results(root) {
		image := provider.ImageResult{URL: fileAddress(v.Get("url")), Lifetime: imageLifetime, RevisedPrompt: v.Get("revised_prompt").Str}
		if image.URL == "" {
			a.Images = append(a.Images, provider.ImageResult{
				Failure: provider.BadResponse(http.StatusOK, "no_image", "An image of the answer is missing."),
			})
			continue
		}
		a.Usage.Images++
		a.Images = append(a.Images, image)
	}
	switch {
	case len(a.Images) > 0:
		return a
	case root.Get("error").IsObject():
		return failed(taskFailure(root))
	}
	return failed(provider.BadResponse(http.StatusOK, "no_images", "The task is completed and has made no images."))
}
