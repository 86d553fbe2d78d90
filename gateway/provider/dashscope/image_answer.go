package dashscope

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// imageRead reads an answer about images.
type imageRead = func(*provider.Response) (provider.ImageAnswer, *provider.Step[provider.ImageAnswer], error)

// submissionReader returns what reads the answer to a submission of a task that makes so many images.
func submissionReader(n int) imageRead {
	return func(r *provider.Response) (provider.ImageAnswer, *provider.Step[provider.ImageAnswer], error) {
		id, err := readTaskID(r)
		if err != nil {
			return provider.ImageAnswer{}, nil, err
		}
		return provider.ImageAnswer{Task: provider.Task{ID: id, State: strconv.Itoa(n)}}, nil, nil
	}
}

// imageReader returns what reads the answer to a poll.
func imageReader(t provider.Task) imageRead {
	return func(r *provider.Response) (provider.ImageAnswer, *provider.Step[provider.ImageAnswer], error) {
		answer, err := readImages(r, t)
		return answer, nil, err
	}
}

// readImages reads the answer to a poll. Of a task that has failed no image was made, whatever their number.
func readImages(r *provider.Response, t provider.Task) (provider.ImageAnswer, error) {
	p, err := readPhase(r)
	if err != nil {
		return provider.ImageAnswer{}, err
	}
	wanted, _ := strconv.Atoi(t.State)
	wanted = min(max(wanted, 1), maxPerCall)
	switch {
	case p.gone:
		return failed(wanted, "unknown_task", "The vendor does not know the task, or no longer."), nil
	case p.status == provider.TaskCompleted:
		return madeImages(&p, wanted), nil
	case p.status == provider.TaskFailed:
		return provider.ImageAnswer{Images: missing(p.failure(), wanted)}, nil
	case p.status == provider.TaskCancelled:
		return failed(wanted, "task_cancelled", "The task was cancelled."), nil
	}
	return provider.ImageAnswer{Task: t}, nil
}

// failed is the answer of a task that has ended without images and without a reason of the vendor's.
func failed(wanted int, code, message string) provider.ImageAnswer {
	e := &provider.Error{Class: provider.ClassServerError, Status: http.StatusOK, Code: code, Message: message}
	return provider.ImageAnswer{Images: missing(e, wanted)}
}

// missing are so many images that were not made for the same reason.
func missing(e *provider.Error, n int) []provider.ImageResult {
	var all []provider.ImageResult
	for range n {
		all = append(all, provider.ImageResult{Failure: e})
	}
	return all
}

// madeImages reads the result of a task of which at least a part has succeeded. What is missing of the images that were wanted is
// told, for the reason that the output has, if any.
func madeImages(p *phase, wanted int) provider.ImageAnswer {
	a := provider.ImageAnswer{Images: append(chosen(p.output.Get("choices")), listed(p.output.Get("results"))...)}
	a.Usage = imageUsage(p.root.Get("usage"), a.Images)
	extent := extentOf(p.root.Get("usage.size").Str)
	for i := range a.Images {
		if a.Images[i].Failure == nil {
			a.Images[i].Size = extent
		}
	}
	if lacking := wanted - len(a.Images); lacking > 0 {
		e := provider.BadResponse(http.StatusOK, "missing_image", "The vendor has made fewer images than asked for, and does not say why.")
		if p.output.Get("code").Str != "" {
			e = p.failure()
		}
		a.Images = append(a.Images, missing(e, lacking)...)
	}
	return a
}

// chosen reads the newer form: each choice is a message with images among its content. There may be one choice for each image, or
// one for all.
func chosen(choices gjson.Result) []provider.ImageResult {
	var all []provider.ImageResult
	for _, choice := range elements(choices) {
		for _, item := range elements(choice.Get("message.content")) {
			if v := item.Get("image"); v.Exists() {
				all = append(all, imageOf(v))
			}
		}
	}
	return all
}

// listed reads the older form: each result has an address, or says why there is none.
func listed(results gjson.Result) []provider.ImageResult {
	var all []provider.ImageResult
	for _, v := range elements(results) {
		if v.Get("code").Str != "" && address(v.Get("url")) == "" {
			all = append(all, provider.ImageResult{Failure: reported(v, http.StatusOK)})
			continue
		}
		image := imageOf(v.Get("url"))
		if image.Failure == nil {
			image.RevisedPrompt = v.Get("actual_prompt").Str
		}
		all = append(all, image)
	}
	return all
}

// imageOf is the image at an address.
func imageOf(v gjson.Result) provider.ImageResult {
	u := address(v)
	if u == "" {
		return provider.ImageResult{Failure: provider.BadResponse(http.StatusOK, "no_image", "An image of the answer is missing.")}
	}
	return provider.ImageResult{URL: u, Lifetime: lifetime}
}

// elements are those of an array; anything else has none.
func elements(v gjson.Result) []gjson.Result {
	if !v.IsArray() {
		return nil
	}
	return v.Array()
}

// extent is a size as the vendor writes it.
var extent = regexp.MustCompile(`^[1-9][0-9]{0,4}\*[1-9][0-9]{0,4}$`)

// extentOf is a size in the public form, empty if it makes no sense.
func extentOf(s string) string {
	if !extent.MatchString(s) {
		return ""
	}
	return strings.Replace(s, "*", "x", 1)
}

// imageUsage reads what was counted: images, of which there are never more than in the answer, and tokens, which cost nothing. Usage
// that is not told is not known, but the images are there to be counted.
func imageUsage(v gjson.Result, made []provider.ImageResult) provider.Usage {
	var u provider.Usage
	for i := range made {
		if made[i].Failure == nil {
			u.Images++
		}
	}
	counted, ok := number(v.Get("image_count"))
	if !ok {
		return u
	}
	u.Known = true
	u.Images = min(u.Images, int64(counted))
	tokens := func(name string) int64 {
		n, _ := number(v.Get(name))
		return int64(n)
	}
	u.PromptTokens, u.CompletionTokens = tokens("input_tokens"), tokens("output_tokens")
	return u
}
