package ark

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// imagesPath is where images are made.
const imagesPath = "/images/generations"

// parallelImages is how many images of one request are made at a time. The vendor names no number; its limits are by the minute.
const parallelImages = 4

// images makes images with Seedream. It has no state.
type images struct{}

var _ provider.Image = images{}

// Image returns the adapter of Seedream.
func Image() provider.Image { return images{} }

// Generate implements provider.Image. The vendor has no parameter for the number of images: each is a call of its own.
func (images) Generate(ctx context.Context, up *provider.Upstream, in *provider.ImageRequest) (*provider.ImagePlan, error) {
	body, err := imageBody(up.Model, in)
	if err != nil {
		return nil, err
	}
	up.Parameters.Override(body)
	first, err := newCall(ctx, http.MethodPost, imagesPath, up, body)
	if err != nil {
		return nil, err
	}
	plan := &provider.ImagePlan{Parallel: parallelImages}
	for range in.N {
		// References may be megabytes: the calls share one body.
		req := first.Clone(ctx)
		if req.Body, err = first.GetBody(); err != nil {
			return nil, &provider.Error{Class: provider.ClassServerError, Cause: err}
		}
		plan.Steps = append(plan.Steps, &provider.Step[provider.ImageAnswer]{Request: req, Paid: true, Read: imageReader(in.Base64)})
	}
	return plan, nil
}

// PollImages implements provider.Image: there is never a task to ask about.
func (images) PollImages(
	context.Context, *provider.Upstream, *provider.ImageRequest, provider.Task,
) (*provider.Step[provider.ImageAnswer], error) {
	return nil, provider.BadResponse(0, "no_task", "Images are made at once, without a task.")
}

// imageBody translates a request.
func imageBody(id string, in *provider.ImageRequest) (provider.Body, error) {
	m := imageModelOf(id)
	if err := m.check(in); err != nil {
		return nil, err
	}
	b := provider.Body{"model": id, "prompt": in.Prompt, "response_format": "url", "watermark": in.Watermark != nil && *in.Watermark}
	if in.Base64 {
		b["response_format"] = "b64_json"
	}
	if m.sequential {
		b["sequential_image_generation"] = "disabled"
	}
	if in.Width != 0 || in.Height != 0 {
		s, err := m.sizeFor(size{in.Width, in.Height})
		if err != nil {
			return nil, err
		}
		b["size"] = s.String()
	}
	if in.Seed != nil {
		b["seed"] = *in.Seed
	}
	if in.OutputFormat != "jpeg" { // what all models make, and some have no parameter for
		provider.Set(b, "output_format", in.OutputFormat)
	}
	setReferences(b, in.Images)
	return b, nil
}

// check refuses what the model does not take, sizes apart.
func (m *imageModel) check(in *provider.ImageRequest) error {
	switch n := len(in.Images); {
	case in.NegativePrompt != "":
		return provider.Invalid("negative_prompt", "%s takes no negative prompt: say in the prompt what not to draw.", m.name)
	case in.OutputFormat != "" && !slices.Contains(m.formats, in.OutputFormat):
		return provider.Invalid("output_format", "%s makes %s, not %q.", m.name, strings.Join(m.formats, " or "), in.OutputFormat)
	case m.edits && n != 1:
		return provider.Invalid("image", "%s works on one reference image, not %d.", m.name, n)
	case n > m.maxImages:
		return provider.Invalid("image", "%s takes at most %d reference images, not %d.", m.name, m.maxImages, n)
	}
	return checkSeed(m.name, in.Seed, m.seed, maxImageSeed)
}

// setReferences sets the reference images: one as a string, several as an array.
func setReferences(b provider.Body, references []string) {
	list := make([]string, len(references))
	for i, r := range references {
		list[i] = reference(r)
	}
	switch len(list) {
	case 0:
	case 1:
		b["image"] = list[0]
	default:
		b["image"] = list
	}
}

// reference writes what stands before the data of a data URI in lower case, the only form that the vendor takes.
func reference(address string) string {
	head, data, found := strings.Cut(address, ",")
	if lower := strings.ToLower(head); found && strings.HasPrefix(lower, "data:") {
		return lower + "," + data
	}
	return address
}
