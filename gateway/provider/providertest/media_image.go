package providertest

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	_ "image/jpeg" // images are opened
	_ "image/png"  // images are opened
	"net/http"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// picturePrompt is what is drawn where a case says nothing.
const picturePrompt = "A lighthouse at dusk, in oil"

// images is the suite for an adapter's Image.
type images struct {
	*rig
	adapter provider.Image
	cases   ImageCases
}

// request completes a request; mode is how it shall fail.
func (s *images) request(in provider.ImageRequest, mode studio.Mode) *provider.ImageRequest {
	if in.Prompt == "" {
		in.Prompt = picturePrompt
	}
	in.Prompt += directed(mode)
	in.N = max(in.N, 1)
	if in.Now.IsZero() {
		in.Now = s.m.Studio.Now()
	}
	if in.ID == "" {
		in.ID = s.id()
	}
	return &in
}

// build makes the requests of a plan.
func (s *images) build(in *provider.ImageRequest) build {
	return func(ctx context.Context, up *provider.Upstream) ([]*http.Request, error) {
		plan, err := s.adapter.Generate(ctx, up, in)
		if err != nil {
			return nil, err
		}
		reqs := make([]*http.Request, len(plan.Steps))
		for i, step := range plan.Steps {
			reqs[i] = step.Request
		}
		return reqs, nil
	}
}

// imageStep makes or asks for images.
type imageStep = provider.Step[provider.ImageAnswer]

// gallery is what became of a request for images.
type gallery struct {
	results []provider.ImageResult
	usage   provider.Usage
	// steps is the number of calls that the plan had, errs those that failed, with the status of the last answer.
	steps  int
	errs   []error
	status int
	billed int64
	// task is the last one that was made, if any.
	task provider.Task
	// targets are the adapter's readers of what came back.
	targets []target
}

// failure is why there are no images, or not all.
func (g *gallery) failure() error {
	for _, result := range g.results {
		if result.Failure != nil {
			return result.Failure
		}
	}
	if len(g.errs) > 0 {
		return g.errs[0]
	}
	return nil
}

// made is the number of images.
func (g *gallery) made() int {
	n := 0
	for _, result := range g.results {
		if result.Failure == nil {
			n++
		}
	}
	return n
}

// generate makes the images of a request, all of whose steps are taken one after the other.
func (s *images) generate(tb testing.TB, in *provider.ImageRequest) *gallery {
	tb.Helper()
	books := s.books()
	plan, err := s.adapter.Generate(s.context(tb), s.up, in)
	if err != nil {
		return &gallery{errs: []error{err}, status: -1}
	}
	if len(plan.Steps) == 0 || len(plan.Steps) > in.N || plan.Parallel < 1 {
		tb.Errorf("the plan for %d images has %d steps, %d at a time", in.N, len(plan.Steps), plan.Parallel)
	}
	g := &gallery{steps: len(plan.Steps)}
	for i, step := range plan.Steps {
		answer, err := s.take(tb, g, in, i, step)
		if err != nil {
			g.errs = append(g.errs, err)
			continue
		}
		g.results = append(g.results, answer.Images...)
		if i > 0 {
			answer.Usage = add(g.usage, answer.Usage)
		}
		g.usage = answer.Usage
	}
	g.billed = s.billed(tb, books, studio.Image)
	return g
}

// take takes one step of a plan, and the polls that it needs.
func (s *images) take(tb testing.TB, g *gallery, in *provider.ImageRequest, i int, step *imageStep) (provider.ImageAnswer, error) {
	tb.Helper()
	c := s.courier(tb)
	answer, err := follow(c, step)
	if c.paid == 0 {
		tb.Errorf("a call of the plan makes images, and no step of it is Paid")
	}
	ctx := s.context(tb)
	again := func() (*imageStep, error) {
		plan, err := s.adapter.Generate(ctx, s.up, in)
		if err != nil {
			return nil, err
		}
		return plan.Steps[i], nil
	}
	g.targets = append(g.targets, targets(s.rig, "generation", c.answers, again, imageAnswer, never)...)
	if err == nil && answer.Task.ID != "" {
		g.task = answer.Task
		s.checkTask(tb, answer.Task)
		answer, err = s.await(tb, c, g, in, answer)
	}
	if g.status = c.lastStatus(); err != nil {
		return answer, err
	}
	if problem := imageAnswer(answer); problem != nil {
		tb.Errorf("the answer: %v", problem)
	}
	return answer, nil
}

// await polls until there are images.
func (s *images) await(
	tb testing.TB, c *courier, g *gallery, in *provider.ImageRequest, answer provider.ImageAnswer,
) (provider.ImageAnswer, error) {
	tb.Helper()
	for i := range maxPolls {
		s.m.Clock.tick(tb)
		task := answer.Task
		step, err := s.poll(tb, in, task)
		if err != nil {
			return answer, err
		}
		answer, err = follow(c, step)
		if done := err != nil || answer.Task.ID == ""; done || i == 0 {
			again := func() (*imageStep, error) { return s.poll(tb, in, task) }
			g.targets = append(g.targets, targets(s.rig, "poll", c.answers, again, imageAnswer, never)...)
			if done {
				return answer, err
			}
		}
		if problem := imageAnswer(answer); problem != nil {
			tb.Errorf("the answer to a poll: %v", problem)
		}
	}
	tb.Fatalf("there are no images after %s", maxPolls*pollTick)
	return answer, nil
}

// poll makes a call that asks for images, at the time that it is.
func (s *images) poll(tb testing.TB, in *provider.ImageRequest, task provider.Task) (*imageStep, error) {
	tb.Helper()
	now := *in
	now.Now = s.m.Studio.Now()
	step, err := s.adapter.PollImages(s.context(tb), s.up, &now, task)
	if err == nil && step != nil && step.Paid {
		tb.Errorf("a poll is Paid")
	}
	return step, err
}

// open fetches an image if need be, and decodes it.
func (r *rig) open(tb testing.TB, result provider.ImageResult) (image.Config, error) {
	tb.Helper()
	data, err := base64.StdEncoding.DecodeString(result.Base64)
	if result.URL != "" {
		data, _, err = r.fetch(tb, result.URL)
	}
	if err != nil {
		return image.Config{}, err
	}
	if _, _, err := image.Decode(bytes.NewReader(data)); err != nil {
		return image.Config{}, fmt.Errorf("decoding the image: %w", err)
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	return config, err
}
