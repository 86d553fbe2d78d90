package providertest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// side is the width and the height that nearly every client of OpenAI's asks for.
const side = 1024

// imageTrials are what the suite proves of images.
func imageTrials(r *rig, cases ImageCases) []trial {
	s := &images{rig: r, adapter: r.m.Adapter.Image, cases: cases}
	all := []trial{
		r.fixture(studio.Image),
		{"modality", func(tb testing.TB) { tb.Helper(); r.checkModality(tb, provider.ModalityImage) }},
		{"requests", s.requests},
		{"partial", s.partial},
		{"moderated output", s.moderated},
		{"unknown task", s.unknown},
		{"answers", s.answers},
		r.wrongKey(func(tb testing.TB, r *rig) outcome {
			tb.Helper()
			other := &images{rig: r, adapter: s.adapter, cases: cases}
			return other.try(tb, "")
		}),
	}
	all = slices.Concat(all, s.ordinary(), r.failures(s.try))
	for _, name := range sorted(cases.Accepted) {
		all = append(all, trial{"accepted/" + name, func(tb testing.TB) { tb.Helper(); s.succeed(tb, cases.Accepted[name]) }})
	}
	for _, name := range sorted(cases.Refused) {
		all = append(all, trial{"refused/" + name, func(tb testing.TB) {
			tb.Helper()
			c := cases.Refused[name]
			r.checkRefused(tb, name, c.Param, c.Allowed, s.build(s.request(c.Request, "")))
		}})
	}
	return r.trials(all...)
}

// ordinary are the ways in which images are usually asked for.
func (s *images) ordinary() []trial {
	var all []trial
	for _, n := range []int{1, 3} {
		for _, bytes := range []bool{false, true} {
			for _, sized := range []bool{false, true} {
				in := s.cases.Request
				in.N, in.Base64 = n, bytes
				if sized {
					in.Width, in.Height = side, side
				}
				name := fmt.Sprintf("ordinary/n=%d base64=%v size=%dx%d", n, bytes, in.Width, in.Height)
				all = append(all, trial{name, func(tb testing.TB) {
					tb.Helper()
					if sized && s.lacks(WithoutSquare) {
						s.checkRefused(tb, "1024x1024", "size", nil, s.build(s.request(in, "")))
						return
					}
					s.succeed(tb, in)
				}})
			}
		}
	}
	return all
}

// succeed checks that a request gives all of its images, and that they are what the vendor bills.
func (s *images) succeed(tb testing.TB, ask provider.ImageRequest) {
	tb.Helper()
	in := s.request(ask, "")
	g := s.generate(tb, in)
	if err := g.failure(); err != nil {
		e, _ := errors.AsType[*provider.Error](err)
		tb.Fatalf("the request fails: %v (%+v)", err, e)
	}
	if len(g.results) != in.N || g.billed != int64(in.N) {
		tb.Errorf("%d images, of which the vendor bills %d, want %d", len(g.results), g.billed, in.N)
	}
	s.checkUsage(tb, g.usage, g.usage.Images, g.billed)
	for _, result := range g.results {
		s.checkImage(tb, in, result)
	}
}

// checkImage checks that an image opens, comes the way it was asked for, and is what its size says.
func (s *images) checkImage(tb testing.TB, in *provider.ImageRequest, result provider.ImageResult) {
	tb.Helper()
	if got, want := result.Base64 != "", in.Base64 && s.cases.Base64; got != want {
		tb.Errorf("the image is there as bytes: %v, want %v", got, want)
	}
	config, err := s.open(tb, result)
	if err != nil {
		tb.Errorf("opening the image: %v", err)
		return
	}
	if problem := wrongSize(result.Size, config.Width, config.Height, s.cases.Sketches); problem != nil {
		tb.Error(problem)
	}
	if in.Width == in.Height && in.Width > 0 && config.Width != config.Height {
		tb.Errorf("the image is %dx%d, want a square", config.Width, config.Height)
	}
}

// wrongSize says whether an image is another than its Size tells, or of another shape if it is a sketch; nil if that tells nothing.
func wrongSize(size string, width, height int, sketch bool) error {
	var w, h int
	_, err := fmt.Sscanf(size, "%dx%d", &w, &h)
	switch {
	case size == "":
		return nil
	case err != nil || size != fmt.Sprintf("%dx%d", w, h):
		return fmt.Errorf("the image's Size is %q, want WIDTHxHEIGHT", size)
	case sketch && max(w*height-h*width, h*width-w*height) <= max(w, h): // a pixel is lost in scaling
		return nil
	case w != width || h != height:
		return fmt.Errorf("the image's Size is %q, and it is %dx%d", size, width, height)
	}
	return nil
}

// try makes one image that is to fail.
func (s *images) try(tb testing.TB, mode studio.Mode) outcome {
	tb.Helper()
	g := s.generate(tb, s.request(s.cases.Request, mode))
	if len(g.errs) == 0 {
		g.status = -1 // an image's Failure is not the failure of a call
	}
	return outcome{err: g.failure(), status: g.status, billed: g.billed, targets: g.targets}
}

// requests checks how calls are made.
func (s *images) requests(tb testing.TB) {
	tb.Helper()
	for _, n := range []int{1, 3} {
		ask := s.cases.Request
		ask.N = n
		in := s.request(ask, "")
		s.checkBuild(tb, in, s.build(in))
	}
	in := s.request(s.cases.Request, "")
	echoed := s.echoed(tb, s.build(in))
	other := &images{adapter: s.adapter, cases: s.cases, rig: s.under(func(up *provider.Upstream) { up.Parameters = echoed })}
	if g := other.generate(tb, in); g.failure() != nil || g.made() != 1 {
		tb.Errorf("with overrides that change nothing: %d images, %v", g.made(), g.failure())
	}
}

// partial checks a success of which some images are failures.
func (s *images) partial(tb testing.TB) {
	tb.Helper()
	if s.lacks(string(studio.PartialOutput)) {
		return
	}
	ask := s.cases.Request
	ask.N = 3
	var g *gallery
	s.played(tb, studio.PartialOutput, func() outcome {
		g = s.generate(tb, s.request(ask, studio.PartialOutput))
		return outcome{}
	})
	if len(g.errs) > 0 && g.steps == 1 {
		tb.Fatalf("the call as a whole fails: %v", g.errs[0])
	}
	if got := len(g.results) + len(g.errs); got != ask.N || g.made() == ask.N || int64(g.made()) != g.billed {
		tb.Errorf("%d images and failures, %d images, %d billed, want 3 in all, some not made, and the rest billed", got, g.made(), g.billed)
	}
	s.classed(tb, "an image that was not made", g.failure(), -1, s.expected(studio.PartialOutput)...)
}

// moderated checks an image that the vendor refuses after it was made.
func (s *images) moderated(tb testing.TB) {
	tb.Helper()
	if s.lacks(string(studio.ModerationOutput)) {
		return
	}
	got := s.played(tb, studio.ModerationOutput, func() outcome { return s.try(tb, studio.ModerationOutput) })
	s.classed(tb, "output moderation", got.err, -1, s.expected(studio.ModerationOutput)...)
	if got.billed != 0 {
		tb.Errorf("the vendor bills %d for what it does not give", got.billed)
	}
}

// answers checks that what is no answer is not taken for one.
func (s *images) answers(tb testing.TB) {
	tb.Helper()
	ask := s.cases.Request
	for _, ask.Base64 = range []bool{false, true} {
		g := s.generate(tb, s.request(ask, ""))
		if err := g.failure(); err != nil {
			tb.Fatalf("the request fails: %v", err)
		}
		s.attack(tb, g.targets...)
	}
}

// unknown checks polls for a task that the vendor does not know.
func (s *images) unknown(tb testing.TB) {
	tb.Helper()
	in := s.request(s.cases.Request, "")
	task := s.generate(tb, in).task
	if task.ID == "" { // the vendor has no tasks
		if step, err := s.poll(tb, in, provider.Task{ID: "1"}); err == nil && step == nil {
			tb.Error("PollImages() gives neither a step nor an error")
		}
		return
	}
	task.ID = s.stranger(tb, task.ID)
	step, err := s.poll(tb, in, task)
	if err != nil {
		s.classed(tb, "an unknown task", err, 0, provider.ClassInvalidRequest)
		return
	}
	c := s.courier(tb)
	if answer, err := follow(c, step); err == nil {
		if len(answer.Images) == 0 || slices.ContainsFunc(answer.Images, func(r provider.ImageResult) bool { return r.Failure == nil }) {
			tb.Errorf("a task that the vendor does not know: %+v, want Images with a Failure, or an error", answer)
		}
	} else if problem := s.fault(err, c.lastStatus()); problem != nil {
		tb.Error(problem)
	}
}
