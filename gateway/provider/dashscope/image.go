package dashscope

import (
	"context"
	"maps"
	"strconv"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/gateway/provider"
)

const (
	// maxPerCall is how many images a task makes at most.
	maxPerCall = 4
	// parallelCalls is how many tasks of one request run at a time: all of them, which are three at most.
	parallelCalls = 3
)

// images makes images with Wan. It has no state.
type images struct{}

var _ provider.Image = images{}

// Image returns the adapter of Wan's images.
func Image() provider.Image { return images{} }

// Generate implements provider.Image: a task for each four images.
func (images) Generate(ctx context.Context, up *provider.Upstream, in *provider.ImageRequest) (*provider.ImagePlan, error) {
	m := imageModelOf(up.Model)
	if err := m.check(in); err != nil {
		return nil, err
	}
	parameters, err := m.parameters(in)
	if err != nil {
		return nil, err
	}
	plan := &provider.ImagePlan{Parallel: parallelCalls}
	for made := 0; made < in.N; made += maxPerCall {
		n := min(maxPerCall, in.N-made)
		own := maps.Clone(parameters)
		own["n"] = n
		if in.Seed != nil {
			own["seed"] = seedOf(*in.Seed, made)
		}
		req, err := newSubmission(ctx, m.path(), up, provider.Body{"model": up.Model, "input": m.input(in), "parameters": own})
		if err != nil {
			return nil, err
		}
		plan.Steps = append(plan.Steps, &provider.Step[provider.ImageAnswer]{Request: req, Paid: true, Read: submissionReader(n)})
	}
	return plan, nil
}

// PollImages implements provider.Image. The task's State is the number of its images.
func (images) PollImages(
	ctx context.Context, up *provider.Upstream, _ *provider.ImageRequest, t provider.Task,
) (*provider.Step[provider.ImageAnswer], error) {
	req, err := newLook(ctx, up, t)
	if err != nil {
		return nil, err
	}
	return &provider.Step[provider.ImageAnswer]{Request: req, Read: imageReader(t)}, nil
}

// seedOf is the seed of a task when others of the request make so many images before it: the same seed would make the same images
// again. Seeds begin anew after the largest.
func seedOf(seed int64, made int) int64 { return (seed + int64(made)) & maxSeed }

// path is where the model is served.
func (m *imageModel) path() string {
	if m.synthesis {
		return "/services/aigc/text2image/image-synthesis"
	}
	return "/services/aigc/image-generation/generation"
}

// input is what to draw: a dialogue of one message, or the plain prompts of older models.
func (m *imageModel) input(in *provider.ImageRequest) provider.Body {
	if m.synthesis {
		b := provider.Body{"prompt": in.Prompt}
		provider.Set(b, "negative_prompt", in.NegativePrompt)
		return b
	}
	content := []map[string]string{{"text": in.Prompt}}
	for _, image := range in.Images {
		content = append(content, map[string]string{"image": reference(image)})
	}
	return provider.Body{"messages": []map[string]any{{"role": "user", "content": content}}}
}

// parameters are those that all tasks of a request have in common.
func (m *imageModel) parameters(in *provider.ImageRequest) (provider.Body, error) {
	b := provider.Body{"watermark": in.Watermark != nil && *in.Watermark}
	if !m.synthesis {
		provider.Set(b, "negative_prompt", in.NegativePrompt)
	}
	if in.Width != 0 || in.Height != 0 {
		s, err := m.sizeFor(size{in.Width, in.Height}, len(in.Images) > 0)
		if err != nil {
			return nil, err
		}
		b["size"] = strconv.Itoa(s.width) + "*" + strconv.Itoa(s.height)
	}
	return b, nil
}

// check refuses what the model does not take, sizes apart.
func (m *imageModel) check(in *provider.ImageRequest) error {
	switch n := utf8.RuneCountInString(in.Prompt); {
	case n == 0:
		return provider.Invalid("prompt", "%s needs a prompt.", m.name)
	case m.maxText > 0 && n > m.maxText: // more may be cut off without a word
		return provider.Invalid("prompt", "%s reads prompts of at most %d characters, not %d.", m.name, m.maxText, n)
	case in.NegativePrompt != "" && !m.negative:
		return provider.Invalid("negative_prompt", "%s takes no negative prompt: say in the prompt what not to draw.", m.name)
	case in.OutputFormat != "" && m.mark == "": // whatever it makes, there is no parameter for it
		return provider.Invalid("output_format", "%s has no choice of formats. Leave output_format out.", m.name)
	case in.OutputFormat != "" && in.OutputFormat != "png":
		return provider.Invalid("output_format", "%s makes png, not %q.", m.name, in.OutputFormat)
	}
	if err := m.checkReferences(in.Images); err != nil {
		return err
	}
	return checkSeed(m.name, in.Seed)
}

// checkReferences refuses references that the model does not take.
func (m *imageModel) checkReferences(references []string) error {
	switch n := len(references); {
	case n == 0:
		return nil
	case m.maxImages == 0:
		return provider.Invalid("image", "%s takes no reference images. Leave image out.", m.name)
	case n > m.maxImages:
		return provider.Invalid("image", "%s takes at most %d reference images, not %d.", m.name, m.maxImages, n)
	}
	for _, r := range references {
		if err := checkReference("image", m.name, r); err != nil {
			return err
		}
	}
	return nil
}
