package tokenhub

import (
	"context"
	"slices"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// Paths of the calls for images.
const (
	imageSubmitPath = "/api/image/submit"
	imageQueryPath  = "/api/image/query"
)

// parallelImages is how many images of one request are made at a time: the vendor names no number, and the same model at Tencent Cloud
// makes one for an account that has not bought more.
const parallelImages = 1

// imageLifetime is how long the address of an image can be used. The vendor does not say for this call; it is an hour at Tencent Cloud.
const imageLifetime = time.Hour

// maxSeed is the largest seed of the model at Tencent Cloud; the least is 1.
const maxSeed = 1<<32 - 1

// images makes images with HunyuanImage. It has no state.
type images struct{}

var _ provider.Image = images{}

// Image returns the adapter of TokenHub's images.
func Image() provider.Image { return images{} }

// Generate implements provider.Image. The vendor has no parameter for the number of images: each is a task of its own.
func (images) Generate(ctx context.Context, up *provider.Upstream, in *provider.ImageRequest) (*provider.ImagePlan, error) {
	body, err := imageBody(up.Model, in)
	if err != nil {
		return nil, err
	}
	up.Parameters.Override(body)
	first, err := newCall(ctx, imageSubmitPath, up, body)
	if err != nil {
		return nil, err
	}
	model := member(body, memberModel).Str
	read := func(r *provider.Response) (provider.ImageAnswer, *provider.Step[provider.ImageAnswer], error) {
		t, err := readTask(r, model)
		return provider.ImageAnswer{Task: t}, nil, err
	}
	plan := &provider.ImagePlan{Parallel: parallelImages}
	for range in.N {
		// References may be megabytes: the calls share one body.
		req := first.Clone(ctx)
		if req.Body, err = first.GetBody(); err != nil {
			return nil, &provider.Error{Class: provider.ClassServerError, Cause: err}
		}
		plan.Steps = append(plan.Steps, &provider.Step[provider.ImageAnswer]{Request: req, Paid: true, Read: read})
	}
	return plan, nil
}

// PollImages implements provider.Image.
func (images) PollImages(
	ctx context.Context, up *provider.Upstream, _ *provider.ImageRequest, t provider.Task,
) (*provider.Step[provider.ImageAnswer], error) {
	req, err := newQuery(ctx, imageQueryPath, up, t)
	if err != nil {
		return nil, err
	}
	read := func(r *provider.Response) (provider.ImageAnswer, *provider.Step[provider.ImageAnswer], error) {
		a, err := readImages(r, t)
		return a, nil, err
	}
	return &provider.Step[provider.ImageAnswer]{Request: req, Read: read}, nil
}

// imageBody translates a request. The form of resolution is that of Tencent Cloud's own call, and so are seed and revise, which the
// vendor does not describe for this one.
func imageBody(model string, in *provider.ImageRequest) (provider.Body, error) {
	switch {
	case strings.TrimSpace(in.Prompt) == "":
		return nil, provider.Invalid("prompt", "HunyuanImage needs a prompt.")
	case in.OutputFormat != "":
		return nil, provider.Invalid("output_format", "HunyuanImage has no choice of formats. Leave output_format out.")
	case in.Seed != nil && (*in.Seed < 1 || *in.Seed > maxSeed):
		return nil, provider.Invalid("seed", "HunyuanImage takes seeds from 1 to %d, not %d.", maxSeed, *in.Seed)
	}
	b := provider.Body{memberModel: model, "prompt": in.Prompt, "logo_add": mark(in.Watermark)}
	provider.Set(b, "negative_prompt", in.NegativePrompt)
	if in.Width != 0 || in.Height != 0 {
		s, err := sizeFor(size{in.Width, in.Height})
		if err != nil {
			return nil, err
		}
		b[memberResolution] = s.String()
	}
	if in.Seed != nil {
		b["seed"], b["revise"] = *in.Seed, 0 // the seed of a prompt that is rewritten is ignored
	}
	if len(in.Images) > 0 {
		b["images"] = slices.Clone(in.Images)
	}
	return b, nil
}
