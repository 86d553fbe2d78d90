package providertest

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// atelierImage draws.
type atelierImage struct{ atelierAdapter }

// atelierPicture is an image, or why there is none.
type atelierPicture struct {
	URL   string        `json:"url"`
	Data  string        `json:"data"`
	Size  string        `json:"size"`
	Error *atelierError `json:"error"`
}

// atelierImages is an answer with images, or about a task that makes them.
type atelierImages struct {
	Task    string           `json:"task"`
	State   string           `json:"state"`
	Images  []atelierPicture `json:"images"`
	Files   []atelierPicture `json:"files"`
	Counted *int64           `json:"counted"`
	Reason  *atelierError    `json:"reason"`
}

func (a *atelierImage) Generate(ctx context.Context, up *provider.Upstream, in *provider.ImageRequest) (*provider.ImagePlan, error) {
	if in.Width > 0 && in.Width < 512 {
		param := map[bool]string{false: "size", true: "width"}[a.has("blames another member")]
		return nil, provider.Invalid(param, "The sizes are 512x512 and 1024x1024.")
	}
	body := provider.Body{"prompt": in.Prompt, "count": in.N}
	provider.Set(body, "later", a.later)
	provider.Set(body, "inline", in.Base64)
	if in.Width > 0 {
		body["size"] = fmt.Sprintf("%dx%d", in.Width, in.Height)
	}
	calls := 1
	if a.each {
		calls, body["count"] = in.N, 1
	}
	plan := &provider.ImagePlan{Parallel: 1}
	a.ruinPlan(plan, in, body)
	for range calls {
		req, err := a.request(ctx, http.MethodPost, "/images", up, body)
		if err != nil {
			return nil, err
		}
		plan.Steps = append(plan.Steps, &imageStep{Request: req, Paid: !a.has("free images"), Read: a.reader(in)})
	}
	return plan, nil
}

// ruinPlan is what flawed adapters do to plans.
func (a *atelierImage) ruinPlan(plan *provider.ImagePlan, in *provider.ImageRequest, body provider.Body) {
	switch a.flaw {
	case "one image for three":
		body["count"] = 1
	case "no count":
		delete(body, "count")
	case "no bytes":
		delete(body, "inline")
	case "changes what the client sent":
		in.Prompt += "!"
	case "nothing at a time":
		plan.Parallel = 0
	}
}

// readImages is what reads an answer.
type readImages = func(*provider.Response) (provider.ImageAnswer, *imageStep, error)

// reader reads the answer to a call that makes images.
func (a *atelierImage) reader(in *provider.ImageRequest) readImages {
	return func(r *provider.Response) (provider.ImageAnswer, *imageStep, error) {
		answer, err := a.answer(in, r)
		switch {
		case err != nil && a.has("goes on after an error"):
			return answer, &imageStep{}, err
		case err == nil && a.has("goes on with nothing"):
			return answer, &imageStep{}, nil
		}
		return answer, nil, err
	}
}

func (a *atelierImage) PollImages(
	ctx context.Context, up *provider.Upstream, in *provider.ImageRequest, t provider.Task,
) (*provider.Step[provider.ImageAnswer], error) {
	req, err := a.request(ctx, http.MethodGet, "/tasks/"+t.ID, up, nil)
	if err != nil {
		return nil, err
	}
	read := func(r *provider.Response) (provider.ImageAnswer, *imageStep, error) {
		answer, err := a.answer(in, r)
		if a.has("waits for what is gone") && r.Status == http.StatusNotFound {
			answer, err = provider.ImageAnswer{Task: t}, nil
		}
		if err == nil && answer.Task.ID != "" {
			answer.Task = t
		}
		return answer, nil, err
	}
	return &imageStep{Request: req, Paid: a.has("paid polls"), Read: read}, nil
}

// answer reads an answer, which tells of a task or has images.
func (a *atelierImage) answer(in *provider.ImageRequest, r *provider.Response) (out provider.ImageAnswer, _ error) {
	var got atelierImages
	if err := a.read(r, &got); err != nil {
		return out, err
	}
	switch {
	case got.Task != "":
		return provider.ImageAnswer{Task: provider.Task{ID: got.Task, State: a.state()}}, nil
	case slices.Contains([]string{"waiting", "working"}, got.State):
		return provider.ImageAnswer{Task: provider.Task{ID: "the same"}}, nil
	case got.State == "broken":
		return out, a.error(r.Status, got.Reason)
	}
	for _, image := range append(got.Images, got.Files...) {
		switch {
		case image.Error != nil:
			out.Images = append(out.Images, provider.ImageResult{Failure: a.error(r.Status, image.Error)})
		case image.URL != "":
			out.Images = append(out.Images, provider.ImageResult{URL: image.URL, Size: image.Size, Lifetime: lifetime})
		case image.Data != "" || a.has("images of nothing"):
			out.Images = append(out.Images, provider.ImageResult{Base64: image.Data, Size: image.Size})
		}
	}
	if len(out.Images) == 0 && !a.has("empty is fine") {
		return out, provider.BadResponse(r.Status, "", "no images")
	}
	if got.Counted != nil {
		out.Usage = provider.Usage{Known: true, Images: *got.Counted}
	}
	a.ruinAnswer(in, &out)
	return out, nil
}

// ruinAnswer is what flawed adapters do to answers.
func (a *atelierImage) ruinAnswer(in *provider.ImageRequest, out *provider.ImageAnswer) {
	switch a.flaw {
	case "drops what failed":
		out.Images = slices.DeleteFunc(out.Images, func(i provider.ImageResult) bool { return i.Failure != nil })
	case "no count":
		out.Images = out.Images[:min(in.N, len(out.Images))]
	case "miscounts":
		out.Usage.Images++
	}
	for i := range out.Images {
		switch {
		case a.has("another size"):
			out.Images[i].Size = "1024x1024"
		case a.has("spoils the bytes") && len(out.Images[i].Base64) > 8:
			out.Images[i].Base64 = out.Images[i].Base64[8:]
		}
	}
}

// state is what a task needs for polls: nothing, unless the adapter is careless.
func (a *atelierAdapter) state() string {
	if a.has("secret in the task") {
		return atelierSecret
	}
	return ""
}
