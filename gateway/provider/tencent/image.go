package tencent

import (
	"context"
	"strings"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// What HunyuanImage takes.
const (
	maxImagePrompt = 8192 // characters
	maxReferences  = 3
	maxReference   = 5_999_999 // characters in base64
	maxSeed        = 1<<32 - 1
)

// parallelImages is how many jobs an account has at a time unless it has bought more.
const parallelImages = 1

// submitImage and queryImage are the actions of HunyuanImage 3.
func submitImage() action { return action{"aiart", "2022-12-29", "SubmitTextToImageJob"} }
func queryImage() action  { return action{"aiart", "2022-12-29", "QueryTextToImageJob"} }

// images makes images with HunyuanImage. It has no state.
type images struct{}

var _ provider.Image = images{}

// Generate implements provider.Image. The vendor has no parameter for the number of images: each is a job of its own.
func (images) Generate(ctx context.Context, up *provider.Upstream, in *provider.ImageRequest) (*provider.ImagePlan, error) {
	body, err := imageBody(in)
	if err != nil {
		return nil, err
	}
	up.Parameters.Override(body)
	req, err := newCall(ctx, up, submitImage(), "", body, in.Now)
	if err != nil {
		return nil, err
	}
	if req.ContentLength > maxRequest {
		return nil, provider.Invalid("image",
			"Tencent Cloud takes requests of at most %d bytes; this one has %d. Send addresses of images instead.", maxRequest, req.ContentLength)
	}
	region := req.Header.Get(headerRegion)
	read := func(r *provider.Response) (provider.ImageAnswer, error) {
		t, err := readJob(r, region)
		return provider.ImageAnswer{Task: t}, err
	}
	plan := &provider.ImagePlan{Parallel: parallelImages}
	for range in.N {
		// References may be megabytes: the calls share one body.
		call, err := again(req)
		if err != nil {
			return nil, err
		}
		plan.Steps = append(plan.Steps, newStep(call, signerOf(up, submitImage()), true, read))
	}
	return plan, nil
}

// PollImages implements provider.Image.
func (images) PollImages(
	ctx context.Context, up *provider.Upstream, in *provider.ImageRequest, t provider.Task,
) (*provider.Step[provider.ImageAnswer], error) {
	req, err := newCall(ctx, up, queryImage(), t.State, provider.Body{"JobId": t.ID}, in.Now)
	if err != nil {
		return nil, err
	}
	read := func(r *provider.Response) (provider.ImageAnswer, error) { return readImages(r, t) }
	return newStep(req, signerOf(up, queryImage()), false, read), nil
}

// imageBody translates a request.
func imageBody(in *provider.ImageRequest) (provider.Body, error) {
	if err := checkImage(in); err != nil {
		return nil, err
	}
	b := provider.Body{"Prompt": in.Prompt, "LogoAdd": mark(in.Watermark)}
	if in.Width != 0 || in.Height != 0 {
		s, err := sizeFor(size{in.Width, in.Height})
		if err != nil {
			return nil, err
		}
		b["Resolution"] = s.String()
	}
	if in.Seed != nil {
		b["Seed"], b["Revise"] = *in.Seed, 0 // the vendor ignores the seed of a prompt that it rewrites
	}
	references := make([]string, len(in.Images))
	for i, r := range in.Images {
		data, err := inline(r, maxReference)
		if err != nil {
			return nil, err
		}
		if references[i] = data; data == "" {
			references[i] = r
		}
	}
	if len(references) > 0 {
		b["Images"] = references
	}
	return b, nil
}

// mark is the switch for the vendor's mark, which is on unless it is said to be off.
func mark(watermark *bool) int {
	if watermark != nil && *watermark {
		return 1
	}
	return 0
}

// checkImage refuses what the vendor does not take, sizes and the contents of references apart.
func checkImage(in *provider.ImageRequest) error {
	const name = "HunyuanImage"
	switch length := utf8.RuneCountInString(in.Prompt); {
	case strings.TrimSpace(in.Prompt) == "":
		return provider.Invalid("prompt", "%s needs a prompt.", name)
	case length > maxImagePrompt:
		return provider.Invalid("prompt", "%s takes prompts of at most %d characters, not %d.", name, maxImagePrompt, length)
	case in.NegativePrompt != "":
		return provider.Invalid("negative_prompt", "%s takes no negative prompt: say in the prompt what not to draw.", name)
	case in.OutputFormat != "":
		return provider.Invalid("output_format", "%s has no choice of formats. Leave output_format out.", name)
	case len(in.Images) > maxReferences:
		return provider.Invalid("image", "%s takes at most %d reference images, not %d.", name, maxReferences, len(in.Images))
	case in.Seed != nil && (*in.Seed < 1 || *in.Seed > maxSeed):
		return provider.Invalid("seed", "%s takes seeds from 1 to %d, not %d.", name, maxSeed, *in.Seed)
	}
	return nil
}
