package tencent

import (
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// imageLifetime is how long the address of an image can be used.
const imageLifetime = time.Hour

// Codes of a job's status (document/product/1668/124633). The others are 1 for waiting and 2 for running.
const (
	statusFailed = "4"
	statusDone   = "5"
)

// readImages reads the answer to a question about a job. A status that is not known is one of a job that runs: the caller's patience
// ends it.
func readImages(r *provider.Response, t provider.Task) (provider.ImageAnswer, error) {
	o, e := readPoll(r)
	if e != nil && unknownJob(e) {
		return failed(e), nil
	}
	if e != nil {
		return provider.ImageAnswer{}, e
	}
	switch text(o.Get("JobStatusCode")) {
	case "":
		return provider.ImageAnswer{}, provider.BadResponse(r.Status, "no_status", "The answer has no status of a job.")
	case statusFailed:
		return failed(jobFailure(o, o.Get("JobErrorCode").String(), jobMessage(o))), nil
	case statusDone:
		return finished(o), nil
	}
	return provider.ImageAnswer{Task: t}, nil
}

// failed is the answer about a job that made nothing.
func failed(e *provider.Error) provider.ImageAnswer {
	return provider.ImageAnswer{Images: []provider.ImageResult{{Failure: e}}}
}

// jobMessage is what the vendor says of a failed job.
func jobMessage(o gjson.Result) string {
	if m := o.Get("JobErrorMsg").Str; m != "" {
		return m
	}
	return o.Get("JobStatusMsg").Str
}

// finished reads what a job has made. ResultImage has the addresses, RevisedPrompt what was drawn, and ResultDetails Success for each
// image; whether an image that failed has a place among the addresses is not documented, so failures are added up to the number of
// details. The vendor counts nothing.
func finished(o gjson.Result) provider.ImageAnswer {
	var a provider.ImageAnswer
	details, prompts := o.Get("ResultDetails").Array(), o.Get("RevisedPrompt").Array()
	for i, v := range o.Get("ResultImage").Array() {
		image := provider.ImageResult{URL: fileAddress(v), Lifetime: imageLifetime}
		if image.URL == "" {
			continue
		}
		if i < len(prompts) {
			image.RevisedPrompt = prompts[i].Str
		}
		a.Images = append(a.Images, image)
	}
	a.Usage.Images = int64(len(a.Images))
	for _, detail := range details {
		if len(a.Images) < len(details) && !strings.EqualFold(detail.Str, "Success") {
			// What a detail may be besides is not documented: it may be a code.
			a.Images = append(a.Images, provider.ImageResult{Failure: jobFailure(o, detail.Str, detail.Str)})
		}
	}
	code := o.Get("JobErrorCode").String()
	switch {
	case len(a.Images) > 0:
		return a
	case code != "":
		return failed(jobFailure(o, code, jobMessage(o)))
	}
	return failed(provider.BadResponse(http.StatusOK, "no_images", "The job is done and has made no images."))
}
