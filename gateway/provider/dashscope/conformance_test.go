package dashscope_test

import (
	"context"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/dashscope"
	"vipcloud.ai/vipcloud/gateway/provider/providertest"
	sim "vipcloud.ai/vipcloud/test/sim/dashscope"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// unsized hides the sizes of results: the simulator paints smaller pictures than it says, so as to be quick.
type unsized struct{ provider.Image }

// PollImages implements provider.Image.
func (u unsized) PollImages(
	ctx context.Context, up *provider.Upstream, in *provider.ImageRequest, t provider.Task,
) (*provider.Step[provider.ImageAnswer], error) {
	step, err := u.Image.PollImages(ctx, up, in, t)
	if err != nil {
		return nil, err
	}
	read := step.Read
	step.Read = func(r *provider.Response) (provider.ImageAnswer, *provider.Step[provider.ImageAnswer], error) {
		answer, next, err := read(r)
		for i := range answer.Images {
			answer.Images[i].Size = ""
		}
		return answer, next, err
	}
	return step, nil
}

// conformances runs a check with the vendor as its documents read first, and as they can be read, too.
func conformances(t *testing.T, run func(*testing.T, providertest.Media)) {
	t.Helper()
	for name, alternate := range map[string]bool{"first reading": false, "other reading": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := providertest.NewClock()
			vendor := sim.New(studio.Options{Now: clock.Now})
			vendor.Alternate = alternate
			run(t, providertest.Media{
				Adapter: provider.Adapter{
					Info:  provider.Info{Name: "Qwen", Modalities: []provider.Modality{provider.ModalityImage, provider.ModalityVideo}},
					Image: unsized{dashscope.Image()}, Video: dashscope.Video(),
				},
				Handler: vendor, Studio: vendor.Studio, Clock: clock,
				Upstream: provider.Upstream{Secrets: map[string]provider.Secret{"api-key": provider.NewSecret(vendor.Key() + "\n")}},
				Failures: map[studio.Mode]provider.Class{
					studio.Unauthorized: provider.ClassUnauthorized, studio.NoBalance: provider.ClassNoBalance,
					studio.RateLimit: provider.ClassRateLimited, studio.Concurrency: provider.ClassRateLimited,
					studio.Overload:    provider.ClassRateLimited, // the vendor has no word of its own for it
					studio.ServerError: provider.ClassServerError, studio.NotOpen: provider.ClassForbidden,
					studio.Moderation: provider.ClassModeration, studio.ModerationOutput: provider.ClassModeration,
					studio.TaskFailed: provider.ClassServerError,
					studio.HTML:       provider.ClassTimeout, // its status is 504
				},
			})
		})
	}
}

func TestImageConformance(t *testing.T) {
	t.Parallel()
	conformances(t, func(t *testing.T, m providertest.Media) {
		t.Helper()
		m.Upstream.Model = "wan2.7-image"
		m.Failures[studio.PartialOutput] = provider.ClassBadResponse // the newer form does not say why an image is missing
		providertest.RunImage(t, m, providertest.ImageCases{
			Accepted: map[string]provider.ImageRequest{
				"more images than a task makes": {N: 10, Seed: new(int64(2147483647))},
				"a small size":                  {Width: 256, Height: 256},
				"an odd ratio":                  {Width: 900, Height: 300},
				"a wide size":                   {Width: 160, Height: 20},
				"the largest size":              {Width: 2048, Height: 2048},
				"a watermark":                   {Watermark: new(true)},
				"references":                    {Images: []string{"https://example.com/a.png", "https://example.com/b.png"}, N: 2},
				"png":                           {OutputFormat: "png"},
			},
			Refused: map[string]providertest.Refusal[provider.ImageRequest]{
				"too large a size": {
					Request: provider.ImageRequest{Width: 3840, Height: 2160}, Param: "size", Allowed: []string{"589824 to 4194304", "1024x1024"},
				},
				"too wide a size": {
					Request: provider.ImageRequest{Width: 1700, Height: 200}, Param: "size", Allowed: []string{"1:8 to 8:1"},
				},
				"a negative prompt": {Request: provider.ImageRequest{NegativePrompt: "dogs"}, Param: "negative_prompt"},
				"a large seed": {
					Request: provider.ImageRequest{Seed: new(int64(1 << 31))}, Param: "seed", Allowed: []string{"0 to 2147483647"},
				},
				"jpeg": {Request: provider.ImageRequest{OutputFormat: "jpeg"}, Param: "output_format", Allowed: []string{"png"}},
			},
		})
	})
}

func TestProImageConformance(t *testing.T) {
	t.Parallel()
	conformances(t, func(t *testing.T, m providertest.Media) {
		t.Helper()
		m.Upstream.Model = "wan2.7-image-pro"
		m.Failures[studio.PartialOutput] = provider.ClassBadResponse
		providertest.RunImage(t, m, providertest.ImageCases{
			Accepted: map[string]provider.ImageRequest{"a large size": {Width: 4096, Height: 4096}},
			Refused: map[string]providertest.Refusal[provider.ImageRequest]{
				"a large size of an edit": {
					Request: provider.ImageRequest{Width: 4096, Height: 4096, Images: []string{"https://example.com/a.png"}},
					Param:   "size", Allowed: []string{"4194304"},
				},
			},
		})
	})
}

func TestOlderImageConformance(t *testing.T) {
	t.Parallel()
	conformances(t, func(t *testing.T, m providertest.Media) {
		t.Helper()
		m.Upstream.Model = "wan2.6-t2i"
		m.Failures[studio.PartialOutput] = provider.ClassBadResponse
		providertest.RunImage(t, m, providertest.ImageCases{
			Accepted: map[string]provider.ImageRequest{
				"a negative prompt": {NegativePrompt: "dogs"},
				"OpenAI's sizes":    {Width: 1536, Height: 1024},
			},
		})
	})
}

func TestOldestImageConformance(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"wan2.5-t2i-preview", "wan2.2-t2i-flash", "wanx2.0-t2i-turbo"} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			conformances(t, func(t *testing.T, m providertest.Media) {
				t.Helper()
				m.Upstream.Model = model
				m.Failures[studio.PartialOutput] = provider.ClassModeration
				providertest.RunImage(t, m, providertest.ImageCases{
					Accepted: map[string]provider.ImageRequest{
						"a negative prompt": {NegativePrompt: "dogs", Seed: new(int64(0)), Watermark: new(true)},
						"a small size":      {Width: 512, Height: 256},
					},
					Refused: map[string]providertest.Refusal[provider.ImageRequest]{
						"a reference": {Request: provider.ImageRequest{Images: []string{"https://example.com/a.png"}}, Param: "image"},
					},
				})
			})
		})
	}
}

func TestVideoConformance(t *testing.T) {
	t.Parallel()
	conformances(t, func(t *testing.T, m providertest.Media) {
		t.Helper()
		m.Upstream.Model = "wan2.7-t2v"
		providertest.RunVideo(t, m, providertest.VideoCases{
			Accepted: map[string]providertest.Acceptance[provider.VideoRequest]{
				"nothing but a prompt": {Billing: &provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true}},
				"everything": {
					Request: provider.VideoRequest{
						Duration: 15, Resolution: "720p", AspectRatio: "9:16", Seed: new(int64(7)), NegativePrompt: "dogs", Watermark: new(true),
						Audio: new(true),
					},
					Billing: &provider.Billing{Seconds: 15, Resolution: "720p", Audio: true},
				},
			},
			Refused: map[string]providertest.Refusal[provider.VideoRequest]{
				"too long": {Request: provider.VideoRequest{Duration: 16}, Param: "duration", Allowed: []string{"2 to 15"}},
				"a resolution that it does not make": {
					Request: provider.VideoRequest{Resolution: "480p"}, Param: "resolution", Allowed: []string{"720p", "1080p"},
				},
				"a ratio that it does not make": {
					Request: provider.VideoRequest{AspectRatio: "21:9"}, Param: "aspect_ratio", Allowed: []string{"16:9", "3:4"},
				},
				"silence":  {Request: provider.VideoRequest{Audio: new(false)}, Param: "audio"},
				"an image": {Request: provider.VideoRequest{Image: "https://example.com/a.png"}, Param: "image"},
			},
		})
	})
}

func TestFrameConformance(t *testing.T) {
	t.Parallel()
	const a, b = "https://example.com/a.png", "https://example.com/b.png"
	type request = provider.VideoRequest
	tests := map[string]struct {
		model    string
		ordinary request
		accepted map[string]providertest.Acceptance[request]
		refused  map[string]providertest.Refusal[request]
	}{
		"3.0": {
			model: "wan3.0-video",
			accepted: map[string]providertest.Acceptance[request]{
				"two frames, without sound": {
					Request: request{Image: a, LastImage: b, AspectRatio: "adaptive", Resolution: "480p", Audio: new(false), Duration: 30},
					Billing: &provider.Billing{Seconds: 30, Resolution: "480p"},
				},
			},
			refused: map[string]providertest.Refusal[request]{
				"a negative prompt": {Request: request{NegativePrompt: "dogs"}, Param: "negative_prompt"},
			},
		},
		"2.7": {
			model: "wan2.7-i2v-2026-04-25", ordinary: request{Image: a},
			accepted: map[string]providertest.Acceptance[request]{
				"two frames": {Request: request{Image: a, LastImage: b}, Billing: &provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true}},
			},
			refused: map[string]providertest.Refusal[request]{
				"no frame": {Param: "image"},
			},
		},
		"2.6": {
			model: "wan2.6-i2v-flash", ordinary: request{Image: a},
			accepted: map[string]providertest.Acceptance[request]{
				"without sound": {
					Request: request{Image: a, Resolution: "720p", Duration: 10, Audio: new(false), AspectRatio: "adaptive"},
					Billing: &provider.Billing{Seconds: 10, Resolution: "720p"},
				},
			},
			refused: map[string]providertest.Refusal[request]{
				"two frames": {Request: request{Image: a, LastImage: b}, Param: "last_image"},
				"a ratio":    {Request: request{Image: a, AspectRatio: "1:1"}, Param: "aspect_ratio"},
			},
		},
		"2.5, without an image": {
			model: "wan2.5-t2v-preview",
			accepted: map[string]providertest.Acceptance[request]{
				"a square": {
					Request: request{Resolution: "720p", AspectRatio: "1:1"}, Billing: &provider.Billing{Seconds: 5, Resolution: "720p", Audio: true},
				},
			},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conformances(t, func(t *testing.T, m providertest.Media) {
				t.Helper()
				m.Upstream.Model = tc.model
				providertest.RunVideo(t, m, providertest.VideoCases{Request: tc.ordinary, Accepted: tc.accepted, Refused: tc.refused})
			})
		})
	}
}
