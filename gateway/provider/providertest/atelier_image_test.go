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

// atelierImages is an answer with images.
type atelierImages struct {
	Task   string `json:"task"`
	State  string `json:"state"`
	Images []struct {
		URL   string        `json:"url"`
		Data  string        `json:"data"`
		Size  string        `json:"size"`
		Error *atelierError `json:"error"`
	} `json:"images"`
	Files   []struct{ URL, Data, Size string } `json:"files"`
	Counted *int64                             `json:"counted"`
	Reason  *atelierError                      `json:"reason"`
}

func (a *atelierImage) Generate(ctx context.Context, up *provider.Upstream, in *provider.ImageRequest) (*provider.ImagePlan, error) {
	if in.Width > 0 && in.Width < 512 {
		return nil, provider.Invalid("size", "The sizes are 512x512 and 1024x1024.")
	}
	body := provider.Body{"prompt": in.Prompt, "count": in.N}
	provider.Set(body, "later", a.later)
	provider.Set(body, "inline", in.Base64)
	if in.Width > 0 {
		body["size"] = fmt.Sprintf("%dx%d", in.Width, in.Height)
	}
	switch a.flaw {
	case "one image for three":
		body["count"] = 1
	case "no count":
		delete(body, "count")
	case "no bytes":
		delete(body, "inline")
	case "changes what the client sent":
		in.Prompt += "!"
	}
	req, err := a.request(ctx, http.MethodPost, "/images", up, body)
	if err != nil {
		return nil, err
	}
	step := &provider.Step[provider.ImageAnswer]{Request: req, Paid: !a.has("free images"), Read: func(r *provider.Response) (provider.ImageAnswer, *provider.Step[provider.ImageAnswer], error) {
		answer, err := a.answer(in, r)
		return answer, nil, err
	}}
	plan := &provider.ImagePlan{Steps: []*provider.Step[provider.ImageAnswer]{step}, Parallel: 1}
	if a.has("nothing at a time") {
		plan.Parallel = 0
	}
	return plan, nil
}

func (a *atelierImage) PollImages(ctx context.Context, up *provider.Upstream, in *provider.ImageRequest, t provider.Task) (*provider.Step[provider.ImageAnswer], error) {
	req, err := a.request(ctx, http.MethodGet, "/tasks/"+t.ID, up, nil)
	if err != nil {
		return nil, err
	}
	return &provider.Step[provider.ImageAnswer]{Request: req, Read: func(r *provider.Response) (provider.ImageAnswer, *provider.Step[provider.ImageAnswer], error) {
		answer, err := a.answer(in, r)
		if err == nil && answer.Task.ID != "" {
			answer.Task = t
		}
		return answer, nil, err
	}}, nil
}

// answer reads either kind of answer.
func (a *atelierImage) answer(in *provider.ImageRequest, r *provider.Response) (out provider.ImageAnswer, _ error) {
	var got atelierImages
	if err := a.read(r, &got); err != nil {
		return out, err
	}
	switch {
	case got.Task != "":
		return provider.ImageAnswer{Task: provider.Task{ID: got.Task, State: a.state()}}, nil
	case slices.Contains([]string{"waiting", "working"}, got.State):
		return provider.ImageAnswer{Task: provider.Task{ID: "same"}}, nil
	case got.State == "broken":
		if got.Reason == nil {
			got.Reason = &atelierError{Code: "oops"}
		}
		return out, a.error(r.Status, got.Reason)
	}
	for _, f := range got.Files {
		out.Images = append(out.Images, provider.ImageResult{URL: f.URL, Base64: f.Data, Size: f.Size})
	}
	for _, image := range got.Images {
		result := provider.ImageResult{URL: image.URL, Base64: image.Data, Size: image.Size, Lifetime: lifetime}
		switch {
		case image.Error != nil && a.has("drops what failed"):
			continue
		case image.Error != nil:
			result = provider.ImageResult{Failure: a.error(r.Status, image.Error)}
		case a.has("another size"):
			result.Size = "1024x1024"
		}
		out.Images = append(out.Images, result)
	}
	out.Images = slices.DeleteFunc(out.Images, func(i provider.ImageResult) bool {
		return i.URL == "" && i.Base64 == "" && i.Failure == nil && !a.has("images of nothing")
	})
	if a.has("no count") {
		out.Images = out.Images[:min(in.N, len(out.Images))]
	}
	if len(out.Images) == 0 && !a.has("empty is fine") {
		return out, provider.BadResponse(r.Status, "", "no images")
	}
	for i := range out.Images {
		if out.Images[i].URL != "" {
			out.Images[i].Base64 = ""
		}
	}
	if got.Counted != nil {
		out.Usage = provider.Usage{Known: true, Images: *got.Counted}
	}
	if a.has("miscounts") {
		out.Usage.Images++
	}
	return out, nil
}

// state is what a task needs for polls: nothing, unless the adapter is careless.
func (a *atelierAdapter) state() string {
	if a.has("secret in the task") {
		return atelierSecret
	}
	return ""
}
